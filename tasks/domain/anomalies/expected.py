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
from typing import Any

from tasks.domain.anomalies.following import Following
from tasks.domain.anomalies.moments import Moment
from tasks.domain.anomalies.units import Unit

SLOTS = 48
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
DEPLOY_SPEED = 8.0
FREE_STEPS = 24
"""Steps in which nothing is cut off, for there is no spread yet."""


class Expectation:
    """What is usual of one signal of one workload."""

    __slots__ = (
        "age_hours",
        "back_hours",
        "deviation",
        "expected",
        "following",
        "former",
        "former_hours",
        "freed",
        "level",
        "off_hours",
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
        self.deviation = unit.least_spread
        self.following = Following() if unit.follows_requests else None
        self.season = [0.0] * (2 * SLOTS)
        self.weekend_known = [0] * SLOTS

    def update(self, value: float, now: Moment) -> float:
        """Return how far a value on the unit's scale is from what is usual, then learn it."""
        if self.steps == 0:
            self.level = self.steady = value
        own, low, high = value, 0.0, 0.0
        if self.following is not None:
            explained, low, high = self.following.explained(now)
            own -= explained
        first, second, part = self._slots(now)
        season = self.season
        by_time = season[first] * (1.0 - part) + season[second] * part
        by_day = own - self.level - by_time
        by_now = own - self.steady
        trust = self._trust_in_day()
        self.freed = own - trust * by_time
        moved = trust * by_day + (1.0 - trust) * by_now
        # What the load may excuse is no deviation.
        moved -= min(max(moved, low), high)
        # Nothing is expected below zero.
        told = min(self._told(moved, now), value - self.unit.lowest)
        self.expected = value - told
        self._learn(by_day, by_now, now)
        self._learn_spread(by_day, by_now, moved, now)
        if self.following is not None:
            self.following.learn(value, now)
        self._adopt(now)
        self.steps += 1
        self.age_hours += now.rates.hours
        return told

    def usual(self, slot: int, part: float, *, weekend: bool) -> float:
        """Return what is expected at a time, on the scale, whatever the load."""
        first, second = slot, (slot + 1) % SLOTS
        if weekend and self.weekend_known[first] and self.weekend_known[second]:
            first, second = SLOTS + first, SLOTS + second
        by_time = self.season[first] * (1.0 - part) + self.season[second] * part
        trust = self._trust_in_day()
        return trust * (self.level + by_time) + (1.0 - trust) * self.steady

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

    def _learn(self, by_day: float, by_now: float, now: Moment) -> None:
        rates = now.rates
        most = self._most()
        early = 1.0 / (self.steps + 1.0)
        speed = DEPLOY_SPEED if now.after_deploy else 1.0
        cut_day = min(max(by_day, -most), most)
        self.level += max(min(speed * rates.level, 0.2), early) * cut_day
        self.steady += max(min(speed * rates.steady, 0.2), early) * min(max(by_now, -most), most)
        keen = 2.0 if self.age_hours < 24.0 else 1.0 if self.age_hours < 72.0 else 0.6
        if now.weekend:
            most *= WEEKEND_CUT_SPREADS / CUT_SPREADS
            keen, cut_day = 2.0, min(max(by_day, -most), most)
        first, second, part = self._slots(now)
        learned = min(keen * rates.hours, 0.5) * cut_day
        self.season[first] += learned * (1.0 - part)
        self.season[second] += learned * part

    def _learn_spread(self, by_day: float, by_now: float, moved: float, now: Moment) -> None:
        self.recent += now.rates.recent * (moved - self.recent)
        if now.frozen:
            return
        most = self._most()
        early = 1.0 / (self.steps + 1.0)
        rate = max(now.rates.errors, early)
        self.season_error += rate * (min(abs(by_day), most) - self.season_error)
        self.steady_error += rate * (min(abs(by_now), most) - self.steady_error)
        rate = max(now.rates.spread, early)
        self.spread += rate * (min(abs(moved), 1.25 * most) - self.spread)
        self.deviation = max(NORMAL * self.spread, self.unit.least_spread)

    def _most(self) -> float:
        return CUT_SPREADS * self.deviation if self.steps >= FREE_STEPS else math.inf

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
        found = {name: _plain(getattr(self, name)) for name in self.__slots__ if name != "unit"}
        found["following"] = None if self.following is None else self.following.to_state()
        return found

    @classmethod
    def from_state(cls, state: dict[str, Any], unit: Unit) -> Expectation:
        """Return what `to_state` described."""
        found = cls(unit)
        for name, value in state.items():
            setattr(found, name, _plain(value))
        following = state["following"]
        found.following = None if following is None else Following.from_state(following)
        return found


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, list) else value
