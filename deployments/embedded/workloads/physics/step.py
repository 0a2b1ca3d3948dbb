"""One step of the physics: from where replicas are and what is broken to what they did.

docs/cluster-physics.md has every formula with its source.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deployments.embedded.workloads.physics.arrays import Floats
from deployments.embedded.workloads.physics.calls import Quality
from deployments.embedded.workloads.physics.faults import ActiveFault
from deployments.embedded.workloads.physics.holding import Held, held, node_totals
from deployments.embedded.workloads.physics.scene import Scene, scene_of
from deployments.embedded.workloads.physics.state import Answer, Placement, State
from deployments.embedded.workloads.physics.work import (
    Work,
    concurrency,
    found_by_callers,
    health,
    latency,
    work_of,
)
from deployments.embedded.workloads.physics.world import World

MOST_STEP_SECONDS = 60.0
SETTLING_SECONDS = 10.0
"""How fast a replica's threads follow the latency of its dependencies."""


class InvalidStepError(ValueError):
    """A step that is not above 0 and at most a minute."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"a step of {seconds!r} s; give above 0 and at most {MOST_STEP_SECONDS:g}")
        self.seconds = seconds


def step(
    world: World,
    state: State,
    placement: Placement,
    *,
    faults: Sequence[ActiveFault] = (),
    now_seconds: float,
    step_seconds: float,
) -> tuple[State, Answer]:
    """Return the state and what the replicas did, one step later; nothing given is changed.

    Args:
        world: Profiles.
        state: Of the last step, rows as in `placement` (`State.realigned`).
        placement: Replicas as they are at the end of the step.
        faults: In force.
        now_seconds: End of the step, Unix time.
        step_seconds: Above 0 and at most 60.

    Raises:
        InvalidStepError: The step is longer or not above 0.
    """
    if not 0.0 < step_seconds <= MOST_STEP_SECONDS:
        raise InvalidStepError(step_seconds)
    scene = scene_of(
        world, state, placement, faults, now_seconds=now_seconds, step_seconds=step_seconds
    )
    work = work_of(scene, world.demand.rps(now_seconds))
    found = found_by_callers(scene, work)
    inside = concurrency(scene, work, found)
    kept = held(scene, found, boot_speed=work.boot_speed, concurrency=inside)
    after = _next_state(scene, work, found, kept)
    return after, _answer(scene, work, found, kept, inside=inside, backlog=after.backlog)


def _next_state(scene: Scene, work: Work, found: Quality, kept: Held) -> State:
    state, count = scene.state, len(scene.world.workloads)
    follow = 1.0 - np.exp(-scene.seconds / SETTLING_SECONDS)
    moved = follow * (found.dependency_seconds - state.dependency_seconds)
    taken = np.where(work.nobody, 0.0, work.drawn)
    rest = state.backlog + (work.arrived[:count] - taken) * scene.seconds
    return State(
        restarts=state.restarts,
        boot_seconds=kept.boot_seconds,
        leaked_mib=kept.leaked_mib,
        disk_mib=kept.disk_mib,
        deprived_seconds=kept.deprived_seconds,
        ceiling_cores=work.ceiling,
        backlog=np.maximum(rest, 0.0) * scene.world.queue,
        dependency_seconds=state.dependency_seconds + moved,
        service_failed=1.0 - found.passes,
        service_seconds=found.seconds,
        edge_failed=found.edge_failed,
    )


def _answer(
    scene: Scene, work: Work, found: Quality, kept: Held, *, inside: Floats, backlog: Floats
) -> Answer:
    placement, of, count = scene.placement, scene.of, len(scene.world.workloads)
    workload = placement.workload
    seconds = latency(scene, work, found)
    # What is not queueing for the processor takes its time; the rest has an exponential tail.
    queueing = np.minimum(work.processor_seconds, seconds)
    slack = np.maximum(of["request_timeout_seconds"] - (seconds - queueing), 0.0)
    in_time = 1.0 - np.exp(-slack / np.maximum(queueing, 1e-9))
    in_time = np.where(scene.world.queue[workload], 1.0, in_time)
    passes = work.own_passes * found.dependency_passes[workload] * in_time
    served = work.accepted * passes
    failed = work.offered - served
    spread = np.hypot(queueing, 0.5 * (seconds - queueing)) / np.maximum(seconds, 1e-9)
    served_all = scene.per_workload(served)
    in_all = scene.per_workload(work.accepted * seconds) / np.maximum(
        scene.per_workload(work.accepted), 1e-30
    )
    lost = np.where(work.nobody & ~scene.world.queue, work.arrived[:count], 0.0)
    nodes = node_totals(scene, work.cores, kept)
    return Answer(
        cpu_cores=work.cores,
        throttled_fraction=work.throttled,
        memory_mib=kept.memory_mib,
        memory_demand_mib=kept.memory_demand_mib,
        offered_rps=work.offered,
        served_rps=served,
        failed_rps=failed,
        latency_seconds=seconds,
        latency_spread=spread,
        concurrency=inside,
        health_seconds=health(scene, work, inside=inside),
        refuses=scene.alive & (~scene.up | scene.effects.down[workload]),
        dependencies_failed=found.worst_failed[workload],
        booted=kept.booted,
        disk_mib=kept.disk_mib,
        network_in_bytes=1024.0 * work.accepted * of["request_kib"],
        network_out_bytes=1024.0 * work.accepted * of["response_kib"]
        + scene.effects.egress_bytes * scene.alive,
        exit_code=kept.exit_code,
        cause=kept.cause,
        workload_offered_rps=work.arrived[:count],
        workload_served_rps=served_all,
        workload_failed_rps=scene.per_workload(failed) + lost,
        workload_latency_seconds=in_all,
        backlog=backlog,
        node_cpu_cores=nodes.cpu_cores,
        node_memory_mib=nodes.memory_mib,
        node_disk_mib=nodes.disk_mib,
        node_alive=scene.effects.alive,
        node_reports=scene.effects.reports,
    )
