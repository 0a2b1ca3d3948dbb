"""Requests per second that come from outside, as a function of time alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deployments.embedded.workloads.physics.arrays import Floats, check_number
from deployments.embedded.workloads.physics.demand_noise import Crowds, LogNoise
from deployments.embedded.workloads.physics.noise import key_of

DAY_SECONDS = 86_400.0
KNOT_SECONDS = 60.0
"""Between draws of the AR(1) noise; straight lines in between."""
MEMORY_SECONDS = 900.0
"""After so long the noise has forgotten 63 percent."""
DRIFT_KNOT_SECONDS = 5_400.0
DRIFT_MEMORY_SECONDS = 86_400.0
"""Likewise of the drift, by which one day is not like the next."""
BURST_SLOT_SECONDS = 600.0
BURST_DECAY_SECONDS = 120.0
RUSH_SLOT_SECONDS = 21_600.0
RUSH_DECAY_SECONDS = 4_320.0
RUSH_RISE_SECONDS = 1_200.0
# Without ends to both any shop would be brought down some day by its visitors alone.
_MOST_DRIFT = 2.0  # standard deviations
_HIGHEST_RUSH = 2.0  # means
_THURSDAY = 3  # weekday of the Unix epoch, Monday is 0
_BLEND_HOURS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandPattern:
    """How the requests of people outside go up and down.

    Attributes:
        base_rps: Mean of a weekday without crowds, requests per second; 0 to 1e6.
        daily_amplitude: Swing around the mean as a fraction of it, 0 to 0.95.
        peak_hour: Of the day in UTC, 0 to 24.
        weekend_factor: What Saturday and Sunday have of a weekday, above 0 to 3.
        noise_fraction: Standard deviation of the log of slow noise, 0 to 1.
        bursts_per_day: Expected number of sudden crowds, 0 to 100.
        burst_factor: How much a crowd adds on average, as a fraction of the demand; 0 to 10.
        drift_fraction: Standard deviation of the log of a drift over hours and days, 0 to 1.
        rushes_per_day: Expected number of crowds that come within minutes and stay for an hour or
            two, 0 to 4.
        rush_factor: What such a crowd would add on average, came it at once; 0 to 10.
        crowd: Patterns that name one have the same drift and rushes, as doors of one shop do;
            None for those of its own.
    """

    base_rps: float
    daily_amplitude: float = 0.45
    peak_hour: float = 19.0
    weekend_factor: float = 0.8
    noise_fraction: float = 0.06
    bursts_per_day: float = 3.0
    burst_factor: float = 0.4
    drift_fraction: float = 0.0
    rushes_per_day: float = 0.0
    rush_factor: float = 0.5
    crowd: str | None = None

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
            "drift_fraction": 1.0,
            "rushes_per_day": DAY_SECONDS / RUSH_SLOT_SECONDS,
            "rush_factor": 10.0,
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
    _noise: LogNoise
    _drift: LogNoise
    _bursts: Crowds
    _rushes: Crowds

    @classmethod
    def of(
        cls, patterns: Sequence[DemandPattern | None], names: Sequence[str], *, seed: int
    ) -> Demand:
        """Return the demand of workloads; None is one that nobody outside asks."""
        quiet = DemandPattern(base_rps=0.0)
        known = [pattern or quiet for pattern in patterns]

        def column(field_: str) -> Floats:
            return np.array([getattr(one, field_) for one in known], dtype=float)

        own = np.array([key_of(name, seed=seed) for name in names], dtype=np.uint64)
        crowds = [
            name if one.crowd is None else f"crowd {one.crowd}"
            for one, name in zip(known, names, strict=True)
        ]
        shared = np.array([key_of(name, seed=seed) for name in crowds], dtype=np.uint64)
        return cls(
            base=column("base_rps"),
            _amplitude=column("daily_amplitude"),
            _peak=column("peak_hour"),
            _weekend=column("weekend_factor"),
            _noise=LogNoise(own, column("noise_fraction"), KNOT_SECONDS, MEMORY_SECONDS, stream=1),
            _drift=LogNoise(
                keys=shared,
                deviation=column("drift_fraction"),
                knot_seconds=DRIFT_KNOT_SECONDS,
                memory_seconds=DRIFT_MEMORY_SECONDS,
                stream=7,
                most=_MOST_DRIFT,
            ),
            _bursts=Crowds(
                keys=own,
                chance=column("bursts_per_day") * BURST_SLOT_SECONDS / DAY_SECONDS,
                height=column("burst_factor"),
                slot_seconds=BURST_SLOT_SECONDS,
                decay_seconds=BURST_DECAY_SECONDS,
                stream=2,
            ),
            _rushes=Crowds(
                keys=shared,
                chance=column("rushes_per_day") * RUSH_SLOT_SECONDS / DAY_SECONDS,
                height=column("rush_factor"),
                slot_seconds=RUSH_SLOT_SECONDS,
                decay_seconds=RUSH_DECAY_SECONDS,
                rise_seconds=RUSH_RISE_SECONDS,
                highest=_HIGHEST_RUSH,
                stream=8,
            ),
        )

    def rps(self, seconds: float) -> Floats:
        """Return requests per second at an instant.

        Args:
            seconds: Unix time, seconds; any order, any spacing.

        Returns:
            (n,), at least 0.
        """
        slow = self._noise.factor(seconds) * self._drift.factor(seconds)
        crowds = (1.0 + self._bursts.added(seconds)) * (1.0 + self._rushes.added(seconds))
        found: Floats = self.base * self._shape(seconds) * slow * crowds
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
