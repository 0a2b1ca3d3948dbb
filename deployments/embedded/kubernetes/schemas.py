"""Custom objects against the schema of their definition: defaults, and what is not allowed.

Covers the keywords that structural schemas have, except rules in CEL (`x-kubernetes-validations`). What
the schema does not name is dropped when a body is decoded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

import orjson

from deployments.embedded.kubernetes.causes import Cause, required, shown, unsupported, wrong

Schema = Mapping[str, Any]
TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}
NAMES = {
    dict: "object", list: "array", str: "string", int: "integer", float: "number", bool: "boolean",
}  # fmt: skip


def set_defaults(value: Any, schema: Schema) -> None:
    """Fill in what a schema has defaults for, in place, however deep."""
    if isinstance(value, dict):
        properties = schema.get("properties") or {}
        for key, inner in properties.items():
            if "default" in inner and (
                value.get(key) is None and not _takes_null(value, key, inner)
            ):
                value[key] = deepcopy(inner["default"])
            if key in value:
                set_defaults(value[key], inner)
        rest = schema.get("additionalProperties")
        if isinstance(rest, Mapping):
            for key, one in value.items():
                if key not in properties:
                    set_defaults(one, rest)
    elif isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        for one in value:
            set_defaults(one, schema["items"])


def _takes_null(value: Mapping[str, Any], key: str, schema: Schema) -> bool:
    return key in value and bool(schema.get("nullable"))


def violations(body: Mapping[str, Any], schema: Schema) -> list[Cause]:
    """Return what a schema does not allow of an object."""
    properties = schema.get("properties") or {}
    found = [required(name) for name in schema.get("required") or () if name not in body]
    for key, value in body.items():
        if key in properties and key not in ("metadata", "apiVersion", "kind"):
            found += _value(value, properties[key], key)
    return found


def _value(value: Any, schema: Schema, here: str) -> Iterator[Cause]:
    if value is None and schema.get("nullable"):
        return
    if schema.get("x-kubernetes-int-or-string"):
        if type(value) not in (int, str):
            yield _type(value, "integer or string", here)
        return
    wanted = str(schema.get("type", ""))
    if wanted and not _fits(value, wanted):
        yield _type(value, wanted, here)
        return
    if "enum" in schema and value not in schema["enum"]:
        yield unsupported(
            here, value, [one if isinstance(one, str) else shown(one) for one in schema["enum"]]
        )
    if isinstance(value, dict):
        yield from _object(value, schema, here)
    elif isinstance(value, list):
        yield from _list(value, schema, here)
    elif isinstance(value, str):
        yield from _text(value, schema, here)
    elif not isinstance(value, bool) and isinstance(value, int | float):
        yield from _number(value, schema, here)
    yield from _combined(value, schema, here)


def _fits(value: Any, wanted: str) -> bool:
    if wanted == "integer" and isinstance(value, float):
        return value.is_integer()
    return type(value) in TYPES.get(wanted, (type(value),))


def _type(value: Any, wanted: str, here: str) -> Cause:
    said = NAMES.get(type(value), "null")
    message = f'{here} in body must be of type {wanted}: "{said}"'
    return "FieldValueTypeInvalid", f"Invalid value: {shown(said)}: {message}", here


def _object(value: dict[str, Any], schema: Schema, here: str) -> Iterator[Cause]:
    properties = schema.get("properties") or {}
    for name in schema.get("required") or ():
        if name not in value:
            yield required(f"{here}.{name}")
    rest = schema.get("additionalProperties")
    for key, inner in value.items():
        if key in properties:
            yield from _value(inner, properties[key], f"{here}.{key}")
        elif isinstance(rest, Mapping):
            yield from _value(inner, rest, f"{here}.{key}")
    least, most = schema.get("minProperties"), schema.get("maxProperties")
    if least is not None and len(value) < least:
        yield wrong(here, len(value), f"{here} in body should have at least {least} properties")
    if most is not None and len(value) > most:
        message = f"must have at most {most} item{'s' if most != 1 else ''}"
        yield "FieldValueTooMany", f"Too many: {len(value)}: {message}", here


def _list(value: list[Any], schema: Schema, here: str) -> Iterator[Cause]:
    items = schema.get("items")
    if isinstance(items, Mapping):
        for at, one in enumerate(value):
            yield from _value(one, items, f"{here}[{at}]")
    least, most = schema.get("minItems"), schema.get("maxItems")
    if least is not None and len(value) < least:
        yield wrong(here, len(value), f"{here} in body should have at least {least} items")
    if most is not None and len(value) > most:
        message = f"must have at most {most} item{'s' if most != 1 else ''}"
        yield "FieldValueTooMany", f"Too many: {len(value)}: {message}", here
    how = schema.get("x-kubernetes-list-type")
    if how in ("set", "map") or schema.get("uniqueItems"):
        yield from _unique(value, schema, here)


def _unique(value: list[Any], schema: Schema, here: str) -> Iterator[Cause]:
    keys = schema.get("x-kubernetes-list-map-keys") or ()
    seen = set()
    for at, one in enumerate(value):
        told = {key: one.get(key) for key in keys} if keys and isinstance(one, dict) else one
        place = orjson.dumps(told, option=orjson.OPT_SORT_KEYS)
        if place in seen:
            yield "FieldValueDuplicate", f"Duplicate value: {shown(told)}", f"{here}[{at}]"
        seen.add(place)


def _text(value: str, schema: Schema, here: str) -> Iterator[Cause]:
    least, most, pattern = (schema.get(key) for key in ("minLength", "maxLength", "pattern"))
    if least is not None and len(value) < least:
        yield wrong(here, value, f"{here} in body should be at least {least} chars long")
    if most is not None and len(value) > most:
        message = f"Too long: may not be more than {most} bytes"
        yield "FieldValueTooLong", message, here
    if pattern is not None and not re.search(pattern, value):
        yield wrong(here, value, f"{here} in body should match '{pattern}'")


def _number(value: float, schema: Schema, here: str) -> Iterator[Cause]:
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None:
        open_, words = schema.get("exclusiveMinimum"), "should be greater than"
        if value < least or (open_ and value == least):
            said = f"{here} in body {words} {'' if open_ else 'or equal to '}{least}"
            yield wrong(here, value, said)
    if most is not None:
        open_, words = schema.get("exclusiveMaximum"), "should be less than"
        if value > most or (open_ and value == most):
            said = f"{here} in body {words} {'' if open_ else 'or equal to '}{most}"
            yield wrong(here, value, said)
    step = schema.get("multipleOf")
    if step and value % step:
        yield wrong(here, value, f"{here} in body should be a multiple of {step}")


def _combined(value: Any, schema: Schema, here: str) -> Iterator[Cause]:
    for one in schema.get("allOf") or ():
        yield from _value(value, one, here)
    if schema.get("anyOf") and not any(_is_valid(value, one, here) for one in schema["anyOf"]):
        yield wrong(here, value, f"{here} in body must validate at least one schema (anyOf)")
    if schema.get("oneOf"):
        number = sum(_is_valid(value, one, here) for one in schema["oneOf"])
        if number != 1:
            yield wrong(
                here, value, f"{here} in body must validate one and only one schema (oneOf)"
            )
    if schema.get("not") and _is_valid(value, schema["not"], here):
        yield wrong(here, value, f"{here} in body must not validate the schema (not)")


def _is_valid(value: Any, schema: Schema, here: str) -> bool:
    return next(_value(value, schema, here), None) is None
