"""The containers of all pods as arrays, and what can happen to one."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from enum import IntEnum, StrEnum

import numpy as np

from deployments.embedded.workloads.physics.arrays import Bools, Floats, Ints


class Phase(IntEnum):
    """Where a container is; NEW is 0, so that a row of zeros is a pod nobody has looked at."""

    NEW = 0
    CREATING = 1
    PULL_ERROR = 2
    PULL_BACK_OFF = 3
    CONFIG_ERROR = 4
    RUNNING = 5
    STOPPING = 6
    ENDED = 7
    BACK_OFF = 8
    GONE = 9


class Reason(IntEnum):
    """Why a container ended, as its status says."""

    NONE = 0
    OOM_KILLED = 1
    ERROR = 2
    COMPLETED = 3
    START_ERROR = 4
    UNKNOWN = 5


REASONS = ("", "OOMKilled", "Error", "Completed", "StartError", "Unknown")
"""Texts of `Reason`, in its order."""


class What(StrEnum):
    """What happened to a container in a step."""

    PULLING = "pulling"
    PULLED = "pulled"
    PRESENT = "present"
    PULL_FAILED = "pull-failed"
    PULL_BACK_OFF = "pull-back-off"
    CONFIG_FAILED = "config-failed"
    CREATED = "created"
    STARTED = "started"
    START_FAILED = "start-failed"
    UNHEALTHY = "unhealthy"
    KILLING = "killing"
    STOPPING = "stopping"
    BACK_OFF = "back-off"
    EXITED = "exited"
    READY = "ready"
    UNREADY = "unready"


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One thing that happened.

    Attributes:
        row: Of the pod.
        what: It was.
        probe: Column of the probe, where it was one; -1 otherwise.
        detail: An `Outcome` of a probe, a `Cause` of an exit (empty where there were no last words), or
            text of an error.
        container: Its name; empty for the first of the pod.
    """

    row: int
    what: What
    probe: int = -1
    detail: str = ""
    container: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Containers, one row for each pod. Instants are Unix time in seconds, 0 for never.

    Attributes:
        phase: (R,) `Phase`.
        until: (R,) when the phase is looked at again.
        started_at: (R,) of the process that runs or ran last.
        finished_at: (R,) of the last end.
        last_started_at: (R,) of the process that ended last.
        restarts: (R,)
        back_off: (R,) seconds the next restart waits; 0 before any.
        back_off_at: (R,) when that was set.
        pull_back_off: (R,) seconds.
        ready: (R,) it may get requests.
        started: (R,) its startup probe has passed, or it has none.
        failed: (R, 3) probes in a row.
        passed: (R, 3) probes in a row.
        probe_at: (R, 3) when the next is due.
        stop_code: (R,) with which it will end, once it was asked to.
        exit_code: (R,) of the last end.
        reason: (R,) `Reason` of that.
        cause: (R,) `physics.state.Cause` of that; for its log, never written.
    """

    phase: Ints
    until: Floats
    started_at: Floats
    finished_at: Floats
    last_started_at: Floats
    restarts: Ints
    back_off: Floats
    back_off_at: Floats
    pull_back_off: Floats
    ready: Bools
    started: Bools
    failed: Ints
    passed: Ints
    probe_at: Floats
    stop_code: Ints
    exit_code: Ints
    reason: Ints
    cause: Ints

    def realigned(self, rows: Ints) -> Table:
        """Return the table for another list of pods.

        Args:
            rows: (R',) where each pod was before; -1 for one that is new.
        """
        changed = {}
        for entry in fields(self):
            old = getattr(self, entry.name)
            made = np.zeros((len(rows), *old.shape[1:]), dtype=old.dtype)
            made[rows >= 0] = old[rows[rows >= 0]]
            changed[entry.name] = made
        return Table(**changed)

    def copied(self) -> Table:
        """Return a table that shares no array."""
        return replace(
            self, **{entry.name: getattr(self, entry.name).copy() for entry in fields(self)}
        )


_COLUMNS: dict[str, tuple[type, int]] = {
    "phase": (np.int64, 1), "until": (np.float64, 1), "started_at": (np.float64, 1),
    "finished_at": (np.float64, 1), "last_started_at": (np.float64, 1), "restarts": (np.int64, 1),
    "back_off": (np.float64, 1), "back_off_at": (np.float64, 1), "pull_back_off": (np.float64, 1),
    "ready": (np.bool_, 1), "started": (np.bool_, 1), "failed": (np.int64, 3),
    "passed": (np.int64, 3), "probe_at": (np.float64, 3), "stop_code": (np.int64, 1), "exit_code": (np.int64, 1),
    "reason": (np.int64, 1), "cause": (np.int64, 1),
}  # fmt: skip


def new_table(count: int) -> Table:
    """Return a table of so many pods that nobody has looked at."""
    return Table(**{
        name: np.zeros(count if width == 1 else (count, width), dtype=kind)
        for name, (kind, width) in _COLUMNS.items()
    })  # fmt: skip


def running(table: Table) -> Bools:
    """Return (R,) whether the process runs; also while it is asked to end."""
    found: Bools = (table.phase == Phase.RUNNING) | (table.phase == Phase.STOPPING)
    return found
