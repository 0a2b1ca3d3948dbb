"""A simulated bill is repeatable, complete, and shown with the delay of a real one."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from tasks.domain.savings.spend.simulator import Service, SpendProcess, simulate_spend

START = date(2026, 1, 1)
QUIET = SpendProcess(anomalies_per_month=0.0)


def test_equal_seeds_give_equal_bills_and_views() -> None:
    one, other = (simulate_spend(first_day=START, days=120, seed=7) for _ in range(2))
    assert np.array_equal(one.usd, other.usd)
    assert one.seen_on(date(2026, 3, 1)).equals(other.seen_on(date(2026, 3, 1)))


def test_an_injected_anomaly_adds_exactly_its_excess() -> None:
    busy = SpendProcess(anomalies_per_month=1.0)
    bill = simulate_spend(first_day=START, days=300, seed=3, process=busy)
    assert bill.anomalies
    for truth in bill.anomalies:
        row = bill.groups.index(truth.group)
        first = (truth.first_day - START).days
        days = slice(first, (truth.last_day - START).days + 1)
        assert 0 < truth.excess_usd < bill.usd[row, days].sum()


def test_a_quiet_bill_has_no_truth_to_find() -> None:
    assert simulate_spend(first_day=START, days=300, seed=3, process=QUIET).anomalies == ()


def test_yesterday_and_today_are_incomplete_and_estimated() -> None:
    bill = simulate_spend(first_day=START, days=120, seed=1)
    seen = bill.seen_on(date(2026, 3, 1))
    last = seen[seen["day"] >= "2026-02-28"]
    assert last["is_estimated"].all()
    assert last["usd"].sum() < bill.usd[:, 58:60].sum()


def test_nothing_after_the_day_of_the_view_is_seen() -> None:
    bill = simulate_spend(first_day=START, days=120, seed=1)
    assert bill.seen_on(date(2026, 3, 1))["day"].max().date() == date(2026, 3, 1)


def test_fees_come_on_the_first_of_the_month_only() -> None:
    fees = SpendProcess(services=(Service(group="fee", lump_usd=100.0),))
    bill = simulate_spend(first_day=START, days=90, seed=1, process=fees)
    billed = [START + timedelta(days=int(day)) for day in np.flatnonzero(bill.usd[0])]
    assert [day.day for day in billed] == [1, 1, 1]


def test_recorded_usage_gives_the_shape_without_noise() -> None:
    one = SpendProcess(services=(Service(group="web", usd_per_day=10.0),), anomalies_per_month=0.0)
    shape = np.linspace(1.0, 2.0, 30)
    bill = simulate_spend(first_day=START, days=30, seed=1, process=one, usage={"web": shape})
    np.testing.assert_allclose(bill.usd[0] / bill.usd[0, 0], shape)
