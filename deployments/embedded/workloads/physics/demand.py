"""Requests per second that come from outside, as a function of time alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from deployments.embedded.workloads.physics.arrays import Floats, Keys, check_number
from deployments.embedded.workloads.physics.noise import key_of, normals, uniforms

DAY_SECONDS = 86_400.0
KNOT_SECONDS = 60.0
"""Between draws of the AR(1) noise; straight lines in between."""
MEMORY_SECONDS = 900.0
"""After so long the noise has forgotten 63 percent."""
_TERMS = 75  # exp(-75 * 60 / 900) is 0.7 percent: what an older draw would still weigh
BURST_SLOT_SECONDS = 600.0
BURST_DECAY_SECONDS = 120.0
_THURSDAY = 3  # weekday of the Unix epoch, Monday is 0
_BLEND_HOURS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandPattern:
    """How the requests of people outside go up and down.

    Attributes:
        base_rps: Mean of a weekday, requests per second; 0 to 1e6.
        daily_amplitude: Swing around the mean as a fraction of it, 0 to 0.95.
        peak_hour: Of the day in UTC, 0 to 24.
        weekend_factor: What Saturday and Sunday have of a weekday, above 0 to 3.
        noise_fraction: Standard deviation of the log of slow noise, 0 to 1.
        bursts_per_day: Expected number of sudden crowds, 0 to 100.
        burst_factor: How much a crowd adds on average, as a fraction of the demand; 0 to 10.
    """

    base_rps: float
    daily_amplitude: float = 0.45
    peak_hour: float = 19.0
    weekend_factor: float = 0.8
    noise_fraction: float = 0.06
    bursts_per_day: float = 3.0
    burst_factor: float = 0.4

    def __post_init__(self) -> None:
        """Check the bounds.

        Raises:
            InvalidValueError: A number is out of its bounds.
        """
        highest = {
            "base_rps": 1e6,
            "daily_amplitude": 0.95,
            "peak_hour": 24.0,
            "noise_fraction": 1.0,
            "bursts_per_day": 100.0,
            "burst_factor": 10.0,
        }
        for name, high in highest.items():
            check_number("demand", name, getattr(self, name), low=0.0, high=high)
        check_number("demand", "weekend_factor", self.weekend_factor, low=0.0, high=3.0, above=True)


@dataclass(slots=True)
class Demand:
    """Demand of many workloads, ready to be asked for any instant.

    Attributes:
        base: (n,) requests per second; 0 where nobody outside asks.
    """

    base: Floats
    _amplitude: Floats
    _peak: Floats
    _weekend: Floats
    _noise: Floats
    _burst_chance: Floats
    _burst_height: Floats
    _keys: Keys
    _kept: dict[int, Floats] = field(default_factory=dict)
    _kept_bursts: dict[int, tuple[Floats, Floats]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, patterns: Sequence[DemandPattern | None], names: Sequence[str], *, seed: int
    ) -> Demand:
        """Return the demand of workloads; None is one that nobody outside asks."""
        quiet = DemandPattern(base_rps=0.0)
        known = [pattern or quiet for pattern in patterns]
        slots = DAY_SECONDS / BURST_SLOT_SECONDS
        return cls(
            base=np.array([one.base_rps for one in known], dtype=float),
            _amplitude=np.array([one.daily_amplitude for one in known], dtype=float),
            _peak=np.array([one.peak_hour for one in known], dtype=float),
            _weekend=np.array([one.weekend_factor for one in known], dtype=float),
            _noise=np.array([one.noise_fraction for one in known], dtype=float),
            _burst_chance=np.array([one.bursts_per_day / slots for one in known], dtype=float),
            _burst_height=np.array([one.burst_factor for one in known], dtype=float),
            _keys=np.array([key_of(name, seed=seed) for name in names], dtype=np.uint64),
        )

    def rps(self, seconds: float) -> Floats:
        """Return requests per second at an instant.

        Args:
            seconds: Unix time, seconds; any order, any spacing.

        Returns:
            (n,), at least 0.
        """
        noise = np.exp(self._noise * self._slow(seconds) - 0.5 * self._noise**2)
        found: Floats = self.base * self._shape(seconds) * noise * self._bursts(seconds)
        return found

    def _shape(self, seconds: float) -> Floats:
        hour = (seconds % DAY_SECONDS) / 3600.0
        turn = 2.0 * np.pi * (hour - self._peak) / 24.0
        # The second harmonic makes the evening steeper than the morning, as shops see it.
        daily = 1.0 + self._amplitude * (0.85 * np.cos(turn) + 0.15 * np.cos(2.0 * turn))
        day = int(seconds // DAY_SECONDS) + _THURSDAY
        part = max(0.0, (hour - 24.0 + _BLEND_HOURS) / _BLEND_HOURS)
        weekend = (1.0 - part) * (day % 7 >= 5) + part * ((day + 1) % 7 >= 5)
        found: Floats = daily * (1.0 + (self._weekend - 1.0) * weekend)
        return found

    def _slow(self, seconds: float) -> Floats:
        place = seconds / KNOT_SECONDS
        knot = math.floor(place)
        part = place - knot
        return self._knot(knot) * (1.0 - part) + self._knot(knot + 1) * part

    def _knot(self, knot: int) -> Floats:
        """Return AR(1) noise at a knot: its last draws, weighed; any knot without the others."""
        if knot not in self._kept:
            if len(self._kept) > 8:  # only neighbours are asked again
                self._kept.clear()
            rate = math.exp(-KNOT_SECONDS / MEMORY_SECONDS)
            lags = np.arange(_TERMS)
            draws = normals(self._keys[:, None], knot - lags[None, :], stream=1)
            self._kept[knot] = math.sqrt(1.0 - rate**2) * (draws @ rate**lags)
        return self._kept[knot]

    def _bursts(self, seconds: float) -> Floats:
        slot = math.floor(seconds / BURST_SLOT_SECONDS)
        height = np.ones_like(self.base)
        for at in (slot - 1, slot):
            start, size = self._burst(at)
            since = seconds - start
            height += np.where(since >= 0, size * np.exp(-since / BURST_DECAY_SECONDS), 0.0)
        return height

    def _burst(self, slot: int) -> tuple[Floats, Floats]:
        """Return when the burst of a slot of time starts, and how high it is; 0 for none."""
        if slot not in self._kept_bursts:
            if len(self._kept_bursts) > 8:
                self._kept_bursts.clear()
            chance = uniforms(self._keys, slot, stream=2)
            start = (slot + uniforms(self._keys, slot, stream=3)) * BURST_SLOT_SECONDS
            size = -self._burst_height * np.log(uniforms(self._keys, slot, stream=4))
            self._kept_bursts[slot] = (start, np.where(chance < self._burst_chance, size, 0.0))
        return self._kept_bursts[slot]
