"""What one resource's hours say, as numbers that mean something by themselves.

Strengths are coefficients of variation, so they do not change when the unit does: the spread of
what the clock explains (the mean of each hour of the day, working days and weekends apart) and of
what it does not, over the mean. Both are corrected for the number of hours that they rest on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from tasks.domain.arrays import BoolArray, FloatArray, IntArray
from tasks.domain.errors import PermanentError
from tasks.domain.usage.clock import HOURS_PER_WEEK
from tasks.domain.usage.hours import Hours, hours_of
from tasks.domain.usage.panel import Float32Array, Metric, UsagePanel
from tasks.domain.usage.shapes import Shape, shape_of
from tasks.domain.usage.trend import weekly_trend

ROWS_PER_CHUNK = 4096
"""Bounds the memory: an hourly array of a chunk takes 11 MB at four weeks."""
IDLE_BELOW_PERCENT = 5.0


class Feature(StrEnum):
    """Numbers of one resource; all but memory, network and disk are of the processor."""

    LEVEL = "mean_percent"
    MEDIAN = "median_percent"
    P95 = "p95_percent"
    P99 = "p99_percent"
    HIGHEST = "highest_percent"
    """Of the hourly maxima where they are known, else of the hourly means."""
    PEAK_TO_MEAN = "p95_over_mean"
    DAILY = "daily_strength"
    """Spread of the mean day over the mean; 0.7 for a sine that touches zero."""
    WEEKLY = "weekly_strength"
    """Spread of what weekends do otherwise, over the mean."""
    REGULAR = "regular_strength"
    """Both together."""
    BURSTINESS = "burstiness"
    """Spread of what the clock does not explain, over the mean."""
    PEAK_HOUR = "peak_hour"
    """Local hour around which the load above the quietest hour gathers, 0 to 24."""
    WEEKEND_DROP = "weekend_drop"
    """1 when weekends have nothing of that load, 0 when they have as much, -1 when all of it."""
    NIGHT_SHARE = "night_share"
    """Share of that load between 20 and 8 h."""
    BUSY_SHARE = "busy_hours_share"
    """Share of the day's hours that it fills; 1 when it is spread evenly."""
    TREND = "trend_per_week"
    """Median change from week to week, of the mean level; unknown below two weeks."""
    TREND_CONSISTENCY = "trend_consistency"
    """-1 when every later day is below the earlier one, 1 when above."""
    IDLE_SHARE = "idle_hours_share"
    """Share of hours below 5 %."""
    MEMORY = "memory_percent"
    """Median; unknown without an agent."""
    MEMORY_MINUS_CPU = "memory_minus_cpu_points"
    NETWORK = "network_bytes_per_second"
    DISK = "disk_bytes_per_second"
    KNOWN_HOURS = "known_hours"


@dataclass(frozen=True, kw_only=True)
class UsageFeatures:
    """Features of many resources.

    Attributes:
        resources: (n,) ids, unique.
        values: By feature, (n,); NaN where unknown.
        profiles: (n, 168) mean percent by local hour of the week, Monday 00:00 first; NaN where
            an hour was never seen.
        history_hours: Whole weeks that were looked at, in hours.
    """

    resources: tuple[str, ...]
    values: Mapping[Feature, FloatArray]
    profiles: Float32Array
    history_hours: int

    def __len__(self) -> int:
        return len(self.resources)

    def of(self, feature: Feature) -> FloatArray:
        """Return one feature, (n,)."""
        return self.values[feature]

    def take(self, rows: IntArray | BoolArray) -> UsageFeatures:
        """Return the features of some resources; a row that is asked for twice is there twice."""
        at = np.arange(len(self))[rows]
        return UsageFeatures(
            resources=tuple(self.resources[row] for row in at.tolist()),
            values={feature: found[at] for feature, found in self.values.items()},
            profiles=self.profiles[at],
            history_hours=self.history_hours,
        )


