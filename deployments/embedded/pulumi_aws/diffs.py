"""How a program's inputs differ from what is there, and whether that takes a new resource."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from deployments.embedded.pulumi_aws.kinds import Kind
from deployments.embedded.pulumi_aws.shapes import Form, Shape
from deployments.embedded.pulumi_aws.values import ARCHIVE, ASSET, MARK, Properties

_PLAIN_KEY = re.compile(r"[A-Za-z_]\w*")


class Step(StrEnum):
    """What happens to a property."""

    ADD = "add"
    DELETE = "delete"
    UPDATE = "update"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One property.

    Attributes:
        path: As Pulumi writes it, for example `tags["homeostat/owner"]`.
        top: The property that it is in.
        replaces: A new resource is made for it.
    """

    path: str
    top: str
    step: Step
    replaces: bool


def differences(
    kind: Kind, *, state: Properties, inputs: Properties, new: Properties
) -> tuple[Difference, ...]:
    """Return what a program would change, by path.

    Args:
        kind: The resource's type.
        state: What is there, as the account told it last.
        inputs: What the program said last.
        new: What the program says now, without envelopes.
    """
    found: list[Difference] = []
    for name, shape in kind.inputs.shapes.items():
        before = (inputs if name in kind.unread else state).get(name)
        for path, step in _of_property(kind, name, shape, before, new.get(name)):
            replaces = _forces(kind, path)
            found.append(Difference(path=path, top=name, step=step, replaces=replaces))
    return tuple(sorted(found, key=lambda one: one.path))


def _of_property(
    kind: Kind, name: str, shape: Shape, before: Any, now: Any
) -> Iterator[tuple[str, Step]]:
    absent = kind.absent.get(name)
    if now is None:
        # Left out: what the account has stays, unless leaving it out means something.
        said = before if before is not None else absent
        if name in kind.absent and _said(said) != _said(absent):
            yield name, Step.DELETE
        return
    if before is None and _same_text(now, absent):
        return
    if name in kind.documents:
        before, now = _document(before), _document(now)
        shape = Shape(form=Form.ANY)
    if name in kind.numbers:
        before, now = _number(before), _number(now)
    if name in kind.sets:
        before, now = _sorted(before), _sorted(now)
    yield from _compare(name, shape, before, now)


def _said(value: Any) -> Any:
    """Return a value in which saying nothing is the same whichever way it is said."""
    return None if value in ({}, [], "", False, 0) else value


def _compare(path: str, shape: Shape, before: Any, now: Any) -> Iterator[tuple[str, Step]]:
    if before is None:
        if _said(now) is not None or shape.form in {Form.TEXT, Form.NUMBER, Form.TRUTH}:
            yield path, Step.ADD
    elif isinstance(before, Mapping) and isinstance(now, Mapping):
        yield from _mappings(path, shape, before, now)
    elif shape.form is Form.LIST and _same_length(before, now) and shape.item is not None:
        for index, (old, new) in enumerate(zip(before, now, strict=True)):
            yield from _compare(f"{path}[{index}]", shape.item, old, new)
    elif not _same_text(before, now):
        yield path, Step.UPDATE


def _mappings(
    path: str, shape: Shape, before: Mapping[str, Any], now: Mapping[str, Any]
) -> Iterator[tuple[str, Step]]:
    if _is_asset(now):
        if before.get("hash") != now.get("hash"):
            yield path, Step.UPDATE
    elif shape.form is Form.OBJECT:
        fields = shape.fields.shapes
        for key, value in now.items():
            if key in fields:
                yield from _compare(f"{path}.{key}", fields[key], before.get(key), value)
    elif shape.form is Form.MAP:
        yield from _maps(path, before, now)
    elif not _same_text(before, now):
        yield path, Step.UPDATE


def _maps(
    path: str, before: Mapping[str, Any], now: Mapping[str, Any]
) -> Iterator[tuple[str, Step]]:
    for key in sorted({*before, *now}):
        place = f"{path}.{key}" if _PLAIN_KEY.fullmatch(key) else f"{path}[{json.dumps(key)}]"
        if key not in now:
            yield place, Step.DELETE
        elif key not in before:
            yield place, Step.ADD
        elif not _same_text(before[key], now[key]):
            yield place, Step.UPDATE


def _same_length(before: Any, now: Any) -> bool:
    return isinstance(before, list) and isinstance(now, list) and len(before) == len(now)


def _is_asset(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get(MARK) in {ASSET, ARCHIVE}


def _same_text(one: Any, other: Any) -> bool:
    """Return whether two values are the same: the provider takes "8" for 8 and "true" for true."""
    return bool(one == other) or _text(one) == _text(other)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(int(value)) if float(value).is_integer() else repr(float(value))
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True)


def same_document(one: Any, other: Any) -> bool:
    """Return whether two texts of JSON say the same."""
    return bool(_document(one) == _document(other))


def _document(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return text  # not known yet, or not JSON


def same_number(one: Any, other: Any) -> bool:
    """Return whether two texts hold the same number."""
    return bool(_number(one) == _number(other))


def _number(value: Any) -> Any:
    try:
        return float(value)
    except (TypeError, ValueError):
        return value


def _sorted(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    return sorted(value, key=lambda each: json.dumps(each, sort_keys=True))


def _forces(kind: Kind, path: str) -> bool:
    bare = re.sub(r"\[[^\]]*\]", "", path)
    parts = bare.split(".")
    return any(".".join(parts[: n + 1]) in kind.replaces for n in range(len(parts)))
