"""Requests at replicas: who gets them, what they cost, how long they take."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deployments.embedded.workloads.physics.arrays import Bools, Floats
from deployments.embedded.workloads.physics.calls import DRAIN_SECONDS, Quality, arrivals, quality
from deployments.embedded.workloads.physics.cores import shared, throttled_fraction
from deployments.embedded.workloads.physics.noise import mixed
from deployments.embedded.workloads.physics.queueing import finite_queue
from deployments.embedded.workloads.physics.scene import Scene
from deployments.embedded.workloads.physics.world import OUTSIDE_SECONDS

COST_NOISE = 0.02
"""Standard deviation of a replica's cost of a request, as a fraction."""
TRACE_RPS = 1e-13
"""Requests per second at which a workload that nobody asks is looked at."""
_UNEVEN = 0.05  # a load balancer's shares differ by up to so much of the mean
_QUEUE_FILL = 0.97  # a consumer never works without a pause between messages


@dataclass(slots=True, kw_only=True)
class Work:
    """Requests at replicas, and what they cost. R replicas, W workloads.

    Attributes:
        offered: (R,) requests per second sent to each.
        accepted: (R,) worked on.
        own_seconds: (R,) latency without dependencies.
        processor_seconds: (R,) of that, waiting for and on the processor.
        stretch: (R,) how many times its cost a request takes on the processor.
        own_passes: (R,) fraction of accepted requests that it does not fail itself.
        cores: (R,) used.
        ceiling: (R,) cores that it could have used.
        throttled: (R,) fraction of periods.
        boot_speed: (R,) cores it got over those that it wants, at most 1.
        arrived: (S,) requests per second at each service.
        drawn: (W,) taken from the queue, or sent to replicas.
        nobody: (W,) no replica is ready.
        dependency_seconds_used: (R,) of the last steps, that threads were held for.
    """

    offered: Floats
    accepted: Floats
    own_seconds: Floats
    processor_seconds: Floats
    stretch: Floats
    own_passes: Floats
    cores: Floats
    ceiling: Floats
    throttled: Floats
    boot_speed: Floats
    arrived: Floats
    drawn: Floats
    nobody: Bools
    dependency_seconds_used: Floats


def work_of(scene: Scene, outside: Floats) -> Work:
    """Return what becomes of requests.

    Args:
        scene: Of the step.
        outside: (W,) requests per second from outside, before faults.
    """
    of, effects, placement = scene.of, scene.effects, scene.placement
    warm = np.exp(-placement.container_age_seconds / np.maximum(of["warm_up_seconds"], 1e-9))
    cost = of["cpu_seconds_per_request"] * effects.cost * (1.0 + of["warm_up_factor"] * warm)
    cost = cost * (1.0 + COST_NOISE * scene.noise)
    idle = np.where(scene.up, of["idle_cpu_cores"] * ~effects.locked, of["startup_cpu_cores"])
    base = (idle + effects.stress_cores) * scene.alive
    waits = of["wait_seconds"] + of["volume_reads_per_request"] * effects.volume_seconds
    before = scene.state.dependency_seconds[placement.workload]
    ceiling = np.minimum(scene.state.ceiling_cores, placement.cpu_limit_cores)
    room = _room(ceiling, base)
    held_seconds = waits + before + cost / np.minimum(np.maximum(room, 1e-6), 1.0)
    most = of["threads"] / held_seconds
    can = np.minimum(room / cost, most) * scene.reached
    arrived, drawn, shares, nobody = _spread(scene, outside * effects.traffic, can)
    offered = shares * drawn[placement.workload]
    admitted = np.minimum(offered, most) * scene.reached

    wanted = base + admitted * cost
    cores, ceiling = _cores(scene, np.minimum(wanted, placement.cpu_limit_cores))
    room = _room(ceiling, base)
    busy = np.minimum(admitted, room / cost)
    places = np.maximum(of["threads"] - busy * (waits + before), 1.0)
    blocked, inside = finite_queue(admitted * cost / room, places)
    accepted = admitted * (1.0 - blocked * ~scene.world.queue[placement.workload])
    sojourn = inside / np.maximum(admitted * (1.0 - blocked), 1e-30)
    # A server of c cores is one of c times the speed behind a delay (Seidmann et al. 1987).
    processor = cost * (1.0 - 1.0 / np.maximum(room, 1.0)) + np.maximum(sojourn, cost / room)
    throttled = scene.alive * throttled_fraction(
        wanted, rate=admitted, cost_seconds=cost, limit_cores=placement.cpu_limit_cores
    )
    processor = processor + 0.05 * throttled  # half a period, where one was cut short
    volume_passes = effects.volume_passes ** of["volume_reads_per_request"]
    passes = (1.0 - of["error_fraction"]) * effects.passes * volume_passes
    return Work(
        offered=offered,
        accepted=accepted,
        own_seconds=processor + waits,
        processor_seconds=processor,
        stretch=processor / cost,
        own_passes=passes * effects.skew_passes[placement.node],
        cores=np.minimum(base + accepted * cost, cores),
        ceiling=ceiling,
        throttled=throttled,
        boot_speed=np.minimum(cores / np.maximum(base, 1e-9), 1.0),
        arrived=arrived,
        drawn=drawn,
        nobody=nobody,
        dependency_seconds_used=before,
    )


