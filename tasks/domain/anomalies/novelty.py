"""A streaming detector: how new is a value, and the shape that led up to it.

Two distances are taken at every row: from the value to the nearest value before it, and from the
recent shape (means of consecutive blocks) to the nearest shape before it. Each is compared with all
distances before it, and the score is the root mean square of the two surprises. There is one setting
for every series: distances are judged against the series' own, so units and levels do not matter.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np

from tasks.domain.anomalies.nearest import NearestShape, NearestValue
from tasks.domain.anomalies.surprise import Surprise
from tasks.domain.arrays import FloatArray

State = dict[str, FloatArray | float | int]
"""What a detector remembers: numpy arrays and plain numbers by name."""

ROUNDING = 1e-6
"""Of the spread of values: smaller distances may be nothing but rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How novelty is measured; the same for every series.

    Attributes:
        values_kept: Newest values that a new one is compared with.
        shapes_kept: Newest shapes that a new one is compared with.
        block_rows: Rows of which a shape has the means.
        blocks: Means in a shape.
        lag_rows: Rows by which an earlier shape has to be older: overlapping ones are alike.
        warm_up: Distances to have seen before any is unusual.
        mean_floor: Least usual deviation of distances, as a share of their mean.
        limit: Most that one distance adds to a score.
    """

    values_kept: int = 4_000
    shapes_kept: int = 4_000
    block_rows: int = 4
    blocks: int = 8
    lag_rows: int = 32
    warm_up: int = 20
    mean_floor: float = 0.001
    limit: float = 20.0


DEFAULT = Settings()


class NoveltyDetector:
    """Scores one series row by row; a score depends on that row and earlier ones only.

    Memory is constant: the newest values and shapes, and running sums. Scores do not change when
    the series is multiplied by a positive number or shifted, up to rounding.

    Args:
        settings: How novelty is measured.
    """

    def __init__(self, settings: Settings = DEFAULT) -> None:
        self.settings = settings
        self._origin = 0.0
        self._rows = 0
        self._values = NearestValue(settings.values_kept)
        self._recent: deque[float] = deque(maxlen=settings.block_rows)
        self._means: deque[float] = deque(maxlen=settings.block_rows * (settings.blocks - 1) + 1)
        self._shapes = NearestShape(
            size=settings.blocks, lag=settings.lag_rows, capacity=settings.shapes_kept
        )
        self._value_surprise = Surprise()
        self._shape_surprise = Surprise()

    def update(self, value: float) -> float:
        """Return how new a value is, and remember it.

        Args:
            value: The next one. NaN or infinite for unknown: nothing is remembered of it, and the
                series goes on as if the row were not there.

        Returns:
            0 for nothing new, at most `settings.limit`. 0 for an unknown value.
        """
        if not math.isfinite(value):
            return 0.0
        if self._rows == 0:
            self._origin = value
        self._rows += 1
        # Near zero, differences of large values keep their digits.
        centred = value - self._origin
        by_value = self._surprise(self._value_surprise, self._value_distance(centred))
        by_shape = self._surprise(self._shape_surprise, self._shape_distance(centred))
        return math.sqrt((by_value**2 + by_shape**2) / 2.0)

    def _value_distance(self, value: float) -> float | None:
        distance = self._values.distance(value)
        self._values.learn(value)
        return distance

    def _shape_distance(self, value: float) -> float | None:
        self._recent.append(value)
        if len(self._recent) < self.settings.block_rows:
            return None
        self._means.append(sum(self._recent) / self.settings.block_rows)
        if len(self._means) < (self._means.maxlen or 0):
            return None
        shape = np.array(self._means, dtype=np.float64)[:: self.settings.block_rows]
        distance = self._shapes.distance(shape)
        self._shapes.learn(shape)
        return distance

    def _surprise(self, surprise: Surprise, distance: float | None) -> float:
        if distance is None:
            return 0.0
        floor = max(self.settings.mean_floor * surprise.mean, ROUNDING * self._values.spread)
        found = surprise.of(distance, floor=floor, limit=self.settings.limit)
        warming_up = surprise.count < self.settings.warm_up
        surprise.learn(distance)
        return 0.0 if warming_up else found

    def to_state(self) -> State:
        """Return all that is remembered; `from_state` gives a detector that goes on the same."""
        return {
            "origin": self._origin,
            "rows": self._rows,
            "values": self._values.values(),
            "recent": np.array(self._recent, dtype=np.float64),
            "means": np.array(self._means, dtype=np.float64),
            "shapes": self._shapes.shapes(),
            "shapes_learned": self._shapes.learned,
            **_surprise_state("value", self._value_surprise),
            **_surprise_state("shape", self._shape_surprise),
        }

    @classmethod
    def from_state(
        cls, state: Mapping[str, FloatArray | float | int], settings: Settings = DEFAULT
    ) -> NoveltyDetector:
        """Return the detector whose state it was, under the settings that it had."""
        found = cls(settings)
        found._origin = float(cast("float", state["origin"]))
        found._rows = int(cast("int", state["rows"]))
        found._values.restore(_array(state, "values"))
        found._recent.extend(_array(state, "recent").tolist())
        found._means.extend(_array(state, "means").tolist())
        learned = int(cast("int", state["shapes_learned"]))
        found._shapes.restore(_array(state, "shapes"), learned=learned)
        found._value_surprise = _surprise_from(state, "value")
        found._shape_surprise = _surprise_from(state, "shape")
        return found


def _array(state: Mapping[str, FloatArray | float | int], name: str) -> FloatArray:
    return np.asarray(state[name], dtype=np.float64)


def _surprise_state(name: str, surprise: Surprise) -> State:
    return {
        f"{name}_count": surprise.count,
        f"{name}_mean": surprise.mean,
        f"{name}_squares": surprise.squares,
    }


def _surprise_from(state: Mapping[str, FloatArray | float | int], name: str) -> Surprise:
    return Surprise(
        count=int(cast("int", state[f"{name}_count"])),
        mean=float(cast("float", state[f"{name}_mean"])),
        squares=float(cast("float", state[f"{name}_squares"])),
    )
