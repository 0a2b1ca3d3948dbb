from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from deployments.embedded.aws.cost.ledger import Ledger
from deployments.embedded.aws.cost.snapshot import AccountSnapshot, BilledInstance, BilledVolume
from deployments.embedded.aws.cost.table import cost_table

OPENED = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SMALL = BilledInstance(
    identity="i-1",
    region="us-east-1",
    zone="us-east-1a",
    instance_type="m5.large",
    launched_at=OPENED + DAY,
)
LARGE = replace(SMALL, instance_type="m5.xlarge")
GP2 = BilledVolume(
    identity="vol-1", region="us-east-1", kind="gp2", size_gib=310, created_at=OPENED
)


def usd_in_march(snapshot: AccountSnapshot) -> float:
    table = cost_table(snapshot, now=datetime(2026, 4, 2, tzinfo=UTC), seed=0)
    march = (OPENED.date() - table.first_day).days
    return float(table.usd[:, march:].sum())


def test_a_resized_instance_costs_the_old_price_before_and_the_new_one_after() -> None:
    ledger = Ledger()
    ledger.instances([LARGE], now=OPENED + DAY)
    versions = ledger.instances([SMALL], now=OPENED + 11 * DAY)

    found = usd_in_march(AccountSnapshot(opened_at=OPENED, instances=tuple(versions)))

    assert found == pytest.approx(10 * 24 * 0.192 + 20 * 24 * 0.096)


def test_an_instance_that_was_stopped_and_started_costs_nothing_in_between() -> None:
    ledger = Ledger()
    ledger.instances([SMALL], now=OPENED + DAY)
    stopped = replace(SMALL, ended_at=OPENED + 3 * DAY)
    ledger.instances([stopped], now=OPENED + 3 * DAY)
    # Changed while it was stopped: that costs when it starts.
    ledger.instances([replace(stopped, instance_type="m5.xlarge")], now=OPENED + 4 * DAY)
    versions = ledger.instances([LARGE], now=OPENED + 21 * DAY)

    found = usd_in_march(AccountSnapshot(opened_at=OPENED, instances=tuple(versions)))

    assert found == pytest.approx(2 * 24 * 0.096 + 10 * 24 * 0.192)


def test_a_deleted_volume_keeps_its_past() -> None:
    ledger = Ledger()
    ledger.volumes([GP2], now=OPENED)
    ledger.volumes([], now=OPENED + 10 * DAY)
    versions = ledger.volumes([], now=OPENED + 20 * DAY)

    (only,) = versions

    assert only.ended_at == OPENED + 10 * DAY


def test_a_volume_of_another_generation_costs_less_from_then_on() -> None:
    ledger = Ledger()
    later = replace(GP2, created_at=OPENED + DAY)
    ledger.volumes([later], now=OPENED + DAY)
    versions = ledger.volumes([replace(later, kind="gp3")], now=OPENED + 11 * DAY)

    found = usd_in_march(AccountSnapshot(opened_at=OPENED, volumes=tuple(versions)))

    # 310 GiB are 10 GiB-months a day in a month of 31 days.
    assert found == pytest.approx(10 * 10 * 0.10 + 20 * 10 * 0.08)


def test_looking_twice_changes_nothing_and_tags_hold_for_the_past() -> None:
    ledger = Ledger()
    ledger.instances([LARGE], now=OPENED)
    ledger.instances([SMALL], now=OPENED + DAY)
    tagged = replace(SMALL, tags=(("team", "web"),))

    once = ledger.instances([tagged], now=OPENED + 2 * DAY)
    twice = ledger.instances([tagged], now=OPENED + 3 * DAY)

    assert once == twice
    assert {version.tags for version in twice} == {tagged.tags}
    assert len(twice) == 2
