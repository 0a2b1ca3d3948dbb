"""What expressions are worth: numbers at every step, and errors as Prometheus has them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deployments.embedded.prometheus.labels import Labels
from deployments.embedded.workloads.physics.arrays import Bools, Floats, Ints


class QueryError(Exception):
    """A question that has no answer.

    Attributes:
        kind: In Prometheus' words.
        status: Of HTTP.
    """

    kind = "execution"
    status = 422


class BadQueryError(QueryError):
    """It is no PromQL, or its times make no sense."""

    kind = "bad_data"
    status = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """A number at each step.

    Attributes:
        values: (K,)
    """

    values: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text, which only functions take.

    Attributes:
        value: It.
    """

    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector:
    """Series with a number at some of the steps.

    Attributes:
        labels: (S,) no two alike where an expression ends.
        values: (S, K) of no meaning where none is present.
        present: (S, K)
    """

    labels: tuple[Labels, ...]
    values: Floats
    present: Bools

    def __len__(self) -> int:
        """Return the number of series."""
        return len(self.labels)


Value = Scalar | Text | Vector


def stacked(parts: Sequence[Vector], steps: int) -> Vector:
    """Return the series of several vectors, one after the other."""
    return Vector(
        labels=tuple(labels for one in parts for labels in one.labels),
        values=np.concatenate([np.zeros((0, steps)), *(one.values for one in parts)]),
        present=np.concatenate([np.zeros((0, steps), dtype=bool), *(one.present for one in parts)]),
    )


def groups_of(labels: Sequence[Labels]) -> dict[Labels, Ints]:
    """Return the rows of each different set of labels, in order of their first."""
    found: defaultdict[Labels, list[int]] = defaultdict(list)
    for row, one in enumerate(labels):
        found[one].append(row)
    return {one: np.array(rows, dtype=np.int64) for one, rows in found.items()}


def merged(
    vector: Vector, *, reason: str = "vector cannot contain metrics with the same labelset"
) -> Vector:
    """Return the vector with one series for each set of labels.

    Raises:
        QueryError: Two series of the same labels have a number at the same step.
    """
    groups = groups_of(vector.labels)
    if len(groups) == len(vector):
        return vector
    labels, values, present = [], [], []
    for one, rows in groups.items():
        there = vector.present[rows]
        if (there.sum(axis=0) > 1).any():
            raise QueryError(reason)
        labels.append(one)
        present.append(there.any(axis=0))
        values.append(np.where(there, vector.values[rows], 0.0).sum(axis=0))
    return Vector(labels=tuple(labels), values=np.array(values), present=np.array(present))


def quantiles(values: Floats, present: Bools, q: Floats) -> Floats:
    """Return a quantile along the last axis as Prometheus takes it: linear between ranks.

    Args:
        values: (..., n) NaN is below every number.
        present: (..., n) which of them count.
        q: Broadcasts to (...); below 0 is -Inf, above 1 +Inf.

    Returns:
        (...) NaN where nothing is present.
    """
    keys = np.where(present, np.where(np.isnan(values), -np.inf, values), np.inf)
    order = np.lexsort((keys, ~present), axis=-1)
    sorted_ = np.take_along_axis(values, order, axis=-1)
    count = present.sum(axis=-1)
    rank = np.where(np.isnan(q), 0.0, np.clip(q, 0.0, 1.0)) * np.maximum(count - 1, 0)
    below = np.floor(rank).astype(np.int64)
    above = np.minimum(below + 1, np.maximum(count - 1, 0))
    weight = rank - below
    low, high = (
        np.take_along_axis(sorted_, at[..., None], axis=-1)[..., 0] for at in (below, above)
    )
    with np.errstate(invalid="ignore"):
        found = np.where(weight == 0.0, low, low * (1.0 - weight) + high * weight)
    found = np.where(q < 0.0, -np.inf, np.where(q > 1.0, np.inf, found))
    return np.where((count == 0) | np.isnan(q), np.nan, found)
