"""Sets of fields, as `managedFields` writes them: who has set what of an object.

A field is a path of elements: `f:name` of a map, `k:{...}` of a list whose items have keys, `v:...` of a
list that is a set. An item of a list is a field itself, `.`, beside what it holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from deployments.embedded.kubernetes.merge_keys import SETS, keys_of

Json = Any
Field = tuple[str, ...]
Fields = frozenset[Field]

SELF = "."
ATOMIC = frozenset({
    "selector", "nodeSelector", "configMapKeyRef", "secretKeyRef", "fieldRef", "resourceFieldRef",
    "podSelector", "namespaceSelector", "labelSelector", "scaleTargetRef", "roleRef",
})  # fmt: skip
"""Maps that are one value."""
UNOWNED = frozenset({
    ("f:metadata",),
    ("f:apiVersion",), ("f:kind",), ("f:metadata", "f:name"), ("f:metadata", "f:namespace"),
    ("f:metadata", "f:uid"), ("f:metadata", "f:resourceVersion"), ("f:metadata", "f:generation"),
    ("f:metadata", "f:creationTimestamp"), ("f:metadata", "f:deletionTimestamp"),
    ("f:metadata", "f:deletionGracePeriodSeconds"), ("f:metadata", "f:selfLink"),
    ("f:metadata", "f:generateName"), ("f:metadata", "f:managedFields"),
})  # fmt: skip
"""What nobody can own."""


def values_of(body: Json) -> dict[Field, Json]:
    """Return the value of every field of an object, as far as somebody can own it."""
    return {field: value for field, value in _walk(body, (), ()) if field[:2] not in UNOWNED}


def _walk(value: Json, field: Field, names: tuple[str, ...]) -> Iterator[tuple[Field, Json]]:
    if isinstance(value, dict) and (not names or names[-1] not in ATOMIC) and value:
        for key, inner in value.items():
            yield from _walk(inner, (*field, f"f:{key}"), (*names, key))
        return
    if isinstance(value, list) and names and value:
        keys = keys_of(names, apply=True)
        if keys is not None and all(isinstance(one, dict) for one in value):
            for item in value:
                here = (*field, item_key(item, keys))
                yield (*here, SELF), None
                for key, inner in item.items():
                    yield from _walk(inner, (*here, f"f:{key}"), (*names, key))
            return
        if names[-1] in SETS:
            for one in value:
                yield (*field, f"v:{orjson.dumps(one).decode()}"), None
            return
    if field:
        yield field, value


def item_key(item: dict[str, Json], keys: tuple[str, ...]) -> str:
    """Return the element of a list's item; a port's protocol is TCP where it is not said."""
    known = {key: item.get(key, "TCP" if key == "protocol" else None) for key in keys}
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


def without(body: Json, field: Field) -> None:
    """Take a field out of an object, in place; what holds nothing afterwards stays."""
    _remove(body, field, ())


def _remove(value: Json, field: Field, names: tuple[str, ...]) -> None:
    element, rest = field[0], field[1:]
    if element.startswith("f:"):
        key = element[2:]
        if not isinstance(value, dict) or key not in value:
            return
        if not rest:
            del value[key]
        elif rest[0].startswith(("k:", "v:")):
            _remove_item(value, key, rest, (*names, key))
        else:
            _remove(value[key], rest, (*names, key))


def _remove_item(holder: Json, key: str, field: Field, names: tuple[str, ...]) -> None:
    element, rest, items = field[0], field[1:], holder[key]
    if not isinstance(items, list):
        return
    if element.startswith("v:"):
        holder[key] = [one for one in items if f"v:{orjson.dumps(one).decode()}" != element]
        return
    keys = keys_of(names, apply=True) or ()
    for one in items:
        if item_key(one, keys) != element:
            continue
        if rest == (SELF,):
            holder[key] = [other for other in items if other is not one]
        elif rest:
            _remove(one, rest, names)
        return
