"""Which archetype a resource or a cluster is, by rules over a few of its features."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from tasks.domain.arrays import BoolArray, FloatArray, IntArray
from tasks.domain.usage.archetypes import Archetype
from tasks.domain.usage.features import Feature, UsageFeatures
from tasks.domain.usage.space import growth

ORDER = tuple(Archetype)
"""Names are positions in it where there are many."""
KNOWN_MEMORY_SHARE = 1.0 / 3.0
"""Of a cluster's resources; below it the cluster's memory is unknown."""

NAMING_FEATURES = (
    Feature.LEVEL,
    Feature.MEDIAN,
    Feature.P95,
    Feature.P99,
    Feature.REGULAR,
    Feature.BURSTINESS,
    Feature.WEEKEND_DROP,
    Feature.NIGHT_SHARE,
    Feature.BUSY_SHARE,
    Feature.TREND,
    Feature.MEMORY,
    Feature.MEMORY_MINUS_CPU,
)
_MEMORY = [NAMING_FEATURES.index(f) for f in (Feature.MEMORY, Feature.MEMORY_MINUS_CPU)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profiles:
    """What rules look at, each (n,); NaN where unknown.

    Attributes:
        values: By feature, those of NAMING_FEATURES.
        growth: See `space.growth`.
    """

    values: Mapping[Feature, FloatArray]
    growth: FloatArray

    def __getitem__(self, feature: Feature) -> FloatArray:
        """Return a feature."""
        return self.values[feature]


def naming_table(features: UsageFeatures) -> FloatArray:
    """Return (n, 13): the features that names rest on, in their order, then growth."""
    columns = [features.of(feature) for feature in NAMING_FEATURES]
    return np.stack([*columns, growth(features)], axis=1)


def median_row(members: FloatArray) -> FloatArray:
    """Return the (13,) medians of what is known of rows of the naming table, at least one row."""
    middle = np.array([_median(column) for column in members.T])
    if np.mean(~np.isnan(members[:, _MEMORY[0]])) < KNOWN_MEMORY_SHARE:
        middle[_MEMORY] = np.nan
    return middle


def names_of(table: FloatArray) -> IntArray:
    """Return (n,) the first archetype whose rule holds, positions in ORDER; else UNUSUAL.

    A comparison with what is unknown does not hold.

    Args:
        table: (n, 13) rows of the naming table, or medians of such rows.
    """
    rows = Profiles(
        values=dict(zip(NAMING_FEATURES, table.T[:-1], strict=True)), growth=table[:, -1]
    )
    holds = [rule(rows) for _, rule in RULES]
    names = [ORDER.index(name) for name, _ in RULES]
    return np.select(holds, names, default=ORDER.index(Archetype.UNUSUAL)).astype(np.int64)


def _is_memory_bound(p: Profiles) -> BoolArray:
    much = (p[Feature.MEMORY] >= 65.0) & (p[Feature.MEMORY_MINUS_CPU] >= 45.0)
    found: BoolArray = much & (p[Feature.P95] < 50.0)
    return found


def _is_idle(p: Profiles) -> BoolArray:
    found: BoolArray = (p[Feature.LEVEL] < 5.0) & (p[Feature.P99] < 16.0)
    return found


def _is_growing(p: Profiles) -> BoolArray:
    found: BoolArray = (p.growth >= 0.4) & (p[Feature.TREND] >= 0.04)
    return found


def _is_nightly_batch(p: Profiles) -> BoolArray:
    """A short block and a quiet rest of the day, weekends too unless it is at night.

    Not by the hour alone: people and their nights may be in another zone than the region, and what
    fills a third of the day and leaves weekends out is their working day, at whatever hour.
    """
    short = p[Feature.BUSY_SHARE] <= 0.3
    at_night = p[Feature.NIGHT_SHARE] >= 0.65
    weekends_too = p[Feature.WEEKEND_DROP] < 0.4
    block = (short & (at_night | weekends_too)) | (
        (p[Feature.BUSY_SHARE] <= 0.4) & at_night & weekends_too
    )
    found: BoolArray = _has_clock(p, 0.5) & block
    return found


def _is_business_hours(p: Profiles) -> BoolArray:
    found: BoolArray = _has_clock(p, 0.25) & (p[Feature.WEEKEND_DROP] >= 0.4)
    return found


def _is_daily(p: Profiles) -> BoolArray:
    return _has_clock(p, 0.14)


def _has_clock(p: Profiles, strength: float) -> BoolArray:
    found: BoolArray = p[Feature.REGULAR] >= np.maximum(strength, 0.6 * p[Feature.BURSTINESS])
    return found


def _is_bursty(p: Profiles) -> BoolArray:
    found: BoolArray = (p[Feature.BURSTINESS] >= 0.6) & _peaks(p)
    return found


def _is_steady(p: Profiles) -> BoolArray:
    calm = (p[Feature.BURSTINESS] < 0.6) | ~_peaks(p)
    found: BoolArray = calm & (p[Feature.REGULAR] < 0.25)
    return found


def _peaks(p: Profiles) -> BoolArray:
    """Whether more than a rare hour is well above the usual one.

    One hour of 100 % in a month spreads a level of 3 % as much as its mean.
    """
    above = p[Feature.P99] - p[Feature.MEDIAN]
    found: BoolArray = (p[Feature.P99] >= 2.5 * p[Feature.MEDIAN]) & (above >= 10.0)
    return found


RULES: tuple[tuple[Archetype, Callable[[Profiles], BoolArray]], ...] = (
    (Archetype.MEMORY_BOUND, _is_memory_bound),
    (Archetype.IDLE, _is_idle),
    (Archetype.GROWING, _is_growing),
    (Archetype.NIGHTLY_BATCH, _is_nightly_batch),
    (Archetype.BUSINESS_HOURS, _is_business_hours),
    (Archetype.DAILY, _is_daily),
    (Archetype.BURSTY, _is_bursty),
    (Archetype.STEADY, _is_steady),
)
"""In order; what grows is growing whatever its day looks like."""


def _median(values: FloatArray) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else float("nan")
