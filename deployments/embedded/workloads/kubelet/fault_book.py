"""The faults in force: put in and taken out by name."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from deployments.embedded.workloads.physics.arrays import InvalidValueError
from deployments.embedded.workloads.physics.fault_kinds import KINDS, from_json
from deployments.embedded.workloads.physics.faults import (
    ActiveFault,
    EdgeFault,
    Fault,
    NodeFault,
    resolved,
    to_json,
)
from deployments.embedded.workloads.physics.world import World

MOST = 100
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_DOCUMENT = "fault"

Json = dict[str, Any]


class FaultBook:
    """Faults by name.

    Args:
        world: Whose workloads and nodes faults may name.
        pods_of: Names of the pods of a workload ("namespace/name"), in order.
    """

    def __init__(self, world: World, *, pods_of: Callable[[str], tuple[str, ...]]) -> None:
        self._world, self._pods_of = world, pods_of
        self._active: dict[str, ActiveFault] = {}

    @property
    def active(self) -> tuple[ActiveFault, ...]:
        """Return those in force, the oldest first."""
        return tuple(self._active.values())

    def put(self, name: str, content: bytes, *, now: float) -> ActiveFault:
        """Put a fault in force, in place of one of the same name.

        Args:
            name: Small letters, digits and hyphens, 1 to 63.
            content: JSON with its kind.
            now: Of the world.

        Raises:
            InvalidValueError: The name or a field is out of bounds, or names what is not there.
        """
        if not _NAME.fullmatch(name):
            reason = f"is {name!r}; give 1 to 63 small letters, digits and hyphens"
            raise InvalidValueError(_DOCUMENT, "name", reason)
        if name not in self._active and len(self._active) >= MOST:
            reason = f"is one more than the {MOST} that may be in force; withdraw some"
            raise InvalidValueError(_DOCUMENT, "name", reason)
        fault = from_json(content)
        self._check(fault)
        target = getattr(fault, "target", "")
        fault = resolved(fault, self._pods_of(target) if target else ())
        found = ActiveFault(name=name, fault=fault, since_seconds=now)
        self._active.pop(name, None)
        self._active[name] = found
        return found

    def drop(self, name: str) -> bool:
        """Withdraw a fault; return whether there was one."""
        return self._active.pop(name, None) is not None

    def _check(self, fault: Fault) -> None:
        world = self._world
        workloads = [one.name for one in world.workloads]
        if isinstance(fault, NodeFault):
            _check_known(fault, "node", fault.node, [one.name for one in world.nodes])
        elif isinstance(fault, EdgeFault):
            _check_known(fault, "source", fault.source, workloads)
            profile = world.workloads[workloads.index(fault.source)]
            targets = ["*", *(to.name for to in profile.dependencies)]
            _check_known(fault, "target", fault.target, targets)
        else:
            known = list(world.services) if fault.kind == "dependency-down" else workloads
            _check_known(fault, "target", str(getattr(fault, "target", "")), known)


def _check_known(fault: Fault, field: str, value: str, known: list[str]) -> None:
    if value not in known:
        reason = f"{value!r} is not there; there are {', '.join(known)}"
        raise InvalidValueError(fault.kind, field, reason)


def described(one: ActiveFault) -> Json:
    """Return a fault in force as JSON: name, since_seconds and fault."""
    return {
        "name": one.name,
        "since_seconds": one.since_seconds,
        "fault": json.loads(to_json(one.fault)),
    }


def kinds() -> list[Json]:
    """Return every kind as JSON: kind, sentence, disguise, once and fields with bounds."""
    return [
        {
            "kind": kind.kind,
            "sentence": kind.sentence,
            "disguise": kind.disguise,
            "once": kind.once,
            "fields": [_field(entry) for entry in dataclasses.fields(kind)],
        }
        for kind in KINDS.values()
    ]


def _field(entry: dataclasses.Field[Any]) -> Json:
    bounds: Mapping[str, Any] = entry.metadata
    needed = entry.default is dataclasses.MISSING
    return {
        "name": entry.name,
        "needed": needed,
        "default": None if needed else entry.default,
        **{
            name: bounds[name]
            for name in ("low", "high", "above", "unit", "example")
            if name in bounds
        },
    }
