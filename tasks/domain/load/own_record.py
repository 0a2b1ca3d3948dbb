"""What a series' own backtest adds to the group's: shares of the naive rules, series by series.

Exponential weights (Vovk, 1990; Cesa-Bianchi and Lugosi, 2006): the model and the naive rules begin with
the weights that they have without a record, and lose by what they err more than the best of them. On the
record the mixture errs at most 1 + ln(1 / p) / (r k) times what the best one does, of which p was the first
weight, after k origins, at the rate r.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.domain.arrays import FloatArray, IntArray
from tasks.domain.load.backtest import Backtest
from tasks.domain.load.features import NAIVES

SPANS = (4,)
"""Last hours ahead of each span but the last: the next four hours, and what is later."""
RATES = (0.7, 0.25)
"""By span: of origins, in mean errors of the best. Hours further ahead of one origin and the next overlap."""
RULE_WEIGHTS = (0.05, 0.02)
"""By span: first weight of each naive rule, the model's being 1."""
LEAST_ORIGINS = 3
SMALLEST = 1e-9
FARTHEST = 60.0
"""Largest exponent; what is behind by more has no weight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRecords:
    """Shares by series.

    Attributes:
        series: (n,) names.
        shares: (n, spans, 3) of the naive rules, at least 0, their sum at most 1.
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


def fit_own_records(backtest: Backtest, median: FloatArray, series: Sequence[str]) -> OwnRecords:
    """Return the shares that each series' record asks for.

    Args:
        backtest: Cases of all series.
        median: (m,) what the model said of them, as far as its group believes it.
        series: (n,) names.
    """
    shares = np.zeros((len(series), len(SPANS) + 1, len(NAIVES)))
    rivals = np.column_stack([median, backtest.naive])
    errors = backtest.weight[:, None] * np.abs(backtest.actual[:, None] - rivals)
    spans = span_of(backtest.horizon)
    for span in np.unique(spans).tolist():
        of = np.flatnonzero(spans == span)
        records = _records(backtest, errors, of, len(series))
        first = np.array([1.0, *len(NAIVES) * [RULE_WEIGHTS[span]]])
        shares[:, span] = weights_of(records, first, rate=RATES[span])[:, 1:]
    return OwnRecords(series=tuple(series), shares=shares)


def weights_of(errors: FloatArray, first: FloatArray, *, rate: float) -> FloatArray:
    """Return (n, members) weights, at least 0, that sum to 1 for each series.

    Args:
        errors: (n, origins, members) mean errors, at least 0; NaN where an origin is unknown.
        first: (members,) weights without a record, above 0. The first member has all of the weight
            where fewer than LEAST_ORIGINS are known.
        rate: Above 0; the higher, the more a record decides.
    """
    origins = (~np.isnan(errors[..., 0])).sum(axis=1)
    total = np.nansum(errors, axis=1)
    best = total.min(axis=1, keepdims=True)
    behind = rate * origins[:, None] * (total - best) / np.maximum(best, SMALLEST)
    weights = first * np.exp(-np.minimum(behind, FARTHEST))
    weights[origins < LEAST_ORIGINS] = np.eye(1, len(first))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _records(backtest: Backtest, errors: FloatArray, of: IntArray, series: int) -> FloatArray:
    """Return (series, origins, members) mean errors of some cases; NaN where there are none."""
    seen, origin = np.unique(backtest.seen, return_inverse=True)
    at = backtest.row[of], origin[of]
    total = np.zeros((series, len(seen), errors.shape[1]))
    count = np.zeros((series, len(seen)))
    np.add.at(total, at, errors[of])
    np.add.at(count, at, 1.0)
    return total / np.where(count > 0.0, count, np.nan)[..., None]
