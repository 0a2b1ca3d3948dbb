"""Laws of the selection: it is what would really be saved, and no more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.domain.savings.alternatives import Alternative, Stage, Unit
from tasks.domain.savings.bill import Line, Spend
from tasks.domain.savings.cover import Cover
from tasks.domain.savings.opportunity import Kind
from tasks.domain.savings.policy import SavingsPolicy
from tasks.domain.savings.selection import Found, Selection, select
from tests.unit.savings.options import (
    ALWAYS,
    NO_LIMITS,
    NOW,
    OFFICE,
    REGION,
    brute_force,
    opportunity,
    terms,
    unit,
)

NAMES = ("a", "b", "c")
KINDS = (Kind.RIGHT_SIZE, Kind.SPOT, Kind.SCHEDULE, Kind.STOP)
SCOPE = "us-east-1/m5"


@dataclass(frozen=True, kw_only=True)
class Case:
    options: Found
    cover: Cover
    floor_share: float

    def select(self, policy: SavingsPolicy = NO_LIMITS) -> Selection:
        plan = terms(self.floor_share) if self.floor_share > 0.0 else None
        return select(self.options, policy=policy, now=NOW, cover=self.cover, terms=plan)

    def optimum(self, policy: SavingsPolicy = NO_LIMITS) -> float:
        return brute_force(
            self.options.units,
            self.options.alternatives,
            cover=self.cover,
            floor_share=self.floor_share,
            policy=policy,
        )


lines = st.builds(
    Line,
    usd_per_hour=st.integers(1, 40).map(lambda cents: cents / 20),
    running=st.sampled_from([ALWAYS, OFFICE, 0.5 * ALWAYS]),
    plan_ratio=st.sampled_from([None, 0.5, 0.63, 0.72]),
    scope=st.sampled_from(["", SCOPE]),
)
spends = st.builds(
    Spend,
    lines=st.lists(lines, max_size=2).map(tuple),
    other_usd=st.integers(0, 300).map(float),
)


@st.composite
def alternatives(draw: st.DrawFn, names: tuple[str, ...]) -> list[Alternative]:
    kinds = [(name, kind) for name in names for kind in KINDS]
    picked = draw(st.lists(st.sampled_from(kinds), unique=True, max_size=5))
    return [
        Alternative(
            resources=((REGION, name),),
            stages=(
                Stage(
                    opportunity=opportunity(name, kind, disruption=draw(st.floats(0.0, 1.0))),
                    spend=draw(spends),
                ),
            ),
        )
        for name, kind in picked
    ]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    names = NAMES[: draw(st.integers(1, 3))]
    everywhere = draw(st.sampled_from([0.0, 0.0, 0.4, 2.0]))
    scoped = draw(st.sampled_from([{}, {}, {SCOPE: 0.7}, {SCOPE: float("inf")}]))
    return Case(
        options=Found(
            units=tuple(unit(name, draw(spends)) for name in names),
            alternatives=tuple(draw(alternatives(names))),
        ),
        cover=Cover(
            everywhere_usd_per_hour=everywhere,
            scoped_usd_per_hour=scoped,
            paid_usd_per_hour=everywhere + 0.4 * len(scoped),
        ),
        floor_share=draw(st.sampled_from([0.0, 0.5, 0.9])),
    )


policies = st.builds(
    SavingsPolicy,
    min_saving_usd=st.sampled_from([0.0, 20.0]),
    min_saving_per_disruption=st.sampled_from([0.0, 0.25]),
)
law = settings(max_examples=60, deadline=None)


def close(value: float, *, scale: float) -> object:
    return pytest.approx(value, abs=2e-5 * max(scale, 1.0))


@law
@given(case=cases(), policy=policies)
def test_the_solver_finds_what_trying_everything_finds(case: Case, policy: SavingsPolicy) -> None:
    found = case.select(policy)
    hurdle = found.hurdle_usd + (policy.min_saving_usd if found.commitment is not None else 0.0)
    assert found.after.usd + hurdle == close(case.optimum(policy), scale=found.before.usd)


@law
@given(case=cases(), policy=policies)
def test_nets_add_up_to_the_difference_of_the_bills(case: Case, policy: SavingsPolicy) -> None:
    found = case.select(policy)
    nets = sum(one.net.expected for one in found.chosen)
    assert nets == pytest.approx(found.saving.expected, abs=1e-7 * max(found.before.usd, 1.0))
    assert found.saving.expected == found.before.usd - found.after.usd
    assert found.saving.low <= found.saving.expected <= found.saving.high


@law
@given(case=cases())
def test_the_total_is_at_most_the_bill_of_what_is_touched(case: Case) -> None:
    found = case.select()
    touched = {one.opportunity.resource for one in found.chosen}
    everything = "account" in touched
    bill = sum(u.spend.usd for u in case.options.units if everything or u.key[1] in touched)
    assert -1e-6 <= found.saving.expected <= bill + 1e-6 * max(bill, 1.0)


@law
@given(case=cases(), policy=policies, at=st.integers(0, 4))
def test_one_more_opportunity_never_makes_it_worse(
    case: Case, policy: SavingsPolicy, at: int
) -> None:
    every = case.options.alternatives
    fewer = replace(case, options=replace(case.options, alternatives=every[:at] + every[at + 1 :]))
    more, less = case.select(policy), fewer.select(policy)
    slack = 2e-5 * max(more.before.usd, 1.0)
    assert _worth(more, policy) >= _worth(less, policy) - slack
    assert case.select().saving.expected >= fewer.select().saving.expected - slack


def _worth(found: Selection, policy: SavingsPolicy) -> float:
    plan = policy.min_saving_usd if found.commitment is not None else 0.0
    return found.saving.expected - found.hurdle_usd - plan


@law
@given(case=cases(), factor=st.sampled_from([0.01, 7.0, 1000.0]))
def test_scaling_all_prices_scales_all_savings(case: Case, factor: float) -> None:
    one, other = case.select(), _scaled(case, factor).select()
    scale = max(one.before.usd, 1.0)
    assert other.before.usd / factor == close(one.before.usd, scale=scale)
    assert other.saving.expected / factor == close(one.saving.expected, scale=scale)


def _scaled(case: Case, factor: float) -> Case:
    cover = case.cover
    return Case(
        options=Found(
            units=tuple(Unit(key=u.key, spend=_times(u.spend, factor)) for u in case.options.units),
            alternatives=tuple(
                _with_spend(one, lambda s: _times(s, factor)) for one in case.options.alternatives
            ),
        ),
        cover=Cover(
            everywhere_usd_per_hour=cover.everywhere_usd_per_hour * factor,
            scoped_usd_per_hour={k: v * factor for k, v in cover.scoped_usd_per_hour.items()},
            paid_usd_per_hour=cover.paid_usd_per_hour * factor,
        ),
        floor_share=case.floor_share,
    )


def _times(spend: Spend, factor: float) -> Spend:
    return Spend(
        lines=tuple(replace(o, usd_per_hour=o.usd_per_hour * factor) for o in spend.lines),
        other_usd=spend.other_usd * factor,
    )


def _with_spend(one: Alternative, change: Callable[[Spend], Spend]) -> Alternative:
    stages = tuple(replace(stage, spend=change(stage.spend)) for stage in one.stages)
    return replace(one, stages=stages)


@law
@given(case=cases(), policy=policies, seed=st.integers(0, 2**16))
def test_the_order_of_the_input_does_not_matter(
    case: Case, policy: SavingsPolicy, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    options = case.options
    units = [options.units[at] for at in rng.permutation(len(options.units))]
    others = [options.alternatives[at] for at in rng.permutation(len(options.alternatives))]
    mixed = replace(case, options=Found(units=tuple(units), alternatives=tuple(others)))
    assert mixed.select(policy) == case.select(policy)
