"""Which hours before and after a change are compared.

Days are of 24 hours from the start of the panel. The day of the change itself counts for neither
side: things restart, drain and are warmed up on it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tasks.domain.savings.realised.values import AppliedChange, CostPanel

HOURS_PER_DAY = 24
DAYS_PER_WEEK = 7
LEAST_DAYS = 7
"""Whole days on either side, below which nothing is said."""
MOST_DAYS_BEFORE = 28
MOST_DAYS_AFTER = 28
"""A verdict is final by then: later, other things happen to the resource."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Hours of a panel, counted from its start; the ends are not part of it.

    Attributes:
        before_from: Whole weeks before `before_to`.
        before_to: Start of the day of the change.
        after_from: End of that day.
        after_to: End of the last whole day that counts.
        cut_short: Whether another change of the same resource ends it early.
    """

    before_from: int
    before_to: int
    after_from: int
    after_to: int
    cut_short: bool = False

    @property
    def days_before(self) -> int:
        """Whole days before."""
        return (self.before_to - self.before_from) // HOURS_PER_DAY

    @property
    def days_after(self) -> int:
        """Whole days after."""
        return max(self.after_to - self.after_from, 0) // HOURS_PER_DAY


def window_of(change: AppliedChange, panel: CostPanel) -> Window:
    """Return the hours to compare: at most four weeks on either side.

    Weeks before are whole ones, and none reaches behind an earlier change of the same resource;
    a later one ends the days after.
    """
    day = day_of(change.applied_at, panel)
    others = [day_of(at, panel) for at in panel.touched.get(change.series, ())]
    earlier = max((other + 1 for other in others if other < day), default=0)
    later = min((other for other in others if other > day), default=None)
    weeks = max(min(day - max(earlier, 0), MOST_DAYS_BEFORE), 0) // DAYS_PER_WEEK
    last = min(panel.hours // HOURS_PER_DAY, day + 1 + MOST_DAYS_AFTER)
    end = last if later is None else min(last, later)
    return Window(
        before_from=(day - weeks * DAYS_PER_WEEK) * HOURS_PER_DAY,
        before_to=day * HOURS_PER_DAY,
        after_from=(day + 1) * HOURS_PER_DAY,
        after_to=max(end, day + 1) * HOURS_PER_DAY,
        cut_short=later is not None and end == later,
    )


def whole_days_after(change: AppliedChange, panel: CostPanel, *, days: int) -> datetime:
    """Return when so many whole days after the day of a change have been seen."""
    return panel.start + timedelta(days=day_of(change.applied_at, panel) + 1 + days)


def untouched(times: Iterable[datetime], panel: CostPanel, window: Window) -> bool:
    """Return whether none of some changes falls into a window."""
    first = panel.start + timedelta(hours=window.before_from)
    last = panel.start + timedelta(hours=window.after_to)
    return not any(first <= at < last for at in times)


def day_of(at: datetime, panel: CostPanel) -> int:
    """Return the day of an instant, 0 being the panel's first; negative before it."""
    return (at - panel.start) // timedelta(days=1)
