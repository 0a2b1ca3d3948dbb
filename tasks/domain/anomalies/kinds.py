"""What deviations together look like, and what to do about it: the first row that fits.

Leading are the deviations at least half as rare, in powers of ten, as the rarest one.

| leading | kind | remedy |
|---|---|---|
| requests above | traffic spike | add replicas |
| egress or refused connections above | security signal | isolate |
| memory grows steadily | memory leak | restart; roll back after a deploy |
| errors above | error rate | roll back after a deploy; add replicas where processors are short; else look |
| latency or processor above, requests at least 1.5 times the usual | traffic spike | add replicas |
| latency or processor above, requests not below | degradation | roll back after a deploy; add replicas where processors are short; else restart |
| restarts above, memory near its limit | unknown | raise the limit |
| memory above, near its limit | unknown | raise the limit |
| anything else, and whatever is below | unknown | roll back after a deploy; else look |

Requests come first because the others follow them: latency and errors at a load never seen before
say nothing about the program. What requests explain is no deviation in the first place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tasks.domain.anomalies.alarms import Kind, Reason, Remedy, Signal

NEAR_LIMIT = 0.9
SHORT_OF_CPU = 0.85
BUSY_RATIO, BUSY_DISTANCE = 1.5, 1.0
"""Requests over those expected, and their deviations, from which the load is not the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What an alarm is named by.

    Attributes:
        leading: Deviations that lead, rarest first; at least one.
        growing: Whether memory leads by steady growth.
        after_deploy: Whether another revision was rolled out shortly before.
        cpu: Fraction of the request in use; None where unknown.
        memory: Fraction of the limit in use; None where unknown.
        requests: What is known of requests, leading or not; None where unknown.
    """

    leading: Sequence[Reason]
    growing: bool = False
    after_deploy: bool = False
    cpu: float | None = None
    memory: float | None = None
    requests: Reason | None = None

    def above(self, *signals: Signal) -> bool:
        """Return whether any of the signals leads and is above what is usual."""
        return any(one.signal in signals and one.distance > 0.0 for one in self.leading)

    @property
    def busy(self) -> bool:
        """Return whether latency or processor is above at a load that is not the usual one."""
        more = self.requests
        return (
            more is not None
            and more.distance >= BUSY_DISTANCE
            and more.value >= BUSY_RATIO * more.expected
            and self.above(Signal.LATENCY, Signal.CPU)
        )

    @property
    def slow(self) -> bool:
        """Return whether the same work takes longer."""
        falling = any(o.signal is Signal.REQUESTS and o.distance < 0.0 for o in self.leading)
        return self.above(Signal.LATENCY, Signal.CPU) and not falling

    @property
    def short_of_cpu(self) -> bool:
        """Return whether processors are nearly used up."""
        return self.cpu is not None and self.cpu >= SHORT_OF_CPU

    @property
    def near_limit(self) -> bool:
        """Return whether memory is nearly used up."""
        return self.memory is not None and self.memory >= NEAR_LIMIT


def kind_of(seen: Evidence) -> Kind:
    """Return what the evidence looks like."""
    return next((kind for kind, fits in _KINDS if fits(seen)), Kind.UNKNOWN)


_KINDS: tuple[tuple[Kind, Callable[[Evidence], bool]], ...] = (
    (Kind.TRAFFIC_SPIKE, lambda seen: seen.above(Signal.REQUESTS)),
    (Kind.SECURITY, lambda seen: seen.above(Signal.EGRESS, Signal.REFUSED)),
    (Kind.MEMORY_LEAK, lambda seen: seen.growing and seen.above(Signal.MEMORY)),
    (Kind.ERROR_RATE, lambda seen: seen.above(Signal.ERRORS)),
    (Kind.TRAFFIC_SPIKE, lambda seen: seen.busy),
    (Kind.DEGRADATION, lambda seen: seen.slow),
)


def remedy_for(kind: Kind, seen: Evidence) -> Remedy:
    """Return what to do about a kind."""
    if kind is Kind.TRAFFIC_SPIKE:
        return Remedy.SURGE
    if kind is Kind.SECURITY:
        return Remedy.ISOLATE
    if seen.after_deploy:
        return Remedy.ROLL_BACK
    if kind is Kind.MEMORY_LEAK:
        return Remedy.RESTART
    if kind in {Kind.ERROR_RATE, Kind.DEGRADATION} and seen.short_of_cpu:
        return Remedy.SURGE
    if kind is Kind.DEGRADATION:
        return Remedy.RESTART
    if seen.near_limit and seen.above(Signal.MEMORY, Signal.RESTARTS):
        return Remedy.RESIZE
    return Remedy.LOOK
