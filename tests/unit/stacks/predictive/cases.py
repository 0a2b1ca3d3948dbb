"""Groups whose verdict is known from how they are made: the judge is judged by them.

Demand is in busy instances. Dynamic scaling follows an hour late, as target tracking does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from tasks.domain.arrays import FloatArray
from tasks.domain.stacks.predictive.hours import GroupHours

START = datetime(2026, 3, 2, tzinfo=UTC)
TARGET = 0.7
DAY, WEEK = 24, 168


def daily(hours: int, *, noise: float = 0.03, seed: int = 1) -> FloatArray:
    """Demand that rises from 2 to 8 busy instances every day, a third less on weekends."""
    rng = np.random.default_rng(seed)
    hour = np.arange(hours)
    shape = 5.0 - 3.0 * np.cos(2.0 * np.pi * (hour % DAY) / DAY)
    weekend = np.where(hour % WEEK >= 5 * DAY, 2.0 / 3.0, 1.0)
    found: FloatArray = shape * weekend * rng.normal(1.0, noise, hours)
    return found


def wandering(hours: int, *, seed: int = 2) -> FloatArray:
    """Demand that goes up and down without any hour of the day."""
    steps = np.random.default_rng(seed).normal(0.0, 0.35, hours)
    found: FloatArray = 5.0 + np.abs(np.cumsum(steps) % 8.0 - 4.0)
    return found


def group(busy: FloatArray, forecast: FloatArray, *, max_size: int = 40) -> GroupHours:
    """A group that dynamic scaling follows an hour late."""
    needed = np.ceil(busy / TARGET)
    serving = np.maximum(np.concatenate([needed[:1], needed[:-1]]), 1.0)
    return GroupHours(
        start=START,
        serving=serving,
        busy=busy,
        forecast=forecast,
        min_size=1,
        max_size=max_size,
        target=TARGET,
    )


def true_shape(hours: int) -> FloatArray:
    """Capacity of someone who knows the pattern, and not the noise."""
    found: FloatArray = daily(hours, noise=0.0) / TARGET
    return found


def followed(hours: int, factor: float = 1.0, *, noise: float = 0.03) -> GroupHours:
    """A regular group, forecast by its pattern times a factor."""
    return group(daily(hours, noise=noise), true_shape(hours) * factor)


def fading() -> GroupHours:
    """Three weeks forecast well; in the last one demand is a third higher than forecast."""
    hours = 3 * WEEK
    busy = daily(hours)
    busy[2 * WEEK :] *= 1.22
    return group(busy, true_shape(hours))


def flat() -> GroupHours:
    """Demand that never changes: the forecast is right and helps nobody, and costs nothing."""
    hours = 2 * WEEK
    busy = np.full(hours, 4.2)
    return group(busy, busy / TARGET)


def needless() -> GroupHours:
    """Dynamic scaling is never short, and the forecast would only add to it."""
    made = followed(2 * WEEK)
    return replace(made, serving=np.ceil(made.busy / (TARGET * 1.15)))


def capped() -> GroupHours:
    """A good forecast of a group that may not grow as far as it says."""
    hours = 2 * WEEK
    return group(daily(hours), true_shape(hours), max_size=6)


def mean_of_wandering() -> GroupHours:
    """Demand without a pattern, forecast by a generous constant."""
    busy = wandering(2 * WEEK)
    return group(busy, np.full(len(busy), busy.max() / TARGET * 0.9))


def holes() -> GroupHours:
    """Two weeks, of which a third is unknown."""
    made = followed(2 * WEEK)
    made.busy[::3] = np.nan
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A group and what has to be said of it."""

    make: Callable[[], GroupHours]
    verdict: str


CASES: Mapping[str, Case] = {
    "a regular group that is forecast well": Case(make=lambda: followed(2 * WEEK), verdict="good"),
    "six weeks of it": Case(make=lambda: followed(6 * WEEK), verdict="good"),
    "demand that never changes": Case(make=flat, verdict="good"),
    "half of what is needed": Case(make=lambda: followed(2 * WEEK, 0.5), verdict="bad"),
    "twice what is needed": Case(make=lambda: followed(2 * WEEK, 2.0), verdict="bad"),
    "a constant for demand without a pattern": Case(make=mean_of_wandering, verdict="bad"),
    "a group that may not grow so far": Case(make=capped, verdict="bad"),
    "half of what is needed, for a week": Case(make=lambda: followed(WEEK, 0.5), verdict="not-yet"),
    "one week of a good forecast": Case(make=lambda: followed(WEEK), verdict="not-yet"),
    "two weeks with a third unknown": Case(make=holes, verdict="not-yet"),
    "a little too low": Case(make=lambda: followed(3 * WEEK, 0.95, noise=0.12), verdict="not-yet"),
    "a little too low for six weeks": Case(
        make=lambda: followed(6 * WEEK, 0.95, noise=0.12), verdict="bad"
    ),
    "good until the last week": Case(make=fading, verdict="not-yet"),
    "no help and dearer": Case(make=needless, verdict="not-yet"),
}
