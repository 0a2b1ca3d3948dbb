"""Spot prices some hours ahead, for all pools with one global model per horizon.

The steps run in one process (`forecast_panel`) or spread over workers: draw a training sample per
chunk of pools, merge them, fit once, forecast per chunk. Only the fit is serial.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.domain.arrays import BoolArray, FloatArray, IntArray
from tasks.domain.errors import InsufficientHistoryError
from tasks.domain.spot.backtest import Backtest, corrected, run_backtest, worse_than_last_value
from tasks.domain.spot.baselines import (
    empirical_quantiles,
    horizon_knots,
    interpolate_horizons,
)
from tasks.domain.spot.features import pool_states
from tasks.domain.spot.forecasts import BacktestScores, PoolForecasts, Source
from tasks.domain.spot.paths import PricePaths, moved_pools, price_paths
from tasks.domain.spot.pools import PricePanel
from tasks.domain.spot.quantile_models import QuantileModel, fit_quantile_model, market_of
from tasks.domain.spot.sampling import (
    TrainingSample,
    backtest_hours_back,
    draw_training_sample,
    merge_samples,
    minimum_hours,
)

__all__ = [
    "HorizonForecaster",
    "TrainingSample",
    "draw_training_sample",
    "fit_forecaster",
    "forecast_panel",
    "forecast_pools",
    "merge_samples",
    "minimum_hours",
]

PANEL_ROWS = 45_000
"""Training rows of `forecast_panel`: more of them gain less than .002 of skill."""
GATE_STEP_HOURS = 24
GATE_HORIZONS = 6
LARGEST_LOG_CHANGE = 5.0
"""A factor of 150 either way: past it a forecast says nothing and an exponential overflows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HorizonForecaster:
    """A global model for one horizon, with what its backtest taught.

    Attributes:
        horizon_hours: Longest horizon, hours.
        model: None where there was too little history to fit one: the last value is used.
        check: The backtest; None when there was too little history for one.
        backtest: Its scores, all None without one.
    """

    horizon_hours: int
    model: QuantileModel | None
    check: Backtest | None
    backtest: BacktestScores


def fit_forecaster(
    sample: TrainingSample, *, horizon_hours: int, seed: int, threads: int = 1
) -> HorizonForecaster:
    """Return a global model fitted to a sample, and backtested inside the sample's window.

    Args:
        sample: Rows of every chunk, merged.
        horizon_hours: Longest horizon; the one the sample was drawn for.
        seed: Equal samples and seed give equal models, whatever the threads.
        threads: Ensembles fitted side by side, at least 1.

    Returns:
        A forecaster that holds the last value where the backtest shows no gain over it, or where
        there are too few rows to run one.
    """
    if sample.horizon_hours != horizon_hours:
        message = (
            f"sample was drawn for {sample.horizon_hours} h, the model is for {horizon_hours} h; "
            "draw the sample for the same horizon"
        )
        raise ValueError(message)
    market = market_of(repeats=sample.repeats, successions=sample.successions)
    check = run_backtest(sample, market, seed=seed, threads=threads)
    if check is None:
        return HorizonForecaster(
            horizon_hours=horizon_hours, model=None, check=None, backtest=_unknown(sample)
        )
    every = np.arange(len(sample))
    model = fit_quantile_model(
        market, sample, every, moments=sample.moments, seed=seed, threads=threads
    )
    return HorizonForecaster(
        horizon_hours=horizon_hours, model=model, check=check, backtest=check.scores
    )


def forecast_pools(
    panel: PricePanel, forecaster: HorizonForecaster, *, threads: int = 1
) -> PoolForecasts:
    """Return forecasts of a panel, or of a chunk of one, at hours 1..H after its cutoff.

    Pools that never moved keep their price. Where a pool's own backtest errs more than twice as much
    as the last value, its median is the last value; its interval stays the model's.

    Raises:
        InsufficientHistoryError: When the panel has fewer than `minimum_hours` hour marks.
    """
    horizon = forecaster.horizon_hours
    if panel.hours < minimum_hours(horizon):
        raise InsufficientHistoryError(
            found_hours=panel.hours,
            needed_hours=minimum_hours(horizon),
            subject=f"{horizon} h forecast",
        )
    last = panel.prices[:, -1]
    moved = moved_pools(panel.prices)
    naive = empirical_quantiles(panel.prices, horizon_hours=horizon)
    quantiles = naive.copy()
    source = np.where(moved, Source.LAST_VALUE.value, Source.STILL.value)
    rows = np.flatnonzero(moved)
    if forecaster.model is not None and forecaster.check is not None and rows.size:
        paths = price_paths(panel.take(rows.tolist()))
        changes = _changes(paths, forecaster.model, forecaster.check, threads=threads)
        held = _held_pools(paths, forecaster.check, threads=threads)
        changes[held] = corrected(changes[held], belief=0.0, width=1.0)
        quantiles[rows] = last[rows][:, None, None] * np.exp(changes)
        source[rows[~held]] = Source.MODEL.value
    return PoolForecasts(
        pools=panel.pools,
        cutoff=panel.cutoff,
        quantiles=quantiles,
        mean=_mean(quantiles),
        last_value=last,
        naive_quantiles=naive,
        source=source.astype(np.str_),
        moved=moved,
    )


