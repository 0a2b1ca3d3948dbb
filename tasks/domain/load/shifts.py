"""When a workload's level last jumped, as it could be known at the time."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tasks.domain.arrays import BoolArray, FloatArray, IntArray

DAY_HOURS = 24
SPREADS = 1.5
"""Usual changes from day to day; four standard errors of such a median in white noise."""
LEAST_CHANGE = 0.2
"""Share of the old level; smaller shifts matter to nobody who sizes a workload."""
ROWS_PER_CHUNK = 256
"""Bounds the memory: all days of a chunk take 18 MB at four weeks."""


def last_level_shift(values: FloatArray, *, steps_per_day: int = DAY_HOURS) -> IntArray:
    """Return (n,) the step at which each series' last level shift began; -1 without any.

    A day is on a new level when it differs, all to one side, from each known one of the seven days
    before it: by the median over its hours, so that neither peaks nor the shape of the day count, and
    by more than 1.5 times the usual change from one day's hour to the next day's and a fifth of the
    old level. A weekend is no shift, once one was seen. Shifts are found about half a day late; the
    begin is the hour of that day which best splits old from new.

    A value is never looked at before its time: the answer at a step does not change by what comes
    later, except for a later shift. Nothing is found in the first two and a half days, nor across a
    gap of more than a week.

    Args:
        values: (n, steps) of load; NaN where unknown.
        steps_per_day: A multiple of 24 is looked at by the hour, anything else step by step.
    """
    found = np.full(len(values), -1, dtype=np.int64)
    per_hour = steps_per_day // DAY_HOURS if steps_per_day % DAY_HOURS == 0 else 1
    per_day = steps_per_day // per_hour
    for first in range(0, len(values), ROWS_PER_CHUNK):
        rows = slice(first, first + ROWS_PER_CHUNK)
        hours = _hourly(values[rows], per_hour)
        found[rows] = _last_shift(hours, per_day)
    return np.where(found >= 0, found * per_hour, -1)


def _hourly(values: FloatArray, per_hour: int) -> FloatArray:
    """Return (n, whole hours) means of what is known, counted from the first step."""
    hours = values.shape[1] // per_hour
    blocks = values[:, : hours * per_hour].reshape(len(values), hours, per_hour)
    known = (~np.isnan(blocks)).sum(axis=2)
    return np.asarray(np.nansum(blocks, axis=2) / np.where(known > 0, known, np.nan))


def _last_shift(hours: FloatArray, per_day: int) -> IntArray:
    begun = _first_signs(hours, per_day)
    steps = begun.shape[1]
    last = steps - 1 - np.argmax(begun[:, ::-1], axis=1) if steps else np.zeros(len(hours), int)
    found = np.full(len(hours), -1, dtype=np.int64)
    for row in np.flatnonzero(begun.any(axis=1)):
        found[row] = _onset(hours[row], int(last[row]), per_day)
    return found


def _first_signs(hours: FloatArray, per_day: int) -> BoolArray:
    """Return (n, hours) where a day ends on a new level, and none did within the day before."""
    half = max(per_day // 2, 1)
    level = _day_medians(hours, per_day)
    spread = pd.DataFrame(np.abs(hours - _later(hours, per_day)).T)
    usual = spread.rolling(7 * per_day, min_periods=half).median().shift(per_day).to_numpy().T
    above, below, compared = (np.full(hours.shape, one) for one in (True, True, False))
    for days in range(1, 8):
        change = _day_medians(hours - _later(hours, days * per_day), per_day)
        least = np.maximum(SPREADS * usual, LEAST_CHANGE * _later(level, days * per_day))
        known = ~np.isnan(change) & ~np.isnan(least)
        above &= (change > least) | ~known
        below &= (-change > least) | ~known
        compared |= known
    new = pd.DataFrame(((above | below) & compared).T)
    before = new.astype(np.float64).rolling(per_day, min_periods=1).max().shift(1).fillna(0.0)
    return (new & (before == 0.0)).to_numpy(dtype=np.bool_).T


def _later(values: FloatArray, steps: int) -> FloatArray:
    """Return the values so many steps before each; NaN where there are none."""
    found = np.full(values.shape, np.nan)
    found[:, steps:] = values[:, : max(values.shape[1] - steps, 0)]
    return found


def _day_medians(values: FloatArray, per_day: int) -> FloatArray:
    """Return (n, hours) the median of the day up to each hour; NaN where half of it is unknown."""
    found = np.full(values.shape, np.nan)
    if values.shape[1] < per_day:
        return found
    # Single precision sorts several times faster; a level needs no more.
    days = np.lib.stride_tricks.sliding_window_view(values.astype(np.float32), per_day, axis=1)
    ordered = np.sort(days, axis=2)  # unknown last
    total = np.cumsum(np.pad(~np.isnan(values), ((0, 0), (1, 0))), axis=1)
    count = total[:, per_day:] - total[:, :-per_day]
    middle = np.stack([np.maximum(count - 1, 0) // 2, count // 2], axis=2)
    both = np.take_along_axis(ordered, np.minimum(middle, per_day - 1), axis=2).mean(axis=2)
    found[:, per_day - 1 :] = np.where(2 * count >= per_day, both, np.nan)
    return found


def _onset(hours: FloatArray, sign: int, per_day: int) -> int:
    """Return the hour of the day ending with the sign that best splits it into old and new.

    Hours are compared with the same ones a day before, so that the shape of the day does not count.
    """
    first = sign - per_day + 1
    usual = np.nanmedian(hours[max(first - 8 * per_day, 0) : first])
    day, before = hours[first : sign + 1], hours[first - per_day : first]
    change = day - np.where(np.isnan(before), usual, before)
    jump = np.median(change[~np.isnan(change)][-max(per_day // 2, 1) :])
    gain = np.nan_to_num(np.abs(change) - np.abs(change - jump))
    return sign - int(np.argmax(np.cumsum(gain[::-1])))
