"""Functions that take more than one vector or range."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np
import promql_parser as ast

from deployments.embedded.prometheus.labels import NAME, Labels, labels_of
from deployments.embedded.prometheus.promql import functions, windows
from deployments.embedded.prometheus.promql.histograms import histogram_quantile
from deployments.embedded.prometheus.promql.selecting import milliseconds
from deployments.embedded.prometheus.promql.values import Scalar, Value, Vector
from deployments.embedded.prometheus.promql.windows import Ranged, Windows
from deployments.embedded.workloads.physics.arrays import Floats, Ints


class Evaluation(Protocol):
    """What evaluates the arguments of a function."""

    steps: Ints

    def vector(self, node: Any) -> Vector:
        """Return the value of an expression that is a vector."""
        ...

    def scalar(self, node: Any) -> Floats:
        """Return (K,) the value of an expression that is a scalar."""
        ...

    def selected(self, node: ast.VectorSelector) -> tuple[Vector, Floats]:
        """Return the series of a selector, and (S, K) when their samples are of, in seconds."""
        ...

    def ranged(
        self, node: Any, function: Callable[[Windows], Ranged], *, named: bool = False
    ) -> Vector:
        """Return a function of the ranges of a selector; `named` keeps the names of metrics."""
        ...


Arguments = Sequence[Any]


def _quantile_over_time(on: Evaluation, given: Arguments) -> Value:
    return on.ranged(given[1], partial(windows.over_quantile, q=on.scalar(given[0])))


def _predict_linear(on: Evaluation, given: Arguments) -> Value:
    # The line is asked for after the step, even where the samples are from long before.
    selector = getattr(given[0], "vector_selector", None)
    offset = milliseconds(getattr(selector, "offset", None)) / 1000.0
    ahead = on.scalar(given[1]) + offset
    return on.ranged(given[0], partial(windows.line, ahead_seconds=ahead))


def _histogram_quantile(on: Evaluation, given: Arguments) -> Value:
    return histogram_quantile(on.vector(given[1]), on.scalar(given[0]))


def _absent(on: Evaluation, given: Arguments) -> Value:
    return functions.absent(on.vector(given[0]), _equalities(given[0]))


def _clamp(on: Evaluation, given: Arguments) -> Value:
    return functions.clamped(on.vector(given[0]), on.scalar(given[1]), on.scalar(given[2]))


def _clamp_min(on: Evaluation, given: Arguments) -> Value:
    return functions.clamped(on.vector(given[0]), on.scalar(given[1]), None)


def _clamp_max(on: Evaluation, given: Arguments) -> Value:
    return functions.clamped(on.vector(given[0]), None, on.scalar(given[1]))


def _round(on: Evaluation, given: Arguments) -> Value:
    nearest = on.scalar(given[1]) if len(given) > 1 else np.ones(len(on.steps))
    return functions.rounded(on.vector(given[0]), nearest)


def _label_replace(on: Evaluation, given: Arguments) -> Value:
    target, replacement, source, pattern = (node.val for node in given[1:])
    vector = on.vector(given[0])
    return functions.label_replaced(
        vector, target=target, replacement=replacement, source=source, pattern=pattern
    )


def _time(on: Evaluation, _: Arguments) -> Value:
    return Scalar(values=on.steps / 1000.0)


def _to_scalar(on: Evaluation, given: Arguments) -> Value:
    return functions.scalar_of(on.vector(given[0]))


def _to_vector(on: Evaluation, given: Arguments) -> Value:
    values = on.scalar(given[0])[None]
    return Vector(labels=((),), values=values, present=np.ones(values.shape, dtype=bool))


def _timestamp(on: Evaluation, given: Arguments) -> Value:
    node = _bare(given[0])
    if isinstance(node, ast.VectorSelector):
        return functions.unnamed(*on.selected(node))
    vector = on.vector(node)
    return functions.unnamed(vector, np.broadcast_to(on.steps / 1000.0, vector.values.shape))


CALLS: dict[str, Callable[[Evaluation, Arguments], Value]] = {
    "quantile_over_time": _quantile_over_time,
    "predict_linear": _predict_linear,
    "histogram_quantile": _histogram_quantile,
    "absent": _absent,
    "clamp": _clamp,
    "clamp_min": _clamp_min,
    "clamp_max": _clamp_max,
    "round": _round,
    "label_replace": _label_replace,
    "time": _time,
    "scalar": _to_scalar,
    "vector": _to_vector,
    "timestamp": _timestamp,
}
"""By their names."""


def _bare(node: Any) -> Any:
    while isinstance(node, ast.ParenExpr):
        node = node.expr
    return node


def _equalities(node: Any) -> Labels:
    """Return what a selector says its labels are equal to, each once; for absent."""
    selector = _bare(node)
    if not isinstance(selector, ast.VectorSelector):
        return ()
    found: dict[str, str] = {}
    for one in selector.matchers.matchers:
        if one.name != NAME:
            # A label of which anything else is said as well is left out.
            usable = one.op == ast.MatchOp.Equal and one.name not in found
            found[one.name] = one.value if usable else ""
    return labels_of(found)
