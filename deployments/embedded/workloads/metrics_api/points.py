"""The last two readings of every container and node, and what was used between them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from deployments.embedded.workloads.containers.table import running
from deployments.embedded.workloads.engine import Pod, Tick
from deployments.embedded.workloads.physics.faults import ActiveFault
from deployments.embedded.workloads.physics.world import World

RESOLUTION_SECONDS = 15.0
"""Between two readings, of the world's time (--metric-resolution)."""
FRESH_SECONDS = 10.0
"""A container that runs for so long, and for less than a period, is measured since its start."""
MIB = 2.0**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One reading.

    Attributes:
        started_seconds: Since when the counter counts, Unix time of the world.
        at_seconds: Of the reading.
        cpu_seconds: Of processors, used since then.
        memory_bytes: Working set.
    """

    started_seconds: float
    at_seconds: float
    cpu_seconds: float
    memory_bytes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What was used between two readings.

    Attributes:
        since_seconds: Of the first, Unix time of the world.
        at_seconds: Of the second.
        cpu_cores: Mean between them.
        memory_bytes: Working set at the second.
    """

    since_seconds: float
    at_seconds: float
    cpu_cores: float
    memory_bytes: float


class Points:
    """Reads what kubelets would tell, as metrics-server reads it.

    Only of processes that run, on nodes that answer; who does not answer once begins anew. A process
    that started since the last reading has no usage before the next, unless it ran for ten seconds.

    Args:
        world: Of the cluster.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._now: float | None = None
        self._begun = 0.0
        self._cpu_seconds = np.zeros(len(world.nodes))
        self._pods: dict[str, tuple[Point | None, Point]] = {}
        self._nodes: dict[str, tuple[Point | None, Point]] = {}

    def on_tick(
        self, tick: Tick, pods: Sequence[Pod], now: float, *, faults: Sequence[ActiveFault] = ()
    ) -> None:
        """Take note of a step, and read where a period ends with it; arguments as `OnTick` has them."""
        del faults
        before, self._now = self._now, now
        if before is None:
            self._begun = now
            return
        self._cpu_seconds += tick.answer.node_cpu_cores * (now - before)
        if now // RESOLUTION_SECONDS > before // RESOLUTION_SECONDS:
            self._pods = _joined(self._pods, self._of_pods(tick, pods, now))
            self._nodes = _joined(self._nodes, self._of_nodes(tick, now))

    def pod(self, uid: str) -> Usage | None:
        """Return what the container of a pod used; None where it is not known."""
        return _usage(self._pods.get(uid))

    def node(self, name: str) -> Usage | None:
        """Return what a node used, with all that runs on it; None where it is not known."""
        return _usage(self._nodes.get(name))

    def _of_pods(self, tick: Tick, pods: Sequence[Pod], now: float) -> Iterable[tuple[str, Point]]:
        seen = tick.answer.node_reports[tick.placement.node]
        for row in np.flatnonzero(seen & tick.placement.running & running(tick.table)).tolist():
            yield (
                pods[row].uid,
                Point(
                    started_seconds=float(tick.table.started_at[row]),
                    at_seconds=now,
                    cpu_seconds=float(tick.counters.cpu_seconds[row]),
                    memory_bytes=float(tick.answer.memory_mib[row]) * MIB,
                ),
            )

    def _of_nodes(self, tick: Tick, now: float) -> Iterable[tuple[str, Point]]:
        for at in np.flatnonzero(tick.answer.node_reports).tolist():
            yield (
                self._world.nodes[at].name,
                Point(
                    # Of machines nothing else is known than that they were there before.
                    started_seconds=self._begun - RESOLUTION_SECONDS,
                    at_seconds=now,
                    cpu_seconds=float(self._cpu_seconds[at]),
                    memory_bytes=float(tick.answer.node_memory_mib[at]) * MIB,
                ),
            )


def _joined(
    known: dict[str, tuple[Point | None, Point]], read: Iterable[tuple[str, Point]]
) -> dict[str, tuple[Point | None, Point]]:
    """Return pairs of the reading before, where it is of the same process, and the new one."""
    found: dict[str, tuple[Point | None, Point]] = {}
    for key, point in read:
        before = known[key][1] if key in known else None
        if before is not None and point.started_seconds >= before.at_seconds:
            before = None
        ran = point.at_seconds - point.started_seconds
        if before is None and FRESH_SECONDS <= ran < RESOLUTION_SECONDS:
            before = replace(point, at_seconds=point.started_seconds, cpu_seconds=0.0)
        found[key] = (before, point)
    return found


def _usage(pair: tuple[Point | None, Point] | None) -> Usage | None:
    before, last = pair or (None, None)
    if before is None or last is None:
        return None
    used = last.cpu_seconds - before.cpu_seconds
    if used < 0.0:
        return None
    return Usage(
        since_seconds=before.at_seconds,
        at_seconds=last.at_seconds,
        cpu_cores=used / (last.at_seconds - before.at_seconds),
        memory_bytes=last.memory_bytes,
    )
