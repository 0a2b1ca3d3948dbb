"""Whether resources are, after an update, as they should be, and whether alarms kept quiet.

| what is seen | verdict |
|---|---|
| everything as it should be, no alarm since the update, and that for the whole window | HEALTHY |
| something failed for good, or an alarm rang since the update | UNHEALTHY |
| something is on its way, or could not be read, or the window is not over | UNKNOWN |

UNKNOWN is never success: whoever waits until a deadline and still has it goes back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from tasks.domain.stacks.preview import Operation, ResourceChange, Value

Facts = Mapping[str, Value]


class Health(StrEnum):
    """How something is."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A resource as it should be.

    Attributes:
        name: Logical name.
        token: Pulumi's type.
        resource_id: None where nobody knows it, which is not healthy.
        inputs: As the program has them, in camelCase.
    """

    name: str
    token: str
    resource_id: str | None
    inputs: Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """A resource as the account has it.

    Attributes:
        found: None where it could not be read.
        facts: By the names of `health_rules`; without what could not be read.
        problem: Why it could not be read; empty otherwise.
    """

    token: str
    resource_id: str
    found: bool | None
    facts: Facts = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """An alarm that watches something of ours.

    Attributes:
        ringing: It is in state ALARM.
        ok: It is in state OK; neither where it lacks data.
        changed_at: When its state last changed.
        watches: Ids in its dimensions.
    """

    name: str
    ringing: bool
    ok: bool
    changed_at: datetime
    watches: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthVerdict:
    """One resource.

    Attributes:
        why: What is as it should be, or what is not.
    """

    name: str
    health: Health
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport:
    """All of them, and the alarms.

    Attributes:
        why: The first reason of what is worst.
        at: When it was looked at.
        quiet_since: Since when no alarm changed; not before the update.
        notes: Alarms that rang before the update and still do.
    """

    health: Health
    why: str
    at: datetime
    quiet_since: datetime
    resources: tuple[HealthVerdict, ...] = ()
    notes: tuple[str, ...] = ()


def expectations(changes: Iterable[ResourceChange], ids: Mapping[str, str]) -> tuple[Expected, ...]:
    """Return what should be there after an update; without what it deletes or leaves behind.

    Args:
        changes: Lines of the preview that was applied.
        ids: In the account, by logical name, as the update tells them.
    """
    return tuple(
        Expected(
            name=one.name,
            token=one.token,
            resource_id=ids.get(one.name, one.resource_id),
            inputs=one.inputs_after or {},
        )
        for one in changes
        if one.operation not in {Operation.DELETE, Operation.FORGET}
    )


def alarms_health(
    alarms: Sequence[Alarm], *, applied_at: datetime, now: datetime, window: timedelta
) -> HealthReport:
    """Return whether alarms kept quiet since an update.

    One that rang before and rings still is noted and not held against the update. One that changed
    and is well again begins the window anew.

    Args:
        alarms: Those that watch what was touched; without those that drive scaling.
        applied_at: End of the update.
        now: When they were read.
        window: How long they have to be quiet; zero for not at all.
    """
    rang = [one for one in alarms if one.ringing and one.changed_at >= applied_at]
    before = [one for one in alarms if one.ringing and one.changed_at < applied_at]
    settled = [one.changed_at for one in alarms if one.ok]
    quiet_since = max([applied_at, *settled])
    quiet = now - quiet_since
    if rang:
        first = min(rang, key=lambda one: (one.changed_at, one.name))
        health = Health.UNHEALTHY
        why = f"alarm {first.name} rings since {first.changed_at.isoformat()}"
    elif quiet < window:
        health = Health.UNKNOWN
        why = f"alarms are quiet for {quiet.total_seconds():.0f} of {window.total_seconds():.0f} s"
    else:
        health = Health.HEALTHY
        why = f"alarms are quiet for {quiet.total_seconds():.0f} s"
    notes = tuple(f"alarm {one.name} rang before the update and still does" for one in before)
    return HealthReport(health=health, why=why, at=now, quiet_since=quiet_since, notes=notes)
