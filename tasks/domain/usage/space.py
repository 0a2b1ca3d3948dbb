"""Where resources stand towards each other: bounded coordinates in which distance means something.

Each coordinate is about one question that tells archetypes apart, squashed so that no outlier
rules; then scaled robustly: centred on the median and divided by the interquartile range, which is
never taken as smaller than `SMALLEST_RANGE`, for a range below that is noise, and bounded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.domain.arrays import BoolArray, FloatArray
from tasks.domain.usage.features import Feature, UsageFeatures

MATTERS_ABOVE_PERCENT = 5.0
"""Below this mean, patterns weigh in proportion to it: a third of 1 % is not a busy night."""
SMALLEST_RANGE = 0.25
BOUND = 2.5
FULL_SWING = 0.3
"""Regular strength from which on the shape of the day counts in full."""

COORDINATES = (
    "level",
    "highest hours",
    "swing by the clock",
    "peaks beside the clock",
    "weekends",
    "nights",
    "busy hours",
    "growth",
    "memory beyond the processor",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """Centre and range of each coordinate."""

    centre: FloatArray
    spread: FloatArray

    def __call__(self, coordinates: FloatArray) -> FloatArray:
        """Return scaled coordinates; what is unknown stands at the centre, away from nobody."""
        scaled = np.clip((coordinates - self.centre) / self.spread, -BOUND, BOUND)
        return np.where(np.isnan(scaled), 0.0, scaled)


def coordinates_of(features: UsageFeatures) -> FloatArray:
    """Return (n, 9) coordinates in the order of COORDINATES, most within -1 and 1; NaN: unknown."""
    of = features.of
    level = of(Feature.LEVEL)
    matters = np.minimum(level / MATTERS_ABOVE_PERCENT, 1.0)
    # What was never used has no ratios; it has no pattern either.
    regular, irregular, grows = (
        np.where(level > 0.0, found * matters, 0.0 * level)
        for found in (of(Feature.REGULAR), of(Feature.BURSTINESS), growth(features))
    )
    shaped = np.clip(regular / FULL_SWING, 0.0, 1.0)
    columns = (
        np.log10(level + 0.5) / 2.0,
        np.log10(of(Feature.P99) + 0.5) / 2.0,
        regular / (regular + 0.2),
        irregular / (irregular + 0.5),
        _weighted(of(Feature.WEEKEND_DROP), shaped),
        _weighted(2.0 * of(Feature.NIGHT_SHARE) - 1.0, shaped),
        _weighted(1.0 - of(Feature.BUSY_SHARE), shaped),
        grows,
        np.clip((of(Feature.MEMORY_MINUS_CPU) - 20.0) / 50.0, 0.0, 1.0),
    )
    return np.stack(columns, axis=1)


def growth(features: UsageFeatures) -> FloatArray:
    """Return (n,) -1 to 1: the change a week over a tenth, by how consistently it goes one way."""
    trend = features.of(Feature.TREND)
    agrees = np.sign(trend) * features.of(Feature.TREND_CONSISTENCY)
    # A fifth is what chance reaches easily.
    found: FloatArray = np.clip(trend / 0.1, -1.0, 1.0) * np.clip((agrees - 0.2) / 0.8, 0.0, 1.0)
    return found


def scaling_of(coordinates: FloatArray) -> Scaling:
    """Return the robust scaling of a sample; a coordinate that is never known is left at 0."""
    known = ~np.isnan(coordinates).all(axis=0)
    centre, spread = np.zeros(coordinates.shape[1]), np.full(coordinates.shape[1], SMALLEST_RANGE)
    low, middle, high = np.nanquantile(coordinates[:, known], [0.25, 0.5, 0.75], axis=0)
    centre[known] = middle
    spread[known] = np.maximum(high - low, SMALLEST_RANGE)
    return Scaling(centre=centre, spread=spread)


def _weighted(shape: FloatArray, weight: FloatArray) -> FloatArray:
    """Return a shape as far as it counts; one that nobody can tell because all is flat is 0."""
    flat: BoolArray = np.isnan(shape) & ~np.isnan(weight)
    return np.where(flat, 0.0, shape * weight)
