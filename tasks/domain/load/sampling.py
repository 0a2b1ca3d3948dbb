"""Which past origins the global model learns from, and what came after them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.domain.arrays import BoolArray, FloatArray, IntArray
from tasks.domain.load.features import DECIMALS, Ahead, Origins, ahead_of, origins_of
from tasks.domain.load.history import DAY, History

STEP_HOURS = 7
"""Between origins; no divisor of a day, so that every hour of it is among them."""
LEAST_SEEN = 2 * DAY
LEAST_OF_DAY = 20
"""Hours of the last day that an origin must know."""
CASES = 50_000
"""Training cases aimed at: what 350 series can be fitted to in seven seconds of a processor."""
MOST_PER_ORIGIN = 5
LIMIT = 30.0
"""Largest target, in spreads: one spike must not bend the fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cases:
    """Training cases.

    Attributes:
        origins: Past origins.
        pair: (m,) origin of each case.
        horizon: (m,) hours ahead.
        column: (m,) column of what happened.
        ahead: Features.
        target: (m,) what happened, in spreads about the level.
        weight: (m,) spreads of a case in scales of its series: what an error of a spread costs.
    """

    origins: Origins
    pair: IntArray
    horizon: IntArray
    column: IntArray
    ahead: Ahead
    target: FloatArray
    weight: FloatArray

    def __len__(self) -> int:
        return len(self.pair)


def draw_cases(
    history: History, *, horizon: int, seed: int, cases: int = CASES, threads: int = 1
) -> Cases | None:
    """Return cases of all series, hours ahead drawn at random; None when there is no past origin.

    Filled hours are neither origins nor targets.
    """
    rng = np.random.default_rng(seed)
    row, seen = past_origins(history, rng, most=cases // 2)
    if not row.size:
        return None
    origins = origins_of(history, row, seen, horizon=horizon, threads=threads)
    each = int(np.clip(round(cases / len(row)), 2, MOST_PER_ORIGIN))
    pair = np.repeat(np.arange(len(row)), each)
    ahead = rng.integers(1, horizon + 1, len(pair))
    return cases_at(history, origins, pair, ahead)


def cases_at(history: History, origins: Origins, pair: IntArray, horizon: IntArray) -> Cases | None:
    """Return the cases of which the outcome is known; None when there are none."""
    column = origins.seen[pair] + horizon - 1
    usable = column < history.hours
    usable[usable] &= history.known[origins.row[pair[usable]], column[usable]]
    pair, horizon, column = pair[usable], horizon[usable], column[usable]
    if not pair.size:
        return None
    happened = history.values[origins.row[pair], column]
    spread = origins.spread[pair]
    target = np.round((happened - origins.level[pair]) / spread, DECIMALS)
    return Cases(
        origins=origins,
        pair=pair,
        horizon=horizon,
        column=column,
        ahead=ahead_of(history, origins, pair, horizon),
        target=np.clip(target, -LIMIT, LIMIT),
        weight=spread / history.scale[origins.row[pair]],
    )


def past_origins(
    history: History, rng: np.random.Generator, *, most: int
) -> tuple[IntArray, IntArray]:
    """Return series and hours seen of origins every few hours, at most so many of them."""
    seen = np.arange(history.hours - 1, LEAST_SEEN - 1, -STEP_HOURS)[::-1]
    row = np.repeat(np.arange(len(history)), len(seen))
    seen = np.tile(seen, len(history))
    good = usable_origins(history, row, seen)
    row, seen = row[good], seen[good]
    if len(row) > most:
        kept = np.sort(rng.choice(len(row), size=most, replace=False))
        row, seen = row[kept], seen[kept]
    return row, seen


def usable_origins(history: History, row: IntArray, seen: IntArray) -> BoolArray:
    """Return (m,) whether the newest hour, most of the last day and two days before are known."""
    sums = np.concatenate(
        [np.zeros((len(history), 1), dtype=np.int64), np.cumsum(history.known, axis=1)], axis=1
    )
    day = sums[row, seen] - sums[row, np.maximum(seen - DAY, 0)]
    begun = seen >= history.first[row] + LEAST_SEEN
    newest = history.known[row, np.maximum(seen - 1, 0)]
    return np.asarray(begun & newest & (day >= LEAST_OF_DAY), dtype=np.bool_)
