"""The demonstration without a server: pods are made, replaced and read by a test."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from deployments.embedded.workloads.containers.messages import Names, events_of
from deployments.embedded.workloads.containers.specs import facts_of, read_container
from deployments.embedded.workloads.containers.status import container_status
from deployments.embedded.workloads.demonstration import PARTS, demonstration_world
from deployments.embedded.workloads.engine import Engine, Pod, Tick
from deployments.embedded.workloads.manifests import Manifest, deployment
from deployments.embedded.workloads.physics.faults import ActiveFault, Fault

MONDAY_NOON = 1_793_620_800.0


@dataclass
class Shop:
    """All pods of the demonstration, one node after the other."""

    engine: Engine = field(default_factory=lambda: Engine(demonstration_world()))
    seconds: float = MONDAY_NOON
    faults: dict[str, ActiveFault] = field(default_factory=dict)
    events: list[tuple[str, str, str]] = field(default_factory=list)
    """(pod, reason, message) of everything told."""
    made: int = 0

    def __post_init__(self) -> None:
        self.engine.set_pods([
            self.pod(at, deployment(part), number)
            for at, part in enumerate(PARTS)
            for number in range(part.replicas)
        ])  # fmt: skip

    def pod(self, at: int, manifest: Manifest, number: int) -> Pod:
        """Return a new pod of a workload."""
        part = PARTS[at]
        spec = read_container(manifest["spec"]["template"]["spec"])
        maps = {f"{part.name}-config": dict(part.config)}
        self.made += 1
        return Pod(
            uid=f"uid-{self.made}",
            namespace="shop",
            name=f"{part.name}-{self.made}",
            workload=at,
            node=self.made % 6,
            created_seconds=self.seconds,
            spec=spec,
            facts=facts_of(part.profile, spec, namespace="shop", config_maps=maps),
        )

    def run(self, seconds: float, *, step_seconds: float = 5.0) -> Tick:
        """Step for so long and return the last tick."""
        for _ in range(round(seconds / step_seconds)):
            self.seconds += step_seconds
            tick = self.engine.step(
                now_seconds=self.seconds,
                step_seconds=step_seconds,
                faults=tuple(self.faults.values()),
            )
            for one in tick.happenings:
                probe = tick.rules.specs[one.row].probes[one.probe] if one.probe >= 0 else None
                self.events += [
                    (self.engine.pods[one.row].name, event.reason, event.message)
                    for event in events_of(one, self.names(one.row), probe=probe)
                ]
        self.tick = tick
        return tick

    def break_with(self, fault: Fault) -> None:
        """Put a fault in force."""
        self.faults[fault.kind] = ActiveFault(
            name=fault.kind, fault=fault, since_seconds=self.seconds
        )

    def apply(self, name: str, manifest: Manifest | None = None) -> None:
        """Replace all pods of a workload by ones of a Deployment, its own by default."""
        at = next(at for at, part in enumerate(PARTS) if part.name == name)
        made = manifest or deployment(PARTS[at])
        self.engine.set_pods([
            self.pod(at, made, row) if one.workload == at else one
            for row, one in enumerate(self.engine.pods)
        ])  # fmt: skip

    def delete(self, name: str) -> None:
        """Ask the pods of a workload to end."""
        self.engine.set_pods([
            replace(one, deleting=True) if PARTS[one.workload].name == name else one
            for one in self.engine.pods
        ])  # fmt: skip

    def rows(self, name: str) -> list[int]:
        """Return the rows of a workload."""
        return [row for row, one in enumerate(self.engine.pods) if PARTS[one.workload].name == name]

    def names(self, row: int) -> Names:
        """Return what messages about a pod name."""
        one = self.engine.pods[row]
        return Names(
            pod=one.name,
            namespace=one.namespace,
            uid=one.uid,
            container=one.spec.name,
            image=one.spec.image,
            address=f"10.244.{one.node}.{row + 10}",
        )

    def status(self, row: int) -> dict[str, Any]:
        """Return the container status of a pod."""
        return container_status(self.tick.table, row, self.names(row), self.tick.rules)

    def ready(self, name: str) -> int:
        """Return how many pods of a workload are ready."""
        return int(self.tick.table.ready[self.rows(name)].sum())
