"""A stage for the physics of workloads: replicas, and a kubelet that only restarts them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from deployments.embedded.workloads.physics.demand import DemandPattern
from deployments.embedded.workloads.physics.faults import ActiveFault, Fault
from deployments.embedded.workloads.physics.noise import pod_key
from deployments.embedded.workloads.physics.profiles import NodeProfile, WorkloadProfile
from deployments.embedded.workloads.physics.state import Answer, Placement, State
from deployments.embedded.workloads.physics.step import step
from deployments.embedded.workloads.physics.world import World

MONDAY_NOON = 4 * 86_400.0 + 43_200.0


def steady(rps: float) -> DemandPattern:
    """Return a demand that never moves."""
    return DemandPattern(
        base_rps=rps, daily_amplitude=0.0, weekend_factor=1.0, noise_fraction=0.0, bursts_per_day=0
    )


def plain(name: str = "shop/web", *, rps: float | None = 20.0, **changes: Any) -> WorkloadProfile:
    """Return a workload of 10 ms of processor a request, with nothing that drifts by itself."""
    values: dict[str, Any] = {
        "name": name,
        "demand": None if rps is None else steady(rps),
        "cpu_seconds_per_request": 0.010,
        "error_fraction": 0.0,
        "warm_up_factor": 0.0,
        "disk_mib_per_hour": 0.0,
    }
    return WorkloadProfile(**(values | changes))


def nodes(count: int = 3, **changes: Any) -> tuple[NodeProfile, ...]:
    """Return nodes node-0, node-1 and so on."""
    return tuple(NodeProfile(name=f"node-{at}", **changes) for at in range(count))


def placed(
    world: World,
    counts: Sequence[int],
    *,
    cpu_limit: float = 1.0,
    memory_limit: float = 1024.0,
    age_seconds: float = 0.0,
) -> Placement:
    """Return replicas of each workload, dealt to the nodes in turn; pods are called <name>-0."""
    workload = np.repeat(np.arange(len(counts)), counts)
    count = len(workload)
    names = [
        (one.name.split("/")[0], f"{one.name.split('/')[1]}-{at}")
        for one, number in zip(world.workloads, counts, strict=True)
        for at in range(number)
    ]
    return Placement(
        key=np.array([pod_key(*name) for name in names], dtype=np.uint64),
        workload=workload,
        node=np.arange(count) % len(world.nodes),
        cpu_request_cores=np.full(count, cpu_limit / 2),
        cpu_limit_cores=np.full(count, cpu_limit),
        memory_request_mib=np.full(count, memory_limit / 2),
        memory_limit_mib=np.full(count, memory_limit),
        running=np.ones(count, dtype=bool),
        ready=np.zeros(count, dtype=bool),
        restarts=np.zeros(count, dtype=np.int64),
        container_age_seconds=np.full(count, age_seconds),
        pod_age_seconds=np.full(count, age_seconds),
        image_ok=np.ones(count, dtype=bool),
        config_ok=np.ones(count, dtype=bool),
    )


@dataclass
class Stage:
    """Replicas that are stepped, made ready when they have come up, and restarted at once."""

    world: World
    placement: Placement
    seconds: float = MONDAY_NOON
    faults: list[ActiveFault] = field(default_factory=list)
    restarts_at_once: bool = True
    exits: list[tuple[float, int, int, int]] = field(default_factory=list)
    """(seconds, row, exit code, cause) of everything that ended."""
    state: State = field(init=False)

    def __post_init__(self) -> None:
        self.state = self.world.fresh_state(self.placement)

    def break_with(self, *faults: Fault) -> None:
        """Put faults in force from now on."""
        self.faults += [
            ActiveFault(name=f"fault-{at}", fault=one, since_seconds=self.seconds)
            for at, one in enumerate(faults, start=len(self.faults))
        ]

    def step(self, step_seconds: float = 5.0) -> Answer:
        """Step once and return the answer."""
        self.seconds += step_seconds
        grown = replace(
            self.placement,
            container_age_seconds=self.placement.container_age_seconds + step_seconds,
            pod_age_seconds=self.placement.pod_age_seconds + step_seconds,
        )
        self.state, answer = step(
            self.world,
            self.state,
            grown,
            faults=tuple(self.faults),
            now_seconds=self.seconds,
            step_seconds=step_seconds,
        )
        ended = answer.exit_code >= 0
        for row in np.flatnonzero(ended):
            code, cause = int(answer.exit_code[row]), int(answer.cause[row])
            self.exits.append((self.seconds, int(row), code, cause))
        self.placement = replace(
            grown,
            ready=answer.booted & ~ended,
            running=grown.running & (~ended | self.restarts_at_once),
            restarts=grown.restarts + ended,
            container_age_seconds=np.where(ended, 0.0, grown.container_age_seconds),
        )
        return answer

    def run(self, seconds: float, *, step_seconds: float = 5.0) -> list[Answer]:
        """Step for so long and return the answers."""
        return [self.step(step_seconds) for _ in range(round(seconds / step_seconds))]


def staged(
    *workloads: WorkloadProfile,
    counts: Sequence[int] = (1,),
    node_count: int = 3,
    seed: int = 7,
    settle_seconds: float = 120.0,
    **limits: Any,
) -> Stage:
    """Return a stage on which the workloads have come up."""
    world = World.of(workloads, nodes(node_count), seed=seed)
    stage = Stage(world, placed(world, counts, **limits))
    stage.run(settle_seconds)
    return stage
