"""Bodies of requests as a Go program would read them: typed, without nulls, empty things left out.

What no field takes is told and left out. Amounts are written in their shortest form and instants in UTC,
as they come back from a Kubernetes server.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from deployments.embedded.kubernetes.api_types import Shape, Type, type_of
from deployments.embedded.kubernetes.errors import bad_request
from deployments.embedded.kubernetes.kinds import Kind
from deployments.embedded.kubernetes.quantities import canonical

Body = dict[str, Any]
STRICT, WARN, IGNORE = "Strict", "Warn", "Ignore"
SCALARS: dict[Shape, tuple[type, ...]] = {
    Shape.STRING: (str,),
    Shape.BOOLEAN: (bool,),
    Shape.INTEGER: (int,),
    Shape.NUMBER: (int, float),
    Shape.INT_OR_STRING: (int, str),
}
GO_NAMES = {
    Shape.STRING: "string",
    Shape.BOOLEAN: "bool",
    Shape.INTEGER: "int32",
    Shape.NUMBER: "float64",
    Shape.INT_OR_STRING: "intstr.IntOrString",
}
JSON_NAMES = {
    dict: "object", list: "array", str: "string", int: "number", float: "number", bool: "bool",
}  # fmt: skip


def decode(kind: Kind, body: Body, *, validation: str = WARN) -> list[str]:
    """Bring a body into the form in which objects are kept, in place.

    Args:
        kind: What it is to be.
        body: Of a request.
        validation: What becomes of fields that the kind has not: STRICT refuses them, WARN tells them.

    Returns:
        Warnings for the client.

    Raises:
        ApiError: 400 where a value has the wrong type, or for unknown fields where that is asked for.
    """
    reading = _Reading(lenient=kind.custom)
    try:
        reading.fields(body, type_of(kind), "")
    except _UnreadableError as error:
        message = f"{_unfit(kind)}: {error}"
        raise bad_request(message) from error
    said = [f'unknown field "{one}"' for one in reading.unknown]
    if said and validation == STRICT:
        message = f"{_unfit(kind)}: strict decoding error: {', '.join(said)}"
        raise bad_request(message)
    return said if validation == WARN else []


def decode_part(name: str, of: Type, body: Body) -> None:
    """Bring the body of a part of an object, such as a scale, into its form, in place.

    Raises:
        ApiError: 400 where a value has the wrong type.
    """
    try:
        _Reading(lenient=False).fields(body, of, "")
    except _UnreadableError as error:
        message = f'{name} in version "v1" cannot be handled as a {name}: {error}'
        raise bad_request(message) from error


def check_kind(kind: Kind, body: Body) -> None:
    """Check that a body says nothing else of itself than its path.

    Raises:
        ApiError: 400.
    """
    said, version = body.get("kind") or kind.name, body.get("apiVersion") or kind.api_version
    if (said, version) != (kind.name, kind.api_version):
        message = (
            f'{said} in version "{version.rpartition("/")[2]}" cannot be handled as a {kind.name}: no '
            f'kind "{said}" is registered for version "{version}" in scheme "pkg/runtime/scheme.go:111"'
        )
        raise bad_request(message)


def _unfit(kind: Kind) -> str:
    return f'{kind.name} in version "{kind.version}" cannot be handled as a {kind.name}'


class _UnreadableError(ValueError):
    """A value that no field of that type takes."""


@dataclass(slots=True)
class _Reading:
    """One body that is read.

    Attributes:
        lenient: Leave wrong types to the validation by a schema.
        unknown: Paths of fields that nobody knows.
    """

    lenient: bool
    unknown: list[str] = field(default_factory=list)

    def fields(self, body: Body, of: Type, path: str) -> None:
        known, required = of.fields, of.required
        for key in tuple(body):
            inner = known.get(key)
            if inner is None:
                if not of.keeps_unknown:
                    self.unknown.append(f"{path}{key}")
                    del body[key]
                continue
            value = body[key]
            if value is None:
                del body[key]
                continue
            read = self._value(value, inner, of, path, key)
            if not read and key not in required and self._is_left_out(inner):
                del body[key]
            elif read is not value:
                body[key] = read

    def _is_left_out(self, inner: Type) -> bool:
        return not self.lenient and (
            inner.omits_zero or inner.shape is Shape.LIST or inner.shape is Shape.MAP
        )

    def _value(self, value: Any, inner: Type, of: Type, path: str, key: str) -> Any:
        shape = inner.shape
        taken = SCALARS.get(shape)
        if taken is not None:
            if type(value) not in taken:
                self._refuse(value, inner, of, path, key)
            return value
        if shape is Shape.OBJECT:
            if type(value) is not dict:
                self._refuse(value, inner, of, path, key)
            else:
                self.fields(value, inner, f"{path}{key}.")
        elif shape is Shape.LIST:
            if type(value) is not list:
                self._refuse(value, inner, of, path, key)
            else:
                self._items(value, inner, of, path, key)
        elif shape is Shape.MAP:
            if type(value) is not dict:
                self._refuse(value, inner, of, path, key)
            else:
                self._map(value, inner, of, path, key)
        elif shape in CONVERTED and not self.lenient:
            return CONVERTED[shape](value)
        return value

    def _items(self, items: list[Any], inner: Type, of: Type, path: str, key: str) -> None:
        each = inner.items
        if each is None or each.shape is Shape.ANY:
            return
        if each.shape is Shape.OBJECT:
            for at, one in enumerate(items):
                if type(one) is dict:
                    self.fields(one, each, f"{path}{key}[{at}].")
                elif one is not None:
                    self._refuse(one, each, of, path, key)
            return
        for at, one in enumerate(items):
            items[at] = self._value(one, each, of, path, key)

    def _map(self, values: Body, inner: Type, of: Type, path: str, key: str) -> None:
        each = inner.items
        if each is None or each.shape is Shape.ANY:
            return
        for name, one in values.items():
            if one is not None:
                values[name] = self._value(one, each, of, f"{path}{key}.", name)
            elif each.shape is Shape.STRING:
                values[name] = ""

    def _refuse(self, value: Any, inner: Type, of: Type, path: str, key: str) -> None:
        if self.lenient:
            return
        struct = of.name.rpartition(".")[2]
        message = (
            f"json: cannot unmarshal {JSON_NAMES.get(type(value), 'value')} into Go struct field "
            f"{struct}.{path}{key} of type {_go_name(inner)}"
        )
        raise _UnreadableError(message)


def _go_name(of: Type) -> str:
    if of.shape is Shape.LIST and of.items is not None:
        return f"[]{_go_name(of.items)}"
    if of.shape is Shape.MAP and of.items is not None:
        return f"map[string]{_go_name(of.items)}"
    return GO_NAMES.get(of.shape) or of.name


def _quantity(value: Any) -> str:
    if type(value) not in (str, int, float):
        msg = "quantities must be a string or a number"
        raise _UnreadableError(msg)
    try:
        return canonical(str(value))
    except ValueError as error:
        raise _UnreadableError(str(error)) from error


@lru_cache(maxsize=512)
def _instant(value: str) -> datetime:
    try:
        found = datetime.fromisoformat(value)
    except ValueError as error:
        msg = f'parsing time "{value}" as "2006-01-02T15:04:05Z07:00": cannot parse "{value}"'
        raise _UnreadableError(msg) from error
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


SECONDS_LENGTH = len("2026-01-01T00:00:00Z")


def _time(value: Any) -> str:
    if type(value) is not str:
        msg = f"json: cannot unmarshal {JSON_NAMES.get(type(value), 'value')} into a time"
        raise _UnreadableError(msg)
    if len(value) == SECONDS_LENGTH and value[-1] == "Z":
        _instant(value)
        return value
    return _instant(value).strftime("%Y-%m-%dT%H:%M:%SZ")


def _micro_time(value: Any) -> str:
    if type(value) is not str:
        return _time(value)
    return _instant(value).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


CONVERTED: dict[Shape, Callable[[Any], str]] = {
    Shape.QUANTITY: _quantity,
    Shape.TIME: _time,
    Shape.MICRO_TIME: _micro_time,
}
