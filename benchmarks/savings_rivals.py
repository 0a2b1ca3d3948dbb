"""What is usually done to find a size: a percentile of the past and some headroom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from benchmarks.savings_data import Replay
from tasks.domain.arrays import FloatArray

PERCENTILES = (90.0, 95.0, 97.5, 99.0, 99.5, 99.9, 100.0)
HEADROOMS = (0.0, 0.05, 0.10, 0.15, 0.20, 0.30, 0.50, 0.75, 1.0)


class SizingPolicy(Protocol):
    """Decides how much each machine needs, from what was seen of it."""

    def capacities(self, replay: Replay) -> FloatArray:
        """Return (n,) units needed; may look at `replay.history` and at nothing behind it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PercentilePolicy:
    """A percentile of the hours seen, and headroom on top.

    Attributes:
        percentile: 100 for the largest hour.
        headroom: Share added.
    """

    percentile: float
    headroom: float

    def capacities(self, replay: Replay) -> FloatArray:
        """Return (n,) units needed."""
        seen: FloatArray = np.nanpercentile(replay.history, self.percentile, axis=1)
        return seen * (1.0 + self.headroom)


NAMED = {
    "p95_plus_15": PercentilePolicy(percentile=95.0, headroom=0.15),
    "max_plus_15": PercentilePolicy(percentile=100.0, headroom=0.15),
}
GRID = tuple(
    PercentilePolicy(percentile=percentile, headroom=headroom)
    for percentile in PERCENTILES
    for headroom in HEADROOMS
)
"""Every rule of that kind; the best of them at a level of risk is only known afterwards."""
