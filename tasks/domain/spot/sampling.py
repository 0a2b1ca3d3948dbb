"""Training rows drawn from a panel, chunk by chunk, and joined for one global fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np

from tasks.domain.arrays import FloatArray, IntArray
from tasks.domain.errors import InsufficientHistoryError
from tasks.domain.spot.baselines import empirical_quantiles
from tasks.domain.spot.features import PoolStates, pool_states
from tasks.domain.spot.paths import PricePaths, moved_pools, price_paths
from tasks.domain.spot.pools import PricePanel
from tasks.domain.spot.trend import Autocovariance, autocovariance

WARM_UP_HOURS = 48
"""History before an origin, so that a pace can be told at all."""
PREFERRED_WARM_UP_HOURS = 192
"""History before an origin in a long window: a week, and what leaves it within a day."""
HORIZONS_PER_ORIGIN = 2
BACKTEST_ORIGIN_HOURS = {False: 96, True: 120}
"""Span of backtest origins, by whether the horizon is longer than a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSample:
    """States of pools at m past instants, with what came h hours later.

    Attributes:
        horizon_hours: Longest horizon.
        hours: Hour marks of the panel it was drawn from.
        states: The m states.
        pool: (m,) number of the pool, distinct over joined chunks.
        hours_back: (m,) hours from the instant to the cutoff.
        horizon: (m,) hours ahead, 1 to horizon_hours; at most hours_back.
        log_change: (m,) log price change over the horizon.
        price: (m,) price at the instant, USD per hour.
        naive: (m, 2) outer empirical quantiles of the pool's log change over that horizon, from
            prices before the backtest's origins.
        moments: Autocovariance of the whole window.
        early_moments: The same before the backtest's origins.
        repeats: Successive changes with equal sign.
        successions: Successive changes.
        moved: Pools that moved in the window.
        pools: Pools in the panels, still ones included.
    """

    horizon_hours: int
    hours: int
    states: PoolStates
    pool: IntArray
    hours_back: IntArray
    horizon: IntArray
    log_change: FloatArray
    price: FloatArray
    naive: FloatArray
    moments: Autocovariance
    early_moments: Autocovariance
    repeats: int
    successions: int
    moved: int
    pools: int

    def __len__(self) -> int:
        return len(self.horizon)

    @property
    def backtest_hours_back(self) -> int:
        """Hours from the backtest's split to the cutoff: origins before it are for fitting."""
        return backtest_hours_back(self.horizon_hours)


def minimum_hours(horizon_hours: int) -> int:
    """Return the fewest hour marks from which a forecast that far ahead is made."""
    return horizon_hours + WARM_UP_HOURS


def backtest_hours_back(horizon_hours: int) -> int:
    """Return the age, at the cutoff, of the oldest backtest origin."""
    return horizon_hours + BACKTEST_ORIGIN_HOURS[horizon_hours > 24]


def draw_training_sample(
    panel: PricePanel, *, horizon_hours: int, max_rows: int, seed: int
) -> TrainingSample:
    """Return training rows from past instants of a panel, or of a chunk of one.

    Args:
        panel: Hourly prices; pools that never moved give no rows.
        horizon_hours: Longest horizon in hours, at least 1.
        max_rows: Upper bound on the rows; bounds time and memory of the fit.
        seed: Equal arguments and seed give equal samples.

    Raises:
        InsufficientHistoryError: When the panel has fewer than `minimum_hours(horizon_hours)`.
    """
    needed = minimum_hours(horizon_hours)
    if panel.hours < needed:
        raise InsufficientHistoryError(
            found_hours=panel.hours, needed_hours=needed, subject=f"{horizon_hours} h forecast"
        )
    moving = panel.take(np.flatnonzero(moved_pools(panel.prices)).tolist())
    paths = price_paths(moving)
    rng = np.random.default_rng(seed)
    rows, columns, horizon = _drawn(paths, horizon_hours=horizon_hours, max_rows=max_rows, rng=rng)
    split = panel.hours - backtest_hours_back(horizon_hours)
    repeats, successions = _sign_repeats(paths)
    price = paths.log_price
    spread = _naive_spread(moving.prices[:, : max(split, 0)], horizon_hours=horizon_hours)
    return TrainingSample(
        horizon_hours=horizon_hours,
        hours=panel.hours,
        states=_shared_states(paths, rows, columns),
        pool=rows,
        hours_back=panel.hours - 1 - columns,
        horizon=horizon,
        log_change=price[rows, columns + horizon] - price[rows, columns],
        price=moving.prices[rows, columns],
        naive=spread[rows, horizon - 1],
        moments=autocovariance(paths, horizon_hours=horizon_hours, until=panel.hours),
        early_moments=autocovariance(paths, horizon_hours=horizon_hours, until=max(split, 1)),
        repeats=repeats,
        successions=successions,
        moved=len(moving),
        pools=len(panel),
    )


