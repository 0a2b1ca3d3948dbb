"""What each archetype looks like without noise: hourly processor use in percent, with variety.

Every resource draws its own parameters, uniform within the ranges below. They describe what the
names mean and were written down before anything that tells archetypes apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from tasks.domain.arrays import FloatArray
from tasks.domain.usage.archetypes import Archetype
from tasks.domain.usage.clock import HOURS_PER_DAY, HOURS_PER_WEEK, Clock
from tasks.domain.usage.panel import Float32Array

Pattern = Callable[[Clock, np.random.Generator], FloatArray]

LONGEST_BURST_HOURS = 4


def pattern(archetype: Archetype, clock: Clock, rng: np.random.Generator) -> Float32Array:
    """Return (n, hours) percent of as many resources as the clock has.

    Raises:
        KeyError: For UNUSUAL, which has no pattern.
    """
    return PATTERNS[archetype](clock, rng).astype(np.float32)


def memory_level(archetype: Archetype, count: int, rng: np.random.Generator) -> Float32Array:
    """Return (n,) percent of memory in use: 72 to 95 where it is the bottleneck, else 15 to 60."""
    low, high = (72.0, 95.0) if archetype is Archetype.MEMORY_BOUND else (15.0, 60.0)
    return rng.uniform(low, high, count).astype(np.float32)


def _each(clock: Clock, rng: np.random.Generator, low: float, high: float) -> FloatArray:
    """Return (n, 1): one parameter a resource."""
    drawn: FloatArray = rng.uniform(low, high, (clock.shape[0], 1))
    return drawn


def _idle(clock: Clock, rng: np.random.Generator) -> FloatArray:
    """0.3 to 3 %; three in ten have an hour of 5 to 20 % more at one hour of the week."""
    level = _each(clock, rng, 0.3, 3.0)
    chore_at = rng.integers(0, HOURS_PER_WEEK, (clock.shape[0], 1))
    chore = (clock.since_monday % HOURS_PER_WEEK == chore_at) & (_each(clock, rng, 0, 1) < 0.3)
    more: FloatArray = chore * _each(clock, rng, 5.0, 20.0)
    return level + more


def _steady(clock: Clock, rng: np.random.Generator) -> FloatArray:
    """A level of 15 to 75 %, with a daily ripple of at most 6 % of it."""
    level = _each(clock, rng, 15.0, 75.0)
    return level * (1.0 + _each(clock, rng, 0.0, 0.06) * _swing(clock, rng))


def _daily(clock: Clock, rng: np.random.Generator) -> FloatArray:
    """5 to 25 % at the trough, 15 to 55 more at a peak between 9 and 22 h; weekends 85 to 110 %."""
    trough, height = _each(clock, rng, 5.0, 25.0), _each(clock, rng, 15.0, 55.0)
    sharpness = _each(clock, rng, 0.8, 2.0)
    wave = (0.5 + 0.5 * _swing(clock, rng, first=9.0, last=22.0)) ** sharpness
    weekend = np.where(clock.working_day(), 1.0, _each(clock, rng, 0.85, 1.1))
    return trough + height * wave * weekend


def _business_hours(clock: Clock, rng: np.random.Generator) -> FloatArray:
    """1 to 12 % at rest, 15 to 60 more on working days for 7 to 11 hours from 6 to 10 h.

    Lunch costs up to 30 % of it; weekends have at most a tenth.
    """
    rest, height = _each(clock, rng, 1.0, 12.0), _each(clock, rng, 15.0, 60.0)
    begin, length = _each(clock, rng, 6.0, 10.0), _each(clock, rng, 7.0, 11.0)
    busy = block_coverage(clock, begin=begin, length=length)
    lunch = 1.0 - _each(clock, rng, 0.0, 0.3) * block_coverage(clock, begin=begin + 3.5, length=1.0)
    share = np.where(clock.working_day(), 1.0, _each(clock, rng, 0.0, 0.1))
    return rest + height * busy * lunch * share


def _nightly_batch(clock: Clock, rng: np.random.Generator) -> FloatArray:
    """1 to 8 % at rest, 30 to 85 more for 2 to 6 hours from between 20 and 3 h.

    Up to 6 % of the nights are left out; one resource in seven also leaves out one night a week.
    """
    rest, height = _each(clock, rng, 1.0, 8.0), _each(clock, rng, 30.0, 85.0)
    begin, length = _each(clock, rng, 20.0, 27.0), _each(clock, rng, 2.0, 6.0)
    nights = (clock.since_monday - begin.astype(np.int64)) // HOURS_PER_DAY + 2
    left_out = rng.random((clock.shape[0], int(nights.max()) + 1)) < _each(clock, rng, 0.0, 0.06)
    off_night = rng.integers(0, 7, (clock.shape[0], 1))
    weekly = (nights % 7 == off_night) & (_each(clock, rng, 0, 1) < 1.0 / 7.0)
    runs = ~(np.take_along_axis(left_out, nights, axis=1) | weekly)
    block: FloatArray = runs * block_coverage(clock, begin=begin, length=length)
    return rest + height * block


def _bursty(clock: Clock, rng: np.random.Generator) -> FloatArray:
    """1 to 8 % at rest; 0.4 to 2.5 peaks a day at random, 1 to 4 hours long, up to 30 to 90 more."""
    rest, height = _each(clock, rng, 1.0, 8.0), _each(clock, rng, 30.0, 90.0)
    starts = rng.random(clock.shape) < _each(clock, rng, 0.4, 2.5) / HOURS_PER_DAY
    size = starts * rng.uniform(0.5, 1.0, clock.shape)
    lasts = rng.integers(1, LONGEST_BURST_HOURS + 1, clock.shape)
    peaks = size.copy()
    for later in range(1, LONGEST_BURST_HOURS):
        going_on = (size * (lasts > later))[:, :-later]
        peaks[:, later:] = np.maximum(peaks[:, later:], going_on)
    return rest + height * peaks


def _memory_bound(clock: Clock, rng: np.random.Generator) -> FloatArray:
    """3 to 15 % of the processor, with a daily ripple of at most 15 % of it."""
    level = _each(clock, rng, 3.0, 15.0)
    return level * (1.0 + _each(clock, rng, 0.0, 0.15) * _swing(clock, rng))


def _growing(clock: Clock, rng: np.random.Generator) -> FloatArray:
    """8 to 25 % at first, 8 to 25 % of that more by the week; three in ten in weekly steps.

    A daily ripple of at most 15 % of it.
    """
    first, rate = _each(clock, rng, 8.0, 25.0), _each(clock, rng, 0.08, 0.25)
    weeks = (clock.since_monday - clock.since_monday[:, :1]) / HOURS_PER_WEEK
    weeks = np.where(_each(clock, rng, 0, 1) < 0.3, np.floor(weeks), weeks)
    ripple = 1.0 + _each(clock, rng, 0.0, 0.15) * _swing(clock, rng)
    return first * (1.0 + rate * weeks) * ripple


def _swing(
    clock: Clock, rng: np.random.Generator, *, first: float = 0.0, last: float = 24.0
) -> FloatArray:
    """Return a cosine of one day, -1 to 1, its peak between two hours of the day."""
    peak = _each(clock, rng, first, last)
    wave: FloatArray = np.cos((clock.hour() + 0.5 - peak) * (2.0 * np.pi / HOURS_PER_DAY))
    return wave


def block_coverage(clock: Clock, *, begin: FloatArray, length: FloatArray | float) -> FloatArray:
    """Return the share of each hour that a daily block covers; it may run past midnight."""
    since = (clock.hour() - begin) % HOURS_PER_DAY
    inside = np.clip(length - since, 0.0, 1.0)
    first_part = np.clip(since + 1.0 - HOURS_PER_DAY, 0.0, 1.0)
    covered: FloatArray = np.minimum(inside + first_part, 1.0)
    return covered


PATTERNS: Mapping[Archetype, Pattern] = {
    Archetype.IDLE: _idle,
    Archetype.STEADY: _steady,
    Archetype.DAILY: _daily,
    Archetype.BUSINESS_HOURS: _business_hours,
    Archetype.NIGHTLY_BATCH: _nightly_batch,
    Archetype.BURSTY: _bursty,
    Archetype.MEMORY_BOUND: _memory_bound,
    Archetype.GROWING: _growing,
}
