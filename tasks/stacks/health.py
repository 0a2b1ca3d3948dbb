"""Waiting until what was applied proves healthy, fails, or a deadline passes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tasks.domain.errors import PermanentError, TransientError
from tasks.domain.stacks.health import Alarm, Expected, Health, HealthReport, Observation
from tasks.domain.stacks.health_rules import judge_health

LOOKS_TO_FAIL = 2
"""Looks in a row that have to find the same failure: one may be of an instant."""

Look = Callable[[], tuple[Sequence[Observation], Sequence[Alarm]]]
"""Reads how resources are, and the alarms that watch them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait.

    Attributes:
        window: How long alarms have to be quiet after the update.
        deadline: After the update, at least the window: then it has not proved healthy.
        every: Between looks, above zero.

    Raises:
        PermanentError: The deadline is shorter than the window, or there is no wait between looks.
    """

    window: timedelta = timedelta(minutes=10)
    deadline: timedelta = timedelta(minutes=30)
    every: timedelta = timedelta(seconds=30)

    def __post_init__(self) -> None:
        if self.window < timedelta(0) or self.deadline < self.window:
            message = (
                f"the deadline of {self.deadline} is shorter than the quiet window of "
                f"{self.window}: nothing could prove healthy; make it longer"
            )
            raise PermanentError(message)
        if self.every <= timedelta(0):
            message = f"{self.every} between looks is not above zero"
            raise PermanentError(message)


def watch_health(
    look: Look,
    expected: Sequence[Expected],
    *,
    applied_at: datetime,
    patience: Patience,
    clock: Callable[[], datetime],
    pause: Callable[[float], object],
) -> HealthReport:
    """Return the verdict on an update: healthy, unhealthy, or unknown when the deadline passed.

    A look that gets no answer is unknown, and another follows; one that is refused ends the wait,
    since the next would be refused too.

    Args:
        look: Reads how everything is.
        expected: What was applied.
        applied_at: End of the update.
        patience: How long to wait.
        clock: Now, aware UTC.
        pause: Waits some seconds.
    """
    failures = 0
    # One that is looked at for the first time long after the update is looked at for as long.
    begun = max(applied_at, clock())
    while True:
        now = clock()
        report, refused = _looked(look, expected, applied_at=applied_at, now=now, patience=patience)
        failures = failures + 1 if report.health is Health.UNHEALTHY else 0
        if report.health is Health.HEALTHY or failures >= LOOKS_TO_FAIL or refused:
            return report
        if now - begun >= patience.deadline:
            late = f"{report.why}; not healthy within {patience.deadline}"
            return replace(report, why=late)
        pause(patience.every.total_seconds())


def _looked(
    look: Look,
    expected: Sequence[Expected],
    *,
    applied_at: datetime,
    now: datetime,
    patience: Patience,
) -> tuple[HealthReport, bool]:
    """Return one look's verdict, and whether looking again is of no use."""
    try:
        observed, alarms = look()
    except (TransientError, PermanentError) as error:
        report = HealthReport(health=Health.UNKNOWN, why=str(error), at=now, quiet_since=applied_at)
        return report, isinstance(error, PermanentError)
    report = judge_health(
        observed, expected, alarms, applied_at=applied_at, now=now, window=patience.window
    )
    return report, False
