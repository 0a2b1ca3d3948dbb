"""A streaming detector: how new is a value, the level it is part of, and the shape that led to it.

Three distances are taken at every row, each to the nearest of its like before: of the value; of the
mean of the last few rows; and of the recent shape, a few means of longer blocks. Each is compared
with all such distances before it, and the score is the root mean square of the three surprises.

One setting serves every series: distances are judged against the series' own, so that neither unit
nor level matters. What was seen before is not new, so a level shift is one occasion: once it lasts,
it scores nothing.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tasks.domain.anomalies.nearest import NearestShape, ValueNet
from tasks.domain.anomalies.surprise import Surprise
from tasks.domain.arrays import FloatArray

State = Mapping[str, FloatArray | float | int]
"""What a detector remembers: numpy arrays and plain numbers by name."""

ROUNDING = 1e-6
"""Of the spread of values: a smaller distance may be nothing but rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How novelty is measured; the same for every series.

    Attributes:
        values_kept: Values, and as many levels, that new ones are compared with.
        shapes_kept: Newest shapes that a new one is compared with.
        level_rows: Rows of which a level is the mean.
        block_rows: Rows of which a shape has the means.
        blocks: Means in a shape; earlier shapes do not overlap it.
        warm_up: Distances of a kind to have seen before any is surprising.
        mean_floor: Least usual deviation of distances, as a share of their mean.
        limit: Largest surprise, and so the largest score.
    """

    values_kept: int = 2_000
    shapes_kept: int = 4_000
    level_rows: int = 4
    block_rows: int = 16
    blocks: int = 3
    warm_up: int = 20
    mean_floor: float = 0.001
    limit: float = 20.0

    @property
    def shape_rows(self) -> int:
        """Rows that a shape is made of."""
        return self.block_rows * self.blocks


DEFAULT = Settings()


class NoveltyDetector:
    """Scores one series row by row; a score depends on that row and earlier ones only.

    Memory is constant. Scores do not change when the series is shifted or multiplied by a positive
    number, up to rounding.

    Args:
        settings: How novelty is measured.
    """

    def __init__(self, settings: Settings = DEFAULT) -> None:
        self.settings = settings
        self._origin = math.nan
        self._newest: deque[float] = deque(maxlen=max(settings.level_rows, settings.block_rows))
        self._values = ValueNet(settings.values_kept)
        self._levels = ValueNet(settings.values_kept)
        # Levels that overlap the newest one are its like, and no earlier ones.
        self._waiting: deque[float] = deque()
        self._means: deque[float] = deque(
            maxlen=settings.shape_rows - settings.block_rows + 1,
        )
        self._shapes = NearestShape(
            size=settings.blocks, lag=settings.shape_rows, capacity=settings.shapes_kept
        )
        self._surprises = {name: Surprise() for name in ("value", "level", "shape")}

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
        if math.isnan(self._origin):
            self._origin = value
        # Near zero, the differences of large values keep their digits.
        self._newest.append(value - self._origin)
        squares = [
            self._surprise("value", self._value_distance()) ** 2,
            self._surprise("level", self._level_distance()) ** 2,
            self._surprise("shape", self._shape_distance()) ** 2,
        ]
        return math.sqrt(sum(squares) / len(squares))

    def _value_distance(self) -> float | None:
        value = self._newest[-1]
        distance = self._values.distance(value)
        self._values.learn(value)
        return distance

    def _level_distance(self) -> float | None:
        level = self._mean(self.settings.level_rows)
        if level is None:
            return None
        if len(self._waiting) == self.settings.level_rows:
            self._levels.learn(self._waiting.popleft())
        self._waiting.append(level)
        return self._levels.distance(level)

    def _shape_distance(self) -> float | None:
        mean = self._mean(self.settings.block_rows)
        if mean is None:
            return None
        self._means.append(mean)
        if len(self._means) < (self._means.maxlen or 0):
            return None
        shape = np.array(self._means, dtype=np.float64)[:: self.settings.block_rows]
        distance = self._shapes.distance(shape)
        self._shapes.learn(shape)
        return distance

    def _mean(self, rows: int) -> float | None:
        # Summed anew each time: running sums would make equal blocks differ.
        known = len(self._newest)
        if known < rows:
            return None
        return math.fsum(self._newest[at] for at in range(known - rows, known)) / rows

    def _surprise(self, name: str, distance: float | None) -> float:
        if distance is None:
            return 0.0
        surprise = self._surprises[name]
        floor = max(self.settings.mean_floor * surprise.mean, ROUNDING * self._values.spread)
        warming_up = surprise.count < self.settings.warm_up
        found = surprise.of(distance, floor=floor, limit=self.settings.limit)
        surprise.learn(distance)
        return 0.0 if warming_up else found

    def to_state(self) -> dict[str, FloatArray | float | int]:
        """Return all that is remembered; `from_state` gives a detector that goes on the same."""
        state: dict[str, FloatArray | float | int] = {
            "origin": self._origin,
            "newest": np.array(self._newest, dtype=np.float64),
            "values": self._values.values(),
            "levels": self._levels.values(),
            "waiting": np.array(self._waiting, dtype=np.float64),
            "means": np.array(self._means, dtype=np.float64),
            "shapes": self._shapes.shapes(),
            "shapes_learned": self._shapes.learned,
        }
        for name, surprise in self._surprises.items():
            state[f"{name}_count"] = surprise.count
            state[f"{name}_mean"] = surprise.mean
            state[f"{name}_squares"] = surprise.squares
        return state

    @classmethod
    def from_state(cls, state: State, settings: Settings = DEFAULT) -> NoveltyDetector:
        """Return the detector whose state it was, under the settings that it had."""
        found = cls(settings)
        found._origin = float(state["origin"])
        found._newest.extend(_array(state, "newest").tolist())
        found._values.restore(_array(state, "values"))
        found._levels.restore(_array(state, "levels"))
        found._waiting.extend(_array(state, "waiting").tolist())
        found._means.extend(_array(state, "means").tolist())
        found._shapes.restore(_array(state, "shapes"), learned=int(state["shapes_learned"]))
        for name in found._surprises:
            found._surprises[name] = Surprise(
                count=int(state[f"{name}_count"]),
                mean=float(state[f"{name}_mean"]),
                squares=float(state[f"{name}_squares"]),
            )
        return found


def _array(state: State, name: str) -> FloatArray:
    return np.asarray(state[name], dtype=np.float64)
