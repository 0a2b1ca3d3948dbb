"""Laws of bills."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from tasks.domain.savings.bill import MONTHS_HOURS, Ledger, Line, Spend, monthly_bill
from tasks.domain.savings.cover import Cover

SCOPE = "us-east-1/m5"


@st.composite
def lines(draw: st.DrawFn) -> Line:
    seed = draw(st.integers(0, 2**16))
    return Line(
        usd_per_hour=draw(st.floats(0.0, 5.0)),
        running=np.random.default_rng(seed).integers(0, 3, 168).astype(float),
        plan_ratio=draw(st.sampled_from([None, 0.4, 0.55, 0.72, 0.98])),
        scope=draw(st.sampled_from(["", SCOPE, "us-east-1/c5"])),
    )


spends = st.lists(
    st.builds(
        Spend,
        lines=st.lists(lines(), max_size=3).map(tuple),
        other_usd=st.floats(0.0, 1000.0),
    ),
    max_size=4,
)


@st.composite
def covers(draw: st.DrawFn) -> Cover:
    everywhere = draw(st.floats(0.0, 4.0))
    scoped = draw(st.sampled_from([{}, {SCOPE: 1.0}, {SCOPE: float("inf")}]))
    return Cover(
        everywhere_usd_per_hour=everywhere,
        scoped_usd_per_hour=scoped,
        paid_usd_per_hour=everywhere + len(scoped),
    )


law = settings(max_examples=60, deadline=None)


@law
@given(fleet=spends, cover=covers(), level=st.floats(0.0, 5.0))
def test_a_bill_is_at_least_what_is_committed_and_at_most_list_prices_on_top(
    fleet: list[Spend], cover: Cover, level: float
) -> None:
    bill = monthly_bill(fleet, cover=cover, commitment_usd_per_hour=level)
    listed = sum(spend.usd for spend in fleet)
    committed = (cover.paid_usd_per_hour + level) * 730
    assert committed - 1e-6 <= bill.usd <= listed + committed + 1e-6
    assert bill.covered_usd + bill.on_demand_usd + bill.other_usd == pytest.approx(listed)


@law
@given(fleet=spends, cover=covers(), level=st.floats(0.0, 5.0), more=spends)
def test_more_resources_never_lower_the_bill_and_add_at_most_their_list_price(
    fleet: list[Spend], cover: Cover, level: float, more: list[Spend]
) -> None:
    one = monthly_bill(fleet, cover=cover, commitment_usd_per_hour=level).usd
    both = monthly_bill([*fleet, *more], cover=cover, commitment_usd_per_hour=level).usd
    assert one - 1e-6 <= both <= one + sum(spend.usd for spend in more) + 1e-6


@law
@given(fleet=spends, cover=covers())
def test_a_commitment_within_the_floor_never_costs_more_than_it_saves(
    fleet: list[Spend], cover: Cover
) -> None:
    ledger = Ledger.of(fleet, cover=cover)
    floor = ledger.floor_usd_per_hour(ledger.eligible(fleet))
    level = max(floor - cover.everywhere_usd_per_hour, 0.0)
    with_it = monthly_bill(fleet, cover=cover, commitment_usd_per_hour=level).usd
    assert with_it <= monthly_bill(fleet, cover=cover).usd + 1e-6


@settings(max_examples=15, deadline=None)
@given(fleet=spends, cover=covers(), level=st.floats(0.0, 5.0))
def test_the_order_of_cover_leaves_the_least_that_any_order_could(
    fleet: list[Spend], cover: Cover, level: float
) -> None:
    ledger = Ledger.of(fleet, cover=cover)
    eligible = ledger.eligible(fleet)
    bill = ledger.bill(eligible, commitment_usd_per_hour=level)
    pool = cover.everywhere_usd_per_hour + level
    least = sum(_least_left(ledger, eligible[:, hour], pool) for hour in range(0, 168, 24))
    hours = np.arange(0, 168, 24)
    found = ledger.bill(
        np.where(np.isin(np.arange(168), hours), eligible, 0.0), commitment_usd_per_hour=level
    )
    assert found.on_demand_usd / MONTHS_HOURS == pytest.approx(least, abs=1e-6)
    assert bill.on_demand_usd >= found.on_demand_usd - 1e-6


def _least_left(ledger: Ledger, amounts: np.ndarray, pool: float) -> float:
    n = len(ledger.classes)
    if n == 0:
        return 0.0
    ratios = [c.ratio for c in ledger.classes]
    rows = [[*ratios, *([0.0] * n)]]
    limits = [pool]
    for scope, budget in ledger.cover.scoped_usd_per_hour.items():
        inside = [float(c.scope == scope) for c in ledger.classes]
        rows.append([*([0.0] * n), *inside])
        limits.append(min(budget, 1e9))
    rows += [[float(i in (k, n + k)) for i in range(2 * n)] for k in range(n)]
    limits += list(amounts)
    tops = [(0, None)] * n + [(0, None if c.scope else 0.0) for c in ledger.classes]
    found = linprog([-1.0] * (2 * n), A_ub=rows, b_ub=limits, bounds=tops)
    return float(amounts.sum() + found.fun)
