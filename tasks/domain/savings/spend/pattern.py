"""What repeats in daily spend: weekdays, and lumps on a day of the month."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

from tasks.domain.arrays import BoolArray, FloatArray, IntArray

HALF_WINDOW_DAYS = 7
LAST_OCCURRENCES = 3
WEEKDAY_PRIOR_WEEKS = 2.0
"""Weeks of an even week that a weekday pattern is shrunk by."""
LUMP_SPREADS = 5.0
LUMP_SHARE = 0.3
"""Of the level; a lump is above this and above `LUMP_SPREADS` times the usual spread."""
MOST_LUMP_SHARE = 0.12
"""Of days; a group with more peaks than this, about four a month, has no lumps but a habit."""
MAD_TO_SD = 1.4826


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """What repeats in each group.

    Attributes:
        weekday: (groups, 7) factors of mean 1, Monday first.
        lumps_usd: (groups, 32) by day of the month; column 0 is unused.
        base_usd: (groups, days) spend without lumps and weekdays, outliers clipped.
        spread_usd: (groups,) robust standard deviation of a day around its level.
    """

    weekday: FloatArray
    lumps_usd: FloatArray
    base_usd: FloatArray
    spread_usd: FloatArray

    def applied(self, level_usd: FloatArray, calendar: Calendar) -> FloatArray:
        """Return the spend of days to come from their level, (groups, days) or (groups, 1)."""
        factors = self.weekday[:, calendar.weekday]
        return np.asarray(level_usd * factors + self.lumps_usd[:, calendar.day], dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Days as arrays of (days,): day of the month and weekday, Monday 0."""

    day: IntArray
    weekday: IntArray

    @classmethod
    def of(cls, days: pd.DatetimeIndex) -> Calendar:
        """Return the arrays of days."""
        return cls(
            day=days.day.to_numpy().astype(np.int64),
            weekday=days.day_of_week.to_numpy().astype(np.int64),
        )

    def __getitem__(self, part: slice) -> Calendar:
        return Calendar(day=self.day[part], weekday=self.weekday[part])


def filled(usd: FloatArray) -> FloatArray:
    """Return spend with unknown days as the same weekday before, or the day before; causal."""
    found = usd.copy()
    for column in range(found.shape[1]):
        gap = np.isnan(found[:, column])
        if gap.any():
            back = 7 if column >= 7 else min(column, 1)
            found[gap, column] = found[gap, column - back] if back else 0.0
    return found


def spend_pattern(usd: FloatArray, calendar: Calendar) -> Pattern:
    """Return what repeats in known spend, (groups, days), from these days alone."""
    level = centred_median(usd)
    weekday = weekday_factors(usd, level, calendar)
    expected = level * weekday[:, calendar.weekday]
    spread = MAD_TO_SD * np.median(np.abs(usd - expected), axis=1)
    lumps, is_lump = _lumps(usd - expected, level, spread, calendar)
    clean = np.where(is_lump, expected, usd)
    base = clean / weekday[:, calendar.weekday]
    reach = 4.0 * np.maximum(spread, 0.02 * np.median(level, axis=1))[:, None]
    # Where most days are without spend the level says nothing, and clipping would remove all of it.
    daily = (np.mean(usd > 0.0, axis=1) >= 0.8)[:, None]
    base = np.where(daily, np.clip(base, level - reach, level + reach), base)
    return Pattern(weekday=weekday, lumps_usd=lumps, base_usd=base, spread_usd=spread)


def centred_median(usd: FloatArray) -> FloatArray:
    """Return the median of the days around each day; at the ends of fewer days."""
    half = min(HALF_WINDOW_DAYS, usd.shape[1] - 1)
    padded = np.pad(usd, ((0, 0), (half, half)), mode="reflect")
    windows = sliding_window_view(padded, 2 * half + 1, axis=1)
    return np.asarray(np.median(windows, axis=-1), dtype=np.float64)


def weekday_factors(usd: FloatArray, level: FloatArray, calendar: Calendar) -> FloatArray:
    """Return (groups, 7) factors of mean 1, shrunk towards an even week."""
    ratio = np.where(level > 0.0, usd / np.where(level > 0.0, level, 1.0), 1.0)
    found = np.ones((len(usd), 7))
    for weekday in range(7):
        days = ratio[:, calendar.weekday == weekday][:, -8:]
        if days.shape[1]:
            weight = days.shape[1] / (days.shape[1] + WEEKDAY_PRIOR_WEEKS)
            found[:, weekday] = 1.0 + weight * (np.median(days, axis=1) - 1.0)
    found = np.clip(found, 0.05, 5.0)
    return np.asarray(found / found.mean(axis=1, keepdims=True), dtype=np.float64)


def _lumps(
    excess: FloatArray, level: FloatArray, spread: FloatArray, calendar: Calendar
) -> tuple[FloatArray, BoolArray]:
    """Return lumps by day of the month, (groups, 32), and where they were billed."""
    least = np.maximum(LUMP_SPREADS * spread[:, None], LUMP_SHARE * level)
    beside = np.maximum(
        np.pad(excess[:, 1:], ((0, 0), (0, 1))), np.pad(excess[:, :-1], ((0, 0), (1, 0)))
    )
    peaks = (excess > np.maximum(least, 0.01)) & (beside < 0.5 * excess)
    peaks &= (peaks.mean(axis=1) <= MOST_LUMP_SHARE)[:, None]
    peaks &= _rare_or_daily(excess, level)[:, None]
    found = np.zeros((len(excess), 32))
    only = np.median(level, axis=1) == 0.0
    for day in range(1, 32):
        columns = np.flatnonzero(calendar.day == day)[-LAST_OCCURRENCES:]
        if columns.size:
            billed = np.where(peaks[:, columns], excess[:, columns], 0.0)
            found[:, day] = _usual(billed, day, only)
    return found, peaks & (found[:, calendar.day] > 0.0)


def _rare_or_daily(excess: FloatArray, level: FloatArray) -> BoolArray:
    """Return which groups may have lumps: billed every day, or hardly ever."""
    idle = np.median(level, axis=1) == 0.0
    return np.asarray(~idle | (np.mean(excess > 0.0, axis=1) <= MOST_LUMP_SHARE), dtype=np.bool_)


def _usual(billed: FloatArray, day: int, only: BoolArray) -> FloatArray:
    """Return the lump to expect from its last occurrences, (groups, up to 3), 0 where there was none.

    One occurrence is a lump on the first of the month, when fees are due, and in groups that bill
    nothing else; otherwise it may be an accident and takes a second one.
    """
    if billed.shape[1] == 1:
        return np.asarray(np.where(only | (day == 1), billed[:, 0], 0.0), dtype=np.float64)
    # One of the last three may be missing: its row may not have been reported.
    last, times = billed[:, -1], np.sum(billed > 0.0, axis=1)
    mean = billed.sum(axis=1) / np.maximum(times, 1)
    again = np.where((last > 0.0) & (times >= 2), mean, 0.0)
    return np.asarray(np.where(only & (last > 0.0), last, again), dtype=np.float64)
