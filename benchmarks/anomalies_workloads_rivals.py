"""A threshold per metric, as most alerting rules are: k standard deviations from the week's mean."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from tasks.domain.anomalies.alarms import Alarm, Kind, Reason, Remedy, Sample, Signal

REST = timedelta(hours=2)
"""Between alarms of a workload; ours is asked to keep to the same."""
MEMORY_STEPS = 2016.0
MIN_STEPS = 288

KIND_OF = {
    Signal.CPU: Kind.DEGRADATION,
    Signal.MEMORY: Kind.MEMORY_LEAK,
    Signal.REQUESTS: Kind.TRAFFIC_SPIKE,
    Signal.ERRORS: Kind.ERROR_RATE,
    Signal.LATENCY: Kind.DEGRADATION,
    Signal.RESTARTS: Kind.UNKNOWN,
    Signal.EGRESS: Kind.SECURITY,
    Signal.REFUSED: Kind.SECURITY,
}


class KSigma:
    """Alarm where any metric is more than k standard deviations from its weekly mean.

    Args:
        k: Above 0.
    """

    severity: float | None = None
    """A threshold does not know how rare what it sees is."""

    def __init__(self, k: float) -> None:
        self.k = k
        self.steps: dict[Signal, int] = {}
        self.means: dict[Signal, float] = {}
        self.squares: dict[Signal, float] = {}
        self.told: datetime | None = None

    def update(self, sample: Sample) -> Alarm | None:
        """Return an alarm, at most one per rest period."""
        reasons = [self._reason(signal, value) for signal, value in sample.values.items()]
        far = [one for one in reasons if one is not None and abs(one.distance) > self.k]
        if not far or (self.told is not None and sample.at - self.told < REST):
            return None
        self.told = sample.at
        far.sort(key=lambda one: -abs(one.distance))
        above = far[0].distance > 0.0
        return Alarm(
            at=sample.at,
            kind=KIND_OF[far[0].signal] if above else Kind.UNKNOWN,
            severity=1.0,
            reasons=tuple(far),
            remedy=Remedy.LOOK,
        )

    def _reason(self, signal: Signal, value: float) -> Reason | None:
        seen = self.steps.get(signal, 0)
        mean, square = self.means.get(signal, value), self.squares.get(signal, 0.0)
        found = None
        if seen >= MIN_STEPS and square > 0.0:
            distance = (value - mean) / math.sqrt(square)
            found = Reason(signal=signal, value=value, expected=mean, distance=distance)
        rate = 1.0 / min(seen + 1.0, MEMORY_STEPS)
        moved = value - mean
        self.steps[signal] = seen + 1
        self.means[signal] = mean + rate * moved
        self.squares[signal] = (1.0 - rate) * (square + rate * moved * moved)
        return found