def forecast_panel(
    panel: PricePanel, *, horizon_hours: int, seed: int, threads: int = 2
) -> tuple[HorizonForecaster, PoolForecasts]:
    """Fit and forecast in one process; see `fit_forecaster` and `forecast_pools`."""
    sample = draw_training_sample(
        panel, horizon_hours=horizon_hours, max_rows=PANEL_ROWS, seed=seed
    )
    forecaster = fit_forecaster(sample, horizon_hours=horizon_hours, seed=seed, threads=threads)
    return forecaster, forecast_pools(panel, forecaster, threads=threads)


def _changes(
    paths: PricePaths, model: QuantileModel, check: Backtest, *, threads: int
) -> FloatArray:
    """Return (n, H, 3) corrected quantiles of log changes after the last column."""
    n, hours = paths.log_price.shape
    knots = horizon_knots(model.horizon_hours)
    pools = np.arange(n)
    states = pool_states(paths, pools, np.full(n, hours - 1), age=paths.minutes_age)
    each = np.repeat(pools, len(knots))
    found = model.predict(states.take(each), np.tile(knots, n).astype(np.float64), threads=threads)
    found = corrected(found, belief=check.belief, width=check.width).reshape(n, len(knots), 3)
    found = np.clip(found, -LARGEST_LOG_CHANGE, LARGEST_LOG_CHANGE)
    return np.stack([interpolate_horizons(found[..., q], knots) for q in range(3)], axis=-1)


def _held_pools(paths: PricePaths, check: Backtest, *, threads: int) -> BoolArray:
    """Return (n,) pools for which the last value did better in the backtest."""
    pool, column, horizon = _gate_rows(paths, check.scores.horizon_hours)
    if check.belief == 0.0 or not pool.size:
        return np.full(len(paths.first), check.belief == 0.0)
    found = check.model.predict(
        pool_states(paths, pool, column), horizon.astype(np.float64), threads=threads
    )
    now = paths.log_price[pool, column]
    change = np.exp(paths.log_price[pool, column + horizon] - now)
    price = np.exp(now)
    return worse_than_last_value(
        pool,
        price * np.abs(change - np.exp(check.belief * found[:, 1])),
        price * np.abs(change - 1.0),
        pools=len(paths.first),
    )


def _gate_rows(paths: PricePaths, horizon_hours: int) -> tuple[IntArray, IntArray, IntArray]:
    """Return pools, columns and horizons of the backtest by which pools are gated."""
    n, hours = paths.log_price.shape
    back = np.arange(horizon_hours, backtest_hours_back(horizon_hours), GATE_STEP_HOURS)
    ahead = np.unique(np.linspace(1, horizon_hours, GATE_HORIZONS + 1)[1:].astype(np.int64))
    grid = np.meshgrid(np.arange(n), hours - 1 - back, ahead, indexing="ij")
    pool, column, horizon = (axis.ravel() for axis in grid)
    usable = column > paths.first[pool] + GATE_STEP_HOURS
    return pool[usable], column[usable], horizon[usable]


def _mean(quantiles: FloatArray) -> FloatArray:
    """Return the mean that three quantiles suggest (Swanson's rule: weights .3, .4, .3)."""
    return np.asarray(quantiles @ np.array([0.3, 0.4, 0.3]))


def _unknown(sample: TrainingSample) -> BacktestScores:
    return BacktestScores(
        horizon_hours=sample.horizon_hours,
        origins=0,
        pools=sample.pools,
        mae_skill=None,
        pinball_skill=None,
        pinball_skill_vs_empirical=None,
        coverage_80=None,
        coverage_80_moved=None,
        fallback_fraction=1.0,
    )
