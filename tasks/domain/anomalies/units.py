"""How each signal is compared with what is usual of it: one table for all workloads.

| signal | compared as | least spread | matters from | below counts | follows requests |
|---|---|---|---|---|---|
| cpu_fraction | log(x + 0.05) | 5 % | 65 % | half | yes |
| memory_fraction | x | 0.005 | 0.05 of the limit | a quarter | yes |
| requests_per_second | log(x + 0.1) | 5 % | 35 % | in full | |
| error_fraction | square root | 0.01 | 0.01 of requests | not | |
| latency_seconds | log(x + 0.001) | 5 % | 22 % | a quarter | yes |
| restarts_per_hour | square root | 0.5 | 3 an hour | not | |
| egress_bytes_per_second | log(x + 1000) | 5 % | 65 % | half | yes |
| refused_connections_per_second | square root | 0.05 | 0.1 a second | not | |

Ratios matter for what has a size, differences for shares, and a square root makes the noise of
counts the same everywhere. What differs by less than "matters from" counts for less in proportion.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from tasks.domain.anomalies.alarms import Signal


class Scale(StrEnum):
    """How a value is made comparable."""

    RATIO = "ratio"
    ROOT = "root"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """How one signal is compared.

    Attributes:
        scale: Of comparison.
        offset: Added before a logarithm, in the signal's unit: below it sizes are alike.
        least_spread: Usual deviations are taken as at least this, on the scale.
        matters: Least difference that matters; on the scale for RATIO, else in the signal's unit.
        follows_requests: Whether requests explain it where they have been seen to.
        below: 0 to 1, what a deviation below counts: for most signals it is good news.
    """

    scale: Scale
    offset: float = 0.0
    least_spread: float
    matters: float
    follows_requests: bool = False
    below: float = 1.0

    @property
    def lowest(self) -> float:
        """Return zero on the scale."""
        return math.log(self.offset) if self.scale is Scale.RATIO else 0.0

    def compared(self, value: float) -> float:
        """Return a value on the scale; below zero counts as zero."""
        value = max(value, 0.0)
        if self.scale is Scale.RATIO:
            return math.log(value + self.offset)
        return math.sqrt(value) if self.scale is Scale.ROOT else value

    def measured(self, compared: float) -> float:
        """Return what `compared` was made from; at least zero."""
        if self.scale is Scale.RATIO:
            return max(math.exp(min(compared, 700.0)) - self.offset, 0.0)
        compared = max(compared, 0.0)
        return compared * compared if self.scale is Scale.ROOT else compared

    def weight(self, compared: float, moved: float) -> float:
        """Return 0 to 1: how much a deviation matters, given the value it moved to."""
        if self.scale is Scale.ROOT:
            usual = max(compared - moved, 0.0)
            moved = compared * compared - usual * usual
        return min(abs(moved) / self.matters, 1.0) * (self.below if moved < 0.0 else 1.0)


UNITS: dict[Signal, Unit] = {
    Signal.CPU: Unit(
        scale=Scale.RATIO,
        offset=0.05,
        least_spread=0.05,
        matters=0.5,
        below=0.5,
        follows_requests=True,
    ),
    Signal.MEMORY: Unit(scale=Scale.PLAIN, least_spread=0.005, matters=0.05, follows_requests=True),
    Signal.REQUESTS: Unit(scale=Scale.RATIO, offset=0.1, least_spread=0.05, matters=0.3),
    Signal.ERRORS: Unit(scale=Scale.ROOT, least_spread=0.01, matters=0.01, below=0.0),
    Signal.LATENCY: Unit(
        scale=Scale.RATIO,
        offset=0.001,
        least_spread=0.05,
        matters=0.2,
        below=0.25,
        follows_requests=True,
    ),
    Signal.RESTARTS: Unit(scale=Scale.ROOT, least_spread=0.5, matters=3.0, below=0.0),
    Signal.EGRESS: Unit(
        scale=Scale.RATIO,
        offset=1000.0,
        least_spread=0.05,
        matters=0.5,
        below=0.5,
        follows_requests=True,
    ),
    Signal.REFUSED: Unit(scale=Scale.ROOT, least_spread=0.05, matters=0.1, below=0.0),
}
