"""Hourly histories without gaps, as features read them; what was filled is never a target."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.domain.arrays import BoolArray, FloatArray, IntArray
from tasks.domain.load.panel import HOUR, Load, LoadPanel
from tasks.domain.load.resampling import hourly

DAY = 24
WEEK = 168
WINDOW = 720
"""Hours that are looked at: 30 days."""
FLOOR = {Load.CPU: 0.1, Load.MEMORY: 0.1, Load.REQUESTS: 1.0 / 86_400.0}
"""Changes that nobody cares about: a tenth of a point, a request a day. Requests have no full scale, and a
service that is asked a few times an hour has its days too."""
LEVEL_SHARE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Histories of n series on one hourly grid.

    Attributes:
        values: (n, T) without gaps; a gap repeats the day before it.
        known: (n, T) where a value was measured.
        first: (n,) column of the first known value; T where there is none.
        scale: (n,) mean change from a day before, at least 5 % of the mean and the floor.
        floor: Smallest change that counts, in the unit of the values.
        closing: (n, T) how each hour closed; None where nobody knows.
        hour: Hours since Monday 00:00 UTC of column 0; None without a wall clock.
    """

    values: FloatArray
    known: BoolArray
    first: IntArray
    scale: FloatArray
    floor: float
    closing: FloatArray | None
    hour: int | None

    def __len__(self) -> int:
        return len(self.values)

    @property
    def hours(self) -> int:
        """Columns."""
        return int(self.values.shape[1])


def history_of(panel: LoadPanel) -> History:
    """Return the last 30 days of a panel, by the hour, with gaps filled from the past alone."""
    hours = hourly(panel)
    hours = hours.until(hours.steps, window=WINDOW)
    known = ~np.isnan(hours.values)
    values = filled(hours.values)
    closing = hours.closing
    if closing is not None:
        closing = np.where(np.isnan(closing), values, closing)
    floor = FLOOR[panel.load]
    return History(
        values=values,
        known=known,
        first=np.where(known.any(axis=1), known.argmax(axis=1), known.shape[1]).astype(np.int64),
        scale=scales(hours.values, floor=floor),
        floor=floor,
        closing=closing,
        hour=_hour_of_week(hours),
    )


def filled(values: FloatArray) -> FloatArray:
    """Return (n, T) values in which a gap repeats the day before, in the first day the last value.

    What lies before the first known value repeats the day after it; series without any are 0.
    """
    found = values.copy()
    n, hours = found.shape
    last = np.full(n, np.nan)
    for at in range(hours):
        now = found[:, at]
        if at >= DAY:
            now = np.where(np.isnan(now), found[:, at - DAY], now)
        now = np.where(np.isnan(now), last, now)
        found[:, at] = last = now
    for at in range(hours - 1, -1, -1):
        later = found[:, min(at + DAY, hours - 1)]
        found[:, at] = np.where(np.isnan(found[:, at]), later, found[:, at])
    for at in range(hours - 2, -1, -1):
        found[:, at] = np.where(np.isnan(found[:, at]), found[:, at + 1], found[:, at])
    return np.nan_to_num(found)


def scales(values: FloatArray, *, floor: float) -> FloatArray:
    """Return (n,) mean absolute changes from a day before, at least 5 % of the mean and the floor."""
    change = _mean(np.abs(values[:, DAY:] - values[:, :-DAY]))
    level = _mean(np.abs(values))
    return np.maximum(np.maximum(change, LEVEL_SHARE * level), floor)


def _mean(values: FloatArray) -> FloatArray:
    """Return (n,) means of what is known, 0 where nothing is."""
    known = ~np.isnan(values)
    total = np.where(known, values, 0.0).sum(axis=1)
    return np.asarray(total / np.maximum(known.sum(axis=1), 1))


def _hour_of_week(panel: LoadPanel) -> int | None:
    """Return hours since Monday of the first column, rounded down."""
    if panel.start is None:
        return None
    since = panel.start - panel.start.replace(hour=0, minute=0, second=0, microsecond=0)
    return panel.start.weekday() * DAY + since // HOUR
