"""Quantiles of histograms that come as series of buckets."""

from __future__ import annotations

import numpy as np

from deployments.embedded.prometheus.labels import NAME, dropped
from deployments.embedded.prometheus.promql.values import Vector, groups_of
from deployments.embedded.workloads.physics.arrays import Bools, Floats

BOUND = "le"


def histogram_quantile(vector: Vector, q: Floats) -> Vector:
    """Return the quantile of each histogram, straight lines within buckets (promql/quantile.go).

    Args:
        vector: Buckets that count all below their `le`; other labels tell histograms apart.
        q: (K,) 0 to 1; below is -Inf, above +Inf.
    """
    bounds = [_bound(dict(labels).get(BOUND)) for labels in vector.labels]
    usable = [row for row, bound in enumerate(bounds) if bound is not None]
    groups = groups_of([dropped(vector.labels[row], {NAME, BOUND}) for row in usable])
    steps = vector.values.shape[1]
    values, present = np.full((len(groups), steps), np.nan), np.zeros((len(groups), steps), bool)
    for at, places in enumerate(groups.values()):
        rows = np.array(usable)[places]
        upper = np.array([bounds[row] for row in rows.tolist()], dtype=float)
        there = vector.present[rows]
        present[at] = there.any(axis=0)
        # Buckets come and go together; each set that there is is worked out at once.
        kinds, which = np.unique(there, axis=1, return_inverse=True)
        for kind in range(kinds.shape[1]):
            some = rows[kinds[:, kind]]
            columns = np.flatnonzero(which.reshape(-1) == kind)
            if len(some):
                counts = vector.values[np.ix_(some, columns)]
                values[at, columns] = _of(upper[kinds[:, kind]], counts, q[columns])
    return Vector(labels=tuple(groups), values=values, present=present)


def _bound(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _of(upper: Floats, counts: Floats, q: Floats) -> Floats:
    """Return (k,) quantiles of (b,) bounds and (b, k) counts."""
    bounds, place = np.unique(upper, return_inverse=True)
    if bounds[-1] != np.inf or len(bounds) < 2:
        return np.where(q < 0, -np.inf, np.where(q > 1, np.inf, np.nan))
    summed = np.zeros((len(bounds), counts.shape[1]))
    np.add.at(summed, place.reshape(-1), counts)
    rising = np.maximum.accumulate(summed, axis=0)
    total = rising[-1]
    rank = np.clip(q, 0.0, 1.0) * total
    reached: Bools = rising[:-1] >= rank
    bucket = np.where(reached.any(axis=0), reached.argmax(axis=0), len(bounds) - 1)
    across = np.arange(len(rank))
    lower = np.where(bucket > 0, bounds[bucket - 1], 0.0)
    below = np.where(bucket > 0, rising[bucket - 1, across], 0.0)
    with np.errstate(all="ignore"):
        share = (rank - below) / (rising[bucket, across] - below)
        found = lower + (bounds[bucket] - lower) * share
    found = np.where((bucket == 0) & (bounds[0] <= 0.0), bounds[0], found)
    found = np.where(bucket == len(bounds) - 1, bounds[-2], found)
    found = np.where((total == 0.0) | np.isnan(total) | np.isnan(q), np.nan, found)
    return np.where(q < 0, -np.inf, np.where(q > 1, np.inf, found))
