"""Intervals as wide as the backtest asks for, and how often they held there.

Conformal correction of quantile regression (Romano, Patterson and Candes, 2019) in multiplicative form:
the factor on each half of the interval which would have covered exactly; half of it, in logarithms, is
believed, for the days that it is measured on are not the coming ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.domain.arrays import BoolArray, FloatArray, IntArray
from tasks.domain.load.backtest import Backtest
from tasks.domain.load.combine import BANDS, GROUPS, Blend, group_index
from tasks.domain.load.forecasts import LEVEL

PRIOR_CASES = 400
BELIEF = 0.5
WIDTHS = (0.25, 4.0)
SMALLEST = 1e-3
"""Half-width, in spreads: below it nothing can be divided by."""
FEWEST = 50
"""Cases from which on coverage is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Widths:
    """Factors on half-widths, (groups, bands), and the coverage that such factors reached.

    Attributes:
        factors: Above 0.
        coverage: (groups,) share of the backtest covered, each half of its origins by factors that the
            other half asks for; NaN where there were too few cases.
    """

    factors: FloatArray
    coverage: FloatArray


def unmeasured() -> Widths:
    """Return widths as the model gives them, of which nothing was measured."""
    return Widths(factors=np.ones((len(GROUPS), BANDS)), coverage=np.full(len(GROUPS), np.nan))


def interval(
    median: FloatArray, low: FloatArray, high: FloatArray, factor: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return lower and upper ends about the median."""
    below = np.maximum(median - low, SMALLEST) * factor
    above = np.maximum(high - median, SMALLEST) * factor
    return median - below, median + above


def fit_widths(backtest: Backtest, blend: Blend) -> Widths:
    """Return the widths that the backtest asks for, and their coverage."""
    group = group_index(backtest.group)
    median = blend.apply(backtest.median, backtest.naive, group, backtest.band)
    needed = _needed(backtest, median)
    every = np.ones(len(backtest), dtype=np.bool_)
    newer = backtest.seen > np.median(backtest.seen)
    inside = np.empty(len(backtest), dtype=np.bool_)
    for half in (newer, ~newer):
        factors = _factors(needed, group, backtest.band, ~half if (~half).any() else half)
        inside[half] = needed[half] <= factors[group[half], backtest.band[half]]
    return Widths(
        factors=_factors(needed, group, backtest.band, every),
        coverage=np.array([_share(inside[group == at]) for at in range(len(GROUPS))]),
    )


def _needed(backtest: Backtest, median: FloatArray) -> FloatArray:
    """Return (m,) the factor at which each case is just covered."""
    below = np.maximum(median - backtest.low, SMALLEST)
    above = np.maximum(backtest.high - median, SMALLEST)
    off = backtest.actual - median
    return np.where(off < 0.0, -off / below, off / above)


def _factors(needed: FloatArray, group: IntArray, band: IntArray, of: BoolArray) -> FloatArray:
    found = np.ones((len(GROUPS), BANDS))
    for one in range(BANDS):
        every = of & (band == one)
        if not every.any():
            continue
        wanted = _exact(needed[every])
        for place in range(len(GROUPS)):
            own = needed[every & (group == place)]
            share = len(own) / (len(own) + PRIOR_CASES)
            exact = _exact(own) if len(own) else wanted
            log = share * np.log(exact) + (1.0 - share) * np.log(wanted)
            found[place, one] = np.exp(BELIEF * log)
    return np.clip(found, *WIDTHS)


def _exact(needed: FloatArray) -> float:
    return float(np.clip(np.quantile(needed, LEVEL), SMALLEST, 1.0 / SMALLEST))


def _share(inside: BoolArray) -> float:
    return float(inside.mean()) if len(inside) >= FEWEST else float("nan")
