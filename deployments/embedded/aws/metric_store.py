"""Metric data in columns, so that reading costs what is read."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from tasks.domain.arrays import BoolArray, FloatArray, IntArray
from tasks.domain.usage.panel import Float32Array

Dimensions = tuple[tuple[str, str], ...]
Numbers = FloatArray | Float32Array


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class MetricKey:
    """What makes a series one series.

    Attributes:
        region: For example "us-east-1".
        namespace: For example "AWS/EC2".
        name: For example "CPUUtilization".
        dimensions: Sorted (name, value) pairs.
    """

    region: str
    namespace: str
    name: str
    dimensions: Dimensions = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Data points of one series, oldest first. Single precision holds twice as many.

    Attributes:
        seconds: (n,) since the epoch, never decreasing.
        total: (n,) sum of a point's samples.
        count: (n,) number of a point's samples.
        low, high: (n,) smallest and largest sample of a point.
    """

    seconds: IntArray
    total: Numbers
    count: Numbers
    low: Numbers
    high: Numbers

    def between(self, start: int, end: int) -> Columns:
        """Return the points from start, included, to end, excluded."""
        first, last = np.searchsorted(self.seconds, [start, end], side="left")
        return self._at(slice(int(first), int(last)))

    def outside(self, start: int, end: int) -> Columns:
        """Return the points before start and those from end on."""
        return self._at((self.seconds < start) | (self.seconds >= end))

    def _at(self, part: slice | BoolArray) -> Columns:
        return Columns(
            seconds=self.seconds[part],
            total=self.total[part],
            count=self.count[part],
            low=self.low[part],
            high=self.high[part],
        )


Point = tuple[int, float, float, float, float]
"""Seconds, total, count, low, high."""


@dataclass(slots=True)
class _Series:
    columns: Columns = field(default_factory=lambda: _columns([]))
    pending: list[Point] = field(default_factory=list)


def _columns(points: Sequence[Point]) -> Columns:
    table = np.array(points, dtype=np.float64).reshape(-1, 5)
    return Columns(
        seconds=table[:, 0].astype(np.int64),
        total=table[:, 1],
        count=table[:, 2],
        low=table[:, 3],
        high=table[:, 4],
    )


def _merged(left: Columns, right: Columns) -> Columns:
    order = np.argsort(np.concatenate([left.seconds, right.seconds]), kind="stable")
    return Columns(
        seconds=np.concatenate([left.seconds, right.seconds])[order],
        total=np.concatenate([left.total, right.total])[order],
        count=np.concatenate([left.count, right.count])[order],
        low=np.concatenate([left.low, right.low])[order],
        high=np.concatenate([left.high, right.high])[order],
    )


class MetricStore:
    """Every series of the embedded account. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._series: dict[MetricKey, _Series] = {}
        # Alarms and tools list metrics by namespace and name: keep those together.
        self._keys: dict[str, set[MetricKey]] = defaultdict(set)

    def __len__(self) -> int:
        return len(self._series)

    def put(self, points: Iterable[tuple[MetricKey, Point]]) -> None:
        """Add points; a point at an instant that has one already counts beside it."""
        with self._lock:
            for key, point in points:
                self._at(key).pending.append(point)

    def load(self, key: MetricKey, *, seconds: IntArray, values: FloatArray) -> None:
        """Add many single samples of one series, in any order."""
        ones = np.ones(len(values))
        more = Columns(seconds=seconds, total=values, count=ones, low=values, high=values)
        with self._lock:
            series = self._at(key)
            series.columns = _merged(series.columns, more)

    def load_columns(self, key: MetricKey, columns: Columns) -> None:
        """Add points that are in columns already; those of a new series are kept as they are."""
        with self._lock:
            series = self._at(key)
            known = len(series.columns.seconds)
            series.columns = _merged(series.columns, columns) if known else columns

    def rewrite(self, key: MetricKey, columns: Columns) -> None:
        """Put other points in the place of a series' own."""
        with self._lock:
            series = self._at(key)
            series.columns, series.pending = columns, []

    def read(self, key: MetricKey) -> Columns:
        """Return a series; without points where it is unknown."""
        with self._lock:
            series = self._series.get(key)
            if series is None:
                return _columns([])
            if series.pending:
                series.columns = _merged(series.columns, _columns(series.pending))
                series.pending = []
            return series.columns

    def keys(
        self,
        *,
        region: str,
        namespace: str | None = None,
        name: str | None = None,
        dimensions: Mapping[str, str | None] | None = None,
    ) -> list[MetricKey]:
        """Return the matching series, sorted; a dimension without a value matches any value."""
        with self._lock:
            groups = [self._keys[namespace]] if namespace in self._keys else []
            candidates = [
                key for group in (groups if namespace else self._keys.values()) for key in group
            ]
        return sorted(
            key
            for key in candidates
            if key.region == region
            and (name is None or key.name == name)
            and _has_dimensions(dict(key.dimensions), dimensions or {})
        )

    def _at(self, key: MetricKey) -> _Series:
        if key not in self._series:
            self._series[key] = _Series()
            self._keys[key.namespace].add(key)
        return self._series[key]


def _has_dimensions(found: Mapping[str, str], wanted: Mapping[str, str | None]) -> bool:
    return all(n in found and value in {None, found[n]} for n, value in wanted.items())
