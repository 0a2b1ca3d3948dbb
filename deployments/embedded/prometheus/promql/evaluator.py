"""Evaluates parsed PromQL at all steps at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, NoReturn

import numpy as np
import promql_parser as ast

from deployments.embedded.prometheus.labels import dropped
from deployments.embedded.prometheus.promql import functions, joining, windows
from deployments.embedded.prometheus.promql.aggregation import (
    RANKINGS,
    REDUCTIONS,
    Grouping,
    aggregated,
    aggregated_quantile,
    ranked,
)
from deployments.embedded.prometheus.promql.calls import CALLS
from deployments.embedded.prometheus.promql.limits import Check, unlimited
from deployments.embedded.prometheus.promql.selecting import (
    LOOK_BACK_MS,
    TOO_MANY,
    instants,
    milliseconds,
    select,
)
from deployments.embedded.prometheus.promql.values import (
    BadQueryError,
    QueryError,
    Scalar,
    Text,
    Value,
    Vector,
    merged,
    stacked,
)
from deployments.embedded.prometheus.promql.windows import Ranged, Windows, windows_of
from deployments.embedded.prometheus.samples import MOST_SAMPLES, Samples, Selected
from deployments.embedded.workloads.physics.arrays import Floats, Ints

_OVER: dict[str, Callable[[Windows], Ranged]] = {
    "avg_over_time": partial(windows.reduced, function=windows.mean),
    "sum_over_time": partial(windows.reduced, function=windows.total),
    "min_over_time": partial(windows.reduced, function=windows.least),
    "max_over_time": partial(windows.reduced, function=windows.most),
    "stddev_over_time": partial(windows.reduced, function=windows.deviation),
    "count_over_time": windows.counted,
    "last_over_time": windows.last,
    "changes": windows.changes,
    "resets": windows.resets,
    "deriv": partial(windows.line, ahead_seconds=None),
    "irate": partial(windows.last_change, counter=True, per_second=True),
    "idelta": partial(windows.last_change, counter=False, per_second=False),
}
_EXTENDED = {"rate": (True, True), "increase": (True, False), "delta": (False, False)}
"""Whether the function is of counters, and whether it is per second."""


class Evaluator:
    """Evaluates expressions over samples.

    Args:
        samples: To read.
        steps: (K,) instants in milliseconds of Unix time, rising, at least one.
        check: Called between pieces of work; what it raises ends them.
    """

    def __init__(self, samples: Samples, steps: Ints, *, check: Check = unlimited) -> None:
        self._samples = samples
        self._check = check
        self.steps = steps

    def value(self, node: Any) -> Value:
        """Return what an expression is worth.

        Raises:
            QueryError: It cannot be evaluated, or uses what is not known here.
        """
        # Division by zero and the like have answers in PromQL: NaN and infinity.
        with np.errstate(all="ignore"):
            return self._value(node)

    def _value(self, node: Any) -> Value:
        self._check()
        match node:
            case ast.NumberLiteral():
                return self._number(node.val)
            case ast.StringLiteral():
                return Text(value=node.val)
            case ast.ParenExpr():
                return self.value(node.expr)
            case ast.UnaryExpr():
                return self._negative(self.value(node.expr))
            case ast.VectorSelector():
                return self.selected(node)[0]
            case ast.AggregateExpr():
                return self._aggregate(node)
            case ast.BinaryExpr():
                return self._binary(node)
            case ast.Call():
                return self._call(node)
        kind = (
            "subqueries are" if isinstance(node, ast.SubqueryExpr) else f"{type(node).__name__} is"
        )
        msg = f"{kind} not part of this server"
        raise QueryError(msg)

    def _number(self, value: float) -> Scalar:
        return Scalar(values=np.full(len(self.steps), value))

    def _negative(self, value: Value) -> Value:
        if isinstance(value, Vector):
            return functions.unnamed(value, -value.values)
        return Scalar(values=-value.values) if isinstance(value, Scalar) else value

    def vector(self, node: Any) -> Vector:
        """Return the value of an expression that is a vector."""
        found = self.value(node)
        return found if isinstance(found, Vector) else _mistyped("instant vector", node)

    def scalar(self, node: Any) -> Floats:
        """Return (K,) the value of an expression that is a scalar."""
        found = self.value(node)
        return found.values if isinstance(found, Scalar) else _mistyped("scalar", node)

    def selected(self, node: ast.VectorSelector) -> tuple[Vector, Floats]:
        """Return the series of a selector, and (S, K) when their samples are of, in seconds."""
        ends = self.steps - milliseconds(node.offset)
        start, end = int(ends[0]) - LOOK_BACK_MS, int(ends[-1])
        parts = [instants(one, ends) for one in self._select(node, start=start, end=end)]
        count = len(self.steps)
        times = np.concatenate([np.zeros((0, count)), *(when for _, when in parts)])
        return stacked([vector for vector, _ in parts], count), times

    def _select(self, node: ast.VectorSelector, *, start: int, end: int) -> Iterator[Selected]:
        """Yield samples of the series of a selector, one metric after the other.

        Raises:
            QueryError: There are too many of them, or too many numbers in the answer.
        """
        found = select(self._samples, node, start=start, end=end)
        if sum(len(one.labels) for one in found) * len(self.steps) > MOST_SAMPLES:
            raise QueryError(TOO_MANY)
        for one in found:
            self._check()
            yield one

    def ranged(
        self, node: Any, function: Callable[[Windows], Ranged], *, named: bool = False
    ) -> Vector:
        """Return a function of the ranges of a selector.

        Args:
            node: With a range.
            function: Gives (S, K) values and where there are any.
            named: The names of metrics stay.
        """
        if not isinstance(node, ast.MatrixSelector):
            msg = "subqueries are not part of this server"
            raise QueryError(msg)
        selector, length = node.vector_selector, milliseconds(node.range)
        ends = self.steps - milliseconds(selector.offset)
        start, end = int(ends[0]) - length, int(ends[-1])
        parts = []
        for one in self._select(selector, start=start, end=end):
            windowed = windows_of(one, ends, range_ms=length, check=self._check)
            values, present = function(windowed)
            parts.append(Vector(labels=one.labels, values=values, present=present))
        found = stacked(parts, len(ends))
        if named:
            return found
        return merged(replace(found, labels=tuple(map(dropped, found.labels))))

    def _aggregate(self, node: ast.AggregateExpr) -> Vector:
        name, modifier = str(node.op), node.modifier
        grouping = Grouping()
        if modifier is not None:
            without = modifier.type == ast.AggModifierType.Without
            grouping = Grouping(without=without, names=tuple(modifier.labels))
        if name in REDUCTIONS:
            return aggregated(self.vector(node.expr), name, grouping)
        if name == "quantile":
            return aggregated_quantile(self.vector(node.expr), self.scalar(node.param), grouping)
        if name in RANKINGS:
            return ranked(self.vector(node.expr), name, self.scalar(node.param), grouping)
        raise _unknown(name, kind="aggregation")

    def _binary(self, node: ast.BinaryExpr) -> Value:
        name = str(node.op)
        if name not in joining.OPERATORS:
            raise _unknown(name, kind="operator")
        left, right = self.value(node.lhs), self.value(node.rhs)
        matching = _matching(node.modifier)
        if isinstance(left, Text) or isinstance(right, Text):
            return _mistyped("scalar or vector", node)
        if isinstance(left, Scalar):
            return joining.with_scalar(name, left, right, matching)
        if isinstance(right, Scalar):
            return joining.with_scalar(name, left, right, matching)
        if name in joining.SETS:
            return joining.combined(left, right, name, matching)
        return joining.joined(left, right, name, matching)

    def _call(self, node: ast.Call) -> Value:
        name, given = node.func.name, node.args
        if name in _EXTENDED:
            seconds = milliseconds(getattr(given[0], "range", None)) / 1000.0
            counter, per_second = _EXTENDED[name]
            extend = partial(
                windows.extended, counter=counter, per_second=per_second, range_seconds=seconds
            )
            return self.ranged(given[0], extend)
        if name in _OVER:
            return self.ranged(given[0], _OVER[name], named=name == "last_over_time")
        if name in functions.NUMBERS:
            return functions.mapped(self.vector(given[0]), name)
        method = CALLS.get(name)
        if method is None:
            raise _unknown(name, kind="function")
        return method(self, given)


def _unknown(name: str, *, kind: str) -> QueryError:
    return QueryError(f"the {kind} {name} is not part of this server")


def _mistyped(wanted: str, node: Any) -> NoReturn:
    msg = f"expected type {wanted}, got {node}"
    raise BadQueryError(msg)


def _matching(modifier: ast.BinModifier | None) -> joining.Matching:
    if modifier is None:
        return joining.Matching()
    fill = modifier.fill_values
    if (fill.lhs, fill.rhs) != (None, None):
        msg = "the modifier fill is not part of this server"
        raise QueryError(msg)
    label = modifier.matching
    sides = {
        str(ast.VectorMatchCardinality.ManyToOne): "left",
        str(ast.VectorMatchCardinality.OneToMany): "right",
    }
    return joining.Matching(
        on=label is not None and label.type == ast.LabelModifierType.Include,
        names=() if label is None else tuple(label.labels),
        many=sides.get(str(modifier.card)),
        included=tuple(modifier.group_labels or ()),
        as_bool=modifier.return_bool,
    )
