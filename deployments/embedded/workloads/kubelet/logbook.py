"""What containers wrote: the last lines of each, and of the process before."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from deployments.embedded.workloads.containers.logs import (
    complaint_line,
    complaints,
    last_lines,
    plain_last_lines,
    request_line,
    start_line,
    start_lines,
)
from deployments.embedded.workloads.containers.table import Happening, What, running
from deployments.embedded.workloads.engine import Tick
from deployments.embedded.workloads.kubelet.clock import Clock
from deployments.embedded.workloads.kubelet.roster import Resident
from deployments.embedded.workloads.physics.arrays import Bools, Ints
from deployments.embedded.workloads.physics.faults import ActiveFault
from deployments.embedded.workloads.physics.noise import key_of, pod_key
from deployments.embedded.workloads.physics.state import Cause
from deployments.embedded.workloads.physics.world import World

LINES_OF_ONE, LINES_OF_ALL, LEAST_LINES = 200, 200_000, 20
WORK_SECONDS, COMPLAINT_SECONDS = 30, 10
"""Between two lines of one container, of ordinary work and of calls that fail."""

Line = tuple[float, str]
"""When, on the wall, and what."""


@dataclass(slots=True)
class ContainerLog:
    """What one container wrote.

    Attributes:
        container: Its name.
        uid: Of its pod.
        node: Index of its node.
        lines: Of the process that runs, or ran last.
        before: Of the one before; None when there was none.
        runs: The process of `lines` runs.
    """

    container: str
    uid: str
    node: int
    lines: deque[Line] = field(default_factory=deque)
    before: deque[Line] | None = None
    runs: bool = False
    begun: bool = False

    def previous(self) -> Sequence[Line] | None:
        """Return what the process wrote that ended last; None when none has."""
        if self.begun and not self.runs:
            return self.lines
        return self.before


class Logbook:
    """The logs of all containers, bounded in memory: fewer lines of each when there are many.

    Args:
        world: Whose programs write.
        clock: Of the world; lines bear the time of the wall.
    """

    def __init__(self, world: World, *, clock: Clock) -> None:
        self._world, self._clock = world, clock
        self._logs: dict[tuple[str, str], dict[str, ContainerLog]] = {}

    def of(self, namespace: str, pod: str, container: str = "") -> ContainerLog | None:
        """Return the log of a pod's container, of its first by default; None where there is none."""
        found = self._logs.get((namespace, pod), {})
        return found.get(container or next(iter(found), ""))

    def keep(self, residents: Sequence[Resident]) -> None:
        """Keep logs of these pods and forget all others."""
        before, self._logs = self._logs, {}
        for one in residents:
            key, pod = (one.pod.namespace, one.pod.name), one.pod
            known = before.get(key, {})
            self._logs[key] = {
                name: known[name]
                if name in known and known[name].uid == pod.uid
                else ContainerLog(name, pod.uid, pod.node)
                for name in (pod.spec.name, *(other.spec.name for other in pod.companions))
            }

    def _first(self, one: Resident) -> ContainerLog:
        return self._logs[one.pod.namespace, one.pod.name][one.pod.spec.name]

    def happened(
        self, one: Resident, what: Happening, *, now: float, faults: Sequence[ActiveFault],
        failed: Mapping[tuple[str, str], float],
    ) -> None:  # fmt: skip
        """Write what a program says when it starts and when it ends.

        Args:
            one: Its pod.
            what: What happened.
            now: When.
            faults: In force.
            failed: Fraction of calls that fail on each edge, by caller and called.
        """
        names, wall = one.names_of(what.container), self._clock.on_wall(now)
        log = self._logs[one.pod.namespace, one.pod.name][names.container]
        profile, spec = self._world.workloads[one.pod.workload], one.pod.spec
        if what.what is What.STARTED:
            if log.begun:
                log.before, log.lines = log.lines, deque()
            log.runs = log.begun = True
            tag = names.image.rpartition(":")[2]
            lines = start_lines(profile, seconds=wall, tag=tag)
            if what.container:
                lines = (start_line(what.container, seconds=wall, tag=tag),)
            self._write(log, wall, *lines)
        elif what.what is What.EXITED:
            log.runs = False
            if what.container and what.detail:
                cause = Cause(int(what.detail))
                self._write(log, wall, *plain_last_lines(what.container, cause, seconds=wall))
            elif what.detail:
                lines = last_lines(
                    profile,
                    Cause(int(what.detail)),
                    seconds=wall,
                    key=pod_key(one.pod.namespace, one.pod.name),
                    complaints=complaints(profile, faults, failed=failed),
                    missing=sorted(profile.required_keys - spec.variables),
                )
                self._write(log, wall, *lines)

    def work(
        self, residents: Sequence[Resident], tick: Tick, *, since: float, now: float,
        faults: Sequence[ActiveFault], failed: Mapping[tuple[str, str], float],
    ) -> None:  # fmt: skip
        """Write what programs say while they run.

        Args:
            residents: By row.
            tick: The last.
            since: When the step before it ended.
            now: When it ended.
            faults: In force.
            failed: Fraction of calls that fail on each edge, by caller and called.
        """
        up = running(tick.table) & tick.answer.booted
        answer, wall = tick.answer, self._clock.on_wall(now)
        for row in _due(up & (answer.served_rps > 0), tick, since, now, WORK_SECONDS):
            one = residents[row]
            line = request_line(
                self._world.workloads[one.pod.workload],
                seconds=wall,
                key=key_of(f"{one.pod.uid}:{now:.0f}"),
                latency=float(answer.latency_seconds[row]),
            )
            self._write(self._first(one), wall, line)
        rows = _due(up & (answer.offered_rps > 0), tick, since, now, COMPLAINT_SECONDS)
        found = {
            at: complaints(self._world.workloads[at], faults, failed=failed)
            for at in {int(tick.placement.workload[row]) for row in rows}
        }
        for row in rows:
            one = residents[row]
            for complaint in found[one.pod.workload]:
                line = complaint_line(complaint, seconds=wall)
                self._write(self._first(one), wall, line)

    def _write(self, log: ContainerLog, now: float, *lines: str) -> None:
        log.lines.extend((now, line) for line in lines)
        most = max(LEAST_LINES, min(LINES_OF_ONE, LINES_OF_ALL // len(self._logs)))
        while len(log.lines) > most:
            log.lines.popleft()


def _due(of: Bools, tick: Tick, since: float, now: float, every: int) -> Ints:
    """Return rows whose turn comes in a step; containers do not write all at once."""
    turn = (tick.placement.key % np.uint64(every)).astype(float)
    found: Ints = np.flatnonzero(
        of & (np.floor((now + turn) / every) > np.floor((since + turn) / every))
    )
    return found
