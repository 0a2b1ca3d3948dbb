"""Which member forecasts which series, from rolling-origin backtests shrunk to the group's record.

A few origins say little about one series, and choosing the best of many by them follows luck. So a
member's error on a series is shrunk to what it is in the series' group, by empirical Bayes (Efron and
Morris, 1975): an analysis of variance tells how much members truly differ from series to series, and
how much only from origin to origin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.domain.arrays import BoolArray, FloatArray, IntArray
from tasks.domain.errors import PermanentError

LEAST_ORIGINS = 5
"""Below it a series, or a group, has no say of its own."""
DOUBT_SHARE = 0.5
"""Of what speaks against a series' own winner, as weight of its group's. With none, the jumpy loads of
one recording were forecast best, with all of it the smooth ones of another; half loses little on
either (first halves of both, naive members)."""
TIE = 1e-9
ROUNDS = 50
"""Of the alternating fit; without gaps the first is exact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Records:
    """What the origins say of each series, in units of its own mean error.

    Attributes:
        means: (n, members); NaN where a member has too few origins.
        origins: (n,) that all of these members share; 0 where they are too few.
        noise: (n,) variance between origins of how members differ; NaN where there are none.
    """

    means: FloatArray
    origins: IntArray
    noise: FloatArray


def member_weights(
    errors: FloatArray, groups: NDArray[np.str_], *, least_origins: int = LEAST_ORIGINS
) -> FloatArray:
    """Return (n, members) weights, at least 0, that sum to 1 for each series.

    The group's winner has the least mean error in the group, each origin counting alike and each
    series in units of its own mean error. A series' own winner has the least shrunk error: the share B
    = t / (t + s / origins) of its own plus 1 - B of its group's, where t is the variance between
    series and s that between origins. The group's winner keeps half of the doubt, (1 - B) / 2, as its
    weight; the own winner gets the rest. Where members do not differ from series to series by more
    than luck, B is 0 and the group's winner is everybody's; with origins without end, B is 1.

    Of members that tie, the first wins: put the simplest first. A member that is nowhere better than
    another one, and somewhere worse, gets no weight.

    Args:
        errors: (n, origins, members) mean errors over a horizon, at least 0; NaN where unknown.
        groups: (n,) names. A group with too few origins follows the record of all series.
        least_origins: Origins that a member needs on a series to win there against its group, and
            in a group to win there against all; at least 2.

    Raises:
        PermanentError: When there is not one group a series, no member, or an impossible error.
    """
    _check(errors, groups, least_origins)
    records = _records(errors, least_origins)
    everywhere = _group_means(records)
    weights = np.zeros((len(errors), errors.shape[2]))
    for name in np.unique(groups):
        rows = np.flatnonzero(groups == name)
        own = _rows(records, rows)
        enough = own.origins.sum() >= least_origins
        weights[rows] = _weights(own, _group_means(own) if enough else everywhere)
    return weights


def _check(errors: FloatArray, groups: NDArray[np.str_], least_origins: int) -> None:
    if errors.ndim != 3 or len(errors) != len(groups) or not errors.shape[2]:
        msg = (
            f"errors have shape {errors.shape}, there are {len(groups)} groups; "
            "give (series, origins, members) and one group a series"
        )
        raise PermanentError(msg)
    if least_origins < 2:
        msg = f"{least_origins} origins cannot tell noise from skill; ask for at least 2"
        raise PermanentError(msg)
    with np.errstate(invalid="ignore"):
        wrong = (errors < 0.0) | np.isinf(errors)
    if wrong.any():
        row, origin, member = (int(at) for at in np.argwhere(wrong)[0])
        msg = (
            f"the error of member {member} on series {row} at origin {origin} is "
            f"{errors[row, origin, member]:g}; leave it out (NaN) or mend the backtest"
        )
        raise PermanentError(msg)


def _records(errors: FloatArray, least_origins: int) -> _Records:
    known = ~np.isnan(errors)
    counts = known.sum(axis=1)
    # A member that failed at half of the origins must not cost the others theirs.
    least = np.maximum(least_origins, counts.max(axis=1, initial=0) / 2.0)
    eligible = counts >= least[:, None]
    shared = (known | ~eligible[:, None]).all(axis=2) & eligible.any(axis=1)[:, None]
    shared &= (shared.sum(axis=1) >= least_origins)[:, None]
    cells = shared[:, :, None] & eligible[:, None]
    values = np.where(cells, errors, 0.0)
    level = values.sum(axis=(1, 2)) / np.maximum(cells.sum(axis=(1, 2)), 1)
    values /= np.where(level > 0.0, level, 1.0)[:, None, None]
    origins = shared.sum(axis=1)
    means = values.sum(axis=1) / np.maximum(origins, 1)[:, None]
    some = np.where(eligible & (origins > 0)[:, None], means, np.nan)
    return _Records(means=some, origins=origins, noise=_noise(values, means, cells))


