"""What a fit is worth: the same fit on earlier prices, judged by the last days of the window.

From it follow how far the median may leave the last value, how wide the intervals have to be, and
which pools are better served by the last value.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from tasks.domain.arrays import BoolArray, FloatArray, IntArray
from tasks.domain.scores import covered, pinball_losses, skill
from tasks.domain.spot.forecasts import QUANTILES, BacktestScores
from tasks.domain.spot.quantile_models import Market, QuantileModel, fit_quantile_model
from tasks.domain.spot.sampling import TrainingSample

FEWEST_FIT_ROWS = 400
FEWEST_TEST_ROWS = 60
FEWEST_ROWS_PER_POOL = 8
"""Below it a pool is left out of the fallback fraction; a capped sample has few rows of each."""
MOST_FIT_ROWS = 20_000
"""Enough to tell whether the model is worth it, at half the time of the fit itself."""
BELIEFS = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
WIDTHS = (0.7, 1.5)
"""Bounds of the correction: a few days cannot tell more."""
LEVEL = QUANTILES[-1] - QUANTILES[0]
GATE_MARGIN = 1.0
"""A pool's own backtest is a few days: it counts only when the model's error is twice the last
value's. Margins below .5 cost more skill on sound pools than they save on the others."""
MOST_BELIEF = {Market.SMOOTH: 1.0, Market.SPIKY: 0.5}
"""Single spikes decide a backtest of auction prices, so half of what it says is believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """An earlier fit, its scores, and the corrections that follow from them.

    Attributes:
        model: Fitted on what was over before the first backtest origin.
        scores: Of its corrected forecasts.
        belief: Share of the predicted median change to show, 0 to 1.
        width: Factor on the distance of the outer quantiles from the median.
    """

    model: QuantileModel
    scores: BacktestScores
    belief: float
    width: float


def corrected(quantiles: FloatArray, *, belief: float, width: float) -> FloatArray:
    """Return quantiles of log changes with the median shrunk to no change, and widths scaled.

    Args:
        quantiles: (..., 3) sorted log changes.
        belief: 1 keeps the median, 0 replaces it by the last value.
        width: 1 keeps the interval.
    """
    median = belief * quantiles[..., 1]
    low = quantiles[..., 1] + width * (quantiles[..., 0] - quantiles[..., 1])
    high = quantiles[..., 1] + width * (quantiles[..., 2] - quantiles[..., 1])
    return np.stack([np.minimum(low, median), median, np.maximum(high, median)], axis=-1)


def run_backtest(
    sample: TrainingSample, market: Market, *, seed: int, threads: int
) -> Backtest | None:
    """Return the backtest inside the sample's window; None when it has too few rows for one."""
    split = sample.backtest_hours_back
    early = np.flatnonzero(sample.hours_back - sample.horizon >= split)
    late = np.flatnonzero((sample.hours_back < split) & (sample.hours_back >= sample.horizon_hours))
    if len(early) < FEWEST_FIT_ROWS or len(late) < FEWEST_TEST_ROWS:
        return None
    if len(early) > MOST_FIT_ROWS:
        rng = np.random.default_rng(seed)
        early = np.sort(rng.choice(early, size=MOST_FIT_ROWS, replace=False))
    model = fit_quantile_model(
        market, sample, early, moments=sample.early_moments, seed=seed, threads=threads
    )
    found = model.predict(
        sample.states.take(late), sample.horizon[late].astype(np.float64), threads=threads
    )
    belief, width = _correction(sample, late, found, market)
    scores = _scores(sample, late, _judged(sample, late, found, market))
    if belief == 0.0:
        scores = replace(scores, fallback_fraction=1.0)
    return Backtest(model=model, scores=scores, belief=belief, width=width)


def _correction(
    sample: TrainingSample, late: IntArray, found: FloatArray, market: Market
) -> tuple[float, float]:
    """Return the belief and the width that these rows ask for."""
    belief = min(_belief(sample, late, found[:, 1]), MOST_BELIEF[market])
    return belief, _width(sample.log_change[late], found)


