"""What the model would have said in the newest six days, which its early trees have not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.domain.arrays import BoolArray, FloatArray, IntArray
from tasks.domain.load.features import origins_of
from tasks.domain.load.global_linear import range_of
from tasks.domain.load.global_model import GlobalModel
from tasks.domain.load.history import History
from tasks.domain.load.sampling import cases_at, usable_origins

HELD_HOURS = 144
"""A fifth of the longest history: records of three days followed luck."""
STEP_HOURS = 7
"""Between origins; no divisor of a day."""
HORIZONS = (1, 2, 4, 7, 12, 20)
MOST_ORIGINS = 7_500


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """m cases with what happened, in spreads about each case's level.

    Attributes:
        row: (m,) series.
        seen: (m,) hours known at the origin.
        horizon: (m,) hours ahead.
        band: (m,) the range that the hours ahead belong to.
        group: (m,) behaviour of the series.
        actual: (m,) what happened.
        median: (m,) of the early members.
        low: (m,) 10 % quantile, uncorrected.
        high: (m,) 90 % quantile, uncorrected.
        naive: (m, 3) of NAIVES.
        weight: (m,) spreads in scales of the series.
    """

    row: IntArray
    seen: IntArray
    horizon: IntArray
    band: IntArray
    group: NDArray[np.str_]
    actual: FloatArray
    median: FloatArray
    low: FloatArray
    high: FloatArray
    naive: FloatArray
    weight: FloatArray

    def __len__(self) -> int:
        return len(self.row)


def held_hours(hours: int) -> int:
    """Return how many of so many hours are held back: six days, at most a fifth."""
    return min(HELD_HOURS, hours // 5)


def run_backtest(
    history: History,
    model: GlobalModel,
    groups: NDArray[np.str_],
    *,
    horizon: int,
    seed: int,
    threads: int,
) -> Backtest | None:
    """Return the backtest of the early model over the held-back hours; None without any case.

    Args:
        history: All that is known.
        model: Fitted to cases whose outcome lies before the held-back hours.
        groups: (n,) behaviour of each series.
        horizon: Longest, hours.
        seed: Of the choice of origins, when there are very many.
        threads: Ensembles asked side by side.
    """
    row, seen = _origins(history, seed=seed)
    if not row.size:
        return None
    origins = origins_of(history, row, seen, horizon=horizon, threads=threads)
    ahead = np.array([one for one in HORIZONS if one <= horizon])
    pair = np.repeat(np.arange(len(row)), len(ahead))
    cases = cases_at(history, origins, pair, np.tile(ahead, len(row)))
    if cases is None:
        return None
    expected = model.predict(cases.ahead, cases.horizon, threads=threads)
    of = origins.row[cases.pair]
    return Backtest(
        row=of,
        seen=origins.seen[cases.pair],
        horizon=cases.horizon,
        band=range_of(cases.horizon),
        group=groups[of],
        actual=cases.target,
        median=expected.median,
        low=expected.low,
        high=expected.high,
        naive=cases.ahead.naive,
        weight=cases.weight,
    )


def _origins(history: History, *, seed: int) -> tuple[IntArray, IntArray]:
    first = history.hours - held_hours(history.hours)
    seen = np.arange(first, history.hours, STEP_HOURS)
    row = np.repeat(np.arange(len(history)), len(seen))
    seen = np.tile(seen, len(history))
    good: BoolArray = usable_origins(history, row, seen)
    row, seen = row[good], seen[good]
    if len(row) > MOST_ORIGINS:
        rng = np.random.default_rng(seed)
        kept = np.sort(rng.choice(len(row), size=MOST_ORIGINS, replace=False))
        row, seen = row[kept], seen[kept]
    return row, seen
