"""How a series goes on by its own past: after its most alike hours, and at its own best lag."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.domain.arrays import FloatArray, IntArray
from tasks.domain.load.history import DAY, History

ALIKE = 8
"""Neighbours in a series' own past."""
MEMORY = 8.0
"""Hours after which an hour of the last day weighs 1/e of the newest."""
LAGS = tuple(range(3, 73))
JUDGED = 96
"""Hours over which lags are compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalPaths:
    """Paths of m origins over the hours ahead.

    Attributes:
        alike: (m, H) median of what followed the most alike days.
        distance: (m,) of these days, in the unit of the values.
        lagged: (m, H) median of the values at multiples of the best lag before.
        lag: (m,) the best lag, hours.
        lag_error: (m,) mean change over the best lag.
    """

    alike: FloatArray
    distance: FloatArray
    lagged: FloatArray
    lag: FloatArray
    lag_error: FloatArray


def joined_paths(parts: Sequence[LocalPaths]) -> LocalPaths:
    """Return the paths of the origins of all parts, in order."""
    return LocalPaths(
        alike=np.concatenate([one.alike for one in parts]),
        distance=np.concatenate([one.distance for one in parts]),
        lagged=np.concatenate([one.lagged for one in parts]),
        lag=np.concatenate([one.lag for one in parts]),
        lag_error=np.concatenate([one.lag_error for one in parts]),
    )


def local_paths(
    history: History, row: IntArray, seen: IntArray, window: FloatArray, *, horizon: int
) -> LocalPaths:
    """Return paths of series `row` after `seen` hours each; no hour after them is read.

    Args:
        history: All series.
        row: (m,) series.
        seen: (m,) hours known.
        window: (m, REACH) hours up to each origin.
        horizon: Hours ahead.
    """
    alike, distance = _alike(history, row, seen, horizon)
    lag, error = _best_lag(window)
    return LocalPaths(
        alike=alike,
        distance=distance,
        lagged=_lagged(window, lag, horizon),
        lag=lag.astype(np.float64),
        lag_error=error,
    )


def _alike(
    history: History, row: IntArray, seen: IntArray, horizon: int
) -> tuple[FloatArray, FloatArray]:
    """Return medians of what followed the ALIKE nearest days of the same series."""
    m = len(row)
    path, distance = np.empty((m, horizon)), np.empty(m)
    weight = np.exp(-np.arange(DAY)[::-1] / MEMORY)
    root = np.sqrt(weight / weight.sum())
    for series in np.unique(row):
        of = np.flatnonzero(row == series)
        values = history.values[series]
        path[of], distance[of] = _alike_of(values, seen[of], root, horizon)
    return path, distance


def _alike_of(
    values: FloatArray, seen: IntArray, root: FloatArray, horizon: int
) -> tuple[FloatArray, FloatArray]:
    days = np.lib.stride_tricks.sliding_window_view(values, DAY) * root
    ends = np.arange(DAY, len(values) + 1)
    asked = days[seen - DAY]
    apart = (asked**2).sum(axis=1)[:, None] + (days**2).sum(axis=1) - 2.0 * asked @ days.T
    apart = np.where(ends[None] + horizon <= seen[:, None], np.maximum(apart, 0.0), np.inf)
    count = min(ALIKE, apart.shape[1])
    near = np.argpartition(apart, count - 1, axis=1)[:, :count]
    found = np.take_along_axis(apart, near, axis=1)
    usable = np.isfinite(found)
    ahead = np.minimum(ends[near][..., None] + np.arange(horizon), len(values) - 1)
    follow = np.where(usable[..., None], values[ahead], values[seen - 1][:, None, None])
    return np.median(follow, axis=1), np.sqrt(np.where(usable, found, 0.0).mean(axis=1))


def _best_lag(window: FloatArray) -> tuple[IntArray, FloatArray]:
    newest = window[:, -JUDGED:]
    errors, change = np.empty((len(window), len(LAGS))), np.empty_like(newest)
    for at, lag in enumerate(LAGS):
        np.subtract(newest, window[:, -JUDGED - lag : -lag], out=change)
        errors[:, at] = np.abs(change, out=change).mean(axis=1)
    best = errors.argmin(axis=1)
    return np.array(LAGS)[best], errors[np.arange(len(best)), best]


def _lagged(window: FloatArray, lag: IntArray, horizon: int) -> FloatArray:
    """Return medians of up to three values at multiples of the lag before each hour ahead."""
    reach = window.shape[1]
    ahead = reach + np.arange(horizon)
    skipped = -(-(np.arange(horizon) + 1)[None] // lag[:, None])
    rows = np.arange(len(window))[:, None]
    parts = []
    for more in range(3):
        at = ahead[None] - lag[:, None] * (skipped + more)
        parts.append(window[rows, np.where(at >= 0, at, at % lag[:, None])])
    return np.asarray(np.median(parts, axis=0))
