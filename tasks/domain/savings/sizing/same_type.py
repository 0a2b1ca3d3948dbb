"""Hours in which an instance had the type that it has now.

Processors and memory are measured in per cent of the type at that time, and nothing tells which one
it was. Changing it takes a stop, so hours since the last start are certain (a reboot is no start).
Earlier hours count only where that start was routine: the instance had been off for at least an
hour, and came back about the same time of day on ROUTINE_STARTS other days. Somebody may still have
changed the type during one of those stops, or between two of them; whoever approves is told.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from tasks.domain.arrays import BoolArray, FloatArray, IntArray

ROUTINE_STARTS = 3
"""Also reached by what starts once a week, within four weeks."""
ROUTINE_HOURS_APART = 1
"""Summer time moves a start by an hour of UTC."""


def hours_of_present_type(cpu: FloatArray, *, start: datetime, launched_at: datetime) -> BoolArray:
    """Return (hours,) which hours count.

    Args:
        cpu: (hours,) mean use; NaN where it was off or is unknown.
        start: Of the first hour.
        launched_at: Last start; the hour that it falls into is not whole and does not count.
    """
    since = max(0, -(-(launched_at - start) // timedelta(hours=1)))
    if _is_routine(_starts(cpu), since):
        return np.ones(len(cpu), dtype=bool)
    return np.arange(len(cpu)) >= since


def _starts(cpu: FloatArray) -> IntArray:
    """Return hours that are known while the hour before is not."""
    known = ~np.isnan(cpu)
    found: IntArray = np.flatnonzero(known[1:] & ~known[:-1]) + 1
    return found


def _is_routine(starts: IntArray, since: int) -> bool:
    # The hour of the start itself is measured in part, or not at all.
    last = starts[(starts == since) | (starts == since - 1)]
    if not len(last):
        return False
    earlier = starts[starts < last[0]]
    apart = np.abs((earlier - last[0] + 12) % 24 - 12)
    return bool((apart <= ROUTINE_HOURS_APART).sum() >= ROUTINE_STARTS)
