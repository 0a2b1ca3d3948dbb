"""What tuning says: a suggestion with its expected effect, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

LEVEL = 0.9
"""Nominal coverage of the interval of an effect."""
HORIZON = timedelta(days=7)
"""Effects are of this time after the change."""


class Kind(StrEnum):
    """Which setting."""

    CPU_REQUEST = "cpu-request"
    CPU_LIMIT = "cpu-limit"
    MEMORY_REQUEST = "memory-request"
    MEMORY_LIMIT = "memory-limit"
    CACHE_SIZE = "cache-size"
    CONNECTION_POOL = "connection-pool"
    KEEP_ALIVE = "keep-alive"


class Measure(StrEnum):
    """What an effect is about; all are shares from 0 to 1."""

    ABOVE_REQUEST = "steps above the request"
    THROTTLED = "periods throttled"
    PEAK_ABOVE = "weeks with a peak above the request"
    OOM = "weeks with an OOM kill"
    MISSES = "lookups that miss"
    WAITED = "requests that wait for a connection"
    NEW_CONNECTIONS = "requests that open a connection"


UNITS = {
    Kind.CPU_REQUEST: "cores",
    Kind.CPU_LIMIT: "cores",
    Kind.MEMORY_REQUEST: "bytes",
    Kind.MEMORY_LIMIT: "bytes",
    Kind.CACHE_SIZE: "entries",
    Kind.CONNECTION_POOL: "connections",
    Kind.KEEP_ALIVE: "seconds",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A setting before and after.

    Attributes:
        kind: Which setting.
        before: In the unit of the kind; None for "not set".
        after: Likewise.
    """

    kind: Kind
    before: float | None
    after: float | None

    @property
    def unit(self) -> str:
        """Of both values."""
        return UNITS[self.kind]

    @property
    def inverse(self) -> Change:
        """The change that brings the old setting back."""
        return Change(kind=self.kind, before=self.after, after=self.before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What is expected in the week after the change.

    Attributes:
        measure: Of what.
        before: As measured, or expected without the change, 0 to 1.
        expected: After the change, 0 to 1.
        low: Lower end of the interval that should hold the outcome nine times in ten.
        high: Upper end, at least low.
    """

    measure: Measure
    before: float
    expected: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number of the evidence."""

    what: str
    value: float
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a suggestion rests on.

    Attributes:
        window: Time observed.
        samples: Known values in it.
        figures: What decided, the most important first.
        method: How the effect was computed, and whose practice the rule follows.
    """

    window: timedelta
    samples: int
    figures: tuple[Figure, ...]
    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A setting to change.

    Attributes:
        workload: Whose.
        change: What to set; `change.inverse` undoes it.
        effect: What is expected of it.
        promised: The measure stays at or below this; what the confidence is about, 0 to 1.
        confidence: Share of resamples of what was observed in which the promise held, 0 to 1.
        evidence: What it rests on.
    """

    workload: str
    change: Change
    effect: Effect
    promised: float
    confidence: float
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSuggested:
    """Why a setting stays as it is."""

    workload: str
    kind: Kind
    why: str
    figures: tuple[Figure, ...] = ()
