"""Scheduled runs that come too late: after downtime a worker gets every run that was missed at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from prefect.runtime import flow_run


def stale_reason(*, due: datetime | None, now: datetime, stale_after: timedelta) -> str | None:
    """Return why a scheduled run is not worth doing any more; None when it is.

    Args:
        due: When the schedule wanted the run; None for a run that somebody started.
        now: Start of the run.
        stale_after: How late a run may be.
    """
    if due is None or now - due <= stale_after:
        return None
    return f"it was due {now - due} ago, and the next one is near"


def due_time() -> datetime | None:
    """Return when the schedule wanted this run; None when no schedule did."""
    scheduled = "auto-scheduled" in (flow_run.tags or [])
    return flow_run.scheduled_start_time if scheduled else None


def reason_to_skip(stale_after: timedelta) -> str | None:
    """Return why this run should do nothing; None when it should go on."""
    return stale_reason(due=due_time(), now=datetime.now(UTC), stale_after=stale_after)
