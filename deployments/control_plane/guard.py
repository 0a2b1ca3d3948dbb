"""Ends processes when the one that began them is gone: `python -m ...guard BEGUN_BY PID...`.

Whoever is killed stops nothing, and a control plane would outlive it. Ends by itself once all of
them have ended.
"""

from __future__ import annotations

import sys

import psutil

from deployments.processes import end_processes

LOOK_EVERY_SECONDS = 1.0
END_TIMEOUT_SECONDS = 10.0


def guard(begun_by: int, pids: list[int]) -> None:
    """Wait until a process is gone or all the others are, and end what is left of those.

    Args:
        begun_by: Number of the process whose end is waited for.
        pids: Numbers of the processes to end after it.
    """
    guarded = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    parent = _process(begun_by)
    while parent is not None and parent.is_running() and guarded:
        _, guarded = psutil.wait_procs(guarded, timeout=LOOK_EVERY_SECONDS)
    end_processes(guarded, timeout_seconds=END_TIMEOUT_SECONDS)


def _process(pid: int) -> psutil.Process | None:
    try:
        return psutil.Process(pid)
    except psutil.NoSuchProcess:
        return None


if __name__ == "__main__":
    guard(int(sys.argv[1]), [int(argument) for argument in sys.argv[2:]])
