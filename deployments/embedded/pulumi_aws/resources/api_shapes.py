"""HTTP APIs in the words of the service, and in Pulumi's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deployments.embedded.pulumi_aws.account import Cloud
from deployments.embedded.pulumi_aws.resources.shared import capitals
from deployments.embedded.pulumi_aws.values import Properties

_OURS = frozenset({"region", "tags"})
_ARGUMENTS = {"timeoutMilliseconds": "TimeoutInMillis"}
_MAPS = frozenset({"requestModels", "requestParameters", "requestTemplates", "stageVariables"})


def api_arguments(new: Properties) -> dict[str, Any]:
    """Return an API, or what is in it, as the service takes it, without tags."""
    found: dict[str, Any] = {}
    for name, value in new.items():
        if name in _OURS:
            continue
        argument = _ARGUMENTS.get(name, f"{name[0].upper()}{name[1:]}")
        # Names of parameters are the program's own.
        found[argument] = value if name in _MAPS else capitals(value)
    return found


def stage_arguments(new: Properties) -> dict[str, Any]:
    """Return a stage as the service takes it, without tags."""
    found = api_arguments({("stageName" if key == "name" else key): new[key] for key in new})
    settings = found.pop("RouteSettings", None)
    if settings:
        found["RouteSettings"] = {
            one.pop("RouteKey"): one for one in [dict(each) for each in settings]
        }
    return found


def told_names(cloud: Cloud, one: Mapping[str, Any], *names: str) -> Properties:
    """Return what the service tells under some of Pulumi's names; what is empty is left out."""
    found = {name: one.get(f"{name[0].upper()}{name[1:]}") for name in names}
    return {"region": cloud.region, **{key: value for key, value in found.items() if value}}
