"""Faults as typed values: what they share, and how they travel as JSON.

A fault says what happens, never how to find it: nothing of it is written to the cluster.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from deployments.embedded.workloads.physics.arrays import InvalidValueError, check_number

_DOCUMENT = "fault"


def number(
    low: float, high: float, *, default: float | None = None, above: bool = False, unit: str = "",
    example: float | None = None,
) -> Any:  # fmt: skip
    """Return a field of a fault that is a number within bounds; without a default it is needed.

    Args:
        low: The least.
        high: The most.
        default: What it is where nothing is said.
        above: The least itself is refused.
        unit: For people.
        example: A value of which the demonstration shows the effect within minutes.
    """
    limits = {"low": low, "high": high, "above": above, "unit": unit, "example": example}
    if default is None:
        return dataclasses.field(metadata=limits)
    return dataclasses.field(default=default, metadata=limits)


def optional_number(low: float, high: float, *, above: bool = False, unit: str = "") -> Any:
    """Return a field of a fault that is a number within bounds, or None."""
    limits = {"low": low, "high": high, "above": above, "unit": unit, "optional": True}
    return dataclasses.field(default=None, metadata=limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What every kind of fault has.

    Attributes:
        kind: Its name in JSON and on the command line.
        sentence: What it does, for people.
        disguise: What it looks like instead, where it misleads; empty where it is what it seems.
        once: It hits what was there when it began: a restart, or a new pod, is free of it.
    """

    kind: ClassVar[str]
    sentence: ClassVar[str]
    disguise: ClassVar[str] = ""
    once: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Check every field.

        Raises:
            InvalidValueError: Names the field, what it is and its limits.
        """
        for entry in dataclasses.fields(self):
            value = getattr(self, entry.name)
            if "low" in entry.metadata:
                limits = entry.metadata
                if value is None and limits.get("optional"):
                    continue
                check_number(
                    self.kind,
                    entry.name,
                    value,
                    low=limits["low"],
                    high=limits["high"],
                    above=limits["above"],
                )
            elif entry.name == "pods":
                self._check_pods(value)
            elif not isinstance(value, str | bool) or value == "":
                raise InvalidValueError(self.kind, entry.name, f"is {value!r}; give a name")

    def _check_pods(self, value: object) -> None:
        if not isinstance(value, tuple) or not all(isinstance(one, str) and one for one in value):
            reason = f"is {value!r}; give names of pods, or none for all"
            raise InvalidValueError(self.kind, "pods", reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaFault(Fault):
    """A fault of the replicas of one workload.

    Attributes:
        target: "namespace/workload".
        share: Of its replicas, rounded up; above 0 to 1. Ignored where pods are named.
        pods: Names of pods; none for a share of all.
    """

    target: str
    share: float = number(0.0, 1.0, default=1.0, above=True)
    pods: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeFault(Fault):
    """A fault between two workloads, in the direction of the call.

    Attributes:
        source: "namespace/workload" that calls.
        target: What it calls, or "*" for everything.
    """

    source: str
    target: str = dataclasses.field(metadata={"example": "*"})


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFault(Fault):
    """A fault of a machine.

    Attributes:
        node: Its name.
    """

    node: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveFault:
    """A fault that is in force.

    Attributes:
        name: Chosen by whoever put it in; the key to take it out again.
        fault: What happens.
        since_seconds: When it began, Unix time.
    """

    name: str
    fault: Fault
    since_seconds: float


def registered(kinds: tuple[type[Fault], ...]) -> dict[str, type[Fault]]:
    """Return kinds by their names in JSON."""
    return {kind.kind: kind for kind in kinds}


def to_json(fault: Fault) -> str:
    """Return a fault as one JSON object with its kind, its fields in the order of the class."""
    return json.dumps({"kind": fault.kind} | dataclasses.asdict(fault))


class FaultReader:
    """Reads faults of the kinds it was given."""

    def __init__(self, kinds: Mapping[str, type[Fault]]) -> None:
        self._kinds = dict(kinds)

    def from_json(self, text: str | bytes) -> Fault:
        """Return the fault of a JSON object.

        Raises:
            InvalidValueError: It is no such object, the kind or a field is unknown, a field is
                missing or out of its bounds.
        """
        try:
            found = json.loads(text)
        except ValueError as error:
            raise InvalidValueError(_DOCUMENT, "document", f"is no JSON: {error}") from error
        if not isinstance(found, dict):
            raise InvalidValueError(_DOCUMENT, "document", "is no object; give one with a kind")
        return self.from_mapping(found)

    def from_mapping(self, found: Mapping[str, Any]) -> Fault:
        """Return the fault of a mapping with a kind.

        Raises:
            InvalidValueError: As `from_json`.
        """
        kind = self._kinds.get(str(found.get("kind")))
        if kind is None:
            known = ", ".join(sorted(self._kinds))
            reason = f"is {found.get('kind')!r}; kinds are {known}"
            raise InvalidValueError(_DOCUMENT, "kind", reason)
        names = {entry.name: entry for entry in dataclasses.fields(kind)}
        given = {name: value for name, value in found.items() if name != "kind"}
        for name in given:
            if name not in names:
                reason = f"is unknown; fields are {', '.join(names)}"
                raise InvalidValueError(kind.kind, name, reason)
        for name, entry in names.items():
            if name not in given and entry.default is dataclasses.MISSING:
                raise InvalidValueError(kind.kind, name, "is missing")
        if isinstance(given.get("pods"), list):
            given["pods"] = tuple(given["pods"])
        return kind(**given)


def resolved(fault: Fault, pods: tuple[str, ...]) -> Fault:
    """Return a fault that names its pods, where it hits once and a share of them.

    A share is one of the pods there are now. Named, it stays with them: a pod that takes the place
    of one that was hit must not hand the fault on to a neighbour.

    Args:
        fault: Of any kind.
        pods: Names of the pods of its target, in the order in which they are to be hit.
    """
    if not isinstance(fault, ReplicaFault) or not fault.once or fault.pods or not pods:
        return fault
    count = max(1, math.ceil(fault.share * len(pods)))
    return dataclasses.replace(fault, pods=pods[:count])
