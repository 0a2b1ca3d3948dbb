"""One signal of one workload: how far it is from what is usual, and how rare that is for it.

The distance is the middle one of the last three, so a blip of one step is none. Its rarity is
learned per signal, on the logarithm of the distance; a signal that is often far off needs to be
further off. What does not matter in its unit counts for less.
"""

from __future__ import annotations

import math
from typing import Any

from tasks.domain.anomalies.alarms import Reason, Signal
from tasks.domain.anomalies.expected import Expectation
from tasks.domain.anomalies.growth import Growth
from tasks.domain.anomalies.moments import Moment
from tasks.domain.anomalies.severity import Rarity
from tasks.domain.anomalies.units import UNITS

GROWTH_MATTERS = 0.08
"""Of the limit; what grows by less counts for less."""
CAPACITY = 4032.0
"""Steps of which distances are remembered: two weeks of five minutes each."""
GROWTH_CAPACITY = 2688.0
"""Quarters of an hour of which growth is remembered."""
FORGET_HOURS = 1.0
"""After such a gap the steps before say nothing about a blip."""
FAR_HOURS = 1.0
FAR_WEIGHT = 0.1
NEAR_LIMIT = 0.85
HOLD_HOURS = 1.0
ARRIVAL_HOURS = 0.25
RISEN = 2.0
"""Times as far as it was when it had just gone off, from which on memory grows."""
OFF = 2.0
"""Deviations from which on memory counts as off."""


class Channel:
    """What is known of one signal.

    Args:
        signal: Which.
    """

    __slots__ = (
        "arrived",
        "before",
        "decades",
        "distance",
        "excused",
        "expectation",
        "far_hours",
        "growing",
        "growth",
        "growth_rarity",
        "off_hours",
        "rarity",
        "signal",
        "value",
    )

    def __init__(self, signal: Signal) -> None:
        self.signal = signal
        self.expectation = Expectation(UNITS[signal])
        self.rarity = Rarity(capacity=CAPACITY)
        self.before: list[float] = []
        self.growth = Growth() if signal is Signal.MEMORY else None
        self.growth_rarity = Rarity(capacity=GROWTH_CAPACITY)
        self.value = self.distance = self.decades = self.off_hours = 0.0
        self.arrived = self.far_hours = 0.0
        self.growing = self.excused = False

    def update(self, value: float, now: Moment, *, quarter: int, counted: float = 1.0) -> float:
        """Take the next value; returns powers of ten of how rare it is, 0 for nothing unusual.

        Args:
            value: In the signal's unit, finite.
            now: When.
            quarter: Number of the quarter of an hour.
            counted: 0 to 1, the part that no deploy excuses; what is excused is not learned as
                usual either.
        """
        unit = self.expectation.unit
        compared = unit.compared(value)
        usual = self.expectation.deviation
        moved = self.expectation.update(compared, now)
        if now.rates.hours > FORGET_HOURS:
            self.before = []
        lasting = _middle([*self.before, moved])
        self.before = [*self.before[-1:], moved]
        self.value, self.distance = value, lasting / usual
        size = math.log1p(abs(self.distance))
        weight = unit.weight(compared, lasting)
        self.decades = -weight * math.log10(self.rarity.share_above(size))
        self._learn(size, now, counted=counted)
        self.growing = False
        if self.growth is not None:
            self._hold(now)
            if counted < 1.0:
                self.growth.restart()
            elif self.excused:
                # Whatever new processes have filled to is theirs.
                self.expectation.adopt()
            self.excused = counted < 1.0
            self._grow(self.growth, now, quarter)
        self.decades *= counted
        return self.decades

    def _learn(self, size: float, now: Moment, *, counted: float) -> None:
        far = size >= self.rarity.base > 0.0
        self.far_hours = self.far_hours + now.rates.hours if far else 0.0
        if counted == 1.0 and not now.frozen:
            # One long occasion does not make its like usual.
            self.rarity.learn(size, weight=1.0 if self.far_hours < FAR_HOURS else FAR_WEIGHT)

    def _hold(self, now: Moment) -> None:
        """Wait until it is known whether memory jumped or grows, where there is room for either."""
        off = self.distance > OFF
        self.off_hours = self.off_hours + now.rates.hours if off else 0.0
        if self.off_hours <= ARRIVAL_HOURS:
            self.arrived = self.distance
        if self.distance > 0.0 and self.off_hours < HOLD_HOURS and self.value < NEAR_LIMIT:
            self.decades = 0.0

    def _grow(self, growth: Growth, now: Moment, quarter: int) -> None:
        closed = growth.quarter is not None and quarter != growth.quarter
        size = math.log1p(growth.update(self.expectation.freed, quarter))
        if size > 0.0:
            grown = self.expectation.freed - growth.since
            weight = min(max(grown, 0.0) / GROWTH_MATTERS, 1.0)
            decades = -weight * math.log10(self.growth_rarity.share_above(size))
            # Filling up again to the usual level is no growth.
            self.growing = self.distance > 0.0 and decades > 0.5 * self.decades
            if self.growing:
                self.decades = max(decades, self.decades)
                self.distance = max(self.distance, growth.size)
        if self.off_hours >= HOLD_HOURS and self.distance >= RISEN * self.arrived:
            self.growing = True
        if closed and not now.frozen:
            self.growth_rarity.learn(size)

    def reason(self) -> Reason:
        """Return the newest value beside what is usual."""
        return Reason(
            signal=self.signal,
            value=self.value,
            expected=self.expectation.unit.measured(self.expectation.expected),
            distance=self.distance,
        )

    def to_state(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return {
            "expectation": self.expectation.to_state(),
            "rarity": self.rarity.to_state(),
            "before": list(self.before),
            "growth": None if self.growth is None else self.growth.to_state(),
            "growth_rarity": self.growth_rarity.to_state(),
            "last": [self.value, self.distance, self.decades],
            "flags": [self.growing, self.excused],
            "since": [self.arrived, self.off_hours, self.far_hours],
        }

    @classmethod
    def from_state(cls, state: dict[str, Any], signal: Signal) -> Channel:
        """Return what `to_state` described."""
        found = cls(signal)
        found.expectation = Expectation.from_state(state["expectation"], UNITS[signal])
        found.rarity = Rarity.from_state(state["rarity"])
        found.before = list(state["before"])
        found.growth = None if state["growth"] is None else Growth.from_state(state["growth"])
        found.growth_rarity = Rarity.from_state(state["growth_rarity"])
        found.value, found.distance, found.decades = state["last"]
        found.growing, found.excused = state["flags"]
        found.arrived, found.off_hours, found.far_hours = state["since"]
        return found


def _middle(values: list[float]) -> float:
    """Return the middle of up to three; of two the one nearer to zero."""
    if len(values) == 1:
        return 0.0
    if len(values) == 2:
        first, second = values
        return min(values, key=abs) if first * second > 0.0 else 0.0
    return sorted(values)[1]