def _room(ceiling: Floats, base: Floats) -> Floats:
    """Return cores for requests: what else runs in the container cannot take more than half."""
    return np.maximum(np.maximum(ceiling - base, 0.5 * ceiling), 1e-4)


def _spread(scene: Scene, outside: Floats, can: Floats) -> tuple[Floats, Floats, Floats, Bools]:
    """Return what arrives at services, what is handed out, each replica's share, and who has none."""
    placement, world = scene.placement, scene.world
    queue = world.queue[placement.workload]
    offset = (mixed(placement.key, 0, stream=6) >> np.uint64(40)).astype(float) * 2.0**-23 - 1.0
    listed = np.where(queue, scene.answering, placement.ready)
    weights = listed * np.where(queue, can, 1.0 + _UNEVEN * offset)
    total = scene.per_workload(weights)
    nobody = total <= 0.0
    shares = weights / np.where(nobody, 1.0, total)[placement.workload]
    capacity = scene.per_workload(can)
    taken = np.where(world.queue, 1.0, scene.per_workload(shares * scene.reached))
    extra = len(world.services) - len(outside)
    arrived = arrivals(
        world,
        scene.effects,
        outside=outside,
        taken=_longer(taken, extra),
        capacity=_longer(np.where(world.queue, _QUEUE_FILL, 1.0) * capacity, extra),
        backlog=_longer(scene.state.backlog, extra),
        failed=scene.state.service_failed,
    )
    here = arrived[: len(outside)]
    wanted = np.minimum(here + scene.state.backlog / DRAIN_SECONDS, _QUEUE_FILL * capacity)
    return arrived, np.maximum(np.where(world.queue, wanted, here), TRACE_RPS), shares, nobody


def _longer(values: Floats, extra: int) -> Floats:
    return np.concatenate([values, np.zeros(extra)])


def _cores(scene: Scene, wanted: Floats) -> tuple[Floats, Floats]:
    """Return what each replica gets of its node, and what it could have had."""
    node, columns = scene.placement.node, scene.world.node_columns
    # The system's own work has its share whatever else steals; pods keep a fifth at least.
    capacity = np.maximum(
        columns["cpu_cores"] - columns["system_cpu_cores"] - scene.effects.stolen_cores,
        0.2 * columns["cpu_cores"],
    )
    given, could = shared(wanted, scene.placement.cpu_request_cores, node, capacity)
    return given, np.minimum(could, scene.placement.cpu_limit_cores)


def found_by_callers(scene: Scene, work: Work) -> Quality:
    """Return what callers find at every service."""
    count = len(scene.world.workloads)
    drawn = np.maximum(work.drawn, TRACE_RPS)
    accepted = scene.per_workload(work.accepted)
    seconds = scene.per_workload(work.accepted * work.own_seconds) / np.maximum(accepted, 1e-30)
    passes = scene.per_workload(work.accepted * work.own_passes) / drawn
    reachable = scene.effects.serves[scene.placement.node]
    stuck = (scene.effects.locked & scene.up) | ~reachable
    hangs = scene.per_workload(work.offered * stuck) / drawn
    extra = len(scene.world.services) - count
    return quality(
        scene.world,
        scene.effects,
        seconds=np.concatenate([np.maximum(seconds, 1e-6), np.full(extra, OUTSIDE_SECONDS)]),
        passes=np.concatenate([np.minimum(passes, 1.0), np.ones(extra)]),
        hangs=_longer(np.minimum(hangs, 1.0), extra),
    )


def latency(scene: Scene, work: Work, found: Quality) -> Floats:
    """Return (R,) mean seconds of a request; the callers' time-out where nobody answers."""
    total = work.own_seconds + found.dependency_seconds[scene.placement.workload]
    return np.where(scene.answering, total, scene.of["request_timeout_seconds"])


def concurrency(scene: Scene, work: Work, found: Quality) -> Floats:
    """Return requests in work (Little 1961); those that a lock holds stay until callers give up."""
    stuck = np.minimum(work.offered * scene.of["request_timeout_seconds"], scene.of["threads"]) * (
        scene.up & scene.effects.locked
    )
    inside: Floats = work.accepted * latency(scene, work, found) + stuck
    return inside


HEALTH_CPU_SECONDS = 0.001
"""Of a page that calls nothing."""
_FULL = 0.999


def health(scene: Scene, work: Work, *, inside: Floats) -> Floats:
    """Return (R,) seconds that an endpoint takes which calls nothing; infinite without an answer.

    It shares the processor, and waits for a free thread as every request does (Sakasegawa 1977); a
    queue's consumer answers on a thread of its own.

    Args:
        scene: Of the step.
        work: Of the replicas.
        inside: (R,) requests in work.
    """
    threads = scene.of["threads"]
    busy = np.minimum(inside / threads, _FULL)
    each = inside / np.maximum(work.accepted, 1e-30)
    wait = each * busy ** (np.sqrt(2.0 * (threads + 1.0)) - 1.0) / (threads * (1.0 - busy))
    wait = np.where(scene.world.queue[scene.placement.workload], 0.0, wait)
    answer = HEALTH_CPU_SECONDS * work.stretch + 0.05 * work.throttled + wait
    return np.where(scene.answering, answer, np.inf)
