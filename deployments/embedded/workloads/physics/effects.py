"""What the faults in force do to numbers of the physics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deployments.embedded.workloads.physics import fault_kinds as kinds
from deployments.embedded.workloads.physics.arrays import Bools, Floats, Ints
from deployments.embedded.workloads.physics.faults import (
    ActiveFault,
    EdgeFault,
    Fault,
    NodeFault,
    ReplicaFault,
)
from deployments.embedded.workloads.physics.noise import key_of, pod_key, uniforms
from deployments.embedded.workloads.physics.state import Placement
from deployments.embedded.workloads.physics.world import World

_HARMLESS_SKEW_SECONDS = 30.0
_FATAL_SKEW_SECONDS = 300.0  # what signed requests and tokens commonly allow
_MOST_REFUSED = 0.9


@dataclass(slots=True, kw_only=True)
class Effects:
    """Sums and products over all faults. R replicas, W workloads, S services, E edges, N nodes.

    Attributes:
        traffic: (W,) multiple of the requests from outside.
        memory: (R,) multiple of base memory and caches.
        cost: (R,) multiple of the processor time of a request.
        passes: (R,) fraction of requests that the program itself does not fail.
        stress_cores: (R,) without requests.
        leak_mib_per_hour: (R,)
        fill_mib_per_hour: (R,)
        volume_seconds: (R,) more for each read or write.
        volume_passes: (R,) fraction of reads and writes that succeed.
        egress_bytes: (R,) per second.
        boot: (R,) multiple of the start.
        locked: (R,) lives and answers nobody.
        killed: (R,) from outside, in this step.
        corrupt: (R,) exits at its start.
        down: (S,) refuses connections.
        edge_seconds: (E,) more for each call.
        edge_loss: (E,) of packets.
        edge_cut: (E,) nothing passes.
        edge_refused: (E,) fraction of calls that fail at once without reaching the target.
        alive: (N,) the machine runs.
        reports: (N,) the API server hears of it.
        serves: (N,) others reach its pods.
        stolen_cores: (N,)
        held_memory: (N,) fraction held by something outside of pods.
        held_disk: (N,) the same of the disk.
        skew_passes: (N,) fraction of requests that its clock does not fail.
    """

    traffic: Floats
    memory: Floats
    cost: Floats
    passes: Floats
    stress_cores: Floats
    leak_mib_per_hour: Floats
    fill_mib_per_hour: Floats
    volume_seconds: Floats
    volume_passes: Floats
    egress_bytes: Floats
    boot: Floats
    locked: Bools
    killed: Bools
    corrupt: Bools
    down: Bools
    edge_seconds: Floats
    edge_loss: Floats
    edge_cut: Bools
    edge_refused: Floats
    alive: Bools
    reports: Bools
    serves: Bools
    stolen_cores: Floats
    held_memory: Floats
    held_disk: Floats
    skew_passes: Floats


def no_effects(world: World, replicas: int) -> Effects:
    """Return the effects of no fault."""
    sizes = {
        "R": replicas,
        "W": len(world.workloads),
        "S": len(world.services),
        "E": len(world.edges.source),
        "N": len(world.nodes),
    }
    return Effects(**{
        name: np.full(sizes[size], neutral) for name, (size, neutral) in _NEUTRAL.items()
    })  # fmt: skip


_NEUTRAL: dict[str, tuple[str, Any]] = {
    "traffic": ("W", 1.0), "memory": ("R", 1.0), "cost": ("R", 1.0), "passes": ("R", 1.0),
    "stress_cores": ("R", 0.0), "leak_mib_per_hour": ("R", 0.0), "fill_mib_per_hour": ("R", 0.0),
    "volume_seconds": ("R", 0.0), "volume_passes": ("R", 1.0), "egress_bytes": ("R", 0.0),
    "boot": ("R", 1.0), "locked": ("R", False), "killed": ("R", False), "corrupt": ("R", False),
    "down": ("S", False), "edge_seconds": ("E", 0.0), "edge_loss": ("E", 0.0),
    "edge_cut": ("E", False), "edge_refused": ("E", 0.0), "alive": ("N", True),
    "reports": ("N", True), "serves": ("N", True), "stolen_cores": ("N", 0.0),
    "held_memory": ("N", 0.0), "held_disk": ("N", 0.0), "skew_passes": ("N", 1.0),
}  # fmt: skip


def effects_of(
    world: World, placement: Placement, faults: Sequence[ActiveFault], *, now_seconds: float
) -> Effects:
    """Return what all faults in force do together; one that finds no target does nothing.

    Args:
        world: Names of workloads and nodes.
        placement: Where faults find their replicas, and since when those run.
        faults: In force; the order does not matter.
        now_seconds: End of the step, Unix time.
    """
    found = no_effects(world, len(placement))
    for active in faults:
        age = now_seconds - active.since_seconds
        if age < 0:
            continue
        scene = _Scene(world, placement, found, active.name, age)
        for kind, act in _ACTS:
            if isinstance(active.fault, kind):
                act(scene, active.fault)
    return found


@dataclass(slots=True)
class _Scene:
    """Where one fault acts."""

    world: World
    placement: Placement
    effects: Effects
    name: str
    age_seconds: float

    def rows(self, fault: ReplicaFault) -> Ints:
        """Return the replicas that a fault hits."""
        at = self.world.workload_index(fault.target)
        rows = np.flatnonzero(self.placement.workload == (-1 if at is None else at))
        keys = self.placement.key[rows]
        if fault.pods:
            space = fault.target.split("/")[0]
            named = np.array([pod_key(space, pod) for pod in fault.pods], dtype=np.uint64)
            return rows[np.isin(keys, named)]
        count = int(np.ceil(fault.share * len(rows) - 1e-9))
        if count == len(rows):
            return rows
        return rows[np.argsort(uniforms(keys, key_of(self.name) >> 2, stream=9))[:count]]

    def older(self, rows: Ints) -> Ints:
        """Return of these the replicas whose process was there when the fault began."""
        return rows[self.placement.container_age_seconds[rows] > self.age_seconds]

    def edges(self, source: str, target: str) -> Ints:
        """Return the edges of a caller to what it calls; "*" is everything."""
        services, edges = self.world.services, self.world.edges
        return np.array(
            [
                at
                for at, (a, b) in enumerate(zip(edges.source, edges.target, strict=True))
                if services[a] == source and target in ("*", services[b])
            ],
            dtype=np.int64,
        )

    def node(self, fault: NodeFault) -> Ints:
        """Return the index of a node, if there is one of that name."""
        names = [one.name for one in self.world.nodes]
        return np.array([names.index(fault.node)] if fault.node in names else [], dtype=np.int64)


def _traffic(scene: _Scene, fault: kinds.TrafficSpike) -> None:
    at = scene.world.workload_index(fault.target)
    if at is not None:
        scene.effects.traffic[at] *= fault.factor


def _lock(scene: _Scene, fault: kinds.Deadlock) -> None:
    rows = scene.rows(fault)
    scene.effects.locked[scene.older(rows)] = True
    if fault.recurs_after_seconds is not None:
        ages = scene.placement.container_age_seconds[rows]
        scene.effects.locked[rows[ages > fault.recurs_after_seconds]] = True


def _kill(scene: _Scene, fault: kinds.HostKill) -> None:
    since = scene.age_seconds
    if fault.every_seconds is not None:
        since %= fault.every_seconds
    rows = scene.rows(fault)
    scene.effects.killed[rows[scene.placement.container_age_seconds[rows] > since]] = True


def _corrupt(scene: _Scene, fault: kinds.CorruptState) -> None:
    rows = scene.rows(fault)
    old = scene.placement.pod_age_seconds[rows] > scene.age_seconds
    # A process that had read its files before goes on with what it has in memory.
    new_process = scene.placement.container_age_seconds[rows] <= scene.age_seconds
    scene.effects.corrupt[rows[old & new_process]] = True


def _down(scene: _Scene, fault: kinds.DependencyDown) -> None:
    if fault.target in scene.world.services:
        scene.effects.down[scene.world.services.index(fault.target)] = True


def _foreign(scene: _Scene, fault: kinds.SecuritySignal) -> None:
    rows = scene.rows(fault)
    scene.effects.stress_cores[rows] += fault.cores
    scene.effects.egress_bytes[rows] += fault.egress_mib_per_second * 2**20


def _pressure(scene: _Scene, fault: kinds.NodePressure) -> None:
    effects = scene.effects
    of_memory = fault.resource == kinds.Resource.MEMORY
    held = effects.held_memory if of_memory else effects.held_disk
    held[scene.node(fault)] += fault.fraction


def _partition(scene: _Scene, fault: kinds.NodePartitioned) -> None:
    at = scene.node(fault)
    scene.effects.reports[at] = False
    if not fault.serves:
        scene.effects.serves[at] = False


def _lost(scene: _Scene, fault: kinds.NodeLost) -> None:
    at = scene.node(fault)
    for values in (scene.effects.alive, scene.effects.reports, scene.effects.serves):
        values[at] = False


def _skew(scene: _Scene, fault: kinds.ClockSkew) -> None:
    beyond = abs(fault.seconds) - _HARMLESS_SKEW_SECONDS
    refused = _MOST_REFUSED * np.clip(beyond / (_FATAL_SKEW_SECONDS - 30.0), 0.0, 1.0)
    scene.effects.skew_passes[scene.node(fault)] *= 1.0 - refused


def _dns(scene: _Scene, fault: kinds.DnsFailure) -> None:
    refused = scene.effects.edge_refused
    at = scene.edges(fault.target, "*")
    refused[at] = 1.0 - (1.0 - refused[at]) * (1.0 - fault.fraction)


def _loss(scene: _Scene, fault: kinds.EdgeLoss) -> None:
    loss, at = scene.effects.edge_loss, scene.edges(fault.source, fault.target)
    loss[at] = 1.0 - (1.0 - loss[at]) * (1.0 - fault.fraction)


def _adds(name: str, amount: Callable[[Any], float]) -> Callable[[_Scene, Any], None]:
    def act(scene: _Scene, fault: ReplicaFault) -> None:
        getattr(scene.effects, name)[scene.rows(fault)] += amount(fault)

    return act


def _times(name: str, factor: Callable[[Any], float]) -> Callable[[_Scene, Any], None]:
    def act(scene: _Scene, fault: ReplicaFault) -> None:
        getattr(scene.effects, name)[scene.rows(fault)] *= factor(fault)

    return act


def _on_edges(name: str, value: Callable[[Any], float]) -> Callable[[_Scene, Any], None]:
    def act(scene: _Scene, fault: EdgeFault) -> None:
        values = getattr(scene.effects, name)
        at = scene.edges(fault.source, fault.target)
        values[at] = np.maximum(values[at], value(fault))

    return act


def _steal(scene: _Scene, fault: kinds.NoisyNeighbour) -> None:
    scene.effects.stolen_cores[scene.node(fault)] += fault.cores


_ACTS: tuple[tuple[type[Fault], Callable[[_Scene, Any], None]], ...] = (
    (kinds.MemoryLeak, _adds("leak_mib_per_hour", lambda one: one.mib_per_hour)),
    (kinds.MemoryDemand, _times("memory", lambda one: one.factor)),
    (kinds.TrafficSpike, _traffic),
    (kinds.ErrorRate, _times("passes", lambda one: 1.0 - one.fraction)),
    (kinds.Slowdown, _times("cost", lambda one: one.factor)),
    (kinds.CpuStress, _adds("stress_cores", lambda one: one.cores)),
    (kinds.Deadlock, _lock),
    (kinds.DependencyDown, _down),
    (kinds.DiskFill, _adds("fill_mib_per_hour", lambda one: one.mib_per_hour)),
    (kinds.VolumeDelay, _adds("volume_seconds", lambda one: one.milliseconds / 1000.0)),
    (kinds.VolumeErrors, _times("volume_passes", lambda one: 1.0 - one.fraction)),
    (kinds.NodeLost, _lost),
    (kinds.NodePartitioned, _partition),
    (kinds.NodePressure, _pressure),
    (kinds.NoisyNeighbour, _steal),
    (kinds.ClockSkew, _skew),
    (kinds.EdgeLatency, _on_edges("edge_seconds", lambda one: one.milliseconds / 1000.0)),
    (kinds.EdgeLoss, _loss),
    (kinds.EdgePartition, _on_edges("edge_cut", lambda _: True)),
    (kinds.CertificateExpired, _on_edges("edge_refused", lambda _: 1.0)),
    (kinds.DnsFailure, _dns),
    (kinds.HostKill, _kill),
    (kinds.SlowStart, _times("boot", lambda one: one.factor)),
    (kinds.CorruptState, _corrupt),
    (kinds.SecuritySignal, _foreign),
)