def _judged(
    sample: TrainingSample, late: IntArray, found: FloatArray, market: Market
) -> FloatArray:
    """Return corrected quantiles, the older origins by what the newer ones ask for and vice versa.

    A correction scored on the rows that it was chosen on could never be worse than no correction.
    """
    newer = sample.hours_back[late] < np.median(sample.hours_back[late])
    shown = np.empty_like(found)
    for half in (newer, ~newer):
        other = ~half if half.any() and not half.all() else half
        belief, width = _correction(sample, late[other], found[other], market)
        shown[half] = corrected(found[half], belief=belief, width=width)
    return shown


def worse_than_last_value(
    pool: IntArray, model_error: FloatArray, last_error: FloatArray, *, pools: int
) -> BoolArray:
    """Return (pools,) where the model's summed error exceeds the last value's by the margin."""
    model = np.bincount(pool, weights=model_error, minlength=pools)
    last = np.bincount(pool, weights=last_error, minlength=pools)
    return np.asarray(model > (1.0 + GATE_MARGIN) * last)


def _belief(sample: TrainingSample, late: IntArray, median: FloatArray) -> float:
    """Return the share of the median change with the least error, relative and in dollars both."""
    change = np.exp(sample.log_change[late])
    errors = np.abs(np.exp(BELIEFS[:, None] * median[None]) - change[None])
    best = [
        BELIEFS[np.argmin((errors * weight[None]).sum(axis=1))]
        for weight in (sample.states.level[late], sample.price[late])
    ]
    return float(min(best))


def _width(change: FloatArray, quantiles: FloatArray) -> float:
    """Return the factor on the interval's halves, half way to what would have covered exactly."""
    median = quantiles[:, 1]
    half = np.where(change < median, median - quantiles[:, 0], quantiles[:, 2] - median)
    needed = np.abs(change - median) / np.maximum(half, 1e-12)
    return float(np.clip(np.sqrt(np.quantile(needed, LEVEL)), *WIDTHS))


def _scores(sample: TrainingSample, late: IntArray, quantiles: FloatArray) -> BacktestScores:
    change, level = np.exp(sample.log_change[late]), sample.states.level[late]
    naive = np.insert(sample.naive[late], 1, 0.0, axis=1)
    model, empirical, still = (np.exp(q) for q in (quantiles, naive, np.zeros_like(naive)))
    error = level * np.abs(change - model[:, 1])
    held = level * np.abs(change - 1.0)
    pinball = _pinball(change, level)
    inside = float(covered(change, low=model[:, 0], high=model[:, 2]).mean())
    moving = sample.moved / sample.pools
    pool = sample.pool[late]
    worse = worse_than_last_value(pool, error, held, pools=sample.pools)
    judged = np.bincount(pool, minlength=sample.pools) >= FEWEST_ROWS_PER_POOL
    return BacktestScores(
        horizon_hours=sample.horizon_hours,
        origins=len(np.unique(sample.hours_back[late])),
        pools=sample.pools,
        mae_skill=skill(float(error.mean()), reference_error=float(held.mean())),
        pinball_skill=skill(pinball(model), reference_error=pinball(still)),
        pinball_skill_vs_empirical=skill(pinball(model), reference_error=pinball(empirical)),
        coverage_80=moving * inside + (1.0 - moving),
        coverage_80_moved=inside,
        fallback_fraction=float(worse[judged].mean()) if judged.any() else 0.0,
    )


def _pinball(change: FloatArray, level: FloatArray) -> Callable[[FloatArray], float]:
    def loss(quantiles: FloatArray) -> float:
        parts = [
            pinball_losses(change, quantiles[:, i], quantile=q) for i, q in enumerate(QUANTILES)
        ]
        return float((level * np.mean(parts, axis=0)).mean())

    return loss
