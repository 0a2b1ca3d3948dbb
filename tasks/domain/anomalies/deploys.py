"""What a deploy excuses: caches warm up, and another revision has other levels.

| since the deploy | what deviates | counts |
|---|---|---|
| under `WARM_UP` | processor, latency, restarts, egress | not at all |
| under `SETTLING` | the same | half |
| under `RELEARN` | memory | not at all: new processes begin empty and fill |
| under `WARM_UP` | errors | a third |
| any | requests, refused connections | in full: a deploy does not explain them |
| under `RELEARN` | anything | in full, but the new level is adopted after an hour, not six |
| under `RECENT` | anything | in full; the alarm is marked `after_deploy` |
"""

from __future__ import annotations

from datetime import datetime, timedelta

from tasks.domain.anomalies.alarms import Signal

WARM_UP = timedelta(minutes=30)
SETTLING = timedelta(minutes=60)
RELEARN = timedelta(hours=3)
RECENT = timedelta(hours=3)
ERRORS_COUNT = 0.33
SETTLING_COUNTS = 0.5
EXCUSED = frozenset({Signal.CPU, Signal.LATENCY, Signal.RESTARTS, Signal.EGRESS})


class Deploys:
    """When the last revision was rolled out."""

    __slots__ = ("last",)

    def __init__(self, last: datetime | None = None) -> None:
        self.last = last

    def update(self, at: datetime, *, deployed: bool) -> None:
        """Take note of a step."""
        if deployed:
            self.last = at

    def within(self, span: timedelta, at: datetime) -> bool:
        """Return whether a revision was rolled out less than a span ago."""
        return self.last is not None and at - self.last < span

    def weight(self, signal: Signal, at: datetime) -> float:
        """Return 0 to 1: how much of a deviation now is not explained by a deploy."""
        if signal is Signal.MEMORY:
            return 0.0 if self.within(RELEARN, at) else 1.0
        if signal in EXCUSED:
            if self.within(WARM_UP, at):
                return 0.0
            return SETTLING_COUNTS if self.within(SETTLING, at) else 1.0
        early = signal is Signal.ERRORS and self.within(WARM_UP, at)
        return ERRORS_COUNT if early else 1.0
