"""Sets of fields, as `managedFields` writes them: who has set what of an object.

A field is a path of elements: `f:name` of a map, `k:{...}` of a list whose items have keys, `v:...` of a
list that is a set. An item of a list is a field itself, `.`, beside what it holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from deployments.embedded.kubernetes.api_types import ANYTHING, Type

Json = Any
Field = tuple[str, ...]
Fields = frozenset[Field]

SELF = "."
UNOWNED = frozenset({"apiVersion", "kind", "metadata"})
UNOWNED_METADATA = frozenset({
    "name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp",
    "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generateName", "managedFields",
})  # fmt: skip
"""What nobody can own."""


def values_of(body: Json, of: Type = ANYTHING) -> dict[Field, Json]:
    """Return the value of every field of an object, as far as somebody can own it."""
    found: dict[Field, Json] = {}
    if isinstance(body, dict):
        for key, value in body.items():
            if key == "metadata" and isinstance(value, dict):
                for name, inner in value.items():
                    if name not in UNOWNED_METADATA:
                        here = ("f:metadata", f"f:{name}")
                        _walk(inner, here, of.of(key).of(name), found)
            elif key not in UNOWNED:
                _walk(value, (f"f:{key}",), of.of(key), found)
    return found


def _walk(value: Json, field: Field, of: Type, found: dict[Field, Json]) -> None:
    if type(value) is dict and value and not of.is_atomic:
        for key, inner in value.items():
            _walk(inner, (*field, f"f:{key}"), of.of(key), found)
        return
    if type(value) is list and value:
        if of.keys and all(type(one) is dict for one in value):
            each = of.items or ANYTHING
            for item in value:
                here = (*field, item_key(item, of))
                found[*here, SELF] = None
                for key, inner in item.items():
                    _walk(inner, (*here, f"f:{key}"), each.of(key), found)
            return
        if of.is_set:
            for one in value:
                found[*field, f"v:{orjson.dumps(one).decode()}"] = None
            return
    found[field] = value


def item_key(item: dict[str, Json], of: Type) -> str:
    """Return the element of an item of a list; a key that is not said has its default."""
    each = of.items or ANYTHING
    known = {key: item.get(key, each.of(key).default) for key in of.keys}
    return f"k:{orjson.dumps(known, option=orjson.OPT_SORT_KEYS).decode()}"


def to_wire(fields: Fields) -> dict[str, Any]:
    """Return a set as `fieldsV1` writes it."""
    found: dict[str, Any] = {}
    for field in sorted(fields):
        here = found
        for element in field:
            here = here.setdefault(element, {})
    return found


def from_wire(tree: dict[str, Any]) -> Fields:
    """Return the set that `fieldsV1` writes."""
    return frozenset(_leaves(tree, ()))


def _leaves(tree: dict[str, Any], field: Field) -> Iterator[Field]:
    for element, inner in tree.items():
        if inner:
            yield from _leaves(inner, (*field, element))
        else:
            yield (*field, element)


def shown(field: Field) -> str:
    """Return a field as conflicts call it, for example .spec.containers[name="app"].image."""
    said = ""
    for element in field:
        what, value = element[:2], element[2:]
        if what == "f:":
            said += f".{value}"
        elif what == "k:":
            keys = orjson.loads(value)
            said += f"[{','.join(f'{k}={orjson.dumps(v).decode()}' for k, v in keys.items())}]"
        elif what == "v:":
            said += f"[={value}]"
    return said


def without(body: Json, field: Field, of: Type = ANYTHING) -> None:
    """Take a field out of an object, in place, and maps and lists that hold nothing afterwards."""
    element, rest = field[0], field[1:]
    key = element[2:]
    if not element.startswith("f:") or not isinstance(body, dict) or key not in body:
        return
    if not rest:
        del body[key]
    elif rest[0].startswith(("k:", "v:")):
        _remove_item(body, key, rest, of.of(key))
    else:
        without(body[key], rest, of.of(key))
    if rest and body.get(key) in ({}, []) and len(field) > 1:
        del body[key]


def _remove_item(holder: Json, key: str, field: Field, of: Type) -> None:
    element, rest, items = field[0], field[1:], holder[key]
    if not isinstance(items, list):
        return
    if element.startswith("v:"):
        holder[key] = [one for one in items if f"v:{orjson.dumps(one).decode()}" != element]
        return
    for one in items:
        if not isinstance(one, dict) or item_key(one, of) != element:
            continue
        if rest == (SELF,):
            holder[key] = [other for other in items if other is not one]
        elif rest:
            without(one, rest, of.items or ANYTHING)
        return
