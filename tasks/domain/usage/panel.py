"""Hourly use of many resources on one grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tasks.domain.errors import PermanentError

Float32Array = NDArray[np.float32]


class Metric(StrEnum):
    """What is measured of a resource, per hour."""

    CPU_MEAN = "cpu_mean_percent"
    CPU_MAX = "cpu_max_percent"
    MEMORY_MEAN = "memory_mean_percent"
    MEMORY_MAX = "memory_max_percent"
    NETWORK = "network_bytes_per_second"
    DISK = "disk_bytes_per_second"
    REQUESTS = "requests_per_hour"
    RESPONSE = "response_seconds"
    INSTANCES = "instances"


@dataclass(frozen=True, kw_only=True)
class UsagePanel:
    """Hourly values of many resources.

    Attributes:
        resources: (n,) ids, unique.
        start: First hour, aware UTC, on the hour.
        values: By metric, (n, hours) float32; NaN where unknown. A metric that nothing reports is
            left out; one that a resource does not report is NaN in its whole row. Unknown is never
            zero.
    """

    resources: tuple[str, ...]
    start: datetime
    values: Mapping[Metric, Float32Array]

    def __post_init__(self) -> None:
        if len(self.position) < len(self.resources):
            twice = sorted(one for one in self.position if self.resources.count(one) > 1)
            msg = f"{twice[0]} is in the panel twice; give every series a name of its own"
            raise PermanentError(msg)
        shapes = {metric: found.shape for metric, found in self.values.items()}
        wrong = {m: s for m, s in shapes.items() if s != (len(self.resources), self.hours)}
        if wrong:
            metric, shape = next(iter(wrong.items()))
            msg = f"{metric} has shape {shape}, expected {(len(self.resources), self.hours)}"
            raise PermanentError(msg)

    def __len__(self) -> int:
        return len(self.resources)

    @property
    def hours(self) -> int:
        """Hours of the grid."""
        return next((found.shape[1] for found in self.values.values()), 0)

    @property
    def end(self) -> datetime:
        """End of the last hour."""
        return self.start + timedelta(hours=self.hours)

    @cached_property
    def position(self) -> Mapping[str, int]:
        """Row of each resource."""
        return {resource: row for row, resource in enumerate(self.resources)}

    def of(self, metric: Metric) -> Float32Array:
        """Return a metric, (n, hours); all NaN where nothing reports it."""
        found = self.values.get(metric)
        shape = (len(self.resources), self.hours)
        return np.full(shape, np.nan, dtype=np.float32) if found is None else found

    def row(self, metric: Metric, resource: str) -> Float32Array | None:
        """Return one resource's metric, (hours,); None where it is not known for any hour."""
        at = self.position.get(resource)
        if at is None or metric not in self.values:
            return None
        found: Float32Array = self.values[metric][at]
        return None if bool(np.isnan(found).all()) else found

    def take(self, rows: Sequence[int] | slice) -> UsagePanel:
        """Return the panel of some resources."""
        at = range(len(self))[rows] if isinstance(rows, slice) else rows
        return UsagePanel(
            resources=tuple(self.resources[row] for row in at),
            start=self.start,
            values={metric: found[list(at)] for metric, found in self.values.items()},
        )

    def hour_of_week(self) -> NDArray[np.int64]:
        """Return (hours,) of 0 to 167, Monday 00:00 UTC being 0."""
        first = self.start.astimezone(UTC)
        begin = first.weekday() * 24 + first.hour
        return (begin + np.arange(self.hours, dtype=np.int64)) % 168
