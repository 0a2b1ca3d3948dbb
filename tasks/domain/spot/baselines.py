"""Naive price forecasts: what any model has to beat to be worth showing."""

from __future__ import annotations

import numpy as np

from tasks.domain.arrays import FloatArray, IntArray
from tasks.domain.spot.forecasts import QUANTILES

MAX_ORIGINS = 240
"""Origins per pool for empirical quantiles; more only repeat overlapping changes."""


def last_value(prices: FloatArray) -> FloatArray:
    """Return the (n,) last price of each row of (n, hours) prices; NaN for a row without any."""
    return np.asarray(prices[:, -1], dtype=np.float64)


def seasonal_naive(prices: FloatArray, *, horizon_hours: int, season_hours: int = 24) -> FloatArray:
    """Return (n, horizon_hours) prices of the same hour of the last season.

    Args:
        prices: (n, hours) hourly prices, at least one season long.
        horizon_hours: Hours ahead, at least 1.
        season_hours: Length of a season; a day by default.
    """
    phase = np.arange(horizon_hours) % season_hours
    return np.asarray(prices[:, -season_hours:][:, phase], dtype=np.float64)


def empirical_quantiles(prices: FloatArray, *, horizon_hours: int) -> FloatArray:
    """Return the last value with the quantiles of each pool's own h-step changes.

    The changes V[t+h] / V[t] - 1 of the window give the outer quantiles; the median is the last
    value itself, and the interval always contains it. Long horizons are evaluated at about 30
    hours and interpolated.

    Args:
        prices: (n, hours) hourly prices in USD; NaN before a pool's first announcement.
        horizon_hours: H, hours ahead. Horizons past half the window use the longest within it.

    Returns:
        (n, H, 3) prices at QUANTILES, sorted along the last axis.
    """
    n, hours = prices.shape
    knots = horizon_knots(horizon_hours)
    levels = np.ones((n, horizon_hours, len(QUANTILES)))
    moving = np.flatnonzero(np.nanmax(prices, axis=1) > np.nanmin(prices, axis=1))
    if moving.size:
        outer = np.stack(
            [_change_quantiles(prices[moving], min(h, max(hours // 2, 1))) for h in knots], axis=1
        )
        for side in (0, 1):
            levels[moving, :, 2 * side] = interpolate_horizons(outer[:, :, side], knots)
    return np.asarray(levels * prices[:, -1][:, None, None], dtype=np.float64)


def horizon_knots(horizon_hours: int) -> IntArray:
    """Return the hours ahead worth evaluating: all up to 24, then about every sixth, and H."""
    if horizon_hours <= 24:
        return np.arange(1, horizon_hours + 1)
    near = np.array([1, 2, 3, 4, 6, 8, 10, 12, 15, 18, 21])
    far = np.linspace(24, horizon_hours, max(2, round((horizon_hours - 24) / 8))).astype(np.int64)
    return np.concatenate([near, far])


def interpolate_horizons(values: FloatArray, knots: IntArray) -> FloatArray:
    """Return (n, H) values at hours 1..H from (n, k) values at increasing knots ending at H."""
    hours = np.arange(1, knots[-1] + 1)
    right = np.searchsorted(knots, hours, side="left")
    left = np.maximum(right - 1, 0)
    gap = np.maximum(knots[right] - knots[left], 1)
    weight = (hours - knots[left]) / gap
    return np.asarray(values[:, left] * (1.0 - weight) + values[:, right] * weight)


def _change_quantiles(prices: FloatArray, steps: int) -> FloatArray:
    """Return (n, 2) outer quantiles of V[t+h] / V[t], bounded to contain 1."""
    starts = prices.shape[1] - steps
    # Counted from the newest origin, so that the latest change is always among them.
    chosen = np.arange(starts - 1, -1, -max(1, starts // MAX_ORIGINS))
    ratios = prices[:, chosen + steps] / prices[:, chosen]
    levels = (QUANTILES[0], QUANTILES[-1])
    with_gaps = np.isnan(ratios).any(axis=1)
    outer = np.ones((len(prices), 2))
    if (~with_gaps).any():
        outer[~with_gaps] = np.quantile(ratios[~with_gaps], levels, axis=1).T
    for row in np.flatnonzero(with_gaps):
        known = ratios[row][~np.isnan(ratios[row])]
        if known.size:
            outer[row] = np.quantile(known, levels)
    return np.stack([np.minimum(outer[:, 0], 1.0), np.maximum(outer[:, 1], 1.0)], axis=1)
