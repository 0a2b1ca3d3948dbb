"""What a kubelet does with the containers of its pods, second by second.

The arrays decide which containers have something due; only those are looked at one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from deployments.embedded.workloads.containers.probing import Signs, probe
from deployments.embedded.workloads.containers.specs import LIVENESS, STARTUP, Rules
from deployments.embedded.workloads.containers.table import (
    Happening,
    Phase,
    Reason,
    Table,
    What,
    new_table,
    running,
)
from deployments.embedded.workloads.physics.arrays import Bools
from deployments.embedded.workloads.physics.state import Cause

__all__ = ["Phase", "Reason", "Signs", "Table", "What", "advance", "new_table", "running"]

FIRST_BACK_OFF_SECONDS = 10.0
MOST_BACK_OFF_SECONDS = 300.0
"""Of restarts and of pulls; kubelet's own numbers, doubled from one to the other."""
FORGET_SECONDS = 600.0
"""After twice the most, back-off begins anew (client-go flowcontrol.Backoff)."""
CREATE_SECONDS = 1.0
STOP_SECONDS = 1.0
"""What a process that still listens to signals takes to end."""
CONFIG_RETRY_SECONDS = 10.0
_KILLED, _TERMINATED, _START_ERROR, _LOST = 137, 143, 128, 255
_BUSY = (Phase.RUNNING, Phase.GONE)


def advance(
    table: Table,
    rules: Rules,
    signs: Signs,
    *,
    now_seconds: float,
    deleting: Bools,
    held: Bools | None = None,
) -> tuple[Table, tuple[Happening, ...]]:
    """Return containers a step later, and what happened to them; nothing given is changed.

    Args:
        table: Of the last step, rows as in `rules`.
        rules: What the pods ask for.
        signs: What the physics answered of this step.
        now_seconds: End of the step, Unix time.
        deleting: (R,) the pod has a deletion timestamp.
        held: (R,) it may not begin yet; None where all may.

    Returns:
        The table, and happenings in the order of time and row.
    """
    work = _Work(table.copied(), rules, signs, now_seconds)
    table, on = work.table, signs.machine_on
    alive = running(table)
    for row in _rows(alive & on & (signs.exit_code >= 0)):
        oom = signs.cause[row] in (Cause.OUT_OF_MEMORY, Cause.NODE_OUT_OF_MEMORY)
        code = int(signs.exit_code[row])
        plain = Reason.ERROR if code else Reason.COMPLETED
        work.end(row, code, Reason.OOM_KILLED if oom else plain)
        table.cause[row] = signs.cause[row]
    # Processes of a machine that was off are found gone when its kubelet is back.
    for row in _rows(on & (table.until == _OFF) & running(table)):
        work.end(row, _LOST, Reason.UNKNOWN)
    table.until[running(table) & ~on] = _OFF
    for row in _rows(deleting & on & (table.phase != Phase.GONE)):
        work.delete(row)
    due = on & (now_seconds >= table.until) & ~np.isin(table.phase, _BUSY)
    if held is not None:
        due &= ~(held & (table.phase == Phase.NEW))
    for row in _rows(due & (~deleting | (table.phase == Phase.STOPPING))):
        work.look(row)
    kills = probe(table, rules, signs, now_seconds=now_seconds, into=work.happened)
    for pod, column in kills:
        work.kill(pod, column)
    return table, tuple(work.happened)


def _rows(chosen: Bools) -> list[int]:
    return [int(row) for row in np.flatnonzero(chosen)]


_OFF = -1.0  # `until` of a process whose machine is off


