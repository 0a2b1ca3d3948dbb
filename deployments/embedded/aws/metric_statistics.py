"""Statistics of metric data per period, as CloudWatch defines them."""

from __future__ import annotations

import re

import numpy as np

from deployments.embedded.aws.metric_store import Columns, Numbers
from tasks.domain.arrays import FloatArray, IntArray

STATISTICS = ("Average", "Sum", "Minimum", "Maximum", "SampleCount")
_PERCENTILE = re.compile(r"p(?P<percent>\d{1,2}(?:\.\d+)?|100)")


def is_statistic(name: str) -> bool:
    """Return whether a statistic is known here: one of the five, or a percentile such as p99.9."""
    return name in STATISTICS or _PERCENTILE.fullmatch(name) is not None


def statistic_by_period(points: Columns, *, name: str, period: int) -> tuple[IntArray, FloatArray]:
    """Return one statistic for every period that has samples.

    Args:
        points: Of one series.
        name: For example "Average" or "p90". A percentile interpolates between samples; as on
            CloudWatch it leaves out periods of statistic sets whose samples are not known.
        period: Seconds, at least 1.

    Returns:
        Period starts in seconds, ascending, and the values.
    """
    starts = points.seconds // period * period
    first = np.flatnonzero(np.diff(starts, prepend=starts[:1] - 1))
    if not len(first):
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    if match := _PERCENTILE.fullmatch(name):
        return _percentile(points, starts[first], first, float(match["percent"]))
    if name == "Minimum":
        values = np.minimum.reduceat(points.low, first)
    elif name == "Maximum":
        values = np.maximum.reduceat(points.high, first)
    else:
        total, count = (np.add.reduceat(column, first) for column in (points.total, points.count))
        values = {"Sum": total, "SampleCount": count, "Average": total / count}[name]
    return starts[first], values


def _percentile(
    points: Columns, starts: IntArray, first: IntArray, percent: float
) -> tuple[IntArray, FloatArray]:
    known = points.low == points.high
    last = np.append(first[1:], len(points.seconds))
    kept: list[int] = []
    values: list[float] = []
    for index, (begin, end) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
        if known[begin:end].all():
            kept.append(index)
            samples, weights = points.low[begin:end], points.count[begin:end]
            values.append(_weighted_percentile(samples, weights, percent))
    return starts[kept], np.array(values, dtype=np.float64)


def _weighted_percentile(samples: Numbers, weights: Numbers, percent: float) -> float:
    """Return the percentile of samples that each occur `weight` times, without repeating them."""
    if len(samples) == 1:
        return float(samples[0])
    order = np.argsort(samples)
    ends = np.cumsum(weights[order])
    rank = percent / 100.0 * (ends[-1] - 1.0)
    low, high = (
        samples[order][np.searchsorted(ends, bound, side="right").clip(max=len(samples) - 1)]
        for bound in (np.floor(rank), np.ceil(rank))
    )
    return float(low + (high - low) * (rank - np.floor(rank)))
