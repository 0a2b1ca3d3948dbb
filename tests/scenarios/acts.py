"""What is done in a scenario: to break, and to mend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from deployments.embedded.workloads.changes import SpecChange
from tasks.domain.errors import InfraError
from tests.scenarios.stage import Stage
from tests.support.played_cluster import SHOP, eventually

NAMES = ("zebra-seventeen", "zebra-eighteen")
"""Of faults: words that nothing else has."""


class Act(Protocol):
    """Something to do."""

    def do(self, stage: Stage) -> None:
        """Do it."""
        ...


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of the subject is put into the simulator.

    Attributes:
        kind: Of `KINDS`.
        values: Its fields, without what it is of.
        of: Name of the field that says what it is of.
        outside: What it is of, where that is outside the cluster.
    """

    kind: str
    values: Mapping[str, Any] = field(default_factory=dict)
    of: str = "target"
    outside: str = ""

    def do(self, stage: Stage) -> None:
        """Put it in."""
        inside = stage.subject if stage.is_node else f"shop/{stage.subject}"
        body = {"kind": self.kind, self.of: self.outside or inside, **self.values}
        name = NAMES[len(stage.faults)]
        stage.played.control("PUT", f"/faults/{name}", body).raise_for_status()
        stage.faults.append(name)


@dataclass(frozen=True, slots=True)
class Withdraw:
    """All faults are withdrawn."""

    def do(self, stage: Stage) -> None:
        """Withdraw them."""
        while stage.faults:
            name = stage.faults.pop()
            stage.played.control("DELETE", f"/faults/{name}").raise_for_status()


@dataclass(frozen=True, slots=True)
class Mistake:
    """A mistake is made in the Deployment, as by `kubectl edit`."""

    change: SpecChange

    def do(self, stage: Stage) -> None:
        """Make it."""
        changed = self.change.of(stage.deployment())["spec"]["template"]["spec"]["containers"]
        _set_containers(stage, changed)


@dataclass(frozen=True, slots=True)
class Undo:
    """The Deployment is rolled back to what it was."""

    def do(self, stage: Stage) -> None:
        """Roll it back."""
        _set_containers(stage, stage.containers)


@dataclass(frozen=True, slots=True)
class DeletePods:
    """Pods of the workload are deleted, as by `kubectl delete pod`; those on a node in no case."""

    def do(self, stage: Stage) -> None:
        """Delete those that there are now."""
        for one in stage.played.pods(stage.subject):
            stage.played.api.delete(f"{SHOP}/pods/{one['metadata']['name']}")


@dataclass(frozen=True, slots=True)
class DeleteFailed:
    """Pods that have failed are deleted; their controller has long replaced them."""

    def do(self, stage: Stage) -> None:
        """Delete them, wherever they are."""
        failed = stage.played.api.get(f"{SHOP}/pods", fieldSelector="status.phase=Failed")["items"]
        for one in failed:
            stage.played.api.delete(f"{SHOP}/pods/{one['metadata']['name']}")


@dataclass(frozen=True, slots=True)
class Containers:
    """The Deployment gets further containers, before or beside its own.

    Attributes:
        init: That run before.
        beside: That run beside.
    """

    init: tuple[dict[str, Any], ...] = ()
    beside: tuple[dict[str, Any], ...] = ()

    def do(self, stage: Stage) -> None:
        """Add them."""
        _set_containers(stage, [*stage.containers, *self.beside], init=list(self.init))


@dataclass(frozen=True, slots=True)
class EvictAll:
    """All pods of the workload are evicted at once, as far as their budget allows."""

    def do(self, stage: Stage) -> None:
        """Evict them; refusals are kept for whoever looks."""
        for one in stage.pods():
            evict(stage, one["metadata"]["name"])


@dataclass(frozen=True, slots=True)
class Cordon:
    """The node takes no more pods."""

    def do(self, stage: Stage) -> None:
        """Cordon it."""
        path = f"/api/v1/nodes/{stage.subject}"
        stage.played.api.merge(path, {"spec": {"unschedulable": True}})


@dataclass(frozen=True, slots=True)
class Uncordon:
    """The node takes pods again."""

    def do(self, stage: Stage) -> None:
        """Uncordon it."""
        path = f"/api/v1/nodes/{stage.subject}"
        stage.played.api.merge(path, {"spec": {"unschedulable": None}})


@dataclass(frozen=True, slots=True)
class Drain:
    """Pods of the node are evicted, again and again while budgets refuse, as `kubectl drain` does."""

    def do(self, stage: Stage) -> None:
        """Evict them until none is left, or as often as a person would wait."""

        def is_empty() -> bool:
            left = [one for one in stage.pods() if "deletionTimestamp" not in one["metadata"]]
            for one in left:
                evict(stage, one["metadata"]["name"])
            return not left

        assert eventually(is_empty, seconds=30.0), stage.refusals[-3:]


def evict(stage: Stage, name: str) -> None:
    """Ask for the eviction of a pod, and keep the refusal where there is one."""
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    try:
        stage.played.api.create(f"{SHOP}/pods/{name}/eviction", body)
    except InfraError as refusal:
        stage.refusals.append(str(refusal))


def _set_containers(
    stage: Stage, containers: list[dict[str, Any]], *, init: list[dict[str, Any]] | None = None
) -> None:
    pod = {"spec": {"containers": containers, "initContainers": init}}
    stage.played.api.merge(stage.path, {"spec": {"template": pod}})