def usage_features(panel: UsagePanel, *, utc_offsets: IntArray | None = None) -> UsageFeatures:
    """Return the features of every resource, each from its own row alone.

    Args:
        panel: CPU_MEAN at least. The last whole weeks count: of 31 days, 28.
        utc_offsets: (n,) whole hours to add to UTC for local time; None for UTC everywhere.

    Raises:
        PermanentError: When there is no CPU_MEAN, or not one offset a resource.
    """
    if Metric.CPU_MEAN not in panel.values:
        msg = (
            f"the panel has {sorted(panel.values)}, needs {Metric.CPU_MEAN}; ask for processor use"
        )
        raise PermanentError(msg)
    offsets = np.zeros(len(panel), dtype=np.int64) if utc_offsets is None else utc_offsets
    if offsets.shape != (len(panel),):
        msg = f"{offsets.shape[0]} UTC offsets for {len(panel)} resources; give one for each"
        raise PermanentError(msg)
    starts = range(0, max(len(panel), 1), ROWS_PER_CHUNK)
    parts = [_chunk(panel, offsets, slice(at, at + ROWS_PER_CHUNK)) for at in starts]
    return joined_features(parts)


def joined_features(parts: Sequence[UsageFeatures]) -> UsageFeatures:
    """Return the features of all parts, in order; resources must differ between them."""
    return UsageFeatures(
        resources=tuple(one for part in parts for one in part.resources),
        values={f: np.concatenate([part.values[f] for part in parts]) for f in Feature},
        profiles=np.concatenate([part.profiles for part in parts]),
        history_hours=min(part.history_hours for part in parts),
    )


def _chunk(panel: UsagePanel, offsets: IntArray, rows: slice) -> UsageFeatures:
    weeks = panel.hours // HOURS_PER_WEEK
    first = panel.hours - weeks * HOURS_PER_WEEK
    begin = int(panel.hour_of_week()[first % max(panel.hours, 1)]) if panel.hours else 0
    cpu = hours_of(panel.of(Metric.CPU_MEAN)[rows, first:])
    profile, count = cpu.local_week(begin=begin, offsets=offsets[rows])
    shape = shape_of(profile, count, cpu)
    slope, consistency = weekly_trend(cpu)
    memory = hours_of(_rows(panel, Metric.MEMORY_MEAN, rows, first)).quantile(0.5)
    highest = hours_of(_rows(panel, Metric.CPU_MAX, rows, first)).quantile(1.0)
    values = _processor(cpu, shape) | {
        Feature.HIGHEST: np.where(np.isnan(highest), cpu.quantile(1.0), highest),
        Feature.TREND: slope / _positive(cpu.mean),
        Feature.TREND_CONSISTENCY: consistency,
        Feature.MEMORY: memory,
        Feature.MEMORY_MINUS_CPU: memory - cpu.mean,
        Feature.NETWORK: hours_of(_rows(panel, Metric.NETWORK, rows, first)).mean,
        Feature.DISK: hours_of(_rows(panel, Metric.DISK, rows, first)).mean,
        Feature.KNOWN_HOURS: cpu.count.astype(np.float64),
    }
    return UsageFeatures(
        resources=panel.resources[rows],
        values=values,
        profiles=profile.astype(np.float32),
        history_hours=weeks * HOURS_PER_WEEK,
    )


def _rows(panel: UsagePanel, metric: Metric, rows: slice, first: int) -> Float32Array:
    found = panel.values.get(metric)
    if found is None:
        return np.full((len(panel.resources[rows]), 1), np.nan, dtype=np.float32)
    return found[rows, first:]


def _processor(cpu: Hours, shape: Shape) -> dict[Feature, FloatArray]:
    level = _positive(cpu.mean)
    return {
        Feature.LEVEL: cpu.mean,
        Feature.MEDIAN: cpu.quantile(0.5),
        Feature.P95: cpu.quantile(0.95),
        Feature.P99: cpu.quantile(0.99),
        Feature.PEAK_TO_MEAN: cpu.quantile(0.95) / level,
        Feature.DAILY: np.sqrt(shape.daily_variance) / level,
        Feature.WEEKLY: np.sqrt(shape.weekly_variance) / level,
        Feature.REGULAR: np.sqrt(shape.daily_variance + shape.weekly_variance) / level,
        Feature.BURSTINESS: np.sqrt(shape.irregular_variance) / level,
        Feature.PEAK_HOUR: shape.peak_hour,
        Feature.WEEKEND_DROP: shape.weekend_drop,
        Feature.NIGHT_SHARE: shape.night_share,
        Feature.BUSY_SHARE: shape.busy_share,
        Feature.IDLE_SHARE: cpu.share_below(IDLE_BELOW_PERCENT),
    }


def _positive(level: FloatArray) -> FloatArray:
    """Return a level to divide by; unknown where nothing was used, for then nothing has a ratio."""
    found: FloatArray = np.where(level > 0.0, level, np.nan)
    return found
