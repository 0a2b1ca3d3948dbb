"""Models of the coming log price change, at three quantiles, for all pools at once.

Two markets, two models. Where prices move smoothly (EC2 since 2018) the linear trend says where to;
boosted trees only learn how much of it to believe, and how wide the interval is. Directions are
folded together, so that the drift of one month is not carried into the next. Where bids set the
price (auctions until 2017) it jumps up and falls back: there the trees learn from its place within
its own past, without symmetry.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from tasks.domain.arrays import FloatArray, IntArray
from tasks.domain.spot.features import PoolStates, TrendDesign, level_design, trend_design
from tasks.domain.spot.forecasts import QUANTILES
from tasks.domain.spot.sampling import TrainingSample
from tasks.domain.spot.trend import Autocovariance, trend_weights

SMOOTH_REPEATS = 0.6
"""Share of successive changes with equal sign: .75 on today's market, below .45 in auctions."""
SMALLEST_TREND = 1e-3
"""Of pace, times root of hours: a trend below it is no direction."""
LIMIT = 30.0
"""Largest target, in its own unit: one spike must not bend the fit."""


class Market(StrEnum):
    """How a market's prices move."""

    SMOOTH = "smooth"
    SPIKY = "spiky"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trees:
    """Size of one boosted ensemble."""

    leaves: int
    rows_per_leaf: int
    rounds: int
    feature_fraction: float
    ridge: float


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantileModel:
    """Three fitted ensembles (low, median, high) and what their features need.

    Attributes:
        market: Which features and targets they use.
        weights: Trend weights of past increments.
        boosters: One per quantile.
        horizon_hours: Longest horizon.
    """

    market: Market
    weights: FloatArray
    boosters: tuple[lgb.Booster, lgb.Booster, lgb.Booster]
    horizon_hours: int

    def predict(self, states: PoolStates, horizon: FloatArray, *, threads: int = 1) -> FloatArray:
        """Return (m, 3) quantiles of the log price change over each row's hours ahead, sorted."""
        if self.market is Market.SPIKY:
            features = level_design(states, horizon)
            return np.sort(np.column_stack(self._raw(features, threads)), axis=1)
        design = trend_design(states, horizon, self.weights, horizon_hours=self.horizon_hours)
        root = np.sqrt(horizon)
        low, share, high = self._raw(design.features, threads)
        median = share * np.maximum(design.trend, SMALLEST_TREND * root)
        turned = np.column_stack([design.trend + low * root, median, design.trend + high * root])
        turned[:, 0] = np.minimum(turned[:, 0], median)
        turned[:, 2] = np.maximum(turned[:, 2], median)
        return np.sort(turned * (design.sign * states.pace)[:, None], axis=1)

    def _raw(self, features: NDArray[np.float32], threads: int) -> list[FloatArray]:
        return [np.asarray(b.predict(features, num_threads=threads)) for b in self.boosters]


def market_of(*, repeats: int, successions: int) -> Market:
    """Return how prices move, from how often successive changes have equal signs."""
    if successions == 0 or repeats / successions >= SMOOTH_REPEATS:
        return Market.SMOOTH
    return Market.SPIKY


def fit_quantile_model(
    market: Market,
    sample: TrainingSample,
    rows: IntArray,
    *,
    moments: Autocovariance,
    seed: int,
    threads: int,
) -> QuantileModel:
    """Fit the three ensembles to some rows of a sample; they run on `threads` threads.

    Args:
        market: Which model to fit.
        sample: Where the rows are from.
        rows: Rows to learn from, at least 1.
        moments: Autocovariance of the prices that the rows may know.
        seed: Equal rows and seed give equal models.
        threads: Ensembles fitted side by side.
    """
    hours = sample.horizon_hours
    weights = trend_weights(moments, horizon_hours=hours)
    states, horizon = sample.states.take(rows), sample.horizon[rows].astype(np.float64)
    change = sample.log_change[rows]
    if market is Market.SPIKY:
        features = level_design(states, horizon)
        goals = [(change, np.sqrt(states.level))] * len(QUANTILES)
    else:
        design = trend_design(states, horizon, weights, horizon_hours=hours)
        features, goals = design.features, _trend_goals(design, states, horizon, change)
    boosters = _fit_each(features, goals, _sizes(market, hours), seed=seed, threads=threads)
    return QuantileModel(market=market, weights=weights, boosters=boosters, horizon_hours=hours)


def _trend_goals(
    design: TrendDesign, states: PoolStates, horizon: FloatArray, log_change: FloatArray
) -> list[tuple[FloatArray, FloatArray]]:
    """Return target and weight per quantile: the share of the trend, and what lies beside it."""
    root = np.sqrt(horizon)
    change = design.sign * log_change / states.pace
    believed = np.maximum(design.trend, SMALLEST_TREND * root)
    residual = np.clip((change - design.trend) / root, -LIMIT, LIMIT), states.pace * root
    share = np.clip(change / believed, -LIMIT, LIMIT), states.pace * believed
    return [residual, share, residual]


def _sizes(market: Market, horizon_hours: int) -> tuple[Trees, Trees]:
    """Return the ensembles of the tails and of the median."""
    if market is Market.SPIKY:
        trees = Trees(leaves=7, rows_per_leaf=50, rounds=40, feature_fraction=0.6, ridge=1.0)
        return trees, trees
    if horizon_hours <= 24:
        tails = Trees(leaves=15, rows_per_leaf=100, rounds=35, feature_fraction=0.6, ridge=1.0)
        median = Trees(leaves=31, rows_per_leaf=100, rounds=40, feature_fraction=0.6, ridge=1.0)
        return tails, median
    # Over a week there are few independent outcomes in a month: small trees, few features each.
    trees = Trees(leaves=7, rows_per_leaf=800, rounds=30, feature_fraction=0.35, ridge=10.0)
    return trees, trees


def _fit_each(
    features: NDArray[np.float32],
    goals: Sequence[tuple[FloatArray, FloatArray]],
    sizes: tuple[Trees, Trees],
    *,
    seed: int,
    threads: int,
) -> tuple[lgb.Booster, lgb.Booster, lgb.Booster]:
    tails, median = sizes
    # One thread each: the result does not depend on how many run side by side.
    with ThreadPoolExecutor(max_workers=max(1, threads)) as side_by_side:
        low, middle, high = side_by_side.map(
            lambda job: _booster(features, job[0], quantile=job[1], trees=job[2], seed=seed),
            zip(goals, QUANTILES, (tails, median, tails), strict=True),
        )
    return low, middle, high


def _booster(
    features: NDArray[np.float32],
    goal: tuple[FloatArray, FloatArray],
    *,
    quantile: float,
    trees: Trees,
    seed: int,
) -> lgb.Booster:
    target, weight = goal
    # Bins found on some rows: on all of them it takes as long as a third of the fit.
    quiet = {"verbose": -1, "num_threads": 1, "max_bin": 63, "bin_construct_sample_cnt": 10_000}
    data = lgb.Dataset(features, target, weight=weight / weight.mean(), params=quiet)
    parameters = {
        **quiet,
        "objective": "quantile",
        "alpha": quantile,
        "num_leaves": trees.leaves,
        "min_data_in_leaf": min(trees.rows_per_leaf, max(len(target) // 20, 1)),
        "learning_rate": 0.12,
        "feature_fraction": trees.feature_fraction,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "lambda_l2": trees.ridge,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
    }
    return lgb.train(parameters, data, num_boost_round=trees.rounds)
