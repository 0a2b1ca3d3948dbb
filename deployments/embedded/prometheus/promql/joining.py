"""Operators between scalars and vectors, and how series of two vectors find each other."""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from deployments.embedded.prometheus.labels import NAME, Labels, dropped, kept, labels_of
from deployments.embedded.prometheus.promql.values import (
    QueryError,
    Scalar,
    Vector,
    groups_of,
    merged,
    stacked,
)
from deployments.embedded.workloads.physics.arrays import Bools, Floats, Ints

ARITHMETIC: dict[str, Callable[[Floats, Floats], Floats]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": np.power,
}
COMPARISONS: dict[str, Callable[[Floats, Floats], Bools]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}
SETS = ("and", "or", "unless")
OPERATORS = frozenset([*ARITHMETIC, *COMPARISONS, *SETS])
"""Those that there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """Which series of two vectors belong together.

    Attributes:
        on: The names are those that matter, rather than those that do not.
        names: Of labels.
        many: "left" or "right" where that side has several to one of the other.
        included: Labels that are taken from the other side.
        as_bool: Comparisons give 0 and 1 rather than choose.
    """

    on: bool = False
    names: tuple[str, ...] = ()
    many: str | None = None
    included: tuple[str, ...] = ()
    as_bool: bool = False

    def of(self, labels: Labels) -> Labels:
        """Return what of labels has to be the same on both sides."""
        return kept(labels, self.names) if self.on else dropped(labels, {NAME, *self.names})


def _compute(name: str, left: Floats, right: Floats) -> Floats:
    with np.errstate(all="ignore"):
        if name in COMPARISONS:
            return COMPARISONS[name](left, right).astype(float)
        return ARITHMETIC[name](left, right)


def with_scalar(
    name: str, left: Vector | Scalar, right: Vector | Scalar, matching: Matching
) -> Vector | Scalar:
    """Return an operation of which at least one side is a scalar; a comparison chooses series."""
    values = _compute(name, left.values, right.values)
    vector = left if isinstance(left, Vector) else right
    if isinstance(vector, Scalar):
        return Scalar(values=values)
    if name in COMPARISONS and not matching.as_bool:
        return replace(vector, present=vector.present & (values == 1.0))
    return merged(replace(vector, labels=tuple(map(dropped, vector.labels)), values=values))


def combined(left: Vector, right: Vector, name: str, matching: Matching) -> Vector:
    """Return and, or, unless of two vectors."""
    mine = groups_of([matching.of(labels) for labels in left.labels])
    theirs = groups_of([matching.of(labels) for labels in right.labels])
    if name == "or":
        hidden = _anywhere(left, mine, theirs, len(right))
        return stacked(
            [left, replace(right, present=right.present & ~hidden)], left.values.shape[1]
        )
    found = _anywhere(right, theirs, mine, len(left))
    return replace(left, present=left.present & (found if name == "and" else ~found))


def _anywhere(
    vector: Vector, its: dict[Labels, Ints], others: dict[Labels, Ints], count: int
) -> Bools:
    """Return (count, K) whether a vector has a series that belongs to each of another's rows."""
    found = np.zeros((count, vector.values.shape[1]), dtype=bool)
    for key, rows in others.items():
        if key in its:
            found[rows] = vector.present[its[key]].any(axis=0)
    return found


def joined(left: Vector, right: Vector, name: str, matching: Matching) -> Vector:
    """Return an operation between the series of two vectors that belong together.

    Raises:
        QueryError: Several series belong to one, and it is not said or not on that side.
    """
    # The side that may have many is worked with as the first.
    swapped = matching.many == "right"
    many, one = (right, left) if swapped else (left, right)
    ones = groups_of([matching.of(labels) for labels in one.labels])
    _check_one(one, ones, side="left" if swapped else "right")
    pairs = [
        (row, other)
        for row, labels in enumerate(many.labels)
        for other in ones.get(matching.of(labels), ())
    ]
    rows, others = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    first, second = many.values[rows], one.values[others]
    values = _compute(name, *((second, first) if swapped else (first, second)))
    present = many.present[rows] & one.present[others]
    if name in COMPARISONS and not matching.as_bool:
        present = present & (values == 1.0)
        values = second if swapped else first
    keep_name = name in COMPARISONS and not matching.as_bool
    labels = [
        _result(many.labels[row], one.labels[other], matching, keep_name=keep_name)
        for row, other in pairs
    ]
    if matching.many is None:
        there = many.present[rows] & one.present[others]
        _check_pairs([matching.of(many.labels[row]) for row, _ in pairs], there)
    made = Vector(labels=tuple(labels), values=values, present=present)
    return merged(made, reason="multiple matches for labels: grouping labels must ensure unique matches")  # fmt: skip


def _result(mine: Labels, other: Labels, matching: Matching, *, keep_name: bool) -> Labels:
    found = mine if keep_name else dropped(mine)
    if matching.many is None:
        return kept(found, matching.names) if matching.on else dropped(found, matching.names)
    if not matching.included:
        return found
    theirs = dict(other)
    return labels_of(dict(found) | {name: theirs.get(name, "") for name in matching.included})


def _check_one(one: Vector, groups: dict[Labels, Ints], *, side: str) -> None:
    for key, rows in groups.items():
        if len(rows) > 1 and (one.present[rows].sum(axis=0) > 1).any():
            examples = ", ".join(_shown(one.labels[row]) for row in rows[:2])
            msg = (
                f"found duplicate series for the match group {_shown(key)} on the {side} hand-side "
                f"of the operation: [{examples}];many-to-many matching not allowed: matching labels "
                "must be unique on one side"
            )
            raise QueryError(msg)


def _check_pairs(keys: Sequence[Labels], present: Bools) -> None:
    found: defaultdict[Labels, Ints] = defaultdict(
        lambda: np.zeros(present.shape[1], dtype=np.int64)
    )
    for key, there in zip(keys, present, strict=True):
        found[key] = found[key] + there
        if (found[key] > 1).any():
            msg = (
                "multiple matches for labels: many-to-one matching must be explicit "
                "(group_left/group_right)"
            )
            raise QueryError(msg)


def _shown(labels: Labels) -> str:
    return "{" + ", ".join(f'{name}="{value}"' for name, value in labels) + "}"
