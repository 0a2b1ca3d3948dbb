"""A seeded spot market for when no recording is at hand.

The process imitates what recordings of 2021 show (it is not fitted to any of them):

1. Each pool has a hidden Markov regime: still, drifting or contended.
2. Demand is an Ornstein-Uhlenbeck process in log price. Its shocks are shared in part by the types
   of a family and by the zones of a type, within a region. The regime sets its size; contention
   adds pressure upward.
3. The price path follows the 7-day moving average of demand, and stands still in the still regime.
4. The market samples the path at renewal times, uniform on 4.6 to 7.6 hours, rounds to the price
   quantum, caps at the on-demand price, and announces what differs from the last announcement;
   after 24 hours without one it repeats the price.

Regimes of different pools are independent: prices move together, switches do not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum

import numpy as np
import pandas as pd
from scipy.signal import lfilter

from tasks.domain.arrays import BoolArray, FloatArray, IntArray
from tasks.domain.errors import PermanentError
from tasks.domain.spot.catalogue import assumed_on_demand_price
from tasks.domain.spot.pools import PRICE_CHANGE_COLUMNS, Pool

AVERAGING_HOURS = 168
HEARTBEAT_SECONDS = 24 * 3600
POOLS_PER_CHUNK = 2048
"""Bounds the memory: the hourly arrays of a chunk take some 15 MB each at 30 days."""


class Regime(IntEnum):
    """Hidden state of a pool."""

    STILL = 0
    DRIFTING = 1
    CONTENDED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceProcess:
    """Parameters of the simulated market; arrays of three are in the order of Regime."""

    mean_stay_days: tuple[float, float, float] = (45.0, 14.0, 3.0)
    next_regime: tuple[tuple[float, float, float], ...] = (
        (0.0, 0.9, 0.1),
        (0.7, 0.0, 0.3),
        (0.0, 1.0, 0.0),
    )
    demand_sd: tuple[float, float, float] = (0.03, 0.06, 0.25)
    """Log price."""
    demand_level: tuple[float, float, float] = (0.0, 0.0, 0.35)
    """Log price; the pressure of contention."""
    memory_hours: float = 12.0
    family_share: float = 0.25
    """Share of the shocks' variance that the types of a family in a region have in common."""
    type_share: float = 0.35
    """The same for the zones of a type in a region, on top of the family's."""
    discount: tuple[float, float] = (0.25, 0.65)
    """Range of the starting spot price over the on-demand price."""
    renewal_hours: tuple[float, float] = (4.6, 7.6)
    quantum_usd: float = 1e-4

    def transition_matrix(self) -> FloatArray:
        """Return the (3, 3) hourly transition probabilities; rows sum to 1."""
        leave = 1.0 - np.exp(-1.0 / (24.0 * np.asarray(self.mean_stay_days)))
        matrix = leave[:, None] * np.asarray(self.next_regime)
        return np.asarray(matrix + np.diag(1.0 - leave), dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Announcements:
    """Rows of one chunk: pool index, seconds after the start, price."""

    pool: IntArray
    seconds: FloatArray
    price: FloatArray


def simulate_price_changes(
    *,
    pools: Sequence[Pool],
    start: datetime,
    end: datetime,
    seed: int,
    base_prices: Mapping[Pool, float] | None = None,
    on_demand_prices: Mapping[str, float] | None = None,
    process: PriceProcess | None = None,
) -> pd.DataFrame:
    """Return simulated announcements of every pool from start, included, to end, excluded.

    Args:
        pools: Distinct pools; may be empty. Their order matters to the draw.
        start: Aware; each pool announces its price at this instant.
        end: Aware, after start.
        seed: Equal arguments and seed give equal frames.
        base_prices: Starting spot price, USD per hour; pools left out start at a random discount.
        on_demand_prices: Cap per instance type, USD per hour; types left out take an assumed one.
        process: The market; None for the documented default.

    Returns:
        PRICE_CHANGE_COLUMNS, sorted by the order of pools, then strictly increasing in time, in
        whole seconds. Names are categorical.

    Raises:
        PermanentError: When end is not after start.
    """
    if end <= start:
        msg = f"a market from {start} to {end} has no duration; let end be after start"
        raise PermanentError(msg)
    process = process or PriceProcess()
    rng = np.random.default_rng(seed)
    hours = int(np.ceil((end - start) / timedelta(hours=1))) + 1
    caps = _caps(pools, on_demand_prices or {})
    bases = _bases(pools, base_prices or {}, caps, process, rng)
    parts = []
    for rows, demand in _demand_chunks(pools, hours + AVERAGING_HOURS, process, rng):
        path = _price_path(demand, process, rng) * bases[rows, None]
        path = np.minimum(path, caps[rows, None])
        parts.append(_announce(path, rows[0], caps[rows], end - start, process, rng))
    return _frame(parts, pools, start)


def _caps(pools: Sequence[Pool], known: Mapping[str, float]) -> FloatArray:
    return np.array(
        [
            known[pool.instance_type]
            if pool.instance_type in known
            else assumed_on_demand_price(pool.instance_type)
            for pool in pools
        ]
    )


def _bases(
    pools: Sequence[Pool],
    known: Mapping[Pool, float],
    caps: FloatArray,
    process: PriceProcess,
    rng: np.random.Generator,
) -> FloatArray:
    drawn = caps * rng.uniform(*process.discount, size=len(pools))
    given = np.array([known.get(pool, np.nan) for pool in pools], dtype=np.float64)
    return np.where(np.isnan(given), drawn, given)


def _demand_chunks(
    pools: Sequence[Pool], hours: int, process: PriceProcess, rng: np.random.Generator
) -> Iterator[tuple[IntArray, FloatArray]]:
    """Yield row numbers and their unit-variance demand, (rows, hours)."""
    regions = [pool.availability_zone[:-1] for pool in pools]
    family, families = _codes(
        [(r, p.instance_type.split(".")[0]) for r, p in zip(regions, pools, strict=True)]
    )
    kind, kinds = _codes([(r, p.instance_type) for r, p in zip(regions, pools, strict=True)])
    own_share = 1.0 - process.family_share - process.type_share
    by_family = np.sqrt(process.family_share) * _ou(families, hours, process, rng)
    by_type = np.sqrt(process.type_share) * _ou(kinds, hours, process, rng)
    for first in range(0, len(pools), POOLS_PER_CHUNK):
        rows = np.arange(first, min(first + POOLS_PER_CHUNK, len(pools)))
        own = np.sqrt(own_share) * _ou(len(rows), hours, process, rng)
        yield rows, own + by_family[family[rows]] + by_type[kind[rows]]


def _codes(keys: list[tuple[str, str]]) -> tuple[IntArray, int]:
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    return np.array([numbers[key] for key in keys], dtype=np.int64), len(numbers)


def _ou(rows: int, hours: int, process: PriceProcess, rng: np.random.Generator) -> FloatArray:
    """Return stationary Ornstein-Uhlenbeck paths of variance 1, (rows, hours)."""
    keep = np.exp(-1.0 / process.memory_hours)
    shocks = rng.standard_normal((rows, hours))
    shocks[:, 1:] *= np.sqrt(1.0 - keep**2)  # the first draw is the stationary state itself
    return np.asarray(lfilter([1.0], [1.0, -keep], shocks, axis=1), dtype=np.float64)


def _regimes(rows: int, hours: int, process: PriceProcess, rng: np.random.Generator) -> IntArray:
    """Return a stationary hidden chain, (rows, hours)."""
    matrix = process.transition_matrix()
    weights = np.linalg.matrix_power(matrix, 1 << 20)[0]
    cumulative = matrix.cumsum(axis=1)
    draws = rng.random((hours, rows))
    chain = np.empty((hours, rows), dtype=np.int64)
    chain[0] = np.searchsorted(weights.cumsum()[:-1], draws[0], side="right")
    for hour in range(1, hours):
        bounds = cumulative[chain[hour - 1], :-1]
        chain[hour] = (draws[hour, :, None] >= bounds).sum(axis=1)
    return chain.T


def _price_path(demand: FloatArray, process: PriceProcess, rng: np.random.Generator) -> FloatArray:
    """Return the path relative to its start, (rows, hours without the first week)."""
    rows, hours = demand.shape
    regime = _regimes(rows, hours, process, rng)
    pressure = demand * np.asarray(process.demand_sd)[regime]
    pressure += np.asarray(process.demand_level)[regime]
    # The moving average's step: what enters the window less what leaves it.
    step = (pressure[:, AVERAGING_HOURS:] - pressure[:, :-AVERAGING_HOURS]) / AVERAGING_HOURS
    step[regime[:, AVERAGING_HOURS:] == Regime.STILL] = 0.0
    step[:, 0] = 0.0
    return np.asarray(np.exp(step.cumsum(axis=1)), dtype=np.float64)


def _announce(
    path: FloatArray,
    first_row: int,
    caps: FloatArray,
    duration: timedelta,
    process: PriceProcess,
    rng: np.random.Generator,
) -> _Announcements:
    low, high = process.renewal_hours
    total = duration / timedelta(hours=1)
    count = int(total / low) + 2
    gaps = rng.uniform(low, high, size=(len(path), count))
    gaps[:, 0] = 0.0
    seconds = np.floor(gaps.cumsum(axis=1) * 3600)
    prices = _sampled(path, np.minimum(seconds / 3600, total), caps, process.quantum_usd)
    jitter = rng.integers(1, 30, size=prices.shape)
    beat_at, beats, changed = _kept(seconds, prices, jitter)
    held = np.concatenate([prices[:, :1], prices[:, :-1]], axis=1)
    # Column order: a heartbeat due before a renewal stands before it.
    at = np.stack([beat_at, seconds], axis=2).reshape(len(path), -1)
    price = np.stack([held, prices], axis=2).reshape(len(path), -1)
    keep = np.stack([beats, changed], axis=2).reshape(len(path), -1)
    keep &= at < duration.total_seconds()
    row, column = np.nonzero(keep)
    return _Announcements(pool=row + first_row, seconds=at[row, column], price=price[row, column])


def _sampled(path: FloatArray, hour: FloatArray, caps: FloatArray, quantum: float) -> FloatArray:
    """Return the rounded price at fractional hours, within [quantum, cap]."""
    left = np.minimum(hour.astype(np.int64), path.shape[1] - 2)
    weight = hour - left
    rows = np.arange(len(path))[:, None]
    value = path[rows, left] * (1 - weight) + path[rows, left + 1] * weight
    rounded = np.maximum(np.round(value / quantum), 1.0) * quantum
    return np.asarray(np.minimum(np.round(rounded, 10), caps[:, None]), dtype=np.float64)


def _kept(
    seconds: FloatArray, prices: FloatArray, jitter: IntArray
) -> tuple[FloatArray, BoolArray, BoolArray]:
    """Return when heartbeats fall due before each renewal, whether they do, which renewals tell."""
    changed = np.zeros(prices.shape, dtype=bool)
    changed[:, 0] = True
    changed[:, 1:] = prices[:, 1:] != prices[:, :-1]
    beats = np.zeros(prices.shape, dtype=bool)
    beat_at = np.zeros(prices.shape)
    last = seconds[:, 0].copy()
    # One heartbeat at most falls between two renewals, which are under 24 hours apart.
    for column in range(1, prices.shape[1]):
        beat_at[:, column] = last + HEARTBEAT_SECONDS + jitter[:, column]
        beats[:, column] = beat_at[:, column] < seconds[:, column]
        last = np.where(beats[:, column], beat_at[:, column], last)
        last = np.where(changed[:, column], seconds[:, column], last)
    return beat_at, beats, changed


def _frame(parts: Sequence[_Announcements], pools: Sequence[Pool], start: datetime) -> pd.DataFrame:
    code = np.concatenate([part.pool for part in parts] or [np.zeros(0, dtype=np.int64)])
    seconds = np.concatenate([part.seconds for part in parts] or [np.zeros(0)])
    origin = np.datetime64(start.astimezone(UTC).replace(tzinfo=None), "s")
    at = origin + seconds.astype("timedelta64[s]")
    frame = {
        "timestamp": pd.Series(at).dt.tz_localize(UTC),
        "instance_type": _named([pool.instance_type for pool in pools], code),
        "availability_zone": _named([pool.availability_zone for pool in pools], code),
        "product_description": _named([pool.product_description for pool in pools], code),
        "price_usd_per_hour": np.concatenate([part.price for part in parts] or [np.zeros(0)]),
    }
    return pd.DataFrame(frame)[list(PRICE_CHANGE_COLUMNS)]


def _named(names: list[str], code: IntArray) -> pd.Categorical[str]:
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    codes = np.array([numbers[name] for name in names], dtype=np.int64)
    return pd.Categorical.from_codes(codes[code], categories=pd.Index(list(numbers)))
