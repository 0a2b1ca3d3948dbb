"""What measured savings are compared with: before and after, and the textbook's two differences."""

from __future__ import annotations

import numpy as np

from benchmarks.stacks_realised_data import Case
from tasks.domain.arrays import FloatArray
from tasks.domain.savings.money import HOURS_PER_MONTH
from tasks.domain.savings.realised.deviations import mean_known
from tasks.domain.savings.realised.values import Interval

NORMAL_90 = 1.645
DAYS_BEFORE = 28


def before_and_after(case: Case) -> Interval:
    """Return the difference of mean daily cost, with the normal error of independent days."""
    before, after = _days(case)
    return _interval(before[0], after[0], np.zeros(1), np.zeros(1))


def two_differences(case: Case) -> Interval:
    """Return before and after less what every untouched candidate did on average, in dollars.

    As a share of each one's own cost, since they differ in size; normal errors of independent
    days.
    """
    before, after = _days(case)
    level = mean_known(before)[:, None]
    known = np.isfinite(level[:, 0]) & (level[:, 0] > 0.0) & np.isfinite(after).any(axis=1)
    named = np.array([not case.panel.touched.get(name) for name in case.panel.series])
    others = np.flatnonzero(known & named)[1:]
    if len(others) == 0:
        return before_and_after(case)
    scale = level[0, 0]
    return _interval(
        before[0],
        after[0],
        scale * mean_known((before[others] / level[others]).T),
        scale * mean_known((after[others] / level[others]).T),
    )


def _days(case: Case) -> tuple[FloatArray, FloatArray]:
    """Return (n, days) USD an hour before the day of the change and after it."""
    usd = case.panel.usd
    cut = (case.change.applied_at - case.panel.start).days
    whole = usd[:, : usd.shape[1] // 24 * 24].reshape(len(usd), -1, 24)
    number = np.isfinite(whole).sum(axis=2)
    days = np.nansum(whole, axis=2) / np.where(number > 0, number, np.nan)
    return days[:, max(cut - DAYS_BEFORE, 0) : cut], days[:, cut + 1 :]


def _interval(
    before: FloatArray, after: FloatArray, others_before: FloatArray, others_after: FloatArray
) -> Interval:
    first, last = before - others_before, after - others_after
    first, last = first[np.isfinite(first)], last[np.isfinite(last)]
    saving = float(first.mean() - last.mean())
    error = float(np.sqrt(_variance_of_mean(first) + _variance_of_mean(last)))
    low, high = saving - NORMAL_90 * error, saving + NORMAL_90 * error
    return Interval(
        low=low * HOURS_PER_MONTH, expected=saving * HOURS_PER_MONTH, high=high * HOURS_PER_MONTH
    )


def _variance_of_mean(values: FloatArray) -> float:
    return float(values.var(ddof=1)) / len(values) if len(values) > 1 else 0.0
