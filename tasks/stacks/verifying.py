"""Whether what was applied is as it should be, and what is remembered of it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from functools import partial

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

from blocks import ChangeAttempt
from tasks.adapters.health import resource_health, watching_alarms
from tasks.adapters.pulumi.engine import exported
from tasks.domain.guardrails.cooldown import Outcome, target_of
from tasks.domain.stacks.changes import Phase
from tasks.domain.stacks.health import (
    Alarm,
    Expected,
    Health,
    HealthReport,
    Observation,
    expectations,
)
from tasks.domain.stacks.preview import Preview
from tasks.domain.stacks.record import StackRecord
from tasks.domain.stacks.recovery import missing_outputs, name_of
from tasks.stacks.health import Patience, watch_health
from tasks.stacks.ledger import SupersededError, entry_of, ledger_of
from tasks.stacks.site import Site

GRACE = timedelta(minutes=20)
"""After the quiet window, for instances to start and alarms to settle."""
LOOK_EVERY = timedelta(seconds=15)
BEING_VERIFIED = frozenset({"applied", "undoing"})


def now_utc() -> datetime:
    """Return now, aware UTC."""
    return datetime.now(UTC)


@task(name="verify-stack", cache_policy=NO_CACHE)
def verify_stack(
    site: Site,
    record_: StackRecord,
    seen: Preview,
    *,
    applied_at: datetime,
    quiet: timedelta | None = None,
) -> HealthReport:
    """Look at what was applied until it is healthy and alarms kept quiet, or time is up.

    Args:
        site: Where to look.
        record_: The stack.
        seen: The preview that was applied.
        applied_at: End of the update.
        quiet: How long alarms have to be quiet; None as the guardrails say.
    """
    window = site.policy.alarm_quiet if quiet is None else quiet
    settings = site.engine(record_.region)
    state = exported(settings, stack=record_.stack)
    missing = missing_outputs(state, record_.exports) if seen.phase is Phase.CHANGE else ()
    if missing:
        why = f"the stack has no output {', '.join(missing)}"
        now = now_utc()
        return HealthReport(health=Health.UNHEALTHY, why=why, at=now, quiet_since=applied_at)
    ids = {name_of(one["urn"]): one.get("id") for one in state.get("resources", ())}
    expected = expectations(seen.changes, {name: str(i) for name, i in ids.items() if i})

    try:
        report = _watched(site, record_, expected, window=window, applied_at=applied_at)
    except Superseded as error:
        raise SupersededError(error.stack, error.status) from error
    get_run_logger().info(
        "stacks.health stack=%s health=%s why=%s", record_.stack, report.health, report.why
    )
    return report


class Superseded(Exception):  # noqa: N818 - it ends a wait, nothing is wrong
    """Somebody else took over while this run looked."""

    def __init__(self, stack: str, status: str) -> None:
        self.stack, self.status = stack, status
        super().__init__(f"stack {stack} is {status}")


def _watched(
    site: Site,
    record_: StackRecord,
    expected: tuple[Expected, ...],
    *,
    window: timedelta,
    applied_at: datetime,
) -> HealthReport:
    return watch_health(
        lambda: _look(site, record_.stack, record_.region, expected, since=applied_at),
        expected,
        applied_at=applied_at,
        patience=Patience(window=window, deadline=window + GRACE, every=LOOK_EVERY),
        clock=now_utc,
        pause=time.sleep,
    )


def _look(
    site: Site, stack: str, region: str, expected: tuple[Expected, ...], *, since: datetime
) -> tuple[tuple[Observation, ...], tuple[Alarm, ...]]:
    status = entry_of(ledger_of(site.ledger), stack).status
    if status not in BEING_VERIFIED:
        raise Superseded(stack, status)
    reader = partial(site.client, region=region)
    known = [(one.token, one.resource_id) for one in expected if one.resource_id is not None]
    observed = resource_health(reader, known, region=region, since=since)
    alarms = watching_alarms(reader("cloudwatch"), [i for _, i in known], region=region)
    return observed, alarms


def attempts(record_: StackRecord, outcome: Outcome) -> tuple[ChangeAttempt, ...]:
    """Return what is remembered of a stack's changes, for the back-off."""
    return tuple(
        ChangeAttempt(
            target=target_of(region=one.region, resource=one.resource),
            action=str(one.kind),
            at=now_utc(),
            outcome=outcome.value,
        )
        for one in record_.changes
    )
