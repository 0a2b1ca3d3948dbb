"""Whether capacity could be had: recorded traces, and the naive forecasts everything must beat.

A forecast made at tick t uses ticks up to t, included, and says how likely capacity is obtainable
at tick t + horizon, or at every tick until then. Forecasts are causal: their value at t never
depends on a later tick.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

import numpy as np

from tasks.domain.arrays import BoolArray, FloatArray
from tasks.domain.errors import PermanentError
from tasks.domain.spot.pools import Pool


class Question(StrEnum):
    """What is asked about the horizon."""

    AVAILABLE = "available"
    """Can capacity be had when it ends?"""
    UNINTERRUPTED = "uninterrupted"
    """Can it be had at every tick until then? Of a pool that is up: does an instance survive?"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AvailabilityPanel:
    """Availability of n pools, observed at the same ticks.

    Attributes:
        pools: n pools, distinct.
        tick: Time between two observations.
        up: (n, ticks) whether at least one instance could be had.
    """

    pools: tuple[Pool, ...]
    tick: timedelta
    up: BoolArray

    def __post_init__(self) -> None:
        if self.up.ndim != 2 or len(self.up) != len(self.pools):
            msg = (
                f"{len(self.pools)} pools and observations of shape {self.up.shape} do not fit; "
                "give one row of ticks per pool"
            )
            raise PermanentError(msg)

    @property
    def ticks(self) -> int:
        """Number of observations per pool."""
        return int(self.up.shape[1])

    def until(self, tick: int) -> AvailabilityPanel:
        """Return what was known before that tick: ticks 0 to tick - 1."""
        return replace(self, up=self.up[:, :tick])

    def steps(self, horizon: timedelta) -> int:
        """Return the horizon in whole ticks, at least 1."""
        return max(1, round(horizon / self.tick))


def outcomes(
    panel: AvailabilityPanel, *, steps: int, question: Question = Question.AVAILABLE
) -> BoolArray:
    """Return what came of each tick's question, (n, ticks - steps)."""
    if question is Question.AVAILABLE:
        return panel.up[:, steps:]
    width = max(panel.ticks - steps, 0)
    lasted = np.ones((len(panel.pools), width), dtype=bool)
    for step in range(1, steps + 1):
        lasted &= panel.up[:, step : width + step]
    return lasted


def last_state(panel: AvailabilityPanel) -> FloatArray:
    """Return the state at each tick as the forecast: 0 or 1, (n, ticks)."""
    return panel.up.astype(np.float64)


def long_run_rate(panel: AvailabilityPanel) -> FloatArray:
    """Return the share of ticks up so far, (n, ticks), by Laplace's rule: never 0 or 1."""
    seen = np.arange(1, panel.ticks + 1)
    return np.asarray((panel.up.cumsum(axis=1) + 1.0) / (seen + 2.0), dtype=np.float64)


def transition_table(
    panel: AvailabilityPanel, *, steps: int, question: Question = Question.AVAILABLE
) -> FloatArray:
    """Return P(question answered yes | state now) from each pool's own past, (n, ticks).

    Counts the pairs (state at s, outcome at s + steps) with s + steps <= t, by Laplace's rule.
    """
    up = panel.up
    before, after = up[:, :-steps], outcomes(panel, steps=steps, question=question)
    from_up = _counts_known(before & after, steps, up.shape), _counts_known(before, steps, up.shape)
    from_down = (
        _counts_known(~before & after, steps, up.shape),
        _counts_known(~before, steps, up.shape),
    )
    hits, seen = (np.where(up, a, b) for a, b in zip(from_up, from_down, strict=True))
    return np.asarray((hits + 1.0) / (seen + 2.0), dtype=np.float64)


def _counts_known(pairs: BoolArray, steps: int, shape: Sequence[int]) -> FloatArray:
    """Return how many pairs had been completed at each tick."""
    known = np.zeros(shape)
    known[:, steps:] = pairs.cumsum(axis=1)
    return known


def brier_score(probability: FloatArray, happened: BoolArray) -> float | None:
    """Return the mean squared error of probabilities (Brier, 1950), 0 to 1; None for no values."""
    if probability.size == 0:
        return None
    return float(np.mean((probability - happened) ** 2))
