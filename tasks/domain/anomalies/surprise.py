"""How unusual a distance is among those before it."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class Surprise:
    """Mean and spread of the distances so far.

    Nothing is forgotten or clipped, on purpose: a large distance widens the spread for good, so a
    series that keeps bringing new things has to bring ever larger ones to be heard.

    Attributes:
        count: Distances so far.
        mean: Of the distances.
        squares: Sum of squared deviations from the mean.
    """

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def of(self, distance: float, *, floor: float, limit: float) -> float:
        """Return how many usual deviations above the mean a distance is, 0 to limit.

        Args:
            distance: 0 or more.
            floor: Least deviation to measure by, in the distance's unit: less is rounding.
            limit: Returned at most, and for any distance at all after none but equal ones.
        """
        if self.count == 0 or distance <= self.mean:
            return 0.0
        deviation = max(math.sqrt(self.squares / self.count), floor)
        return min((distance - self.mean) / deviation, limit) if deviation > 0.0 else limit

    def learn(self, distance: float) -> None:
        """Count one more distance."""
        self.count += 1
        change = distance - self.mean
        self.mean += change / self.count
        self.squares += change * (distance - self.mean)
