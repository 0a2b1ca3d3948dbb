"""How a signal follows requests: a regression on their logarithm, in running moments.

It is believed as far as it has explained anything. Loads far from those seen may excuse a
deviation; they never make one.
"""

from __future__ import annotations

import math
from typing import Any

from tasks.domain.anomalies.moments import Moment

MOST_SLOPE = 2.0
LOAD_DEVIATIONS = 2.5
"""Loads further from their mean count as not seen before."""
LEAST_FIT, ENOUGH_FIT = 0.1, 0.4
"""Explained share of variance that is believed not at all, and in full."""


class Following:
    """What requests explain of a signal."""

    __slots__ = ("cross", "load_mean", "load_square", "own_mean", "own_square", "steps")

    def __init__(self) -> None:
        self.steps = 0
        self.load_mean = self.load_square = self.own_mean = self.own_square = self.cross = 0.0

    def explained(self, now: Moment) -> tuple[float, float, float]:
        """Return what the load explains, and the range of what it may excuse beyond that."""
        if now.load is None or self.load_square <= 1e-9:
            return 0.0, 0.0, 0.0
        slope = self.cross / self.load_square
        fit = slope * self.cross / (self.own_square + 1e-12)
        trust = min(max((fit - LEAST_FIT) / (ENOUGH_FIT - LEAST_FIT), 0.0), 1.0)
        slope = trust * min(max(slope, -MOST_SLOPE), MOST_SLOPE)
        seen = LOAD_DEVIATIONS * math.sqrt(self.load_square)
        load = now.load - self.load_mean
        within = min(max(load, -seen), seen)
        beyond = slope * (load - within)
        slack = abs(slope) * now.load_slack
        return slope * within, min(beyond, 0.0) - slack, max(beyond, 0.0) + slack

    def learn(self, value: float, now: Moment) -> None:
        """Learn what a measured load came with."""
        if now.load is None or now.load_slack > 0.0 or now.frozen:
            return
        rate = max(now.rates.load, 1.0 / (self.steps + 1.0))
        self.steps += 1
        load, own = now.load - self.load_mean, value - self.own_mean
        self.load_mean += rate * load
        self.own_mean += rate * own
        kept = 1.0 - rate
        self.load_square = kept * (self.load_square + rate * load * load)
        self.own_square = kept * (self.own_square + rate * own * own)
        self.cross = kept * (self.cross + rate * load * own)

    def to_state(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Following:
        """Return what `to_state` described."""
        found = cls()
        for name, value in state.items():
            setattr(found, name, value)
        return found
