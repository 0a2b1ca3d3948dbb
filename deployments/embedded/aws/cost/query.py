"""What Cost Explorer is asked for: filters and groups over the lines of a bill."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from deployments.embedded.aws.cost.lines import LineKey
from deployments.embedded.aws.errors import AwsError
from deployments.embedded.aws.policy import ACCOUNT
from tasks.domain.arrays import BoolArray

MOST_GROUPS = 2

DIMENSIONS: dict[str, Callable[[LineKey], str]] = {
    "LINKED_ACCOUNT": lambda _: ACCOUNT,
    "RECORD_TYPE": lambda key: str(key.record),
    "REGION": lambda key: key.region,
    "SERVICE": lambda key: key.service,
    "USAGE_TYPE": lambda key: key.usage_type,
}

_MATCHES: dict[str, Callable[[str, str], bool]] = {
    "EQUALS": lambda found, wanted: found == wanted,
    "CASE_SENSITIVE": lambda found, wanted: found == wanted,
    "STARTS_WITH": lambda found, wanted: found.startswith(wanted),
    "ENDS_WITH": lambda found, wanted: found.endswith(wanted),
    "CONTAINS": lambda found, wanted: wanted in found,
}


def refused(message: str) -> AwsError:
    """Return Cost Explorer's refusal of a parameter."""
    return AwsError(code="ValidationException", message=message)


def lines_wanted(keys: Sequence[LineKey], expression: Mapping[str, Any] | None) -> BoolArray:
    """Return which lines a filter lets through; all without one.

    Raises:
        AwsError: The filter is not valid, or uses what is not embedded.
    """
    if expression is None:
        return np.ones(len(keys), dtype=np.bool_)
    test = _test(expression)
    return np.fromiter(map(test, keys), dtype=np.bool_, count=len(keys))


def _test(expression: Mapping[str, Any]) -> Callable[[LineKey], bool]:
    if len(expression) != 1:
        names = ", ".join(sorted(expression)) or "nothing"
        msg = f"A filter has one element, this one has {names}; combine them with And."
        raise refused(msg)
    ((name, value),) = expression.items()
    if name in {"And", "Or"}:
        if len(value) < 2:
            msg = f"{name} needs two expressions at least, found {len(value)}."
            raise refused(msg)
        parts = [_test(part) for part in value]
        combine = all if name == "And" else any
        return lambda key: combine(part(key) for part in parts)
    if name == "Not":
        inner = _test(value)
        return lambda key: not inner(key)
    if name == "Dimensions":
        read = dimension(value.get("Key"))
        return _matching(value, read)
    if name == "Tags":
        tag = str(value.get("Key"))
        return _matching(value, lambda key: dict(key.tags).get(tag, ""))
    msg = f"{name} is not embedded; use And, Or, Not, Dimensions or Tags."
    raise refused(msg)


def dimension(name: str | None) -> Callable[[LineKey], str]:
    """Return what reads a dimension from a line.

    Raises:
        AwsError: There is none of that name here.
    """
    if name not in DIMENSIONS:
        msg = f"Dimension {name!r} is not embedded; use {', '.join(DIMENSIONS)}."
        raise refused(msg)
    return DIMENSIONS[name]


def _matching(
    value: Mapping[str, Any], read: Callable[[LineKey], str]
) -> Callable[[LineKey], bool]:
    options = set(value.get("MatchOptions", ())) or {"EQUALS"}
    if options == {"ABSENT"}:
        return lambda key: not read(key)
    if len(options) != 1 or not options <= _MATCHES.keys():
        known = ", ".join([*_MATCHES, "ABSENT"])
        msg = f"MatchOptions {sorted(options)} are not embedded; give one of {known}."
        raise refused(msg)
    match, wanted = _MATCHES[options.pop()], value.get("Values", ())
    return lambda key: any(match(read(key), one) for one in wanted)


def group_reader(definitions: Sequence[Mapping[str, Any]]) -> Callable[[LineKey], tuple[str, ...]]:
    """Return what gives a line's group keys, as Cost Explorer writes them: "team$web" for a tag.

    Raises:
        AwsError: There are more than two groups, or one is not embedded.
    """
    if len(definitions) > MOST_GROUPS:
        msg = f"GroupBy has {len(definitions)} groups, at most {MOST_GROUPS} are allowed."
        raise refused(msg)
    readers = [_group(one) for one in definitions]
    return lambda key: tuple(read(key) for read in readers)


def _group(definition: Mapping[str, Any]) -> Callable[[LineKey], str]:
    kind, name = definition.get("Type"), definition.get("Key")
    if kind == "DIMENSION":
        return dimension(name)
    if kind == "TAG":
        return lambda key: f"{name}${dict(key.tags).get(str(name), '')}"
    msg = f"GroupBy type {kind!r} is not embedded; use DIMENSION or TAG."
    raise refused(msg)
