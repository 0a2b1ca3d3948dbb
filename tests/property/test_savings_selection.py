"""Laws of the selection: it is what would really be saved, and no more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.domain.arrays import FloatArray
from tasks.domain.inventory import Commitment, CommitmentKind, Inventory
from tasks.domain.savings.bill import Line, Spend
from tasks.domain.savings.cover import Cover
from tasks.domain.savings.kinds.volumes import volume_usd
from tasks.domain.savings.machines import machines_of
from tasks.domain.savings.money import PriceBook
from tasks.domain.savings.opportunity import Kind
from tasks.domain.savings.plan import find_savings
from tasks.domain.savings.policy import SavingsPolicy
from tasks.domain.savings.selection.alternatives import Alternative, Stage, Unit
from tasks.domain.savings.selection.net_steps import (
    BESIDE,
    COMMITMENTS,
    COMMITMENTS_AND_OTHERS,
    OTHERS,
    WHOLE_BILL,
)
from tasks.domain.savings.selection.selection import Found, Selection, select
from tasks.domain.savings.sizing.capacity_needs import capacity_needs
from tasks.domain.usage.panel import Metric, UsagePanel
from tests.unit.savings import account
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
    scoped = draw(st.sampled_from([{}, {SCOPE: 0.7}, {SCOPE: 1.5}, {SCOPE: float("inf")}]))
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
    assert found.saving.high <= max(found.before.usd, found.saving.expected)


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
    if {c.opportunity.identity for c in one.chosen} == {
        c.opportunity.identity for c in other.chosen
    }:
        assert other.saving.low / factor == close(one.saving.low, scale=scale)
        assert other.saving.high / factor == close(one.saving.high, scale=scale)


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


# From here on whole accounts, with every kind of opportunity as the code finds it.

TYPES = ("m5.large", "m5.xlarge", "m5.2xlarge", "c5.large")


@st.composite
def accounts(draw: st.DrawFn) -> tuple[Inventory, UsagePanel]:
    rows: dict[str, dict[Metric, FloatArray]] = {}
    singles = []
    for number in range(draw(st.integers(1, 4))):
        quiet = draw(st.sampled_from([1.0, 2.0, 20.0]))
        cpu = draw(st.sampled_from([account.flat(quiet), account.office(busy=60.0, quiet=quiet)]))
        name = f"i-{number}"
        rows[name] = {Metric.CPU_MEAN: cpu, Metric.CPU_MAX: cpu + 2.0}
        if draw(st.booleans()):
            rows[name] |= {Metric.NETWORK: account.flat(100.0)}
        singles.append(
            account.instance(
                name,
                kind=draw(st.sampled_from(TYPES)),
                product=draw(st.sampled_from([account.LINUX, account.LINUX, "SUSE Linux"])),
                tags={"homeostat/spot": draw(st.sampled_from(["allowed", "never"]))},
            )
        )
    members = [account.instance(f"i-w{n}", group="web") for n in range(draw(st.integers(1, 4)))]
    rows[account.WEB_SERIES] = {
        Metric.INSTANCES: account.flat(float(len(members))),
        Metric.CPU_MEAN: account.office(busy=65.0, quiet=draw(st.sampled_from([5.0, 50.0]))),
    }
    volumes = (account.volume(draw(st.sampled_from(["gp2", "io2"])), draw(st.integers(1, 3000))),)
    inventory = Inventory(
        observed_at=account.NOW,
        regions=(account.REGION,),
        instances=(*singles, *members),
        groups=(account.group(members=members),),
        volumes=volumes,
        commitments=(),
    )
    return inventory, account.panel(rows)


def plan(
    inventory: Inventory, use: UsagePanel, book: PriceBook, policy: SavingsPolicy
) -> Selection:
    return find_savings(
        inventory,
        use,
        archetypes={},
        needs=capacity_needs(use, inventory, book.types, policy),
        prices=book,
        policy=policy,
        now=account.NOW,
    )


BOOK = account.prices(spot=[account.quote(kind, zone) for kind in TYPES for zone in account.ZONES])
ONE_POOL = replace(NO_LIMITS, spot_pools=1)
accounts_law = settings(max_examples=15, deadline=None)


@accounts_law
@given(one=accounts())
def test_what_has_no_price_is_named_not_touched_and_in_no_bill(
    one: tuple[Inventory, UsagePanel],
) -> None:
    inventory, use = one
    found = plan(inventory, use, BOOK, ONE_POOL)
    odd = {i.instance_id for i in inventory.instances if i.product != account.LINUX}
    odd |= {v.volume_id for v in inventory.volumes if v.kind == "io2"}
    assert {text.partition(" ")[0] for text in found.unknown} == odd
    assert not odd & {one.opportunity.resource for one in found.chosen}
    priced = replace(
        inventory,
        instances=tuple(i for i in inventory.instances if i.instance_id not in odd),
        volumes=tuple(v for v in inventory.volumes if v.volume_id not in odd),
    )
    assert plan(priced, use, BOOK, ONE_POOL).before == found.before


@accounts_law
@given(one=accounts(), factor=st.sampled_from([0.5, 3.0, 100.0]))
def test_dearer_by_a_factor_saves_more_by_that_factor(
    one: tuple[Inventory, UsagePanel], factor: float
) -> None:
    base = plan(*one, BOOK, ONE_POOL)
    dearer = plan(*one, _priced(BOOK, factor), ONE_POOL)
    assert dearer.before.usd == pytest.approx(factor * base.before.usd)
    assert dearer.saving.expected == pytest.approx(factor * base.saving.expected, rel=1e-4)
    assert dearer.saving.low == pytest.approx(factor * base.saving.low, rel=1e-3)
    assert dearer.saving.high == pytest.approx(factor * base.saving.high, rel=1e-3)


def _priced(book: PriceBook, factor: float) -> PriceBook:
    return replace(
        book,
        offers={
            key: {
                name: replace(offer, price_usd_per_hour=offer.price_usd_per_hour * factor)
                for name, offer in offers.items()
            }
            for key, offers in book.offers.items()
        },
        volumes={
            key: replace(
                price,
                usd_per_gib=price.usd_per_gib * factor,
                usd_per_iops=price.usd_per_iops * factor,
                usd_per_mib_per_second=price.usd_per_mib_per_second * factor,
            )
            for key, price in book.volumes.items()
        },
        plan_usd_per_hour={
            key: {name: rate * factor for name, rate in rates.items()}
            for key, rates in book.plan_usd_per_hour.items()
        },
        spot={
            key: tuple(
                replace(
                    one,
                    usd_per_hour=one.usd_per_hour * factor,
                    high_usd_per_hour=one.high_usd_per_hour * factor,
                )
                for one in quotes
            )
            for key, quotes in book.spot.items()
        },
    )


@accounts_law
@given(one=accounts())
def test_an_account_never_saves_more_than_what_it_touches_costs(
    one: tuple[Inventory, UsagePanel],
) -> None:
    inventory, use = one
    found = plan(inventory, use, BOOK, replace(ONE_POOL, kinds=frozenset(Kind) - {Kind.COMMITMENT}))
    touched = {one.opportunity.resource for one in found.chosen}
    machines, _ = machines_of(inventory, use, BOOK)
    bill = sum(each.spend.usd for each in machines if each.name in touched)
    for volume in inventory.volumes:
        price = BOOK.volumes.get((volume.region, volume.kind))
        bill += (volume_usd(volume, price) or 0.0) if volume.volume_id in touched else 0.0
    assert found.saving.expected <= bill * (1.0 + 1e-9) + 1e-9
    for each in found.chosen:
        assert each.net.low <= each.net.expected <= each.net.high
        assert each.opportunity.steps[-1].value == pytest.approx(each.net.expected, abs=0.01)


held = st.lists(
    st.builds(
        Commitment,
        commitment_id=st.sampled_from(["c-1", "c-2"]),
        kind=st.sampled_from(CommitmentKind),
        usd_per_hour=st.sampled_from([0.05, 0.13, 0.4]),
        region=st.just(account.REGION),
        instance_family=st.just("m5"),
        instance_type=st.sampled_from(["m5.large", "m5.xlarge"]),
        product=st.sampled_from([account.LINUX, "Windows", None]),
        ends_at=st.just(account.NOW + timedelta(days=100)),
    ),
    max_size=2,
).map(tuple)


@accounts_law
@given(one=accounts(), commitments=held)
def test_the_arithmetic_ends_at_the_net_and_adds_up_with_a_calculator(
    one: tuple[Inventory, UsagePanel], commitments: tuple[Commitment, ...]
) -> None:
    inventory, use = one
    found = plan(replace(inventory, commitments=commitments), use, BOOK, ONE_POOL)
    for each in found.chosen:
        steps = each.opportunity.steps
        assert steps[-1].value == pytest.approx(each.net.expected, abs=0.01)
        for step in steps:
            if step.what in (COMMITMENTS, COMMITMENTS_AND_OTHERS, WHOLE_BILL, OTHERS, BESIDE):
                assert _calculated(step.formula) == pytest.approx(step.value, abs=0.0051)


def _calculated(formula: str) -> float:
    first, sign, second = formula.split(" ")
    return float(first) + {"+": 1.0, "-": -1.0}[sign] * float(second)
