"""How often something as unusual comes along, counted by occasion and not by step.

An occasion begins with a step outside of the usual 95 % and ends when an hour has passed without
one; its peak is what is learned. So a night that was strange for six hours is one strange night,
and whatever was told of is learned like the rest.
"""

from __future__ import annotations

import math
from typing import Any

from tasks.domain.anomalies.severity import Rarity

UNUSUAL_SHARE = 0.05
CALM_HOURS = 1.0
CAPACITY = 120.0
"""Occasions after which the count of them, and of the weeks they came in, is halved."""
TAIL_SHARE = 0.25
USUAL_EXCESS = 0.6
"""Powers of ten that a peak exceeds others by, before anything is known of a workload."""
YOUNG_WEEKS = (1.0, 2.0)
"""Ages at which the same is done: what seemed unusual at first was often only unknown."""
FIRST_OCCASIONS, FIRST_WEEKS = 10.0, 0.5
"""As if so many had been seen before."""


class Events:
    """What occasions have been like in one workload."""

    __slots__ = ("age_weeks", "calm_hours", "fades", "peak", "rarity", "weeks")

    def __init__(self) -> None:
        self.rarity = Rarity(
            capacity=2.0 * CAPACITY, tail_share=TAIL_SHARE, usual_excess=USUAL_EXCESS
        )
        self.weeks = self.age_weeks = 0.0
        self.fades = 0
        self.peak: float | None = None
        self.calm_hours = 0.0

    def per_week(self, score: float) -> float:
        """Return how often a peak at least this high comes in a week."""
        often = (self.rarity.total + FIRST_OCCASIONS) / (self.weeks + FIRST_WEEKS)
        if self.rarity.total == 0.0:
            return often * math.exp(-max(score, 0.0) / USUAL_EXCESS)
        return often * self.rarity.share_above(score)

    def update(self, score: float, *, share: float, hours: float) -> bool:
        """Take a step; returns whether an occasion just ended.

        Args:
            score: Of the step.
            share: Of steps at least as unusual.
            hours: Since the last step.
        """
        self.weeks += hours / 168.0
        self.age_weeks += hours / 168.0
        if self.fades < len(YOUNG_WEEKS) and self.age_weeks >= YOUNG_WEEKS[self.fades]:
            self._fade()
        if share <= UNUSUAL_SHARE:
            self.peak = score if self.peak is None else max(self.peak, score)
            self.calm_hours = 0.0
            return False
        self.calm_hours += hours
        if self.peak is None or self.calm_hours < CALM_HOURS:
            return False
        self.rarity.learn(self.peak)
        self.peak = None
        if self.rarity.total >= CAPACITY:
            self._fade()
        return True

    def _fade(self) -> None:
        self.rarity.fade()
        self.weeks *= 0.5
        self.fades += 1

    def to_state(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return {
            "rarity": self.rarity.to_state(),
            "weeks": [self.weeks, self.age_weeks],
            "fades": self.fades,
            "peak": self.peak,
            "calm_hours": self.calm_hours,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Events:
        """Return what `to_state` described."""
        found = cls()
        found.rarity = Rarity.from_state(state["rarity"])
        found.weeks, found.age_weeks = state["weeks"]
        found.fades = state["fades"]
        found.peak, found.calm_hours = state["peak"], state["calm_hours"]
        return found
