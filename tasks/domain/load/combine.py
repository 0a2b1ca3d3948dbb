"""How far the model is believed: a share of the best naive rule, by group and hours ahead.

A group of machines can jump together and stay: then the last value was better than any pattern, and
the backtest says so. It covers some days only, so a group's record is shrunk to that of all groups.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.domain.arrays import BoolArray, FloatArray, IntArray
from tasks.domain.load.backtest import Backtest
from tasks.domain.load.features import NAIVES
from tasks.domain.load.global_linear import RANGES
from tasks.domain.load.groups import Behaviour

GROUPS = tuple(one.value for one in Behaviour)
BANDS = len(RANGES) + 1
SHARES = np.linspace(0.0, 1.0, 11)
PRIOR_CASES = 400
"""Of all groups, added to a group's own."""
MARGIN = 0.03
"""Share of the error that a naive rule has to take away before it gets a say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blend:
    """Shares of the naive rules, (groups, bands, 3); the rest is the model's."""

    shares: FloatArray

    def apply(
        self, median: FloatArray, naive: FloatArray, group: IntArray, band: IntArray
    ) -> FloatArray:
        """Return (m,) medians of cases; naive is (m, 3)."""
        share = self.shares[group, band]
        return np.asarray((1.0 - share.sum(axis=1)) * median + (share * naive).sum(axis=1))


def unblended() -> Blend:
    """Return the blend that believes the model alone."""
    return Blend(shares=np.zeros((len(GROUPS), BANDS, len(NAIVES))))


def group_index(groups: NDArray[np.str_]) -> IntArray:
    """Return (m,) places in GROUPS."""
    return np.array([GROUPS.index(name) for name in groups.tolist()], dtype=np.int64)


def fit_blend(backtest: Backtest) -> Blend:
    """Return the shares that would have erred least, shrunk and only where it pays."""
    shares = unblended().shares
    group = group_index(backtest.group)
    for band in range(BANDS):
        of = backtest.band == band
        if not of.any():
            continue
        every, _ = _ratios(backtest, of)
        for place in range(len(GROUPS)):
            own, cases = _ratios(backtest, of & (group == place))
            ratio = (cases * own + PRIOR_CASES * every) / (cases + PRIOR_CASES)
            rule, at = np.unravel_index(ratio.argmin(), ratio.shape)
            if ratio[rule, at] < 1.0 - MARGIN:
                shares[place, band, rule] = SHARES[at]
    return Blend(shares=shares)


def _ratios(backtest: Backtest, of: BoolArray) -> tuple[FloatArray, int]:
    """Return (rules, shares) errors over the model's own, and the number of cases."""
    cases = int(of.sum())
    if not cases:
        return np.ones((len(NAIVES), len(SHARES))), 0
    median, actual, weight = backtest.median[of], backtest.actual[of], backtest.weight[of]
    error = np.empty((len(NAIVES), len(SHARES)))
    for rule in range(len(NAIVES)):
        away = backtest.naive[of, rule] - median
        for at, share in enumerate(SHARES):
            error[rule, at] = (weight * np.abs(actual - median - share * away)).sum()
    base = error[0, 0]
    return (error / base if base > 0.0 else np.ones_like(error)), cases
