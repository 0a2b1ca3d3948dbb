"""The week ahead, drawn many times from the days that were observed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from tasks.domain.arrays import FloatArray, IntArray
from tasks.domain.tuning.observed import DAY
from tasks.domain.tuning.suggestions import HORIZON, LEVEL, Effect, Measure

DRAWS = 400
LEVELS = np.linspace(-0.6, 0.6, 25)
"""Logarithms of how much higher the whole week may be than the days it is drawn from."""
LEAST_LEVEL_SD = 0.05
"""So much any workload may drift in a week; two weeks of days cannot exclude it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """Weeks that may come.

    A week is drawn twice: first the days that might have been observed, then seven of them. That
    counts both what the days differ by and that only so many were seen. The level of the whole
    week moves as far as days drift apart in a week, beyond what neighbouring days differ.

    Attributes:
        per_day: Steps of a day.
        days: (draws, 7) days of each week.
        levels: (draws,) positions in LEVELS.
    """

    per_day: int
    days: IntArray
    levels: IntArray

    @classmethod
    def of(cls, values: FloatArray, *, step: timedelta, rng: np.random.Generator) -> Outlook:
        """Return weeks like the ones observed.

        Args:
            values: (steps,) what the level is taken from; NaN where unknown. At least one day.
            step: Divides a day.
            rng: Of the draws.
        """
        per_day = DAY // step
        means = daily_means(values, per_day=per_day)
        known = np.flatnonzero(np.isfinite(means))
        ahead = HORIZON // DAY
        seen = rng.choice(known, (DRAWS, len(known)))
        days = np.take_along_axis(seen, rng.integers(0, len(known), (DRAWS, ahead)), axis=1)
        shifts = rng.normal(0.0, level_sd(means), DRAWS)
        nearest = np.abs(shifts[:, None] - LEVELS).argmin(axis=1)
        return cls(per_day=per_day, days=days, levels=nearest.astype(np.int64))

    def shares(self, share_at: Callable[[float], FloatArray]) -> FloatArray:
        """Return (draws,) the mean of something over each week.

        Args:
            share_at: Given how many times higher the level is, (steps,) values; NaN where unknown.
        """
        by_level = np.stack(
            [daily_means(share_at(float(np.exp(one))), per_day=self.per_day) for one in LEVELS],
            axis=1,
        )
        found: FloatArray = np.nanmean(by_level[self.days, self.levels[:, None]], axis=1)
        return found


def daily_means(values: FloatArray, *, per_day: int) -> FloatArray:
    """Return (days,) means of whole days; NaN for a day of which nothing is known."""
    days = values[: len(values) // per_day * per_day].reshape(-1, per_day)
    known = np.isfinite(days)
    total = np.where(known, days, 0.0).sum(axis=1)
    count = known.sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def level_sd(means: FloatArray) -> float:
    """Return how far a week's level drifts, as a standard deviation of its logarithm.

    From the variogram of daily means: what days a week apart differ by, beyond neighbours. Days
    that differ without drifting, and a weekly rhythm, add nothing.
    """
    logs = np.log(np.maximum(means, 1e-9))

    def apart(days: int) -> float:
        squares = (logs[days:] - logs[:-days]) ** 2 / 2.0
        return float(np.nanmean(squares)) if np.isfinite(squares).any() else 0.0

    lags = [lag for lag in (5, 6, 7) if lag < len(logs)]
    drift = float(np.mean([apart(lag) for lag in lags])) - apart(1) if lags else 0.0
    return float(np.sqrt(max(drift, LEAST_LEVEL_SD**2)))


def expected_effect(
    measure: Measure, *, before: float, drawn: FloatArray, rare: bool = False
) -> Effect:
    """Return the mean of the draws and the interval that holds LEVEL of them.

    Args:
        measure: What the draws are of.
        before: Without the change, 0 to 1.
        drawn: (draws,) 0 to 1.
        rare: Whether it may well not happen at all: then the interval begins at 0.
    """
    tails = [0.0, LEVEL] if rare else [(1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0]
    low, high = np.quantile(drawn, tails)
    low = 0.0 if rare else low
    return Effect(
        measure=measure,
        before=float(before),
        expected=float(drawn.mean()),
        low=float(low),
        high=float(high),
    )


def share_kept(drawn: FloatArray, promised: float) -> float:
    """Return the share of draws at or below what is promised."""
    return float((drawn <= promised + 1e-12).mean())
