"""What a forecast is made from: the state of a pool at an instant, from its past alone."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from tasks.domain.arrays import FloatArray, IntArray
from tasks.domain.spot.paths import PricePaths
from tasks.domain.spot.trend import (
    PAST_STRIDES,
    STRIDE_HOURS,
    elapsed_hours,
    trend,
)

SMALLEST_PACE = 1e-7
"""Log price per 6 h; guards a division for pools that have not moved yet."""
EVEN = 16
"""Columns of PoolStates.even."""
DAYS, WEEK, FORTNIGHT = 8, 28, PAST_STRIDES
"""Two days, a week, two weeks, in strides."""
SLOPE_EDGES = np.array([0, 1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24, 28, 32, 40, 56])
TOTALS = np.array([2, 4, 8, 12, 28, 56])
LEVELS = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolStates:
    """States of pools at m instants; nothing in them depends on later prices or on the currency.

    Attributes:
        increments: (m, PAST_STRIDES) path changes over 6 h before the anchor, newest first, in
            units of pace; 32-bit.
        pace: (m,) typical absolute 6 h change of the log price: mean of all the past known and of
            the last two weeks.
        age: (m,) hours since the last change; infinite before the first.
        level: (m,) price over its mean so far.
        even: (m, EVEN) features without direction: age, volatilities, persistence; 32-bit.
    """

    increments: NDArray[np.float32]
    pace: FloatArray
    age: FloatArray
    level: FloatArray
    even: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.pace)

    def take(self, rows: IntArray) -> PoolStates:
        """Return the states of some rows, in that order; repeats are allowed."""
        return PoolStates(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    @staticmethod
    def concat(parts: list[PoolStates]) -> PoolStates:
        """Join states."""
        names = [f.name for f in fields(PoolStates)]
        return PoolStates(**{k: np.concatenate([getattr(p, k) for p in parts]) for k in names})


def pool_states(
    paths: PricePaths, rows: IntArray, columns: IntArray, *, age: FloatArray | None = None
) -> PoolStates:
    """Return the states of pools `rows` at hour columns `columns`, from prices up to there.

    Args:
        paths: Paths of n pools.
        rows: (m,) pools.
        columns: (m,) hour columns, each at or after the pool's first known price.
        age: (m,) exact ages of the last change; NaN or None takes them from the hour grid.
    """
    anchors = paths.anchors(rows, columns)
    lookups = anchors[:, None] - STRIDE_HOURS * np.arange(PAST_STRIDES + 1)[None]
    values = paths.at(rows, columns, lookups)
    steps = values[:, :-1] - values[:, 1:]
    strides = np.clip((anchors - paths.first[rows]) // STRIDE_HOURS, 1, PAST_STRIDES)
    recent = np.abs(steps).sum(axis=1) / strides
    hours = np.maximum(columns - paths.first[rows] - STRIDE_HOURS + 1, 1)
    overall = paths.travelled[rows, columns] / hours
    pace = np.maximum((overall + recent) / 2.0, SMALLEST_PACE)
    increments = np.clip(steps / pace[:, None], -30.0, 30.0)
    grid_age = paths.age(rows, columns)
    return PoolStates(
        increments=increments.astype(np.float32),
        pace=pace,
        age=grid_age if age is None else np.where(np.isnan(age), grid_age, age),
        level=np.exp(paths.log_price[rows, columns]) / paths.mean_price[rows, columns],
        even=_even(paths, rows, columns, increments, pace, strides, overall),
    )


def _even(
    paths: PricePaths,
    rows: IntArray,
    columns: IntArray,
    increments: FloatArray,
    pace: FloatArray,
    strides: IntArray,
    overall: FloatArray,
) -> NDArray[np.float32]:
    size = np.abs(increments)
    counts = [
        paths.changes[rows, columns] - paths.changes[rows, np.maximum(columns - back, 0)]
        for back in (48, 168)
    ]
    quantum = np.minimum(paths.smallest_change[rows, columns], 1.0) / pace
    volatilities = [
        size.sum(axis=1) / strides,
        size[:, :WEEK].sum(axis=1) / np.minimum(strides, WEEK),
        size[:, :DAYS].mean(axis=1),
        overall / pace,
    ]
    halves = np.clip(increments.reshape(len(rows), PAST_STRIDES // 2, 2).sum(axis=2), -20.0, 20.0)
    columns_of = [
        np.minimum(paths.age(rows, columns), 400.0),
        *(np.log(v + 0.02) for v in volatilities),
        *counts,
        np.log(pace),
        np.clip(np.log(quantum), -8.0, 8.0),
        *(_persistence(halves, lag) for lag in (1, 2, 4, 14)),
        *(_straightness(halves[:, :last]) for last in (14, 28)),
        np.abs(halves).max(axis=1),
    ]
    return np.column_stack(columns_of).astype(np.float32)


def _persistence(steps: FloatArray, lag: int) -> FloatArray:
    """Return the correlation of 12 h steps with those `lag` before."""
    power = (steps * steps).mean(axis=1) + 1e-3
    return np.asarray((steps[:, lag:] * steps[:, :-lag]).mean(axis=1) / power)


def _straightness(steps: FloatArray) -> FloatArray:
    """Return net over total movement: 1 for a straight path, 0 for a return to the start."""
    return np.asarray(np.abs(steps.sum(axis=1)) / (np.abs(steps).sum(axis=1) + 1e-3))


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendDesign:
    """Features turned so that the trend points up: markets are treated alike whichever way they go.

    Attributes:
        features: (m, k) with every signed column multiplied by `sign`.
        trend: (m,) size of the predicted change, in units of pace, at least 0.
        sign: (m,) -1 where the trend is down, else 1.
    """

    features: NDArray[np.float32]
    trend: FloatArray
    sign: FloatArray


def trend_design(
    states: PoolStates, horizon: FloatArray, weights: FloatArray, *, horizon_hours: int
) -> TrendDesign:
    """Return the features of the trend model for m states and hours ahead."""
    steps = states.increments.astype(np.float64)
    elapsed = elapsed_hours(states.age, horizon, horizon_hours=horizon_hours)
    base = trend(weights, np.clip(steps, -6.0, 6.0), elapsed)
    sign = np.where(base < 0.0, -1.0, 1.0)
    signed = _signed_features(steps, elapsed) * sign[:, None]
    size = np.abs(base)
    plain = np.column_stack([size / np.sqrt(horizon), size / elapsed, horizon, elapsed])
    features = np.hstack([signed, plain, states.even]).astype(np.float32)
    return TrendDesign(features=features, trend=size, sign=sign)


def _signed_features(steps: FloatArray, elapsed: FloatArray) -> FloatArray:
    drop = np.pad(np.cumsum(steps, axis=1), ((0, 0), (1, 0)))
    slopes = (drop[:, SLOPE_EDGES[1:]] - drop[:, SLOPE_EDGES[:-1]]) / np.diff(SLOPE_EDGES)
    # What leaves the market's averaging window of a week while the horizon passes.
    leaving = [_drop_at(drop, w) - _drop_at(drop, w - elapsed) for w in (168.0, 336.0)]
    ahead = [_drop_at(drop, 168.0) - _drop_at(drop, 168.0 - k) for k in (12.0, 24.0, 48.0)]
    drift = [elapsed * drop[:, k] / (k * STRIDE_HOURS) for k in (1, 4, 12)]
    return np.column_stack([slopes, drop[:, TOTALS], *leaving, *ahead, *drift])


def _drop_at(drop: FloatArray, hours_back: FloatArray | float) -> FloatArray:
    position = np.clip(
        np.broadcast_to(hours_back, len(drop)) / STRIDE_HOURS, 0.0, PAST_STRIDES - 1e-6
    )
    left = position.astype(np.int64)
    share = position - left
    at = np.arange(len(drop))
    return np.asarray(drop[at, left] * (1.0 - share) + drop[at, left + 1] * share)


def level_design(states: PoolStates, horizon: FloatArray) -> NDArray[np.float32]:
    """Return the features of the level model: where the price stands within its own past."""
    steps = states.increments.astype(np.float64)
    levels = -np.pad(np.cumsum(steps, axis=1), ((0, 0), (1, 0))) * states.pace[:, None]
    long = np.quantile(levels, LEVELS, axis=1).T
    week = np.quantile(levels[:, : WEEK + 1], (0.1, 0.5, 0.9), axis=1).T
    rank = (levels < 0.0).mean(axis=1) + 0.5 * (levels == 0.0).mean(axis=1)
    rest = [rank, levels[:, [1, 2, 4, 8, 28]], levels.mean(axis=1), horizon, np.log(states.level)]
    return np.column_stack([long, week, *rest, states.even]).astype(np.float32)
