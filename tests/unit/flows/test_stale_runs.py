from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from flows.due import stale_reason
from flows.instants import FutureInstantError, instant
from flows.spot import STALE_AFTER

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_scheduled_run_that_is_an_hour_late_is_not_worth_doing() -> None:
    assert "1:00:00 ago" in (
        stale_reason(due=NOW - timedelta(hours=1), now=NOW, stale_after=STALE_AFTER) or ""
    )


@pytest.mark.parametrize("late", [timedelta(0), STALE_AFTER])
def test_a_run_that_is_a_little_late_is_done(late: timedelta) -> None:
    assert stale_reason(due=NOW - late, now=NOW, stale_after=STALE_AFTER) is None


def test_a_run_that_somebody_started_is_never_stale() -> None:
    assert stale_reason(due=None, now=NOW, stale_after=STALE_AFTER) is None


def test_an_instant_that_has_not_come_is_refused_with_both() -> None:
    with pytest.raises(
        FutureInstantError, match=r"as_of is 2026-03-01 13:00.*now is 2026-03-01 12:00"
    ):
        instant(NOW + timedelta(hours=1), clock=NOW)


def test_without_an_instant_it_is_now() -> None:
    assert instant(None, clock=NOW) == NOW
