"""By how much costs differ from their usual week."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tasks.domain.arrays import BoolArray, FloatArray
from tasks.domain.savings.money import HOURS_PER_WEEK
from tasks.domain.savings.realised.windows import HOURS_PER_DAY, Window

SHIFTS_PER_DAY = 4
HOURS_PER_SHIFT = HOURS_PER_DAY // SHIFTS_PER_DAY
STEADY = 1e-6
"""Largest relative deviation before the change of what counts as steady: rounding."""
LEAST_RATIO = 0.2
"""Cost after over cost before, below which the time after tells nothing of the load."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviations:
    """Costs of some resources against the mean of each hour of their week before.

    Relative to `level`; unknown hours are left out on both sides, so that what is compared is
    always the same hours of the week.

    Attributes:
        level: (n,) USD an hour in the usual week; above 0.
        after: (n,) mean after the change.
        shifts: (n, shifts) before and after, each with its own mean taken out, in quarters of a
            day; NaN where unknown. After is scaled to the level of before: a change makes it
            smaller, and that says nothing about what happened to the load.
        shifts_before: How many of them are before the change.
    """

    level: FloatArray
    after: FloatArray
    shifts: FloatArray
    shifts_before: int

    def take(self, rows: BoolArray | list[int]) -> Deviations:
        """Return those of some resources."""
        return replace(
            self, level=self.level[rows], after=self.after[rows], shifts=self.shifts[rows]
        )

    def __len__(self) -> int:
        return len(self.level)

    def daily_spread(self) -> FloatArray:
        """Return (n,) the standard deviation of daily means; 0 for what was steady before."""
        days = mean_known(self.shifts.reshape(len(self), -1, SHIFTS_PER_DAY))
        spread = np.sqrt(np.nan_to_num(mean_known(days**2)))
        # A change that sets in slowly moves a steady resource: that is no restlessness of its own.
        before = np.nan_to_num(np.abs(self.shifts[:, : self.shifts_before])).max(axis=1)
        return np.where(before > STEADY, spread, 0.0)

    def likeness(self, rows: list[int]) -> FloatArray:
        """Return the correlation of some resources' shifts with those of the first."""
        unit = self._unit_shifts()
        found: FloatArray = unit[rows] @ unit[0]
        return found

    def correlations(self) -> FloatArray:
        """Return (n, n) the correlation of shifts; what is unknown counts as usual."""
        unit = self._unit_shifts()
        found: FloatArray = unit @ unit.T
        return found

    def _unit_shifts(self) -> FloatArray:
        known = np.nan_to_num(self.shifts)
        length = np.linalg.norm(known, axis=1, keepdims=True)
        found: FloatArray = known / np.where(length > 0.0, length, 1.0)
        return found


def deviations(usd: FloatArray, window: Window) -> Deviations:
    """Return the deviations of resources that are known and cost something before and after.

    Args:
        usd: (n, hours) as in a cost panel; `comparable` rows only.
        window: With whole weeks before and at least a day after.
    """
    before = usd[:, window.before_from : window.before_to]
    usual = usual_week(before)
    level = usual.mean(axis=1)
    hour = np.arange(window.after_from, window.after_to) - window.before_from
    due = usual[:, hour % HOURS_PER_WEEK]
    cost = usd[:, window.after_from : window.after_to]
    after = mean_known(cost - due) / level
    ratio = np.where(1.0 + after < LEAST_RATIO, np.nan, 1.0 + after)[:, None]
    first = before - np.tile(usual, before.shape[1] // HOURS_PER_WEEK)
    shifts = [_shifts(one) / level[:, None] for one in (first, cost / ratio - due)]
    return Deviations(
        level=level,
        after=after,
        shifts=np.concatenate([one - mean_known(one)[:, None] for one in shifts], axis=1),
        shifts_before=shifts[0].shape[1],
    )


def usual_week(before: FloatArray) -> FloatArray:
    """Return (n, 168) the mean of each hour of the week, beginning with the first hour.

    Where no week knows an hour, it is the mean of that hour of the day, else the mean of all.

    Args:
        before: (n, whole weeks of hours); in each row something is known.
    """
    by_week = before.reshape(len(before), -1, HOURS_PER_WEEK)
    week = mean_known(by_week.swapaxes(1, 2))
    by_day = week.reshape(len(week), -1, HOURS_PER_DAY)
    daily = np.tile(mean_known(by_day.swapaxes(1, 2)), HOURS_PER_WEEK // HOURS_PER_DAY)
    week = np.where(np.isnan(week), daily, week)
    return np.where(np.isnan(week), mean_known(week)[:, None], week)


def mean_known(values: FloatArray) -> FloatArray:
    """Return the mean over the last axis of what is known; NaN where nothing is."""
    known = np.isfinite(values)
    number = known.sum(axis=-1)
    total = np.where(known, values, 0.0).sum(axis=-1)
    found: FloatArray = np.where(number > 0, total / np.maximum(number, 1), np.nan)
    return found


def _shifts(hourly: FloatArray) -> FloatArray:
    return mean_known(hourly.reshape(len(hourly), -1, HOURS_PER_SHIFT))
