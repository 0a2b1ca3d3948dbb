"""The three ways to change a part of an object: JSON patch, merge patch, strategic merge patch."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from deployments.embedded.kubernetes.api_types import ANYTHING, Type
from deployments.embedded.kubernetes.errors import ApiError, bad_request, unexplained

Json = Any
DIRECTIVES = ("$patch", "$retainKeys")
ORDER = "$setElementOrder/"
REMOVE = "$deleteFromPrimitiveList/"


def merge_patch(target: Json, patch: Json) -> Json:
    """Return a value with a patch of RFC 7386: maps are merged, null removes, all else replaces."""
    if not isinstance(patch, dict):
        return patch
    found = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            found.pop(key, None)
        else:
            found[key] = merge_patch(found.get(key), value)
    return found


def strategic_patch(target: Json, patch: Json, of: Type = ANYTHING) -> Json:
    """Return a value with a strategic merge patch: as `merge_patch`, with lists merged by key.

    Args:
        target: What is there.
        patch: What is to change.
        of: Type of both, which says how lists are merged.

    Raises:
        ApiError: 400 where an item of a list lacks its key.
    """
    if not isinstance(patch, dict):
        return patch
    if patch.get("$patch") == "replace":
        return {key: value for key, value in patch.items() if key not in DIRECTIVES}
    found = dict(target) if isinstance(target, dict) else {}
    retained = patch.get("$retainKeys")
    if retained is not None:
        found = {key: value for key, value in found.items() if key in retained}
    for key, value in patch.items():
        if key.startswith("$"):
            _follow(found, key, value, patch, of)
        elif value is None or (isinstance(value, dict) and value.get("$patch") == "delete"):
            found.pop(key, None)
        elif isinstance(value, list):
            found[key] = _list(found.get(key), value, of.of(key), patch.get(ORDER + key))
        else:
            found[key] = strategic_patch(found.get(key), value, of.of(key))
    return found


def _follow(found: dict[str, Json], key: str, value: Json, patch: Json, of: Type) -> None:
    """Do what a directive beside the fields of a map asks for, in place."""
    if key.startswith(REMOVE):
        name = key.removeprefix(REMOVE)
        found[name] = [one for one in found.get(name) or () if one not in value]
    elif key.startswith(ORDER):
        name = key.removeprefix(ORDER)
        if name not in patch and isinstance(found.get(name), list):
            found[name] = _list(found[name], [], of.of(name), value)


def _list(old: Json, new: list[Json], of: Type, order: list[Json] | None) -> list[Json]:
    if any(isinstance(one, dict) and one.get("$patch") == "replace" for one in new):
        return [one for one in new if "$patch" not in one]
    if not of.merges:
        return [one for one in new if not (isinstance(one, dict) and "$patch" in one)]
    known = list(old or ())
    key = of.merge_key
    if not key:
        there = {_key(one): one for one in [*known, *new]}
        return _ordered(there, [_key(one) for one in known], [_key(o) for o in order or new])
    found = {_place(one, key): one for one in known}
    wanted = []
    for one in new:
        place = _place(one, key)
        if one.get("$patch") == "delete":
            found.pop(place, None)
            continue
        found[place] = strategic_patch(found.get(place), one, of.items or ANYTHING)
        wanted.append(place)
    if order is not None:
        wanted = [_place(one, key) for one in order]
    return _ordered(found, [_place(one, key) for one in known], wanted)


def _ordered(items: dict[str, Json], before: list[str], wanted: list[str]) -> list[Json]:
    """Return the items: those of the patch in its order, the others where they were between them."""
    first = [place for place in wanted if place in items]
    ranks = {place: at for at, place in enumerate(before)}
    chosen = set(first)
    others = sorted((one for one in items if one not in chosen), key=lambda one: ranks.get(one, -1))
    found: list[Json] = []
    for place in first:
        rank = ranks.get(place)
        while rank is not None and others and ranks.get(others[0], rank) < rank:
            found.append(items[others.pop(0)])
        found.append(items[place])
    return found + [items[place] for place in others]


def _place(item: Json, key: str) -> str:
    if not isinstance(item, dict) or key not in item:
        msg = f"map: {go_text(item)} does not contain declared merge key: {key}"
        raise unexplained(msg)
    return _key(item[key])


def _key(value: Json) -> str:
    return f"{type(value).__name__}:{value}"


def go_text(value: Json) -> str:
    """Return a value as Go prints it."""
    if not isinstance(value, dict):
        return str(value)
    return f"map[{' '.join(f'{key}:{go_text(inner)}' for key, inner in sorted(value.items()))}]"


def json_patch(target: Json, operations: Json) -> Json:
    """Return a value with a patch of RFC 6902; what is to be replaced may be missing.

    Raises:
        ApiError: 400 where it is none, 422 where it does not fit the value or a test fails.
    """
    if not isinstance(operations, list) or not all(isinstance(one, dict) for one in operations):
        msg = "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"
        raise bad_request(msg)
    document = {"": deepcopy(target)}
    try:
        for one in operations:
            OPERATIONS[one["op"]](document, one)
    except (LookupError, ValueError, TypeError) as error:
        # Which operation it was is not told.
        message = "the server rejected our request due to an error in our request"
        raise ApiError(422, "Invalid", message, tells_details=True) from error
    return document[""]


def _add(document: Json, one: Json) -> None:
    parent, key = _parent(document, one["path"])
    value = deepcopy(one.get("value"))
    if isinstance(parent, list):
        parent.insert(len(parent) if key == "-" else _index(key, len(parent) + 1), value)
    else:
        parent[key] = value


def _remove(document: Json, one: Json) -> None:
    parent, key = _parent(document, one["path"])
    del parent[_index(key, len(parent)) if isinstance(parent, list) else key]


def _replace(document: Json, one: Json) -> None:
    parent, key = _parent(document, one["path"])
    value = deepcopy(one.get("value"))
    parent[_index(key, len(parent)) if isinstance(parent, list) else key] = value


def _move(document: Json, one: Json) -> None:
    value = _value(document, one["from"])
    _remove(document, {"path": one["from"]})
    _add(document, {"path": one["path"], "value": value})


def _copy(document: Json, one: Json) -> None:
    _add(document, {"path": one["path"], "value": _value(document, one["from"])})


def _test(document: Json, one: Json) -> None:
    if _value(document, one["path"]) != one.get("value"):
        msg = f"testing value {one['path']} failed"
        raise ValueError(msg)


OPERATIONS: dict[str, Callable[[Json, Json], None]] = {
    "add": _add, "remove": _remove, "replace": _replace, "move": _move, "copy": _copy, "test": _test,
}  # fmt: skip


def _parent(document: Json, pointer: str) -> tuple[Json, str]:
    parts = ["", *(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])]
    found = document
    for part in parts[:-1]:
        found = _get(found, part)
    if not isinstance(found, dict | list):
        msg = f"{pointer} leads into a value that holds nothing"
        raise TypeError(msg)
    return found, parts[-1]


def _value(document: Json, pointer: str) -> Json:
    return _get(*_parent(document, pointer))


def _get(parent: Json, key: str) -> Json:
    return parent[_index(key, len(parent)) if isinstance(parent, list) else key]


def _index(key: str, length: int) -> int:
    if key.isdigit() and int(key) < length:
        return int(key)
    raise IndexError(key)
