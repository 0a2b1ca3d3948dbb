"""The hours that a fleet's history covers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from tasks.domain.arrays import IntArray

HISTORY_DAYS = 28
_HOUR = timedelta(hours=1)
_HOURS_OF_HISTORY = 24 * HISTORY_DAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Hours in a row.

    Attributes:
        start: First hour, aware UTC, on the hour.
        hours: At least 1.
        now_hour: The hour of the grid that it is now.
    """

    start: datetime
    hours: int
    now_hour: int

    def instant(self, hour: int) -> datetime:
        """Return the start of an hour of the grid; hours before it count from -1 down."""
        return self.start + hour * _HOUR

    def wrapped(self, recorded_hours: int) -> IntArray:
        """Return which hour of a recording stands at each hour of the grid.

        Past its end, the recording goes on as it was four weeks before: hour of the day and day
        of the week fit, and what happened in them happens again.

        Args:
            recorded_hours: More than 28 days.
        """
        hours = np.arange(self.hours, dtype=np.int64)
        last = recorded_hours - 1
        back = np.maximum(0, -(-(hours - last) // _HOURS_OF_HISTORY))
        found: IntArray = hours - back * _HOURS_OF_HISTORY
        return found


def history_grid(*, now: datetime, end: datetime | None) -> Grid:
    """Return 28 whole days and the hours since midnight, UTC, and those until the replay ends.

    Args:
        now: Aware.
        end: Where the replay ends; None for now. Before now, history ends there too.
    """
    end = now if end is None else end.astimezone(UTC)
    today = min(now.astimezone(UTC), end).replace(hour=0, minute=0, second=0, microsecond=0)
    start = today - timedelta(days=HISTORY_DAYS)
    hours = max(1, -(-(end - start) // _HOUR))
    now_hour = min(hours - 1, (now - start) // _HOUR)
    return Grid(start=start, hours=hours, now_hour=now_hour)
