"""Label and field selectors, as they are written in a query."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from deployments.embedded.kubernetes.errors import bad_request
from deployments.embedded.kubernetes.kinds import Kind

Test = Callable[[Mapping[str, str]], bool]

_SET = re.compile(r"^(\S+)\s+(in|notin)\s+\(([^()]*)\)$")
_EQUAL = re.compile(r"^([^!=\s]+)\s*(==|=|!=)\s*([^!=\s]*)$")
_EXISTS = re.compile(r"^(!?)\s*([A-Za-z0-9./_-]+)$")
_COMMA = re.compile(r",(?![^(]*\))")


@dataclass(frozen=True, slots=True)
class Selector:
    """All of some tests; the empty one fits everything."""

    tests: tuple[Test, ...] = ()

    def fits(self, values: Mapping[str, str]) -> bool:
        """Return whether values pass every test."""
        return all(test(values) for test in self.tests)

    def __bool__(self) -> bool:
        return bool(self.tests)


def label_selector(text: str) -> Selector:
    """Return the selector of a `labelSelector` parameter.

    Raises:
        ApiError: 400 where it cannot be read.
    """
    parts = [part.strip() for part in _COMMA.split(text)] if text.strip() else []
    return Selector(tuple(_label_test(part, text) for part in parts))


def _label_test(part: str, text: str) -> Test:
    if found := _SET.match(part):
        key, how, inside = found.groups()
        among = {one.strip() for one in inside.split(",")}
        if how == "in":
            return lambda labels: labels.get(key) in among
        return lambda labels: labels.get(key) not in among
    if found := _EQUAL.match(part):
        key, how, value = found.groups()
        if how == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if found := _EXISTS.match(part):
        missing, key = found.groups()
        return (lambda labels: key not in labels) if missing else (lambda labels: key in labels)
    msg = f"unable to parse requirement: found '{part}' in '{text}'"
    raise bad_request(msg)


def object_selector(selector: Mapping[str, Any] | None) -> Selector:
    """Return the selector of a `LabelSelector` object; None fits nothing, an empty one everything."""
    if selector is None:
        return Selector((lambda _: False,))
    tests = [_equals(key, value) for key, value in (selector.get("matchLabels") or {}).items()]
    tests += [_expression(one) for one in selector.get("matchExpressions") or ()]
    return Selector(tuple(tests))


def _equals(key: str, value: str) -> Test:
    return lambda labels: labels.get(key) == value


def _expression(one: Mapping[str, Any]) -> Test:
    key, among = one["key"], set(one.get("values") or ())
    match one["operator"]:
        case "In":
            return lambda labels: labels.get(key) in among
        case "NotIn":
            return lambda labels: labels.get(key) not in among
        case "Exists":
            return lambda labels: key in labels
        case _:
            return lambda labels: key not in labels


def field_selector(text: str, kind: Kind) -> Selector:
    """Return the selector of a `fieldSelector` parameter, over what `selectable_fields` tells.

    Raises:
        ApiError: 400 where the kind cannot be narrowed by a field.
    """
    tests = []
    for part in filter(None, (one.strip() for one in text.split(","))):
        found = _EQUAL.match(part)
        if not found:
            msg = f"invalid selector: '{text}'; can't understand '{part}'"
            raise bad_request(msg)
        key, how, value = found.groups()
        if key not in ("metadata.name", "metadata.namespace", *kind.field_selectors):
            msg = f"field label not supported: {key}"
            if kind.custom:
                msg = f'{key} is not a known field selector: only "metadata.name", "metadata.namespace"'
            raise bad_request(msg)
        tests.append(_field_test(key, value, differs=how == "!="))
    return Selector(tuple(tests))


def _field_test(key: str, value: str, *, differs: bool) -> Test:
    return lambda fields: (fields.get(key, "") != value) is differs


def selectable_fields(body: Mapping[str, Any], kind: Kind) -> dict[str, str]:
    """Return the fields of an object that lists can be narrowed by, as text."""
    metadata = body["metadata"]
    found = {"metadata.name": metadata["name"], "metadata.namespace": metadata.get("namespace", "")}
    for path in kind.field_selectors:
        value: Any = body
        for part in path.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        found[path] = _text(value)
    if kind.plural == "events":
        found["source"] = _text((body.get("source") or {}).get("component"))
    return found


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
