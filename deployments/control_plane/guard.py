"""Ends processes when the one that began them is gone: `python -m ...guard`, numbers on its input.

Whoever is killed stops nothing, and a control plane would outlive it. The guard is there before
the first program is; each program writes its number before it becomes itself, and the input ends
when nobody is left who could begin another.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import suppress

import psutil

from deployments.processes import end_processes

END_TIMEOUT_SECONDS = 10.0


def guard(numbers: Iterable[str]) -> None:
    """Read numbers of processes until there are no more, and end what is left of them.

    Args:
        numbers: Each as soon as its process is there, so that it cannot be another's by then.
    """
    guarded = []
    for number in numbers:
        with suppress(psutil.NoSuchProcess):
            guarded.append(psutil.Process(int(number)))
    end_processes(guarded, timeout_seconds=END_TIMEOUT_SECONDS)


if __name__ == "__main__":
    guard(sys.stdin)
