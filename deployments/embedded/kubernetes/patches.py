"""The three ways to change a part of an object: JSON patch, merge patch, strategic merge patch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

from deployments.embedded.kubernetes.errors import ApiError, bad_request
from deployments.embedded.kubernetes.merge_keys import SETS, keys_of

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


def strategic_patch(target: Json, patch: Json, path: tuple[str, ...] = ()) -> Json:
    """Return a value with a strategic merge patch: as `merge_patch`, with lists merged by key."""
    if not isinstance(patch, dict):
        return patch
    if patch.get("$patch") == "replace":
        return {key: value for key, value in patch.items() if key not in DIRECTIVES}
    found = dict(target) if isinstance(target, dict) else {}
    retained = patch.get("$retainKeys")
    if retained is not None:
        found = {key: value for key, value in found.items() if key in retained}
    for key, value in patch.items():
        if key in DIRECTIVES or key.startswith(ORDER):
            continue
        if key.startswith(REMOVE):
            name = key.removeprefix(REMOVE)
            found[name] = [one for one in found.get(name) or () if one not in value]
        elif value is None:
            found.pop(key, None)
        elif isinstance(value, list):
            found[key] = _list(found.get(key), value, (*path, key), patch.get(ORDER + key))
        elif isinstance(value, dict) and value.get("$patch") == "delete":
            found.pop(key, None)
        else:
            found[key] = strategic_patch(found.get(key), value, (*path, key))
    return found


def _list(
    old: Json, new: list[Json], path: tuple[str, ...], order: list[Json] | None
) -> list[Json]:
    keys = keys_of(path, apply=False)
    if keys is None:
        if path[-1] in SETS:
            return list(dict.fromkeys([*(old or ()), *new]))
        return [one for one in new if not (isinstance(one, dict) and "$patch" in one)]
    if any(isinstance(one, dict) and one.get("$patch") == "replace" for one in new):
        return [one for one in new if "$patch" not in one]
    found = {_place(one, keys): one for one in old or ()}
    for one in new:
        if not isinstance(one, dict) or any(key not in one for key in keys):
            msg = f"map: {one} does not contain declared merge key: {keys[0]}"
            raise bad_request(msg)
        place = _place(one, keys)
        if one.get("$patch") == "delete":
            found.pop(place, None)
        else:
            found[place] = strategic_patch(found.get(place), one, path)
    if order is None:
        return list(found.values())
    wanted = [_place(one, keys) for one in order]
    ranks = {place: at for at, place in enumerate(wanted)}
    return [found[place] for place in sorted(found, key=lambda one: ranks.get(one, len(ranks)))]


def _place(item: Mapping[str, Json], keys: tuple[str, ...]) -> tuple[Json, ...]:
    return tuple(item.get(key) for key in keys)


def json_patch(target: Json, operations: Json) -> Json:
    """Return a value with a patch of RFC 6902.

    Raises:
        ApiError: 400 where it is none, 422 where it does not fit the value or a test fails.
    """
    if not isinstance(operations, list):
        msg = "json: cannot unmarshal object into Go value of type jsonpatch.Patch"
        raise bad_request(msg)
    document = {"": deepcopy(target)}
    for one in operations:
        if not isinstance(one, dict) or "path" not in one or one.get("op") not in OPERATIONS:
            msg = f"Unexpected kind: {one.get('op') if isinstance(one, dict) else one}"
            raise bad_request(msg)
        OPERATIONS[one["op"]](document, one)
    return document[""]


def _add(document: Json, one: Json) -> None:
    parent, key = _parent(document, one["path"])
    value = deepcopy(one.get("value"))
    if isinstance(parent, list):
        at = len(parent) if key == "-" else _index(key, len(parent) + 1, one["path"])
        parent.insert(at, value)
    else:
        parent[key] = value


def _remove(document: Json, one: Json) -> None:
    parent, key = _parent(document, one["path"])
    _get(parent, key, one["path"])
    del parent[_index(key, len(parent), one["path"]) if isinstance(parent, list) else key]


def _replace(document: Json, one: Json) -> None:
    parent, key = _parent(document, one["path"])
    _get(parent, key, one["path"])
    parent[_index(key, len(parent), one["path"]) if isinstance(parent, list) else key] = deepcopy(
        one.get("value")
    )


def _move(document: Json, one: Json) -> None:
    value = _value(document, one["from"])
    _remove(document, {"path": one["from"]})
    _add(document, {"path": one["path"], "value": value})


def _copy(document: Json, one: Json) -> None:
    _add(document, {"path": one["path"], "value": _value(document, one["from"])})


def _test(document: Json, one: Json) -> None:
    if _value(document, one["path"]) != one.get("value"):
        msg = f"testing value {one['path']} failed: test failed"
        raise _unfit(msg)


OPERATIONS: dict[str, Callable[[Json, Json], None]] = {
    "add": _add, "remove": _remove, "replace": _replace, "move": _move, "copy": _copy, "test": _test,
}  # fmt: skip


def _parent(document: Json, pointer: str) -> tuple[Json, str]:
    parts = ["", *(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])]
    found = document
    for part in parts[:-1]:
        found = _get(found, part, pointer)
    if not isinstance(found, dict | list):
        msg = f"add operation does not apply: doc is missing path: {pointer}"
        raise _unfit(msg)
    return found, parts[-1]


def _value(document: Json, pointer: str) -> Json:
    parent, key = _parent(document, pointer)
    return _get(parent, key, pointer)


def _get(parent: Json, key: str, pointer: str) -> Json:
    if isinstance(parent, list):
        return parent[_index(key, len(parent), pointer)]
    if isinstance(parent, dict) and key in parent:
        return parent[key]
    msg = f"doc is missing path: {pointer}: missing value"
    raise _unfit(msg)


def _index(key: str, length: int, pointer: str) -> int:
    if key.isdigit() and int(key) < length:
        return int(key)
    msg = f"Unable to access invalid index: {pointer}: invalid index referenced"
    raise _unfit(msg)


def _unfit(message: str) -> ApiError:
    said = f"the server rejected our request due to an error in our request: {message}"
    return ApiError(422, "Invalid", said)
