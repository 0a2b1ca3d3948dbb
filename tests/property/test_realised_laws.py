"""Laws of realised savings, whatever the account."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.domain.savings.realised.every import measured_all
from tasks.domain.savings.realised.measure import measured
from tasks.domain.savings.realised.values import CostPanel, Interval, Realised, Verdict
from tests.unit.savings.realised.panels import (
    APPLIED,
    CHANGED,
    CUT,
    change,
    fleet,
    panel,
    since,
)

SEEDS = st.integers(0, 2**31)
OTHERS = st.sampled_from([0, 1, 2, 3, 8])
FACTORS = st.floats(0.25, 1.5)


def account(seed: int, others: int, factor: float = 1.0) -> CostPanel:
    rows = fleet(seed=seed, others=others, own=0.1)
    rows[CHANGED] = since(rows[CHANGED], factor)
    return panel(rows)


def saving_of(found: Realised) -> Interval:
    assert found.saving is not None
    return found.saving


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, others=OTHERS, factor=st.floats(0.0, 3.0))
def test_an_interval_holds_its_middle_and_nothing_saves_more_than_it_would_have_cost(
    seed: int, others: int, factor: float
) -> None:
    costs = account(seed, others, factor)
    found = measured(change(), costs)
    saving = saving_of(found)
    cost = float(costs.usd[0, CUT + 24 :].mean()) * 730.0
    assert saving.low <= saving.expected <= saving.high
    assert saving.low >= -cost - 1e-9
    assert found.bill_usd == pytest.approx(saving.expected + cost)


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, others=OTHERS, factor=FACTORS)
def test_what_it_would_have_cost_does_not_hang_on_what_the_change_did(
    seed: int, others: int, factor: float
) -> None:
    # In effect from the first hour that counts: the day of the change is left out.
    rows = fleet(seed=seed, others=others, own=0.1)
    changed = {**rows, CHANGED: since(rows[CHANGED], factor, hour=CUT)}
    one, other = (measured(change(), panel(each)) for each in (rows, changed))
    assert one.bill_usd == pytest.approx(other.bill_usd)


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, others=OTHERS, factor=FACTORS, rate=st.sampled_from([0.01, 8.0, 150.0]))
def test_another_currency_has_the_same_verdict_in_that_currency(
    seed: int, others: int, factor: float, rate: float
) -> None:
    costs = account(seed, others, factor)
    one = measured(change(expected=200.0), costs)
    dear = replace(costs, usd=costs.usd * rate)
    other = measured(change(expected=200.0 * rate), dear)
    assert other.verdict is one.verdict
    assert saving_of(other).expected == pytest.approx(rate * saving_of(one).expected, rel=1e-6)
    assert saving_of(other).high == pytest.approx(rate * saving_of(one).high, rel=1e-6)


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, factor=FACTORS)
def test_the_order_of_candidates_does_not_matter(seed: int, factor: float) -> None:
    costs = account(seed, 8, factor)
    order = np.random.default_rng(seed).permutation(len(costs.series)).tolist()
    mixed = replace(costs, series=tuple(costs.series[at] for at in order), usd=costs.usd[order])
    one, other = (saving_of(measured(change(), each)) for each in (costs, mixed))
    assert other.expected == pytest.approx(one.expected, rel=1e-6, abs=1e-6)
    assert other.high == pytest.approx(one.high, rel=1e-6, abs=1e-6)


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, factor=FACTORS, day=st.integers(-28, 14))
def test_a_touched_resource_tells_nothing_however_it_moved(
    seed: int, factor: float, day: int
) -> None:
    rows = fleet(seed=seed, others=6, own=0.1)
    touched = {"other-2": (APPLIED + timedelta(days=day),)}
    moved = {**rows, "other-2": since(rows["other-2"], factor)}
    one, other = (measured(change(), panel(each, touched=touched)) for each in (rows, moved))
    assert one == other


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, days=st.integers(0, 6))
def test_before_seven_whole_days_there_is_no_number(seed: int, days: int) -> None:
    rows = {name: cost[: CUT + 24 + days * 24 + 23] for name, cost in fleet(seed=seed).items()}
    found = measured(change(), panel(rows))
    assert (found.verdict, found.saving) == (Verdict.TOO_EARLY, None)
    assert found.known_at is not None


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, factor=FACTORS, parts=st.lists(st.floats(1.0, 100.0), min_size=2, max_size=4))
def test_changes_of_one_day_share_one_saving_and_nothing_counts_twice(
    seed: int, factor: float, parts: list[float]
) -> None:
    costs = account(seed, 6, factor)
    whole = saving_of(measured(change(expected=sum(parts)), costs))
    found = measured_all(
        [change(name=f"hs-{at}", expected=part) for at, part in enumerate(parts)], costs
    )
    assert sum(saving_of(one).expected for one in found) == pytest.approx(whole.expected)
    assert {one.verdict for one in found} == {found[0].verdict}
