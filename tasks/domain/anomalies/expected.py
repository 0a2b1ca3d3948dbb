"""What is usual of a signal at a time of day and a load, and how far a value is from it.

Two expectations learn side by side, both from deviations that are cut off at three spreads, so that
an anomaly hardly moves them:

- by time of day: a slow level plus half-hour slots of a day, one set for weekdays and one for
  weekends (UTC);
- by now: a level of the last hours.

They are blended by how far each was off lately. Before that, a signal that follows requests is
freed of what requests explain, by a regression on their logarithm that is believed as far as it
has explained anything.

A deviation that lasts `ADOPT` becomes the new level. The former level stays known for some days:
going back to it is not a deviation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from tasks.domain.anomalies.units import Unit

SLOTS = 48
LEVEL_HALF_LIFE_HOURS = 24.0
STEADY_HALF_LIFE_HOURS = 4.0
SPREAD_HALF_LIFE_HOURS = 48.0
ERROR_HALF_LIFE_HOURS = 72.0
LOAD_HALF_LIFE_HOURS = 96.0
RECENT_HALF_LIFE_HOURS = 0.4
CUT_SPREADS = 3.0
WEEKEND_CUT_SPREADS = 10.0
"""There are few weekends to learn from."""
ADOPT_SPREADS = 2.5
ADOPT_HOURS = 6.0
ADOPT_HOURS_AFTER_DEPLOY = 1.0
BACK_HOURS = 1.0
FORMER_HOURS = 96.0
NORMAL = 1.2533
"""Standard deviation over mean absolute deviation."""
MOST_SLOPE = 2.0
LOAD_DEVIATIONS = 2.5
"""Loads further from their mean count as not seen before."""
FREE_STEPS = 24
"""Steps in which nothing is cut off, for there is no spread yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """How much of a deviation is learned in one step of some hours."""

    hours: float
    level: float
    steady: float
    spread: float
    errors: float
    load: float
    recent: float

    @classmethod
    def per(cls, hours: float) -> Rates:
        """Return rates for steps of a length."""

        def rate(half_life: float) -> float:
            return 1.0 - math.exp2(-hours / half_life)

        return cls(
            hours=hours,
            level=rate(LEVEL_HALF_LIFE_HOURS),
            steady=rate(STEADY_HALF_LIFE_HOURS),
            spread=rate(SPREAD_HALF_LIFE_HOURS),
            errors=rate(ERROR_HALF_LIFE_HOURS),
            load=rate(LOAD_HALF_LIFE_HOURS),
            recent=rate(RECENT_HALF_LIFE_HOURS),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When a step is, as far as expectations care.

    Attributes:
        slot: Of the day that it is in, 0 to SLOTS - 1.
        part: Of the way to the next slot, 0 to 1.
        weekend: Whether it is Saturday or Sunday.
        load: Logarithm of requests, what is usual of them where they were not measured; None where
            they never were.
        load_slack: By how much the load may be off; 0 where it was measured.
        rates: For the time since the last step.
        after_deploy: Whether to learn fast.
        frozen: Whether something is going on, from which spreads are not learned.
    """

    slot: int
    part: float
    weekend: bool
    load: float | None
    load_slack: float
    rates: Rates
    after_deploy: bool
    frozen: bool


class Expectation:
    """What is usual of one signal of one workload."""

    __slots__ = (
        "age_hours",
        "back_hours",
        "cross",
        "expected",
        "former",
        "former_hours",
        "freed",
        "level",
        "load_mean",
        "load_square",
        "off_hours",
        "own_mean",
        "own_square",
        "recent",
        "season",
        "season_error",
        "spread",
        "steady",
        "steady_error",
        "steps",
        "unit",
        "weekend_known",
    )

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self.steps = 0
        self.age_hours = self.off_hours = self.back_hours = self.former_hours = 0.0
        self.level = self.steady = self.recent = self.expected = self.freed = 0.0
        self.former: float | None = None
        self.spread = self.season_error = self.steady_error = 0.0
        self.load_mean = self.load_square = self.own_mean = self.own_square = self.cross = 0.0
        self.season = [0.0] * (2 * SLOTS)
        self.weekend_known = [0] * SLOTS

    def update(self, value: float, now: Moment) -> float:
        """Return how far a value on the unit's scale is from what is usual, then learn it."""
        if self.steps == 0:
            self.level = self.steady = self.own_mean = value
            self.load_mean = now.load or 0.0
        slope, seen = self._slope(now.load)
        load = 0.0 if now.load is None else now.load - self.load_mean
        own = value - slope * min(max(load, -seen), seen)
        first, second, part = self._slots(now)
        season = self.season
        by_time = season[first] * (1.0 - part) + season[second] * part
        by_day = own - self.level - by_time
        by_now = own - self.steady
        trust = self._trust_in_day()
        self.freed = own - trust * by_time
        moved = trust * by_day + (1.0 - trust) * by_now
        # Loads beyond those seen may excuse a deviation; they never make one.
        beyond = slope * (load - min(max(load, -seen), seen))
        slack = abs(slope) * now.load_slack
        excused = min(max(moved, min(beyond, 0.0) - slack), max(beyond, 0.0) + slack)
        # Nothing is expected below zero.
        told = min(self._told(moved - excused, now), value - self.unit.lowest)
        self.expected = value - told
        self._learn(by_day, by_now, moved, now)
        self._learn_load(value, now)
        self._adopt(now)
        self.steps += 1
        self.age_hours += now.rates.hours
        return told

    @property
    def deviation(self) -> float:
        """Return the usual standard deviation, at least the unit's least."""
        return max(NORMAL * self.spread, self.unit.least_spread)

    def usual(self, slot: int, part: float, *, weekend: bool) -> float:
        """Return what is expected at a time, on the scale, whatever the load."""
        first, second = slot, (slot + 1) % SLOTS
        if weekend and self.weekend_known[first] and self.weekend_known[second]:
            first, second = SLOTS + first, SLOTS + second
        by_time = self.season[first] * (1.0 - part) + self.season[second] * part
        trust = self._trust_in_day()
        return trust * (self.level + by_time) + (1.0 - trust) * self.steady

    def _slope(self, load: float | None) -> tuple[float, float]:
        """Return what a unit of load brings, and how far from its mean load was seen."""
        if load is None or not self.unit.follows_requests or self.load_square <= 1e-9:
            return 0.0, 0.0
        slope = self.cross / self.load_square
        fit = slope * self.cross / (self.own_square + 1e-12)
        trust = min(max((fit - 0.1) / 0.3, 0.0), 1.0)
        seen = LOAD_DEVIATIONS * math.sqrt(self.load_square)
        return trust * min(max(slope, -MOST_SLOPE), MOST_SLOPE), seen

    def _slots(self, now: Moment) -> tuple[int, int, float]:
        first, second = now.slot, (now.slot + 1) % SLOTS
        if not now.weekend:
            return first, second, now.part
        for one in (first, second):
            if not self.weekend_known[one]:
                # The first weekend begins as a weekday.
                self.weekend_known[one] = 1
                self.season[SLOTS + one] = self.season[one]
        return SLOTS + first, SLOTS + second, now.part

    def _trust_in_day(self) -> float:
        day, steady = self.season_error**4, self.steady_error**4
        return steady / (day + steady) if day + steady > 0.0 else 0.5

    def _told(self, moved: float, now: Moment) -> float:
        """Return the deviation; from the former level where that is nearer."""
        if self.former is None:
            return moved
        self.former_hours += now.rates.hours
        other = moved - self.former
        if abs(other) >= abs(moved):
            self.back_hours = 0.0
            if self.former_hours > FORMER_HOURS:
                self.former = None
            return moved
        self.back_hours += now.rates.hours
        if self.back_hours >= BACK_HOURS:
            self.level += self.former
            self.steady += self.former
            self.recent = other
            self.former = None
            self.back_hours = 0.0
        return other

    def _learn(self, by_day: float, by_now: float, moved: float, now: Moment) -> None:
        rates = now.rates
        most = CUT_SPREADS * self.deviation if self.steps >= FREE_STEPS else math.inf
        speed = 8.0 if now.after_deploy else 1.0
        early = 1.0 / (self.steps + 1.0)
        cut_day = min(max(by_day, -most), most)
        cut_now = min(max(by_now, -most), most)
        self.level += max(min(speed * rates.level, 0.2), early) * cut_day
        self.steady += max(min(speed * rates.steady, 0.2), early) * cut_now
        first, second, part = self._slots(now)
        keen = 2.0 if self.age_hours < 24.0 else 1.0 if self.age_hours < 72.0 else 0.6
        if now.weekend:
            keen, most = 2.0, WEEKEND_CUT_SPREADS / CUT_SPREADS * most
        rate = min(keen * rates.hours, 0.5) * min(max(by_day, -most), most)
        self.season[first] += rate * (1.0 - part)
        self.season[second] += rate * part
        self.recent += rates.recent * (moved - self.recent)
        if now.frozen:
            return
        rate = max(rates.errors, early)
        self.season_error += rate * (abs(cut_day) - self.season_error)
        self.steady_error += rate * (abs(cut_now) - self.steady_error)
        size = min(abs(moved), 1.25 * CUT_SPREADS * self.deviation) if early < 0.04 else abs(moved)
        self.spread += max(rates.spread, early) * (size - self.spread)

    def _learn_load(self, value: float, now: Moment) -> None:
        if now.load is None or now.load_slack > 0.0 or now.frozen or not self.unit.follows_requests:
            return
        rate = max(now.rates.load, 1.0 / (self.steps + 1.0))
        load, own = now.load - self.load_mean, value - self.own_mean
        self.load_mean += rate * load
        self.own_mean += rate * own
        kept = 1.0 - rate
        self.load_square = kept * (self.load_square + rate * load * load)
        self.own_square = kept * (self.own_square + rate * own * own)
        self.cross = kept * (self.cross + rate * load * own)

    def _adopt(self, now: Moment) -> None:
        if abs(self.recent) <= ADOPT_SPREADS * self.deviation:
            self.off_hours = max(self.off_hours - 3.0 * now.rates.hours, 0.0)
            return
        self.off_hours += now.rates.hours
        wait = ADOPT_HOURS_AFTER_DEPLOY if now.after_deploy else ADOPT_HOURS
        if self.off_hours >= wait and self.steps >= FREE_STEPS:
            self.adopt()

    def adopt(self) -> None:
        """Make the deviation of the last half hour the new level."""
        self.level += self.recent
        self.steady += self.recent
        self.former, self.former_hours, self.back_hours = -self.recent, 0.0, 0.0
        self.recent = self.off_hours = 0.0

    def to_state(self) -> dict[str, Any]:
        """Return everything but the unit as plain values."""
        return {name: _plain(getattr(self, name)) for name in self.__slots__ if name != "unit"}

    @classmethod
    def from_state(cls, state: dict[str, Any], unit: Unit) -> Expectation:
        """Return what `to_state` described."""
        found = cls(unit)
        for name, value in state.items():
            setattr(found, name, _plain(value))
        return found


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, list) else value
