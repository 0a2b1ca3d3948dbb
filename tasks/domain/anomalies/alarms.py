"""What a detector says of a workload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Signal(StrEnum):
    """What is watched of a workload; means over one step."""

    CPU = "cpu_fraction"
    """Of the request, or of the limit where there is no request."""
    MEMORY = "memory_fraction"
    """Of the limit."""
    REQUESTS = "requests_per_second"
    ERRORS = "error_fraction"
    """Of requests."""
    LATENCY = "latency_seconds"
    """The 95th percentile."""
    RESTARTS = "restarts_per_hour"
    EGRESS = "egress_bytes_per_second"
    """Sent to outside of the cluster."""
    REFUSED = "refused_connections_per_second"
    """Refused by policy or authentication."""


class Kind(StrEnum):
    """What an anomaly looks like."""

    MEMORY_LEAK = "memory-leak"
    TRAFFIC_SPIKE = "traffic-spike"
    ERROR_RATE = "error-rate"
    DEGRADATION = "performance-degradation"
    SECURITY = "security-signal"
    UNKNOWN = "unknown"


class Remedy(StrEnum):
    """What to do about it; the reconcile loop decides whether it is done."""

    RESTART = "restart-one-at-a-time"
    SURGE = "add-replicas"
    ROLL_BACK = "roll-back"
    RESIZE = "raise-the-limit"
    ISOLATE = "isolate-by-network-policy"
    LOOK = "tell-a-person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What was measured of a workload in one step.

    Attributes:
        at: End of the step, aware UTC.
        values: By signal; what was not measured is left out, never zero.
        deployed: Whether another revision was rolled out in this step.
    """

    at: datetime
    values: Mapping[Signal, float]
    deployed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One signal's part in an alarm.

    Attributes:
        signal: Which.
        value: What was measured, in the signal's unit.
        expected: What is usual at such a time, in the same unit.
        distance: How far that is, in usual deviations; negative below.
    """

    signal: Signal
    value: float
    expected: float
    distance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """An anomaly of a workload, told once.

    Attributes:
        at: End of the step in which it was noticed, aware UTC.
        kind: What it looks like.
        severity: 0 to 1: the share of steps of this workload that were less unusual.
        reasons: Furthest first, at least one.
        remedy: What to do about it.
        after_deploy: Whether another revision was rolled out shortly before.
        workload: Whose it is; None from a detector that watches only one.
    """

    at: datetime
    kind: Kind
    severity: float
    reasons: tuple[Reason, ...]
    remedy: Remedy
    after_deploy: bool = False
    workload: str | None = None
