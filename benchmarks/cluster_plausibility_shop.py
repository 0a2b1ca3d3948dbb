"""Weeks of the demonstration as a monitoring system takes them: by five minutes, without any fault."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.cluster_physics_stage import MONDAY_SECONDS, PhysicsStage, demonstration_stage
from benchmarks.cluster_plausibility_data import FINE_DAY, Weeks, by_hour
from benchmarks.cluster_plausibility_statistics import DAYS
from deployments.embedded.workloads.demonstration import demonstration_world
from tasks.domain.arrays import BoolArray, FloatArray

STEP_SECONDS = 60.0
FINE_SECONDS = 300.0
DAY_SECONDS = 86_400.0
WARM_UP_STEPS = 60  # of 5 s, until every replica has come up


@dataclass(slots=True, kw_only=True)
class Shop:
    """What was seen of the first pod of each workload, by five minutes.

    Attributes:
        cpu: (W, T) percent of its limit.
        memory: (W, T) working set, percent of its limit.
        network: (W, T) bytes per second, in and out.
        requests: (W, T) requests per second at the workload.
        outside: (W,) people outside ask it.
        worst_cpu: Of any pod in any step, a fraction of its limit.
        worst_memory: Likewise.
        ended: Containers that ended.
        failed: Fraction of requests.
    """

    cpu: FloatArray
    memory: FloatArray
    network: FloatArray
    requests: FloatArray
    outside: BoolArray
    worst_cpu: float
    worst_memory: float
    ended: int
    failed: float


def shop_of(*, seed: int, days: int = DAYS, step_seconds: float = STEP_SECONDS) -> Shop:
    """Return so many days of the shop from a Monday on, after a day in which caches fill.

    Args:
        seed: Of the world.
        days: At least 1.
        step_seconds: A divisor of 300, at most 60.
    """
    stage = _warm(seed)
    placement = stage.placement
    workloads, first = np.unique(placement.workload, return_index=True)
    each = round(FINE_SECONDS / step_seconds)
    seen = np.zeros((4, len(workloads), days * FINE_DAY))
    worst_cpu, worst_memory, ended, offered, failed = 0.0, 0.0, 0, 0.0, 0.0
    for at in range(days * FINE_DAY):
        for _ in range(each):
            answer = stage.run(1, step_seconds=step_seconds)
            cpu = answer.cpu_cores / placement.cpu_limit_cores
            memory = answer.memory_mib / placement.memory_limit_mib
            network = answer.network_in_bytes + answer.network_out_bytes
            seen[0, :, at] += 100.0 * cpu[first] / each
            seen[2, :, at] += network[first] / each
            seen[3, :, at] += answer.workload_offered_rps / each
            worst_cpu, worst_memory = max(worst_cpu, cpu.max()), max(worst_memory, memory.max())
            ended += int((answer.exit_code >= 0).sum())
            offered += float(answer.workload_offered_rps.sum())
            failed += float(answer.workload_failed_rps.sum())
        seen[1, :, at] = 100.0 * memory[first]
    return Shop(
        cpu=seen[0],
        memory=seen[1],
        network=seen[2],
        requests=seen[3],
        outside=np.array([one.demand is not None for one in stage.world.workloads]),
        worst_cpu=float(worst_cpu),
        worst_memory=float(worst_memory),
        ended=ended,
        failed=failed / offered,
    )


def simulated_weeks(shops: list[Shop]) -> dict[str, Weeks]:
    """Return weeks by the name of the metric, as `recorded_weeks` has them: one series a pod."""

    def weeks(rows: list[FloatArray], companion: FloatArray | None = None) -> Weeks:
        values = np.concatenate(rows)[:, None, :]
        return Weeks(
            values=values, per_day=FINE_DAY, clock=[True] * len(values), companion=companion
        )

    cpu = weeks([one.cpu for one in shops])
    requests = weeks([one.requests[one.outside] for one in shops])
    hourly = by_hour(cpu)
    found = {
        "cpu_5min": cpu,
        "cpu_hourly": hourly,
        "requests_5min": requests,
        "requests_hourly": by_hour(requests),
    }
    for name in ("memory", "network"):
        of_hours = by_hour(weeks([getattr(one, name) for one in shops]))
        found[f"{name}_hourly"] = Weeks(
            values=of_hours.values,
            per_day=of_hours.per_day,
            clock=of_hours.clock,
            companion=hourly.values,
        )
    return found


def _warm(seed: int) -> PhysicsStage:
    stage = demonstration_stage()
    world = demonstration_world(seed=seed)
    stage = PhysicsStage(
        world, stage.placement, world.fresh_state(stage.placement), MONDAY_SECONDS - DAY_SECONDS
    )
    stage.run(WARM_UP_STEPS)
    left = MONDAY_SECONDS - stage.seconds
    stage.run(round(left / STEP_SECONDS), step_seconds=STEP_SECONDS)
    return stage
