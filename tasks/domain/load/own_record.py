"""What a series' own backtest adds to the group's: shares of the naive rules, series by series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.domain.arrays import FloatArray, IntArray
from tasks.domain.load.backtest import Backtest
from tasks.domain.load.features import NAIVES
from tasks.domain.load.selection import member_weights

SPANS = (4,)
"""Last hours ahead of each span but the last: the next four hours, and what is later."""
BELIEF = 0.5
"""Of the weights: they rest on eight origins in three days, and the coming days differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRecords:
    """Shares by series.

    Attributes:
        series: (n,) names.
        shares: (n, spans, 3) of the naive rules, at least 0, their sum at most BELIEF.
    """

    series: tuple[str, ...]
    shares: FloatArray

    def of(self, names: Sequence[str]) -> FloatArray:
        """Return (k, spans, 3) shares of series by name; 0 for those that were not there."""
        places = {name: at for at, name in enumerate(self.series)}
        found = np.zeros((len(names), len(SPANS) + 1, len(NAIVES)))
        for row, name in enumerate(names):
            if name in places:
                found[row] = self.shares[places[name]]
        return found


def no_records() -> OwnRecords:
    """Return the records of nobody."""
    return OwnRecords(series=(), shares=np.zeros((0, len(SPANS) + 1, len(NAIVES))))


def span_of(horizon: IntArray) -> IntArray:
    """Return (m,) the span that hours ahead belong to."""
    return np.searchsorted(SPANS, horizon).astype(np.int64)


def mixed(median: FloatArray, naive: FloatArray, share: FloatArray) -> FloatArray:
    """Return (m,) medians with (m, 3) shares of the (m, 3) naive rules."""
    return np.asarray((1.0 - share.sum(axis=1)) * median + (share * naive).sum(axis=1))


def fit_own_records(
    backtest: Backtest, median: FloatArray, groups: NDArray[np.str_], series: Sequence[str]
) -> OwnRecords:
    """Return the shares that each series' record asks for, shrunk to its group's.

    Args:
        backtest: Cases of all series.
        median: (m,) what the model said of them, as far as its group believes it.
        groups: (n,) behaviour of each series.
        series: (n,) names.
    """
    shares = np.zeros((len(series), len(SPANS) + 1, len(NAIVES)))
    rivals = np.column_stack([median, backtest.naive])
    errors = backtest.weight[:, None] * np.abs(backtest.actual[:, None] - rivals)
    spans = span_of(backtest.horizon)
    for span in np.unique(spans):
        of = np.flatnonzero(spans == span)
        weights = member_weights(_records(backtest, errors, of, len(series)), groups)
        shares[:, span] = BELIEF * weights[:, 1:]
    return OwnRecords(series=tuple(series), shares=shares)


def _records(backtest: Backtest, errors: FloatArray, of: IntArray, series: int) -> FloatArray:
    """Return (series, origins, members) mean errors of some cases; NaN where there are none."""
    seen, origin = np.unique(backtest.seen, return_inverse=True)
    at = backtest.row[of], origin[of]
    total = np.zeros((series, len(seen), errors.shape[1]))
    count = np.zeros((series, len(seen)))
    np.add.at(total, at, errors[of])
    np.add.at(count, at, 1.0)
    return total / np.where(count > 0.0, count, np.nan)[..., None]
