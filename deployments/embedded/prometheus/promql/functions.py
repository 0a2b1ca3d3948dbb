"""Functions of vectors, step by step."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from deployments.embedded.prometheus.labels import Labels, dropped, labels_of
from deployments.embedded.prometheus.promql.values import QueryError, Scalar, Vector, merged
from deployments.embedded.workloads.physics.arrays import Floats

_PLACE = re.compile(r"\$(?:\{(\w+)\}|(\w+)|(\$))", re.ASCII)

NUMBERS: dict[str, Callable[[Floats], Floats]] = {
    "abs": np.abs,
    "ceil": np.ceil,
    "floor": np.floor,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "ln": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "sgn": np.sign,
}
"""Of each number alone."""


def unnamed(vector: Vector, values: Floats) -> Vector:
    """Return a vector of other values, without the names of metrics."""
    return merged(replace(vector, labels=tuple(map(dropped, vector.labels)), values=values))


def mapped(vector: Vector, name: str) -> Vector:
    """Return one of `NUMBERS` of a vector."""
    with np.errstate(all="ignore"):
        return unnamed(vector, NUMBERS[name](vector.values))


def clamped(vector: Vector, low: Floats | None, high: Floats | None) -> Vector:
    """Return a vector within limits of (K,); NaN stays, and nothing is left where low is above high."""
    values = vector.values
    if high is not None:
        values = np.minimum(values, high)
    if low is not None:
        values = np.maximum(values, low)
    if low is not None and high is not None:
        vector = replace(vector, present=vector.present & ~(high < low))
    return unnamed(vector, values)


def rounded(vector: Vector, nearest: Floats) -> Vector:
    """Return a vector in multiples of a number; a half goes up."""
    with np.errstate(all="ignore"):
        inverse = 1.0 / nearest
        return unnamed(vector, np.floor(vector.values * inverse + 0.5) / inverse)


def scalar_of(vector: Vector) -> Scalar:
    """Return the value of the only series; NaN where there is none or several."""
    one = vector.present.sum(axis=0) == 1
    values = np.where(vector.present, vector.values, 0.0).sum(axis=0)
    return Scalar(values=np.where(one, values, np.nan))


def absent(vector: Vector, labels: Labels) -> Vector:
    """Return 1, with labels, where a vector has no series."""
    missing = np.logical_not(vector.present.any(axis=0))[None]
    return Vector(labels=(labels,), values=np.ones(missing.shape), present=missing)


def label_replaced(
    vector: Vector, *, target: str, replacement: str, source: str, pattern: str
) -> Vector:
    """Return a vector with a label made of another where that fits a pattern as a whole.

    Args:
        vector: Of series.
        target: Name of the label to set; an empty value takes it away.
        replacement: With $1 and ${name} for what the groups of the pattern found.
        source: Name of the label to read.
        pattern: Regular expression.

    Raises:
        QueryError: The name is empty, the pattern is none, or two series become alike.
    """
    if not target:
        msg = f"invalid destination label name in label_replace(): {target}"
        raise QueryError(msg)
    try:
        compiled = re.compile(f"(?:{pattern})", re.DOTALL)
    except re.error as error:
        msg = f"invalid regular expression in label_replace(): {pattern}"
        raise QueryError(msg) from error

    def changed(labels: Labels) -> Labels:
        found = compiled.fullmatch(dict(labels).get(source, ""))
        if found is None:
            return labels
        return labels_of(
            dict(labels) | {target: _PLACE.sub(lambda at: _part(at, found), replacement)}
        )

    return merged(replace(vector, labels=tuple(map(changed, vector.labels))))


def _part(place: re.Match[str], found: re.Match[str]) -> str:
    braced, plain, dollar = place.groups()
    if dollar:
        return "$"
    name = braced or plain
    try:
        return found.group(int(name) if name.isdigit() else name) or ""
    except IndexError:
        return ""
