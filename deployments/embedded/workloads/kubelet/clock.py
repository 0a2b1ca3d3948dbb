"""The clock of the world, which may run faster than the one on the wall."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from deployments.embedded.workloads.physics.arrays import Floats, check_number

FASTEST = 60.0


class Clock:
    """Unix time of the world, equal to that of the wall when it starts.

    Physics, back-off and probes go by it. Everything that is written bears the time of the wall: whoever
    reads a cluster compares it with their own, and controllers take no pod for available whose readiness
    is in the future. So a faster world looks like a cluster in which everything takes less time.

    Args:
        speed: Seconds of the world in one second of the wall; above 0 to 60.
        wall: Unix time of the wall.

    Raises:
        InvalidValueError: The speed is out of its bounds.
    """

    def __init__(self, *, speed: float = 1.0, wall: Callable[[], float] = time.time) -> None:
        check_number("clock", "speed", speed, low=0.0, high=FASTEST, above=True)
        self.speed = speed
        self._wall = wall
        self._start = wall()

    def wall(self) -> float:
        """Return the time on the wall."""
        return self._wall()

    def now(self) -> float:
        """Return the time of the world."""
        return self.of_wall(self._wall())

    def of_wall(self, seconds: float) -> float:
        """Return the time of the world at a time on the wall; the same before the world began."""
        return seconds + max(seconds - self._start, 0.0) * (self.speed - 1.0)

    def on_wall(self, seconds: float) -> float:
        """Return the time on the wall at a time of the world; inverse of `of_wall`."""
        return float(self.on_wall_all(np.array([seconds]))[0])

    def on_wall_all(self, seconds: Floats) -> Floats:
        """Return the same of many, in an array of the same shape; 0 for never stays."""
        return seconds - np.maximum(seconds - self._start, 0.0) * (1.0 - 1.0 / self.speed)
