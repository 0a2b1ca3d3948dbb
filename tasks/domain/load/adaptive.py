"""Intervals that learn from how often they held: wider after misses, narrower after hits.

Quantile tracking on the logarithm of the half-width: adaptive conformal inference (Gibbs and Candes,
2021) in the form of the proportional part of conformal PID control (Angelopoulos, Candes and
Tibshirani, 2023), with a constant step. Nothing is assumed of the loads: not that they are drawn alike,
nor that the forecast is any good.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import exp, isfinite, log

import numpy as np

from tasks.domain.arrays import BoolArray, FloatArray
from tasks.domain.errors import PermanentError
from tasks.domain.load.forecasts import LEVEL

STEP = 0.1
"""Of the logarithm, for each unit of miscoverage. An error of the width shrinks to a third within about
22 updates, a day of hours; a width that is right wanders by 13 % when each update is one value, and by
less when it is a group's share (the slope of a normal distribution's coverage at 80 % is .45)."""
LARGEST_FACTOR = 8.0
"""And the inverse of the smallest: beyond it the model is to be retrained, not its intervals."""
REACH = log(LARGEST_FACTOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptiveWidth:
    """By how much the intervals of one group are scaled.

    Whatever the sequence, as long as each error lies between an eighth and eight times the half-width
    that the model gave, the mean coverage of T updates differs from the level by at most
    `largest_gap`, (log 8 + step) / (step T). Where no width within these bounds would hold (a load
    that is exactly what was forecast for weeks, or nothing like it), the factor stays at a bound and
    comes back at once when that ends.

    Attributes:
        level: Share of values that intervals shall cover, strictly between 0 and 1.
        step: Speed of learning, above 0, at most 1.
        position: Logarithm of the factor, up to a step beyond its bounds.
        updates: Seen so far.
        hits: Sum of their shares of values covered.
    """

    level: float = LEVEL
    step: float = STEP
    position: float = 0.0
    updates: int = 0
    hits: float = 0.0

    def __post_init__(self) -> None:
        """Check the bounds, for states are read back from storage."""
        fine = (
            0.0 < self.level < 1.0
            and 0.0 < self.step <= 1.0
            and abs(self.position) <= REACH + self.step
            and 0.0 <= self.hits <= self.updates
        )
        if not fine:
            msg = (
                f"{self} is no state of an interval: level lies between 0 and 1, step is at most 1, "
                f"position within {REACH + self.step:.2f} of 0, hits at most updates; start anew"
            )
            raise PermanentError(msg)

    @property
    def factor(self) -> float:
        """What to multiply half-widths by, 1/8 to 8."""
        return exp(min(max(self.position, -REACH), REACH))

    @property
    def coverage(self) -> float | None:
        """Mean coverage of all updates; None before the first."""
        return self.hits / self.updates if self.updates else None

    @property
    def largest_gap(self) -> float | None:
        """What the mean coverage can differ from the level by; None before the first update."""
        return (REACH + self.step) / (self.step * self.updates) if self.updates else None

    def after(self, covered: bool | BoolArray) -> AdaptiveWidth:
        """Return the width once it is known whether values were covered.

        Args:
            covered: One value, or those of a group that became known together: these are one update,
                for they share their accidents. None at all changes nothing.
        """
        known = np.asarray(covered, dtype=np.bool_)
        return self.after_share(float(known.mean())) if known.size else self

    def after_share(self, share: float) -> AdaptiveWidth:
        """Return the width once it is known which share of a group's values was covered, 0 to 1."""
        moved = self.position + self.step * (self.level - share)
        # Under the condition above this clip never binds; without it, it forgets at once.
        limit = REACH + self.step
        return replace(
            self,
            position=min(max(moved, -limit), limit),
            updates=self.updates + 1,
            hits=self.hits + share,
        )

    def to_state(self) -> dict[str, float]:
        """Return plain numbers to store."""
        return {
            "level": self.level,
            "step": self.step,
            "position": self.position,
            "updates": self.updates,
            "hits": self.hits,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, float]) -> AdaptiveWidth:
        """Return the width that was stored.

        Raises:
            PermanentError: When a number is missing, or impossible.
        """
        names = ("level", "step", "position", "updates", "hits")
        wrong = [name for name in names if not _is_number(state.get(name))]
        if wrong or state["updates"] != int(state["updates"]):
            msg = f"the stored state {dict(state)} lacks {wrong or 'whole updates'}; start anew"
            raise PermanentError(msg)
        return cls(
            level=float(state["level"]),
            step=float(state["step"]),
            position=float(state["position"]),
            updates=int(state["updates"]),
            hits=float(state["hits"]),
        )


def scaled_quantiles(quantiles: FloatArray, factors: float | FloatArray) -> FloatArray:
    """Return quantiles with both half-widths scaled; the median stays, nothing falls below 0.

    Args:
        quantiles: (n, H, 3) low, median, high.
        factors: One for all, or (n,) or (n, H).
    """
    each = np.asarray(factors, dtype=np.float64)
    if each.ndim == 1:
        each = each[:, None]
    median = quantiles[..., 1]
    scaled = median[..., None] + each[..., None] * (quantiles - median[..., None])
    return np.maximum(scaled, 0.0)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