@dataclass(slots=True)
class _Work:
    """One step of the kubelets, on arrays of its own."""

    table: Table
    rules: Rules
    signs: Signs
    now: float
    happened: list[Happening]

    def __init__(self, table: Table, rules: Rules, signs: Signs, now: float) -> None:
        self.table, self.rules, self.signs, self.now = table, rules, signs, now
        self.happened = []

    def tell(self, row: int, what: What, detail: str = "") -> None:
        self.happened.append(Happening(row=int(row), what=what, detail=detail))

    def move(self, row: int, phase: Phase, *, seconds: float = 0.0) -> None:
        self.table.phase[row] = phase
        self.table.until[row] = self.now + seconds

    def look(self, row: int) -> None:
        """Do what is due."""
        _STEPS[Phase(int(self.table.phase[row]))](self, row)

    def create(self, row: int) -> None:
        """Begin a new pod: its sandbox and its image come first."""
        self.tell(row, What.PULLING)
        pull = self.rules.facts[row].pull_seconds if self.rules.pull_ok[row] else 0.5
        self.move(row, Phase.CREATING, seconds=CREATE_SECONDS + pull)

    def pulled(self, row: int) -> None:
        """End a pull, well or not."""
        if self.rules.pull_ok[row]:
            self.tell(row, What.PULLED)
            self.start(row)
            return
        self.tell(row, What.PULL_FAILED)
        self.move(row, Phase.PULL_ERROR, seconds=1.0)

    def wait_to_pull(self, row: int) -> None:
        """Tell of back-off, and wait for it."""
        before = self.table.pull_back_off[row]
        wait = min(max(2.0 * before, FIRST_BACK_OFF_SECONDS), MOST_BACK_OFF_SECONDS)
        self.table.pull_back_off[row] = wait
        self.tell(row, What.PULL_BACK_OFF)
        self.move(row, Phase.PULL_BACK_OFF, seconds=wait)

    def start(self, row: int) -> None:
        """Make the container and start it, if its configuration and its command allow."""
        fact, table = self.rules.facts[row], self.table
        if fact.config_error is not None:
            self.tell(row, What.CONFIG_FAILED, fact.config_error)
            self.move(row, Phase.CONFIG_ERROR, seconds=CONFIG_RETRY_SECONDS)
            return
        self.tell(row, What.CREATED)
        # Only what was made counts: a wrong configuration is no restart.
        table.restarts[row] += bool(table.started_at[row] > 0)
        table.started_at[row] = self.now
        if not fact.command_ok:
            self.tell(row, What.START_FAILED, (*self.rules.specs[row].command, "")[0])
            self.end(row, _START_ERROR, Reason.START_ERROR)
            return
        self.tell(row, What.STARTED)
        self.move(row, Phase.RUNNING)
        table.failed[row], table.passed[row] = 0, 0
        table.probe_at[row] = self.now + np.maximum(self.rules.delay[row], 1.0)
        table.started[row] = not self.rules.present[row, STARTUP]
        table.ready[row] = False

    def again(self, row: int) -> None:
        """Restart what ended, now or after its back-off."""
        table = self.table
        known = table.back_off[row] > 0 and self.now - table.back_off_at[row] <= FORGET_SECONDS
        waits = table.back_off[row] if known else 0.0
        if self.now - table.finished_at[row] < waits:
            self.tell(row, What.BACK_OFF)
            rest = waits - (self.now - table.finished_at[row])
            self.move(row, Phase.BACK_OFF, seconds=rest)
            return
        more = min(2.0 * table.back_off[row], MOST_BACK_OFF_SECONDS)
        table.back_off[row] = more if known else FIRST_BACK_OFF_SECONDS
        table.back_off_at[row] = self.now
        if not self.rules.pull_ok[row]:
            self.tell(row, What.PULL_FAILED)
            self.move(row, Phase.PULL_ERROR, seconds=1.0)
            return
        self.tell(row, What.PRESENT)
        self.start(row)

    def kill(self, row: int, column: int) -> None:
        """Ask a container to end whose probe has failed too often."""
        self.happened.append(Happening(row=int(row), what=What.KILLING, probe=column))
        self._stop(row, after_probe=column == LIVENESS)

    def delete(self, row: int) -> None:
        """Ask a container to end, or drop one that does not run."""
        if self.table.phase[row] == Phase.RUNNING:
            self.tell(row, What.STOPPING)
            self._stop(row, after_probe=False)
        elif self.table.phase[row] != Phase.STOPPING:
            self.move(row, Phase.GONE)

    def _stop(self, row: int, *, after_probe: bool) -> None:
        listens = bool(np.isfinite(self.signs.health_seconds[row]) or self.signs.refuses[row])
        # A program that still listens ends by itself; a locked one has to be killed.
        seconds = STOP_SECONDS if listens else max(float(self.rules.grace[row]), STOP_SECONDS)
        self.table.stop_code[row] = _TERMINATED if listens else _KILLED
        self.table.ready[row] = self.table.ready[row] and not after_probe
        self.move(row, Phase.STOPPING, seconds=seconds)

    def stopped(self, row: int) -> None:
        """End a container that was asked to."""
        self.end(row, int(self.table.stop_code[row]), Reason.ERROR)

    def end(self, row: int, code: int, reason: Reason) -> None:
        """Write down how a process ended."""
        table = self.table
        table.exit_code[row], table.reason[row] = code, reason
        table.last_started_at[row] = table.started_at[row]
        table.finished_at[row] = self.now
        if table.ready[row]:
            self.tell(row, What.UNREADY)
        table.ready[row], table.started[row] = False, False
        table.cause[row] = Cause.NONE
        # What never ran, or vanished with its machine, has no last words.
        spoke = reason not in (Reason.START_ERROR, Reason.UNKNOWN)
        self.tell(row, What.EXITED, str(int(self.signs.cause[row])) if spoke else "")
        self.move(row, Phase.ENDED, seconds=1.0)


_STEPS: dict[Phase, Callable[[_Work, int], None]] = {
    Phase.NEW: _Work.create,
    Phase.CREATING: _Work.pulled,
    Phase.PULL_ERROR: _Work.wait_to_pull,
    Phase.PULL_BACK_OFF: _Work.pulled,
    Phase.CONFIG_ERROR: _Work.start,
    Phase.STOPPING: _Work.stopped,
    Phase.ENDED: _Work.again,
    Phase.BACK_OFF: _Work.again,
}
