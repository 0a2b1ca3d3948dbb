"""Who owns which fields: what each writer of an object has set, and server-side apply."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from deployments.embedded.kubernetes.api_types import ANYTHING, Type
from deployments.embedded.kubernetes.errors import ApiError
from deployments.embedded.kubernetes.fields import (
    SELF,
    Fields,
    from_wire,
    item_key,
    shown,
    to_wire,
    values_of,
    without,
)

Body = dict[str, Any]
APPLY, UPDATE = "Apply", "Update"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manager:
    """Somebody who writes.

    Attributes:
        name: What the client calls itself.
        operation: APPLY or UPDATE.
        api_version: In which the fields are named.
        subresource: Of the object; empty for the object itself.
    """

    name: str
    operation: str
    api_version: str
    subresource: str = ""


Owned = dict[Manager, tuple[Fields, str]]
"""By manager: the fields, and when they were set last."""


def owned_fields(body: Body) -> Owned:
    """Return who owns what of an object."""
    return {
        Manager(
            name=one.get("manager", ""),
            operation=one["operation"],
            api_version=one["apiVersion"],
            subresource=one.get("subresource", ""),
        ): (from_wire(one.get("fieldsV1") or {}), one.get("time", ""))
        for one in body["metadata"].get("managedFields") or ()
    }


def _write(body: Body, owned: Owned) -> None:
    kept = {manager: found for manager, found in owned.items() if found[0]}
    order = sorted(kept, key=lambda one: (one.operation, kept[one][1], one.name))
    body["metadata"]["managedFields"] = [
        {
            "manager": one.name,
            "operation": one.operation,
            "apiVersion": one.api_version,
            "time": kept[one][1],
            "fieldsType": "FieldsV1",
            "fieldsV1": to_wire(kept[one][0]),
            **({"subresource": one.subresource} if one.subresource else {}),
        }
        for one in order
    ]


def note_update(
    body: Body, before: Body | None, manager: Manager, *, now: str, of: Type = ANYTHING
) -> None:
    """Give whoever wrote an object what has changed, and take it from the others, in place."""
    old, new = ({} if before is None else values_of(before, of)), values_of(body, of)
    changed = frozenset(
        field for field, value in new.items() if field not in old or old[field] != value
    )
    gone = old.keys() - new.keys()
    owned: Owned = {}
    for other, (fields, when) in owned_fields(before or body).items():
        owned[other] = (fields - gone - (frozenset() if other == manager else changed), when)
    if changed:
        had = owned.get(manager, (frozenset(), ""))[0]
        owned[manager] = (had | changed, now)
    _write(body, owned)


def apply(
    config: Body, live: Body | None, manager: Manager, *, force: bool, now: str, of: Type = ANYTHING
) -> Body:
    """Return what server-side apply makes of an object.

    Args:
        config: What the manager wants to be so, and nothing else.
        live: As it is; None where there is none yet.
        manager: Who applies.
        force: Take fields from others where they differ.
        now: For the record.
        of: Type of the object, which says how lists and maps are merged.

    Raises:
        ApiError: 409 with every field that somebody else set to another value.
    """
    wanted = values_of(config, of)
    owned = {} if live is None else owned_fields(live)
    current = {} if live is None else values_of(live, of)
    others = {one: found for one, found in owned.items() if one != manager}
    disputed = {
        one: frozenset(
            field for field in found[0] & wanted.keys()
            if field[-1] != SELF and current.get(field) != wanted[field]
        )
        for one, found in others.items()
    }  # fmt: skip
    if not force and any(disputed.values()):
        raise _conflict(disputed)
    merged: Body = _merge({} if live is None else deepcopy(live), config, of)
    kept = {one: (found[0] - disputed[one], found[1]) for one, found in others.items()}
    had, when = owned.get(manager, (frozenset(), ""))
    theirs = frozenset().union(*(fields for fields, _ in kept.values()))
    left = had - wanted.keys() - theirs
    if left:
        # What was one value may hold by now what is still wanted.
        holding = {one[:depth] for one in (*wanted, *theirs) for depth in range(len(one))}
        # Whole items first: without its key, an item could no longer be found.
        for field in sorted(left - holding, key=lambda one: one[-1] != SELF):
            without(merged, field, of)
    same = had == wanted.keys() and all(current.get(f) == v for f, v in wanted.items())
    _write(merged, kept | {manager: (frozenset(wanted), when if same and when else now)})
    return merged


def _merge(live: Any, config: Any, of: Type) -> Any:
    if isinstance(config, dict) and isinstance(live, dict) and not of.is_atomic:
        found = dict(live)
        for key, value in config.items():
            found[key] = _merge(found.get(key), value, of.of(key))
        return found
    if isinstance(config, list) and isinstance(live, list):
        if of.keys:
            items = {item_key(one, of): one for one in live}
            for one in config:
                place = item_key(one, of)
                items[place] = _merge(items.get(place, {}), one, of.items or ANYTHING)
            return list(items.values())
        if of.is_set:
            return list(dict.fromkeys([*live, *config]))
    return deepcopy(config)


def _conflict(disputed: Mapping[Manager, Fields]) -> ApiError:
    causes = [
        {
            "reason": "FieldManagerConflict",
            "message": f'conflict with "{one.name}"{_using(one)}',
            "field": shown(field),
        }
        for one, fields in sorted(disputed.items(), key=lambda item: item[0].name)
        for field in sorted(fields)
    ]
    number = len(causes)
    said = _said(disputed)
    message = f"Apply failed with {number} conflict{'s' if number > 1 else ''}: {said}"
    return ApiError(409, "Conflict", message, details={"causes": causes})


def _using(one: Manager) -> str:
    part = f' with subresource "{one.subresource}"' if one.subresource else ""
    return f"{part} using {one.api_version}" if one.operation == UPDATE else part


def _said(disputed: Mapping[Manager, Fields]) -> str:
    parts = []
    for one, fields in sorted(disputed.items(), key=lambda item: item[0].name):
        names = [shown(field) for field in sorted(fields)]
        if len(names) == 1:
            parts.append(f'conflict with "{one.name}"{_using(one)}: {names[0]}')
        elif names:
            listed = "".join(f"\n- {name}" for name in names)
            parts.append(f'conflicts with "{one.name}"{_using(one)}:{listed}')
    return "\n".join(parts)
