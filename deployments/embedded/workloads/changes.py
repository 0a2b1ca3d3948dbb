"""Mistakes in a specification, as functions from one Deployment to another.

They are no faults of the physics: whoever made them can undo them with the last good revision.
"""

from __future__ import annotations

import copy
import dataclasses
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from deployments.embedded.workloads.physics.arrays import InvalidValueError, check_number

Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecChange(ABC):
    """A mistake that `homeostat break` makes in a Deployment.

    Attributes:
        kind: Its name.
        sentence: What it does, for people.
    """

    kind: ClassVar[str]
    sentence: ClassVar[str]

    def of(self, deployment: Manifest) -> Manifest:
        """Return the Deployment with the mistake; the one given is not changed.

        Raises:
            InvalidValueError: The Deployment has nothing that the mistake could be made in.
        """
        made = copy.deepcopy(deployment)
        self._change(made["spec"]["template"]["spec"]["containers"][0])
        return made

    @abstractmethod
    def _change(self, container: Manifest) -> None:
        """Make the mistake in a container, in place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageTag(SpecChange):
    """Another tag of the image."""

    kind: ClassVar[str] = "image-tag"
    sentence: ClassVar[str] = "Rolls out another tag: one that exits at its start, or is not there."
    tag: str

    def __post_init__(self) -> None:
        """Check the tag.

        Raises:
            InvalidValueError: It is none.
        """
        if not re.fullmatch(r"[\w][\w.-]{0,127}", str(self.tag)) or self.tag is None:
            reason = f"is {self.tag!r}; give a tag such as 2.5.0"
            raise InvalidValueError(self.kind, "tag", reason)

    def _change(self, container: Manifest) -> None:
        container["image"] = f"{container['image'].rpartition(':')[0]}:{self.tag}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingKey(SpecChange):
    """A variable that points at a key which its ConfigMap does not have."""

    kind: ClassVar[str] = "missing-key"
    sentence: ClassVar[str] = "Reads a variable from a key that its ConfigMap does not have."
    name: str

    def _change(self, container: Manifest) -> None:
        reference = _variable(self, container, self.name).get("valueFrom", {})
        if "configMapKeyRef" not in reference:
            raise InvalidValueError(self.kind, "name", f"{self.name!r} is from no ConfigMap")
        reference["configMapKeyRef"]["key"] = f"{self.name}_V2"


@dataclass(frozen=True, slots=True, kw_only=True)
class DroppedVariable(SpecChange):
    """A variable that is gone from the environment."""

    kind: ClassVar[str] = "dropped-variable"
    sentence: ClassVar[str] = "Leaves out a variable: the program exits at its start."
    name: str

    def _change(self, container: Manifest) -> None:
        container["env"].remove(_variable(self, container, self.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit(SpecChange):
    """A limit, and a request no higher."""

    kind: ClassVar[str] = "limit"
    sentence: ClassVar[str] = (
        "Sets a limit of cpu or memory, too low for the load or for the start."
    )
    resource: str
    quantity: str

    def __post_init__(self) -> None:
        """Check the resource.

        Raises:
            InvalidValueError: It is neither cpu nor memory.
        """
        if self.resource not in ("cpu", "memory"):
            reason = f"is {self.resource!r}; give cpu or memory"
            raise InvalidValueError(self.kind, "resource", reason)

    def _change(self, container: Manifest) -> None:
        resources = container.setdefault("resources", {})
        for name in ("limits", "requests"):
            resources.setdefault(name, {})[self.resource] = self.quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(SpecChange):
    """A request that no node can meet; the limit goes with it."""

    kind: ClassVar[str] = "request"
    sentence: ClassVar[str] = "Requests more cores than any node has: new pods stay Pending."
    cores: int = 64

    def __post_init__(self) -> None:
        """Check the number.

        Raises:
            InvalidValueError: It is not 1 to 10,000.
        """
        check_number(self.kind, "cores", self.cores, low=1, high=10_000)

    def _change(self, container: Manifest) -> None:
        resources = container.setdefault("resources", {})
        for name in ("limits", "requests"):
            resources.setdefault(name, {})["cpu"] = str(self.cores)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbePlace(SpecChange):
    """A probe that asks in the wrong place."""

    kind: ClassVar[str] = "probe-place"
    sentence: ClassVar[str] = (
        "Lets a probe ask for a page or a port that the program does not have."
    )
    probe: str = "readinessProbe"
    path: str = "/healthz"
    port: int = 8080

    def _change(self, container: Manifest) -> None:
        found = _probe(self, container, self.probe)
        found["httpGet"] = {"path": self.path, "port": self.port}


@dataclass(frozen=True, slots=True, kw_only=True)
class Impatience(SpecChange):
    """A liveness probe that does not wait for the start."""

    kind: ClassVar[str] = "impatience"
    sentence: ClassVar[str] = "Lets liveness kill the program before it is up; no startup probe."

    def _change(self, container: Manifest) -> None:
        container.pop("startupProbe", None)
        found = _probe(self, container, "livenessProbe")
        found |= {"periodSeconds": 1, "failureThreshold": 2, "initialDelaySeconds": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(SpecChange):
    """A command that is not in the image."""

    kind: ClassVar[str] = "command"
    sentence: ClassVar[str] = "Starts a program that is not in the image."
    program: str = "/app/serve"

    def _change(self, container: Manifest) -> None:
        container["command"] = [self.program]


CHANGES: dict[str, type[SpecChange]] = {
    kind.kind: kind
    for kind in (
        ImageTag, MissingKey, DroppedVariable, Limit, Request, ProbePlace, Impatience, Command,
    )
}  # fmt: skip
"""Mistakes by name, in the order in which `homeostat break` lists them."""


_EXAMPLES: dict[str, dict[str, Any]] = {
    ImageTag.kind: {"tag": "2.5.0"},
    Limit.kind: {"resource": "memory", "quantity": "48Mi"},
}


def change_of(kind: str, values: dict[str, Any]) -> SpecChange:
    """Return a mistake by its name and its fields.

    Raises:
        InvalidValueError: The name or a field is unknown, or one is missing.
    """
    found = CHANGES.get(kind)
    if found is None:
        raise InvalidValueError(kind, "kind", f"is unknown; kinds are {', '.join(CHANGES)}")
    entries = {entry.name: entry for entry in dataclasses.fields(found)}
    for name in values:
        if name not in entries:
            raise InvalidValueError(kind, name, f"is unknown; fields are {', '.join(entries)}")
    for name, entry in entries.items():
        if name not in values and entry.default is dataclasses.MISSING:
            raise InvalidValueError(kind, name, "is missing")
    return found(**values)


def example_of(kind: str, deployment: Manifest) -> dict[str, Any]:
    """Return values that a mistake of a kind shows its effect with in the demonstration.

    Args:
        kind: One of `CHANGES`.
        deployment: In which it is to be made.
    """
    if kind in (MissingKey.kind, DroppedVariable.kind):
        containers = deployment["spec"]["template"]["spec"]["containers"]
        read = [
            one["name"]
            for one in containers[0].get("env") or []
            if "configMapKeyRef" in one.get("valueFrom", {})
        ]
        return {"name": read[0]} if read else {}
    return dict(_EXAMPLES.get(kind, {}))


def _variable(change: SpecChange, container: Manifest, name: str) -> Manifest:
    for one in container.get("env") or []:
        if one["name"] == name:
            found: Manifest = one
            return found
    known = ", ".join(one["name"] for one in container.get("env") or [])
    raise InvalidValueError(change.kind, "name", f"{name!r} is not set; there are: {known}")


def _probe(change: SpecChange, container: Manifest, name: str) -> Manifest:
    if name not in container:
        raise InvalidValueError(change.kind, "probe", f"{name!r} is not in the container")
    found: Manifest = container[name]
    return found
