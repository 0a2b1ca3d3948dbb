"""Aggregation over series: sum, avg, min, max, count, group, quantile, topk and bottomk."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np

from deployments.embedded.prometheus.labels import NAME, Labels, dropped, kept
from deployments.embedded.prometheus.promql.values import Vector, groups_of, quantiles
from deployments.embedded.workloads.physics.arrays import Bools, Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """By which labels series belong together.

    Attributes:
        without: The names are those that do not matter.
        names: Of labels.
    """

    without: bool = False
    names: Collection[str] = ()

    def of(self, labels: Labels) -> Labels:
        """Return the labels of the group of a series."""
        if self.without:
            return dropped(labels, {NAME, *self.names})
        return kept(labels, self.names)


_Reduction = Callable[[Floats, Bools], Floats]


def _sum(values: Floats, present: Bools) -> Floats:
    found: Floats = np.where(present, values, 0.0).sum(axis=0)
    return found


def _avg(values: Floats, present: Bools) -> Floats:
    found: Floats = _sum(values, present) / present.sum(axis=0)
    return found


def _least(values: Floats, present: Bools) -> Floats:
    found: Floats = np.fmin.reduce(np.where(present, values, np.nan), axis=0)
    return found


def _most(values: Floats, present: Bools) -> Floats:
    found: Floats = np.fmax.reduce(np.where(present, values, np.nan), axis=0)
    return found


def _count(_: Floats, present: Bools) -> Floats:
    found: Floats = present.sum(axis=0).astype(float)
    return found


def _group(values: Floats, _: Bools) -> Floats:
    return np.ones(values.shape[1])


REDUCTIONS: dict[str, _Reduction] = {
    "sum": _sum,
    "avg": _avg,
    "min": _least,
    "max": _most,
    "count": _count,
    "group": _group,
}
"""Aggregations without a parameter."""
RANKINGS = ("topk", "bottomk")
"""Those that choose series."""


def aggregated(vector: Vector, name: str, grouping: Grouping) -> Vector:
    """Return one series for each group.

    Args:
        vector: Of series.
        name: One of `REDUCTIONS`.
        grouping: Which series belong together.
    """
    return _per_group(vector, grouping, REDUCTIONS[name])


def aggregated_quantile(vector: Vector, q: Floats, grouping: Grouping) -> Vector:
    """Return the quantile of each group; q is (K,)."""
    return _per_group(vector, grouping, lambda one, there: quantiles(one.T, there.T, q))


def _per_group(vector: Vector, grouping: Grouping, function: _Reduction) -> Vector:
    groups = groups_of([grouping.of(labels) for labels in vector.labels])
    steps = vector.values.shape[1]
    values, present = np.zeros((len(groups), steps)), np.zeros((len(groups), steps), dtype=bool)
    with np.errstate(all="ignore"):
        for at, rows in enumerate(groups.values()):
            values[at] = function(vector.values[rows], vector.present[rows])
            present[at] = vector.present[rows].any(axis=0)
    return Vector(labels=tuple(groups), values=values, present=present)


def ranked(vector: Vector, name: str, count: Floats, grouping: Grouping) -> Vector:
    """Return the first series of each group at each step.

    Args:
        vector: Of series.
        name: One of `RANKINGS`; NaN is last for both.
        count: (K,) how many.
        grouping: Which series belong together.

    Returns:
        The same labels; of a single step the series are in the order of their ranks.
    """
    groups = groups_of([grouping.of(labels) for labels in vector.labels])
    keep = np.zeros(vector.present.shape, dtype=bool)
    order = []
    for rows in groups.values():
        values = vector.values[rows] if name == "bottomk" else -vector.values[rows]
        # Ranks of NaN come before those of what is not there.
        ranks = np.lexsort(
            (np.where(np.isnan(values), np.inf, values), ~vector.present[rows]), axis=0
        )
        place = np.argsort(ranks, axis=0)
        keep[rows] = (place < count) & vector.present[rows]
        order += rows[ranks[:, 0]].tolist()
    if vector.values.shape[1] == 1:
        return Vector(
            labels=tuple(vector.labels[row] for row in order),
            values=vector.values[order],
            present=keep[order],
        )
    return Vector(labels=vector.labels, values=vector.values, present=keep)
