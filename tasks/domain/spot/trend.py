"""Where a path is heading: the best linear prediction from its own past increments.

Prices behave like a moving average of demand over 7 days, so steps persist, and what leaves the
averaging window is felt a week later. Both are in the autocovariance of the path's increments, which
all pools share once each is in units of its own pace; solving the Yule-Walker equations with it
gives the weights of past increments for any time ahead.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.linalg import solve_toeplitz

from tasks.domain.arrays import FloatArray
from tasks.domain.spot.paths import FRESH_HOURS, PricePaths

STRIDE_HOURS = 6
PAST_STRIDES = 56
"""Two weeks: past it the increments tell nothing more."""
RENEWAL_HOURS = (4.6, 7.6)
"""Announcements of a moving path follow each other uniformly within this, EC2 since 2018."""
GRID_HOURS = 0.1
NUGGET = 0.2
"""Share of an increment's variance that is noise of its own: rounding, and lines for curves."""
CLIP = 5.0
THIN = 3
"""Hours between the increments whose products are averaged; they overlap by half."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Autocovariance:
    """Sums and counts of products of 6 h increments, by lag in strides; they add up over chunks."""

    sums: FloatArray
    counts: FloatArray

    def __add__(self, other: Autocovariance) -> Autocovariance:
        return Autocovariance(sums=self.sums + other.sums, counts=self.counts + other.counts)


def autocovariance(paths: PricePaths, *, horizon_hours: int, until: int) -> Autocovariance:
    """Return the products of increments on the columns before `until`.

    Each pool counts in units of its mean absolute increment; the flat end after its last change,
    where the path is not known, is left out.
    """
    lags = PAST_STRIDES + _future_strides(horizon_hours) + 1
    ends = np.arange(STRIDE_HOURS, max(until, STRIDE_HOURS), THIN)
    if not ends.size:
        return Autocovariance(sums=np.zeros(lags), counts=np.zeros(lags))
    known = (ends[None] <= paths.last_change[:, until - 1][:, None]) & (
        ends[None] - STRIDE_HOURS >= paths.first[:, None]
    )
    steps = np.where(known, paths.path[:, ends] - paths.path[:, ends - STRIDE_HOURS], 0.0)
    pace = np.abs(steps).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    steps = np.clip(steps / np.maximum(pace, 1e-12)[:, None], -CLIP, CLIP)
    sums, counts = np.zeros(lags), np.zeros(lags)
    for lag in range(lags):
        shift = lag * STRIDE_HOURS // THIN
        if shift >= len(ends):
            break
        early, late = slice(0, len(ends) - shift), slice(shift, None)
        sums[lag] = np.einsum("ij,ij->", steps[:, early], steps[:, late])
        counts[lag] = np.count_nonzero(known[:, early] & known[:, late])
    return Autocovariance(sums=sums, counts=counts)


def trend_weights(moments: Autocovariance, *, horizon_hours: int) -> FloatArray:
    """Return (strides ahead + 1, PAST_STRIDES) weights of past increments, newest first.

    Row k predicts the path's change over the next k strides. All zero without any movement.
    """
    ahead = _future_strides(horizon_hours)
    if moments.sums[0] <= 0.0:
        return np.zeros((ahead + 1, PAST_STRIDES))
    correlation = moments.sums / np.maximum(moments.counts, 1.0)
    correlation /= correlation[0]
    row = correlation[:PAST_STRIDES].copy()
    row[0] += NUGGET
    lags = np.arange(1, ahead + 1)[:, None] + np.arange(PAST_STRIDES)[None]
    each = solve_toeplitz(row, correlation[lags].T).T
    return np.vstack([np.zeros(PAST_STRIDES), np.cumsum(each, axis=0)])


def trend(weights: FloatArray, increments: FloatArray, elapsed_hours: FloatArray) -> FloatArray:
    """Return (m,) predicted changes of the path over the elapsed hours, in units of increments."""
    position = np.minimum(elapsed_hours / STRIDE_HOURS, len(weights) - 1 - 1e-9)
    left = position.astype(np.int64)
    share = position - left
    # Not a BLAS product: its last digits depend on how many rows there are, hence on chunking.
    each = np.einsum("ij,kj->ik", increments, weights)
    at = np.arange(len(increments))
    return np.asarray(each[at, left] * (1.0 - share) + each[at, left + 1] * share)


def elapsed_hours(age: FloatArray, horizon: FloatArray, *, horizon_hours: int) -> FloatArray:
    """Return how much of the path, past the last knot, the price is expected to show.

    The price h hours ahead is the path at the last announcement before; the mean time of it follows
    from the renewal process of announcements, given the age of the last one. A path that stood
    still (age above FRESH_HOURS) may start at any time: the horizon itself is taken.

    Args:
        age: (m,) hours since the last change.
        horizon: (m,) hours ahead, whole, 1 to horizon_hours.
        horizon_hours: The longest horizon.
    """
    table = _elapsed_table(horizon_hours)
    row = np.minimum(np.nan_to_num(age, posinf=0.0) / GRID_HOURS, len(table) - 1)
    fresh = table[np.rint(row).astype(np.int64), horizon.astype(np.int64)]
    return np.where(np.floor(age) <= FRESH_HOURS, np.maximum(fresh, 0.15), horizon)


def _future_strides(horizon_hours: int) -> int:
    return horizon_hours // STRIDE_HOURS + 2


@cache
def _elapsed_table(horizon_hours: int) -> FloatArray:
    """Return (ages, horizons) mean hours from the last announcement to the last one by then."""
    low, high = RENEWAL_HOURS
    intervals = np.arange(low, high, GRID_HOURS)
    ages = np.arange(0.0, FRESH_HOURS + 1.0, GRID_HOURS)
    renewed = _renewal_means(intervals, round((horizon_hours + FRESH_HOURS + 2) / GRID_HOURS))
    table = np.zeros((len(ages), horizon_hours + 1))
    for i, age in enumerate(ages):
        first = intervals[intervals > age] if age < high - GRID_HOURS else np.array([age])
        for h in range(1, horizon_hours + 1):
            left = np.rint((age + h - first) / GRID_HOURS).astype(np.int64)
            table[i, h] = np.where(left >= 0, first + renewed[np.maximum(left, 0)], 0.0).mean()
    return table


def _renewal_means(intervals: FloatArray, steps: int) -> FloatArray:
    """Return mean positions of the last renewal within 0, 1, .. grid steps of one at zero."""
    taps = np.rint(intervals / GRID_HOURS).astype(np.int64)
    means = np.zeros(steps)
    for x in range(taps[0], steps):
        within = taps <= x
        reached = intervals[within] + means[x - taps[within]]
        means[x] = reached.sum() / len(intervals)
    return means
