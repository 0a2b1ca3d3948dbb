"""Which archetype a cluster is, by rules over the medians of its features."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from tasks.domain.arrays import FloatArray
from tasks.domain.usage.archetypes import Archetype
from tasks.domain.usage.features import Feature, UsageFeatures
from tasks.domain.usage.space import growth

KNOWN_MEMORY_SHARE = 1.0 / 3.0
"""Of a cluster's resources; below it the cluster's memory is unknown."""

NAMING_FEATURES = (
    Feature.LEVEL,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Medians of one cluster; NaN where unknown.

    Attributes:
        values: By feature, those of NAMING_FEATURES.
        growth: See `space.growth`.
        memory_known_share: Of its resources.
    """

    values: Mapping[Feature, float]
    growth: float
    memory_known_share: float

    def __getitem__(self, feature: Feature) -> float:
        """Return a median."""
        return self.values[feature]


def naming_table(features: UsageFeatures) -> FloatArray:
    """Return (n, 12): the features that names rest on, in their order, then growth."""
    columns = [features.of(feature) for feature in NAMING_FEATURES]
    return np.stack([*columns, growth(features)], axis=1)


def profile_of(members: FloatArray) -> Profile:
    """Return the medians of rows of the naming table, at least one."""
    middle = np.array([_median(column) for column in members.T])
    memory = members[:, NAMING_FEATURES.index(Feature.MEMORY)]
    return Profile(
        values=dict(zip(NAMING_FEATURES, middle[:-1].tolist(), strict=True)),
        growth=float(middle[-1]),
        memory_known_share=float(np.mean(~np.isnan(memory))),
    )


def archetype_of(profile: Profile) -> Archetype:
    """Return the first archetype whose rule holds; UNUSUAL where none does.

    A comparison with an unknown median does not hold.
    """
    return next((name for name, holds in RULES if holds(profile)), Archetype.UNUSUAL)


def _is_memory_bound(p: Profile) -> bool:
    return (
        p.memory_known_share >= KNOWN_MEMORY_SHARE
        and p[Feature.MEMORY] >= 65.0
        and p[Feature.P95] < 50.0
        and p[Feature.MEMORY_MINUS_CPU] >= 45.0
    )


def _is_idle(p: Profile) -> bool:
    return p[Feature.LEVEL] < 5.0 and p[Feature.P99] < 12.0


def _is_growing(p: Profile) -> bool:
    return p.growth >= 0.4 and p[Feature.TREND] >= 0.04


def _is_nightly_batch(p: Profile) -> bool:
    return _has_clock(p, 0.5) and p[Feature.NIGHT_SHARE] >= 0.65 and p[Feature.BUSY_SHARE] <= 0.4


def _is_business_hours(p: Profile) -> bool:
    return _has_clock(p, 0.25) and p[Feature.WEEKEND_DROP] >= 0.45


def _is_daily(p: Profile) -> bool:
    return _has_clock(p, 0.14)


def _has_clock(p: Profile, strength: float) -> bool:
    return p[Feature.REGULAR] >= max(strength, 0.6 * p[Feature.BURSTINESS])


def _is_bursty(p: Profile) -> bool:
    return p[Feature.BURSTINESS] >= 0.6


def _is_steady(p: Profile) -> bool:
    return p[Feature.BURSTINESS] < 0.6 and p[Feature.REGULAR] < 0.25


RULES: tuple[tuple[Archetype, Callable[[Profile], bool]], ...] = (
    (Archetype.MEMORY_BOUND, _is_memory_bound),
    (Archetype.IDLE, _is_idle),
    (Archetype.GROWING, _is_growing),
    (Archetype.NIGHTLY_BATCH, _is_nightly_batch),
    (Archetype.BUSINESS_HOURS, _is_business_hours),
    (Archetype.DAILY, _is_daily),
    (Archetype.BURSTY, _is_bursty),
    (Archetype.STEADY, _is_steady),
)
"""In order; a cluster that grows is growing whatever its day looks like."""


def _median(values: FloatArray) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else float("nan")
