"""What makes one hour of demand unlike another: slow noise, and crowds that come and go."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from deployments.embedded.workloads.physics.arrays import Floats, Keys
from deployments.embedded.workloads.physics.noise import normals, uniforms

_TERMS = 75  # exp(-75 knot / memory) is below 1 percent: what an older draw would still weigh
_KEPT = 8  # only neighbours are asked again


@dataclass(slots=True)
class LogNoise:
    """A factor with log-normal AR(1) noise of n series; any instant without those before.

    Attributes:
        keys: (n,) tell series apart.
        deviation: (n,) of the log.
        knot_seconds: Between draws; straight lines in between.
        memory_seconds: After so long 63 percent is forgotten; at least 15 knots.
        stream: Tells uses of a key apart.
        most: Deviations that the noise comes near to and never reaches.
    """

    keys: Keys
    deviation: Floats
    knot_seconds: float
    memory_seconds: float
    stream: int
    most: float = math.inf
    _drawn: dict[int, Floats] = field(default_factory=dict)

    def factor(self, seconds: float) -> Floats:
        """Return (n,) factors at an instant; their mean over time is 1, a little less with `most`."""
        place = seconds / self.knot_seconds
        knot = math.floor(place)
        part = place - knot
        value = self._knot(knot) * (1.0 - part) + self._knot(knot + 1) * part
        if math.isfinite(self.most):
            value = self.most * np.tanh(value / self.most)
        found: Floats = np.exp(self.deviation * value - 0.5 * self.deviation**2)
        return found

    def _knot(self, knot: int) -> Floats:
        """Return the noise at a knot: its last draws, weighed."""
        if knot not in self._drawn:
            if len(self._drawn) > _KEPT:
                self._drawn.clear()
            rate = math.exp(-self.knot_seconds / self.memory_seconds)
            lags = np.arange(_TERMS)
            draws = normals(self.keys[:, None], knot - lags[None, :], stream=self.stream)
            self._drawn[knot] = math.sqrt(1.0 - rate**2) * (draws @ rate**lags)
        return self._drawn[knot]


@dataclass(slots=True, kw_only=True)
class Crowds:
    """Crowds of n series that come at random and die away; at most one in a slot of time.

    Attributes:
        keys: (n,) tell series apart.
        chance: (n,) of a crowd in a slot, 0 to 1.
        height: (n,) mean of the exponential size.
        slot_seconds: Five times the decay at least: older crowds are forgotten.
        decay_seconds: After so long 37 percent are left.
        rise_seconds: After so long 63 percent are there; 0 for at once.
        highest: A size that is cut off, in means.
        stream: The first of three that tell uses of a key apart.
    """

    keys: Keys
    chance: Floats
    height: Floats
    slot_seconds: float
    decay_seconds: float
    rise_seconds: float = 0.0
    highest: float = math.inf
    stream: int
    _drawn: dict[int, tuple[Floats, Floats]] = field(default_factory=dict)

    def added(self, seconds: float) -> Floats:
        """Return (n,) what crowds add at an instant, as a fraction of what is there; at least 0."""
        slot = math.floor(seconds / self.slot_seconds)
        found = np.zeros_like(self.height)
        for at in (slot - 1, slot):
            start, size = self._crowd(at)
            since = np.maximum(seconds - start, 0.0)
            there = 1.0 if not self.rise_seconds else -np.expm1(-since / self.rise_seconds)
            left = size * there * np.exp(-since / self.decay_seconds)
            found += np.where(seconds >= start, left, 0.0)
        return found

    def _crowd(self, slot: int) -> tuple[Floats, Floats]:
        """Return when the crowd of a slot comes, and how large it is; 0 for none."""
        if slot not in self._drawn:
            if len(self._drawn) > _KEPT:
                self._drawn.clear()
            chance = uniforms(self.keys, slot, stream=self.stream)
            start = (slot + uniforms(self.keys, slot, stream=self.stream + 1)) * self.slot_seconds
            size = -np.log(uniforms(self.keys, slot, stream=self.stream + 2))
            size = self.height * np.minimum(size, self.highest)
            self._drawn[slot] = (start, np.where(chance < self.chance, size, 0.0))
        return self._drawn[slot]