def merge_samples(samples: Sequence[TrainingSample]) -> TrainingSample:
    """Join the samples of the chunks of one panel; at least one."""
    sizes = [sample.pools for sample in samples]
    offsets = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    return TrainingSample(
        horizon_hours=samples[0].horizon_hours,
        hours=samples[0].hours,
        states=PoolStates.concat([s.states for s in samples]),
        pool=np.concatenate([s.pool + o for s, o in zip(samples, offsets, strict=True)]),
        hours_back=np.concatenate([s.hours_back for s in samples]),
        horizon=np.concatenate([s.horizon for s in samples]),
        log_change=np.concatenate([s.log_change for s in samples]),
        price=np.concatenate([s.price for s in samples]),
        naive=np.concatenate([s.naive for s in samples]),
        moments=reduce(add, [s.moments for s in samples]),
        early_moments=reduce(add, [s.early_moments for s in samples]),
        repeats=sum(s.repeats for s in samples),
        successions=sum(s.successions for s in samples),
        moved=sum(s.moved for s in samples),
        pools=sum(sizes),
    )


def _drawn(
    paths: PricePaths, *, horizon_hours: int, max_rows: int, rng: np.random.Generator
) -> tuple[IntArray, IntArray, IntArray]:
    """Return pools, columns and horizons of the rows, on evenly spaced origins."""
    n, hours = paths.log_price.shape
    warm_up = PREFERRED_WARM_UP_HOURS
    if hours < warm_up + backtest_hours_back(horizon_hours) + 96:
        warm_up = WARM_UP_HOURS
    origins = np.arange(hours - 2, warm_up - 1, -_origin_step(n, hours - warm_up, max_rows))
    rows, columns = (a.ravel() for a in np.meshgrid(np.arange(n), origins, indexing="ij"))
    rows, columns = np.repeat(rows, HORIZONS_PER_ORIGIN), np.repeat(columns, HORIZONS_PER_ORIGIN)
    horizon = rng.integers(1, horizon_hours + 1, size=len(rows))
    usable = (columns + horizon < hours) & (columns >= paths.first[rows] + WARM_UP_HOURS)
    chosen = np.flatnonzero(usable)
    if len(chosen) > max_rows:
        chosen = np.sort(rng.choice(chosen, size=max_rows, replace=False))
    return rows[chosen], columns[chosen], horizon[chosen]


def _shared_states(paths: PricePaths, rows: IntArray, columns: IntArray) -> PoolStates:
    """Return the states of rows of which many are of one instant, each worked out once."""
    hours = paths.log_price.shape[1]
    instants, place = np.unique(rows * hours + columns, return_inverse=True)
    return pool_states(paths, instants // hours, instants % hours).take(place)


def _naive_spread(prices: FloatArray, *, horizon_hours: int) -> FloatArray:
    """Return (n, H, 2) outer empirical quantiles of log changes; 0 where nothing is known."""
    spread = np.zeros((len(prices), horizon_hours, 2))
    if prices.shape[1] == 0:
        return spread
    known = np.flatnonzero(~np.isnan(prices[:, -1]))
    found = empirical_quantiles(prices[known], horizon_hours=horizon_hours)
    spread[known] = np.log(found[..., [0, 2]] / prices[known, -1][:, None, None])
    return spread


def _origin_step(pools: int, hours: int, max_rows: int) -> int:
    """Return hours between origins: 8, or down to 1 when there are few pools."""
    rows_at_every_hour = pools * hours * HORIZONS_PER_ORIGIN
    return int(np.clip(rows_at_every_hour // max(min(max_rows, 30_000), 1), 1, 8))


def _sign_repeats(paths: PricePaths) -> tuple[int, int]:
    """Return how many successive changes have equal signs, and how many there are."""
    steps = np.diff(paths.log_price, axis=1)
    rows, columns = np.nonzero(steps)
    up = steps[rows, columns] > 0.0
    together = rows[1:] == rows[:-1]
    return int((together & (up[1:] == up[:-1])).sum()), int(together.sum())
