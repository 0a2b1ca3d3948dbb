"""Laws of spend forecasts and alarms, whatever the bill."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.domain.savings.spend.anomalies import spend_anomalies
from tasks.domain.savings.spend.forecast import spend_outlook
from tasks.domain.savings.spend.simulator import simulate_spend

START = date(2026, 1, 1)
SEEDS = st.integers(0, 2**31)
DAYS = st.integers(4, 160)


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS, days=DAYS)
def test_ranges_hold_their_forecast_and_the_total_is_the_sum_of_groups(
    seed: int, days: int
) -> None:
    today = START + timedelta(days=days)
    seen = simulate_spend(first_day=START, days=200, seed=seed).seen_on(today)
    outlook = spend_outlook(seen, today=today, seed=1)
    for one in (outlook.total, *outlook.groups):
        for amount in (one.month_end, one.next_month):
            assert 0.0 <= amount.low <= amount.expected <= amount.high
        assert one.month_to_date_usd <= one.month_end.low + 1e-9
        assert 0.0 <= one.model_weight <= 1.0
    for read in ("month_end", "next_month"):
        parts = sum(getattr(group, read).expected for group in outlook.groups)
        assert getattr(outlook.total, read).expected == pytest.approx(parts)


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS, days=DAYS, factor=st.sampled_from([2.0, 8.0, 64.0]))
def test_a_bill_in_another_currency_has_the_same_outlook_in_that_currency(
    seed: int, days: int, factor: float
) -> None:
    today = START + timedelta(days=days)
    # Above the cent that tells noise from nothing, whatever the currency.
    seen = simulate_spend(first_day=START, days=200, seed=seed).seen_on(today)
    seen["usd"] *= 100.0
    one = spend_outlook(seen, today=today, seed=1).total
    seen["usd"] *= factor
    other = spend_outlook(seen, today=today, seed=1).total
    assert other.month_end.expected == pytest.approx(factor * one.month_end.expected, rel=1e-6)
    assert other.month_end.high == pytest.approx(factor * one.month_end.high, rel=1e-6)


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS, days=DAYS, least=st.floats(0.0, 2000.0))
def test_alarms_lie_in_what_is_settled_cost_at_least_the_minimum_and_do_not_overlap(
    seed: int, days: int, least: float
) -> None:
    today = START + timedelta(days=days)
    seen = simulate_spend(first_day=START, days=200, seed=seed).seen_on(today)
    found = spend_anomalies(seen, today=today, min_usd=least)
    for one in found:
        assert START <= one.first_day <= one.last_day < today
        assert one.excess_usd >= least
        assert 0.0 <= one.severity <= 1.0
    for place, one in enumerate(found):
        for other in found[place + 1 :]:
            apart = one.last_day < other.first_day or other.last_day < one.first_day
            assert one.group != other.group or apart
