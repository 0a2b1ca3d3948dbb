"""Bodies in protobuf, as kubectl and other programs in Go send those of built-in kinds.

The field numbers come with the schemas. Answers are JSON, which every client takes as well.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from deployments.embedded.kubernetes.api_types import META, NAMED, REFERENCE, Shape, names, schemas
from deployments.embedded.kubernetes.errors import bad_request

Json = Any
Schema = Mapping[str, Any]
CONTENT = "application/vnd.kubernetes.protobuf"
MAGIC = b"k8s\x00"
VARINT, FIXED_64, LENGTH, FIXED_32 = 0, 1, 2, 5
SIGN_BIT, WORD = 1 << 63, 1 << 64
Field = tuple[int, int, Any]
"""Number, wire type and value."""


def parse(raw: bytes) -> dict[str, Json]:
    """Return the object that bytes stand for.

    Raises:
        ApiError: 400 where they stand for none, or for one of no known kind.
    """
    if not raw.startswith(MAGIC):
        message = "provided data does not appear to be a protobuf message, expected prefix 6b3873"
        raise bad_request(message)
    try:
        envelope = {number: value for number, _, value in _fields(raw[len(MAGIC) :])}
        said = {number: value.decode() for number, _, value in _fields(envelope.get(1, b""))}
        version, kind = said.get(1, ""), said.get(2, "")
        found = _message(envelope.get(2, b""), _schema(version, kind))
    except (IndexError, UnicodeDecodeError, AttributeError) as error:
        message = f"illegal protobuf: {error}"
        raise bad_request(message) from error
    return {"kind": kind, "apiVersion": version, **found}


def _schema(version: str, kind: str) -> Schema:
    group, _, number = version.rpartition("/")
    name = names().get((group, number, kind)) or f"{META}.{kind}"
    found = schemas().get(name)
    if found is None:
        message = f'no kind "{kind}" is registered for version "{version}"'
        raise bad_request(message)
    return found


def _fields(raw: bytes) -> Iterator[Field]:
    at = 0
    while at < len(raw):
        tag, at = _varint(raw, at)
        wire = tag & 7
        if wire == VARINT:
            value, at = _varint(raw, at)
            yield tag >> 3, wire, value
        elif wire == LENGTH:
            length, at = _varint(raw, at)
            if at + length > len(raw):
                raise IndexError(length)
            yield tag >> 3, wire, raw[at : at + length]
            at += length
        else:
            size = {FIXED_64: 8, FIXED_32: 4}[wire]
            yield tag >> 3, wire, raw[at : at + size]
            at += size


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    found = shift = 0
    while True:
        byte = raw[at]
        found |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return found, at


def _message(raw: bytes, schema: Schema) -> dict[str, Json]:
    found: dict[str, Json] = {}
    properties = schema.get("properties") or {}
    for number, wire, value in _fields(raw):
        key = (schema.get("x-numbers") or {}).get(str(number))
        if isinstance(key, str):
            _put(found, key, properties.get(key) or {}, wire, value)
        elif key is not None:
            for inner, kind, part in _fields(value):
                name = key.get(str(inner))
                if name:
                    _put(found, name, properties.get(name) or {}, kind, part)
    return found


def _put(found: dict[str, Json], key: str, schema: Schema, wire: int, value: Any) -> None:
    if schema.get("type") == "array":
        items = found.setdefault(key, [])
        each = schema.get("items") or {}
        if wire == LENGTH and _resolved(each)[0].get("type") in ("integer", "boolean"):
            items += [_value(each, one) for one in _packed(value)]
        else:
            items.append(_value(each, value))
    elif schema.get("additionalProperties"):
        entry = {number: part for number, _, part in _fields(value)}
        each = schema["additionalProperties"]
        text = entry.get(1, b"").decode()
        found.setdefault(key, {})[text] = _value(each, entry.get(2, b""))
    else:
        found[key] = _value(schema, value)


def _packed(raw: bytes) -> Iterator[int]:
    at = 0
    while at < len(raw):
        value, at = _varint(raw, at)
        yield value


def _resolved(schema: Schema) -> tuple[Schema, str]:
    """Return a schema and its name, following a reference."""
    for one in (schema, *(schema.get("allOf") or ())):
        if "$ref" in one:
            name = one["$ref"].removeprefix(REFERENCE)
            return schemas()[name], name
    return schema, ""


def _value(schema: Schema, value: Any) -> Json:
    of, name = _resolved(schema)
    special = SPECIAL.get(NAMED.get(name, Shape.OBJECT))
    if special is not None:
        return special(value)
    match of.get("type"):
        case "boolean":
            return bool(value)
        case "integer":
            return value - WORD if value >= SIGN_BIT else value
        case "string":
            if of.get("format") == "byte":
                return base64.b64encode(value).decode()
            return value.decode()
        case "object" if of.get("properties"):
            return _message(value, of)
        case _:
            return _any(value)


def _time(raw: bytes) -> str | None:
    parts = {number: value for number, _, value in _fields(raw)}
    if not parts.get(1):
        return None
    when = datetime.fromtimestamp(parts[1], UTC)
    micro = parts.get(2, 0) // 1000
    return when.replace(microsecond=micro).isoformat().replace("+00:00", "Z")


def _quantity(raw: bytes) -> str:
    return next((value.decode() for number, _, value in _fields(raw) if number == 1), "0")


def _number_or_text(raw: bytes) -> int | str:
    parts = {number: value for number, _, value in _fields(raw)}
    if parts.get(1):
        return bytes(parts.get(3, b"")).decode()
    number = int(parts.get(2, 0))
    return number - WORD if number >= SIGN_BIT else number


def _any(raw: bytes) -> Json:
    """Return what is JSON inside of a message."""
    inner = next((value for number, _, value in _fields(raw) if number == 1), b"")
    return orjson.loads(inner) if inner else {}


SPECIAL: Mapping[Shape, Callable[[bytes], Json]] = {
    Shape.TIME: _time,
    Shape.MICRO_TIME: _time,
    Shape.QUANTITY: _quantity,
    Shape.INT_OR_STRING: _number_or_text,
    Shape.ANY: _any,
}
