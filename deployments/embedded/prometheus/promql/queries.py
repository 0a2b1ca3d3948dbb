"""Questions as texts, and answers as Prometheus' API has them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import promql_parser as ast

from deployments.embedded.prometheus.promql.evaluator import Evaluator
from deployments.embedded.prometheus.promql.limits import Check, unlimited
from deployments.embedded.prometheus.promql.selecting import milliseconds, select
from deployments.embedded.prometheus.promql.values import (
    BadQueryError,
    Scalar,
    Text,
    Value,
    Vector,
    merged,
)
from deployments.embedded.prometheus.samples import Samples
from deployments.embedded.workloads.physics.arrays import Bools, Floats, Ints

Json = dict[str, Any]
MOST_STEPS = 11_000
"""Of one series in one answer."""


def instant_answer(samples: Samples, query: str, *, time_ms: int, check: Check = unlimited) -> Json:
    """Return the data of an answer at an instant: resultType and result.

    Args:
        samples: To read.
        query: PromQL.
        time_ms: Milliseconds of Unix time.
        check: Called between pieces of work; what it raises ends them.

    Raises:
        QueryError: There is no answer.
    """
    node = parsed(query)
    if isinstance(node, ast.MatrixSelector):
        return _matrix(_samples_of(samples, node, time_ms), check)
    steps = np.array([time_ms], dtype=np.int64)
    value = Evaluator(samples, steps, check=check).value(node)
    if isinstance(value, Vector):
        result = [
            {"metric": dict(labels), "value": [time_ms / 1000, number(values[0])]}
            for labels, values, present in _rows(merged(value))
            if present[0]
        ]
        return {"resultType": "vector", "result": result}
    if isinstance(value, Text):
        return {"resultType": "string", "result": [time_ms / 1000, value.value]}
    return {"resultType": "scalar", "result": [time_ms / 1000, number(value.values[0])]}


def range_answer(
    samples: Samples,
    query: str,
    *,
    start_ms: int,
    end_ms: int,
    step_ms: int,
    check: Check = unlimited,
) -> Json:
    """Return the data of an answer on a grid: from start in steps, no later than end.

    Raises:
        QueryError: There is no answer.
    """
    if step_ms <= 0:
        msg = (
            "zero or negative query resolution step widths are not accepted. Try a positive integer"
        )
        raise BadQueryError(_parameter("step", msg))
    if end_ms < start_ms:
        raise BadQueryError(_parameter("end", "end timestamp must not be before start time"))
    if (end_ms - start_ms) // step_ms > MOST_STEPS:
        msg = f"exceeded maximum resolution of {MOST_STEPS:,} points per timeseries. Try decreasing the query resolution (?step=XX)"
        raise BadQueryError(msg)
    node = parsed(query)
    if isinstance(node, ast.MatrixSelector | ast.SubqueryExpr | ast.StringLiteral):
        kind = "string" if isinstance(node, ast.StringLiteral) else "range vector"
        msg = f'invalid expression type "{kind}" for range query, must be Scalar or instant Vector'
        raise BadQueryError(_parameter("query", msg))
    steps = np.arange(start_ms, end_ms + 1, step_ms, dtype=np.int64)
    value = Evaluator(samples, steps, check=check).value(node)
    return _matrix((_as_series(value), steps), check)


def parsed(query: str) -> Any:
    """Return the tree of a query.

    Raises:
        BadQueryError: It is no PromQL.
    """
    try:
        return ast.parse(query)
    except ValueError as error:
        raise BadQueryError(_parameter("query", f"parse error: {error}")) from error


def number(value: float) -> str:
    """Return a number as Prometheus writes it, the shortest that reads the same."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    text = repr(float(value))
    if "e" not in text:
        return text.removesuffix(".0")
    digits, _, power = text.partition("e")
    if -7 < int(power) < 21:
        return np.format_float_positional(value, trim="-")
    return f"{digits.removesuffix('.0')}e{int(power):+d}"


def _parameter(name: str, reason: str) -> str:
    return f'invalid parameter "{name}": {reason}'


def _as_series(value: Value) -> Vector:
    if isinstance(value, Scalar):
        values = value.values[None]
        return Vector(labels=((),), values=values, present=np.ones(values.shape, dtype=bool))
    if isinstance(value, Vector):
        return merged(value)
    msg = "a text has no values"
    raise BadQueryError(msg)


def _rows(vector: Vector) -> Iterator[tuple[Any, list[float], Bools]]:
    # A list of all numbers at once would keep every other thread waiting.
    for labels, values, present in zip(vector.labels, vector.values, vector.present, strict=True):
        yield labels, values.tolist(), present


def _samples_of(samples: Samples, node: ast.MatrixSelector, time_ms: int) -> tuple[Vector, Ints]:
    selector = node.vector_selector
    end = time_ms - milliseconds(selector.offset)
    start = end - milliseconds(node.range) + 1
    found = select(samples, selector, start=start, end=end)
    times = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *(one.times for one in found)]))
    labels = tuple(labels for one in found for labels in one.labels)
    values: Floats = np.zeros((len(labels), len(times)))
    present = np.zeros(values.shape, dtype=bool)
    row = 0
    for one in found:
        place = np.ix_(np.arange(row, row + len(one.labels)), np.searchsorted(times, one.times))
        values[place], present[place] = one.values, one.present
        row += len(one.labels)
    return Vector(labels=labels, values=values, present=present), times


def _matrix(found: tuple[Vector, Ints], check: Check) -> Json:
    vector, steps = found
    seconds = (steps / 1000).tolist()
    result = []
    for labels, values, present in sorted(_rows(vector), key=lambda row: row[0]):
        check()
        columns = np.flatnonzero(present).tolist()
        if columns:
            pairs = [[seconds[at], number(values[at])] for at in columns]
            result.append({"metric": dict(labels), "values": pairs})
    return {"resultType": "matrix", "result": result}
