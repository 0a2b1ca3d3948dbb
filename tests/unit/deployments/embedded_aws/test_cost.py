from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.embedded.aws.commitments import EmbeddedPlan
from deployments.embedded.aws.cost.history import (
    LEAST_SPIKE,
    SPIKE_DAYS_AGO,
    began_at,
    extended,
    use_per_day,
)
from deployments.embedded.aws.cost.lines import COMPUTE, PLANS, CostTable, RecordType
from deployments.embedded.aws.cost.snapshot import (
    AccountSnapshot,
    BilledInstance,
    BilledUse,
    BilledVolume,
    DaySeries,
)
from deployments.embedded.aws.cost.table import SPOT_SHARE, TRANSFER, cost_table, first_day_of
from deployments.embedded.aws.plan_rates import INSTANCE, NO_UPFRONT, Offering

OPENED = datetime(2026, 3, 10, tzinfo=UTC)
NOW = datetime(2026, 3, 21, tzinfo=UTC)


def instance(name: str = "i-1", **changes: object) -> BilledInstance:
    """An m5.large at 0.096 USD an hour that was launched after the account was opened."""
    plain = BilledInstance(
        identity=name,
        region="us-east-1",
        zone="us-east-1a",
        instance_type="m5.large",
        launched_at=OPENED + timedelta(days=1),
        tags=(("team", "web"),),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def account(*instances: BilledInstance, **more: object) -> AccountSnapshot:
    return replace(AccountSnapshot(opened_at=OPENED, instances=instances), **more)  # type: ignore[arg-type]


def by_day(table: CostTable, **wanted: object) -> dict[str, float]:
    """USD by day of the lines with some fields, days without cost left out."""
    rows = [
        row
        for row, key in enumerate(table.keys)
        if all(getattr(key, name) == value for name, value in wanted.items())
    ]
    usd = table.usd[rows].sum(axis=0)
    return {
        (table.first_day + timedelta(days=int(day))).isoformat(): round(float(usd[day]), 6)
        for day in np.flatnonzero(np.abs(usd) > 1e-12)
    }


def test_an_instance_costs_its_price_from_launch_until_what_is_known() -> None:
    found = by_day(cost_table(account(instance()), now=NOW + timedelta(hours=6), seed=0))

    assert list(found) == [f"2026-03-{day}" for day in range(11, 21)]
    assert found["2026-03-11"] == pytest.approx(24 * 0.096)
    # Six hours of the last day: the bill lags a day behind.
    assert found["2026-03-20"] == pytest.approx(6 * 0.096)


def test_an_instance_that_ended_costs_nothing_from_then_on() -> None:
    ended = instance(ended_at=datetime(2026, 3, 13, 12, tzinfo=UTC))

    found = by_day(cost_table(account(ended), now=NOW, seed=0))

    assert found == {
        "2026-03-11": pytest.approx(24 * 0.096),
        "2026-03-12": pytest.approx(24 * 0.096),
        "2026-03-13": pytest.approx(12 * 0.096),
    }


def test_windows_and_other_regions_cost_more_and_an_unknown_type_is_not_billed() -> None:
    found = [
        by_day(cost_table(account(one), now=NOW, seed=0)).get("2026-03-12")
        for one in (
            instance(product="Windows"),
            instance(region="eu-west-1"),
            instance(instance_type="m99.large"),
        )
    ]

    assert found == [
        pytest.approx(24 * (0.096 + 2 * 0.046)),
        pytest.approx(24 * 0.10704),
        None,
    ]


def test_spot_costs_the_recorded_price_and_else_a_stated_share() -> None:
    prices = DaySeries(first=date(2026, 3, 12).toordinal(), values=np.array([0.04]))
    snapshot = account(
        instance(spot=True), spot_usd={("us-east-1a", "m5.large", "Linux/UNIX"): prices}
    )

    table = cost_table(snapshot, now=NOW, seed=0)
    found = by_day(table)

    assert found["2026-03-12"] == pytest.approx(24 * 0.04)
    assert found["2026-03-13"] == pytest.approx(24 * 0.096 * SPOT_SHARE)
    assert [key.usage_type for key in table.keys] == ["SpotUsage:m5.large"]


def test_a_group_cost_what_was_in_service_and_costs_what_runs() -> None:
    level = DaySeries(first=date(2026, 3, 5).toordinal(), values=np.array([3.0, 1.0]))
    launched = OPENED - timedelta(days=2)
    snapshot = account(
        instance("i-1", group="web", launched_at=launched),
        instance("i-2", group="web", launched_at=launched),
        in_service={("us-east-1", "web"): level},
    )

    found = by_day(cost_table(snapshot, now=NOW, seed=0))

    assert found["2026-03-05"] == pytest.approx(3 * 24 * 0.096)
    assert found["2026-03-06"] == pytest.approx(24 * 0.096)
    assert found["2026-02-26"] == pytest.approx(3 * 24 * 0.096)  # a Thursday, as the 5th
    assert found["2026-03-12"] == pytest.approx(2 * 24 * 0.096)


def test_a_volume_costs_its_list_price_over_a_whole_month() -> None:
    volume = BilledVolume(
        identity="vol-1",
        region="us-east-1",
        kind="gp3",
        size_gib=100,
        iops=4000,
        mib_per_second=225,
        created_at=datetime(2024, 1, 1, tzinfo=UTC),
    )

    table = cost_table(account(volumes=(volume,)), now=NOW, seed=0)

    february = {
        key.usage_type: float(usd[day_of(table, 2, 1) : day_of(table, 3, 1)].sum())
        for key, usd in zip(table.keys, table.usd, strict=True)
    }
    assert february == {
        "EBS:VolumeUsage.gp3": pytest.approx(8.0),
        "EBS:VolumeP-IOPS.gp3": pytest.approx(5.0),
        "EBS:VolumeP-Throughput.gp3": pytest.approx(4.0),
    }


def day_of(table: CostTable, month: int, day: int) -> int:
    return (date(2026, month, day) - table.first_day).days


def plan(usd_per_hour: float, **more: object) -> EmbeddedPlan:
    return EmbeddedPlan(
        usd_per_hour=usd_per_hour,
        started_at=datetime(2026, 3, 12, tzinfo=UTC),
        **more,  # type: ignore[arg-type]
    )


def test_covered_usage_is_negated_and_the_fee_is_a_line_of_its_own() -> None:
    # One instance under the plan costs 0.0696 an hour: half of the two is covered.
    snapshot = account(instance("i-1"), instance("i-2"), plans=(plan(0.0696),))

    table = cost_table(snapshot, now=NOW, seed=0)
    lines = {
        (key.service, key.record): float(usd[day_of(table, 3, 13)])
        for key, usd in zip(table.keys, table.usd, strict=True)
    }

    assert lines == {
        (PLANS, RecordType.PLAN_FEE): pytest.approx(24 * 0.0696),
        (COMPUTE, RecordType.USAGE): pytest.approx(24 * 0.096),
        (COMPUTE, RecordType.COVERED): pytest.approx(24 * 0.096),
        (COMPUTE, RecordType.NEGATION): pytest.approx(-24 * 0.096),
    }


def test_a_plan_larger_than_the_usage_is_paid_in_full() -> None:
    found = by_day(cost_table(account(instance(), plans=(plan(5.0),)), now=NOW, seed=0))

    assert found["2026-03-13"] == pytest.approx(24 * 5.0)


def test_a_plan_of_another_family_covers_nothing() -> None:
    offering = Offering(plan=INSTANCE, years=1, payment=NO_UPFRONT)
    other = plan(1.0, offering=offering, region="us-east-1", family="c5")

    found = by_day(cost_table(account(instance(), plans=(other,)), now=NOW, seed=0))

    assert found["2026-03-13"] == pytest.approx(24 * (0.096 + 1.0))


def sent(name: str = "i-1") -> BilledUse:
    """10 GB a day in the week before the account was opened."""
    return BilledUse(
        identity=name,
        service="EC2 - Other",
        usage_type=TRANSFER,
        region="us-east-1",
        usd_per_unit=0.09,
        quantity=DaySeries(first=OPENED.toordinal() - 7, values=np.full(7, 10.0)),
        unit="GB",
    )


def test_one_day_stands_out_and_it_is_the_stated_one() -> None:
    table = cost_table(account(uses=(sent(),)), now=NOW, seed=0)

    found = by_day(table)
    highest = max(found, key=lambda day: found[day])

    assert highest == (OPENED - timedelta(days=SPIKE_DAYS_AGO)).date().isoformat()
    assert found[highest] > LEAST_SPIKE * 0.09
    assert sorted(found.values())[-2] < 2 * 10 * 0.09


def test_use_before_it_was_measured_grows_towards_it_and_follows_the_week() -> None:
    week = DaySeries(first=OPENED.toordinal() - 7, values=np.array([1.0, 1, 1, 1, 1, 9, 9]))
    first = OPENED.toordinal() - 7 - 70

    found = use_per_day(replace(sent(), quantity=week), first=first, days=77, seed=1)

    assert found[70:] == pytest.approx([1, 1, 1, 1, 1, 9, 9])
    assert found[:70].reshape(10, 7).mean(axis=0)[5:].min() > 4
    assert found[:7].mean() < 0.9 * found[63:70].mean()


def test_what_is_known_nowhere_stays_unknown() -> None:
    empty = DaySeries(first=10, values=np.array([np.nan]))

    assert np.isnan(extended(empty, first=8, days=5)).all()


def test_only_what_was_there_at_the_opening_has_a_past() -> None:
    first = datetime(2025, 2, 1, tzinfo=UTC)
    drawn = [
        began_at(f"i-{n}", OPENED - timedelta(days=30), first=first, opened_at=OPENED, seed=0)
        for n in range(200)
    ]
    later = OPENED + timedelta(days=1)

    assert 0.6 < np.mean([at == first for at in drawn]) < 0.8
    assert all(first <= at <= OPENED - timedelta(days=30) for at in drawn)
    assert began_at("i-1", later, first=first, opened_at=OPENED, seed=0) == later


def fleet() -> AccountSnapshot:
    """Instances that were there at the opening, with every kind of line."""
    instances = tuple(
        instance(f"i-{n}", launched_at=OPENED - timedelta(days=n), spot=n % 5 == 0)
        for n in range(1, 30)
    )
    return account(*instances, uses=(sent(),), plans=(plan(0.3),))


def test_the_same_seed_gives_the_same_bill_and_another_one_another() -> None:
    one, again, other = (cost_table(fleet(), now=NOW, seed=seed) for seed in (1, 1, 2))

    assert one.keys == again.keys
    assert np.array_equal(one.usd, again.usd)
    assert not np.array_equal(one.usd.sum(axis=0), other.usd.sum(axis=0))


def test_yesterday_is_the_same_bill_tomorrow() -> None:
    today, tomorrow = (
        cost_table(fleet(), now=NOW + timedelta(days=days), seed=1) for days in (0, 1)
    )

    settled = day_of(today, 3, 19)
    assert today.usd.sum(axis=0)[:settled] == pytest.approx(tomorrow.usd.sum(axis=0)[:settled])


@pytest.mark.parametrize(
    ("now", "first"),
    [
        (datetime(2026, 3, 21, tzinfo=UTC), date(2025, 2, 1)),
        (datetime(2026, 12, 1, tzinfo=UTC), date(2025, 11, 1)),
    ],
)
def test_the_bill_goes_back_fourteen_calendar_months(now: datetime, first: date) -> None:
    assert first_day_of(now) == first


def test_an_empty_account_costs_nothing() -> None:
    table = cost_table(account(), now=NOW, seed=0)

    assert table.keys == ()
    assert table.usd.sum() == 0.0


@given(
    committed=st.floats(0.01, 5.0),
    kinds=st.lists(st.sampled_from(["m5.large", "c5.large", "m4.large", "m99.x"]), max_size=6),
    spot=st.booleans(),
)
def test_a_plan_takes_off_what_it_covers_and_adds_its_fee(
    committed: float, kinds: list[str], spot: bool
) -> None:
    instances = [
        instance(f"i-{n}", instance_type=kind, spot=spot and n == 0) for n, kind in enumerate(kinds)
    ]
    without = cost_table(account(*instances), now=NOW, seed=0).usd.sum()
    table = cost_table(account(*instances, plans=(plan(committed),)), now=NOW, seed=0)
    sums = {
        record: float(table.usd[[key.record is record for key in table.keys]].sum())
        for record in RecordType
    }

    assert table.usd.sum() == pytest.approx(
        without - sums[RecordType.COVERED] + sums[RecordType.PLAN_FEE]
    )
    assert sums[RecordType.COVERED] == pytest.approx(-sums[RecordType.NEGATION])
    assert all(
        (usd >= -1e-9).all()
        for key, usd in zip(table.keys, table.usd, strict=True)
        if key.record is not RecordType.NEGATION
    )