def _noise(values: FloatArray, means: FloatArray, cells: BoolArray) -> FloatArray:
    """Return (n,) the residual variance of a two-way layout: origins and members."""
    members = cells.any(axis=1).sum(axis=1)
    origins = cells.any(axis=2).sum(axis=1)
    per_origin = values.sum(axis=2) / np.maximum(members, 1)[:, None]
    overall = means.sum(axis=1) / np.maximum(members, 1)
    rest = values - means[:, None] - per_origin[:, :, None] + overall[:, None, None]
    free = (origins - 1) * (members - 1)
    total = np.where(cells, rest**2, 0.0).sum(axis=(1, 2))
    return np.asarray(total / np.where(free > 0, free, np.nan))


def _rows(records: _Records, rows: IntArray) -> _Records:
    return _Records(
        means=records.means[rows], origins=records.origins[rows], noise=records.noise[rows]
    )


def _group_means(records: _Records) -> FloatArray:
    """Return (members,) mean errors, as if each member were known on every series.

    The additive fit of series and members, by alternating; inf for a member known nowhere, all 0
    where nothing is known.
    """
    known = ~np.isnan(records.means)
    cells = known * records.origins[:, None]
    total = cells.sum(axis=0)
    if not total.any():
        return np.zeros(known.shape[1])
    means = np.zeros(known.shape[1])
    for _ in range(ROUNDS):
        level = np.where(known, records.means - means, 0.0).sum(axis=1)
        level /= np.maximum(known.sum(axis=1), 1)
        rest = np.where(known, records.means - level[:, None], 0.0)
        means = (cells * rest).sum(axis=0) / np.maximum(total, 1)
        if known.all():
            break
    return np.where(total > 0, means, np.inf)


def _weights(records: _Records, group: FloatArray) -> FloatArray:
    winner = _first_least(group[None])[0]
    own_share = _own_share(records, group)
    known = ~np.isnan(records.means)
    finite = np.where(np.isfinite(group), group, 0.0)
    level = np.where(known, records.means - finite, 0.0).sum(axis=1, keepdims=True)
    level /= np.maximum(known.sum(axis=1, keepdims=True), 1)
    shrunk = own_share[:, None] * (records.means - level) + (1.0 - own_share[:, None]) * finite
    own = _first_least(np.where(known, shrunk, np.inf))
    own = np.where(known.any(axis=1), own, winner)
    at = np.arange(len(own))
    weights = np.zeros(records.means.shape)
    doubt = DOUBT_SHARE * (1.0 - own_share)
    weights[at, own] = 1.0 - doubt
    weights[at, winner] += doubt
    return weights


def _own_share(records: _Records, group: FloatArray) -> FloatArray:
    """Return (n,) how far a series' own record counts, 0 to 1."""
    known = ~np.isnan(records.means)
    members = known.sum(axis=1)
    finite = np.where(np.isfinite(group), group, 0.0)
    rest = np.where(known, records.means - finite, 0.0)
    rest -= np.where(known, rest.sum(axis=1, keepdims=True) / np.maximum(members, 1)[:, None], 0.0)
    usable = (members > 1) & ~np.isnan(records.noise)
    if not usable.any():
        return np.zeros(len(records.means))
    spread = (rest**2).sum(axis=1) / np.maximum(members - 1, 1)
    luck = records.noise / np.maximum(records.origins, 1)
    true = max(float(np.mean((spread - luck)[usable])), 0.0)
    noise = float(np.mean(records.noise[usable]))
    share = true / (true + noise / np.maximum(records.origins, 1)) if true > 0.0 else 0.0
    return np.where(usable, share, 0.0)


def _first_least(scores: FloatArray) -> IntArray:
    """Return (n,) the first member whose score is the least but for rounding."""
    least = scores.min(axis=1, keepdims=True)
    return np.asarray(np.argmax(scores <= least + TIE, axis=1), dtype=np.int64)
