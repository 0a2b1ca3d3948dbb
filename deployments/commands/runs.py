"""The command that runs a flow."""

from __future__ import annotations

from datetime import date

import yaml

from deployments.commands.terminal import complain, run_and_show
from deployments.lifecycle import NotUpError, running_api
from deployments.local import Local, default_home
from deployments.prefect_api import PrefectApiError


def run(flow: str, *parameters: str) -> int:
    """Run a flow once and show what it found. Ends with 1 when the run failed.

    Args:
        flow: Name of a deployment, for example forecast-spot-prices.
        parameters: key=value, where the value is YAML; a dot reaches into a group.
            For example: regions=[us-east-1] need.vcpu=64
    """
    try:
        given = parameters_from(parameters)
        with running_api(Local(home=default_home())) as api:
            return 0 if run_and_show(api, flow, given).succeeded else 1
    except (NotUpError, PrefectApiError, ValueError) as error:
        return complain("not run", error)


def parameters_from(words: tuple[str, ...], *, example: str = "need.vcpu=64") -> dict[str, object]:
    """Return flow parameters from key=value words.

    Args:
        words: Of the command line.
        example: For whoever forgets the form.

    Raises:
        ValueError: A word has no "=", an empty key, or a value that is not YAML.
    """
    found: dict[str, object] = {}
    for word in words:
        key, equals, text = word.partition("=")
        if not equals or not all(key.split(".")):
            message = f"{word!r} is not of the form key=value, for example {example}"
            raise ValueError(message)
        try:
            value = _plain(yaml.safe_load(text))
        except yaml.YAMLError as error:
            message = f"the value of {key!r} is not YAML: {text!r}"
            raise ValueError(message) from error
        *groups, last = key.split(".")
        inner = found
        for group in groups:
            nested = inner.setdefault(group, {})
            if not isinstance(nested, dict):
                message = f"{group!r} is given both as a value and as a group in {word!r}"
                raise ValueError(message)
            inner = nested
        inner[last] = value
    return found


def _plain(value: object) -> object:
    """Return a YAML value as JSON can carry it: instants as text."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value
