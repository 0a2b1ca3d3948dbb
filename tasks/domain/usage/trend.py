"""Growth from week to week that one busy day, or a gap, does not fake."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from tasks.domain.arrays import FloatArray
from tasks.domain.usage.clock import HOURS_PER_DAY, HOURS_PER_WEEK
from tasks.domain.usage.hours import Hours

MIN_HOURS_A_DAY = 12
"""Days with fewer known hours are left out."""


def weekly_trend(hours: Hours) -> tuple[FloatArray, FloatArray]:
    """Return the change a week and its consistency, each (n,); NaN below two weeks.

    Each day's median is compared with those of the same weekday in other weeks, so that the shape
    of the week does not matter. The change is the median over all such pairs of days (Sen 1968),
    the consistency the mean of their signs (Hirsch, Slack, Smith 1982).
    """
    count, length = hours.values.shape
    weeks = length // HOURS_PER_WEEK
    days = _daily_medians(hours).reshape(count, weeks, 7)
    if weeks < 2:
        unknown = np.full(len(days), np.nan)
        return unknown, unknown.copy()
    pairs = [(b, a) for a, b in combinations(range(weeks), 2)]
    slopes = np.concatenate([(days[:, b] - days[:, a]) / (b - a) for b, a in pairs], axis=1)
    known = (~np.isnan(slopes)).sum(axis=1)
    some = np.where(known > 0, known, np.nan)
    return _median(slopes), np.nansum(np.sign(slopes), axis=1) / some


def _daily_medians(hours: Hours) -> FloatArray:
    """Return (n, days) medians; NaN for days with too few hours."""
    count, length = hours.values.shape
    days = hours.values.reshape(count, length // HOURS_PER_DAY, HOURS_PER_DAY)
    known = (~np.isnan(days)).sum(axis=2)
    ordered = np.sort(days, axis=2)
    at = np.maximum(known - 1, 0)[:, :, None]
    low, high = (
        np.take_along_axis(ordered, half, axis=2)[:, :, 0] for half in (at // 2, -(-at // 2))
    )
    middle = (low.astype(np.float64) + high) / 2.0
    return np.where(known >= MIN_HOURS_A_DAY, middle, np.nan)


def _median(values: FloatArray) -> FloatArray:
    """Return (n,) medians of what is known."""
    known = (~np.isnan(values)).sum(axis=1)
    ordered = np.sort(values, axis=1)
    at = np.maximum(known - 1, 0)[:, None]
    low, high = (np.take_along_axis(ordered, half, axis=1)[:, 0] for half in (at // 2, -(-at // 2)))
    found: FloatArray = (low + high) / 2.0
    return found
