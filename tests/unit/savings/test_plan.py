"""A small account from inventory to selection."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from tasks.domain.inventory import Commitment, CommitmentKind, Inventory
from tasks.domain.savings.bill import Ledger
from tasks.domain.savings.cover import Cover
from tasks.domain.savings.kinds.commitments import (
    PlanTerms,
    best_plan,
    commitment_opportunity,
    low_use,
    plan_confidence,
)
from tasks.domain.savings.machines import machines_of
from tasks.domain.savings.money import PriceBook
from tasks.domain.savings.opportunity import Kind, Opportunity, Rejection
from tasks.domain.savings.plan import find_savings, lowest_week_share, plan_terms, weekly_usd
from tasks.domain.savings.policy import Ignore, SavingsPolicy
from tasks.domain.savings.selection.selection import Selection
from tasks.domain.savings.sizing.capacity_needs import capacity_needs
from tasks.domain.savings.sizing.needs import CapacityNeeds
from tasks.domain.usage.archetypes import Archetype
from tasks.domain.usage.panel import Metric, UsagePanel
from tests.unit.savings.account import (
    HOURS,
    NOW,
    REGION,
    WEB_SERIES,
    ZONES,
    evidence,
    flat,
    group,
    instance,
    office,
    panel,
    prices,
    quote,
    service,
    volume,
)
from tests.unit.savings.options import compute, terms

WEB = tuple(instance(f"i-w{n}", zone=ZONES[n % 3], group="web") for n in range(4))
ACCOUNT = Inventory(
    observed_at=NOW,
    regions=(REGION,),
    instances=(
        instance("i-idle", tags={"env": "dev"}),
        instance("i-office", tags={"env": "dev"}),
        instance("i-steady"),
        instance("i-api", kind="m5.large"),
        instance("i-odd", product="SUSE Linux"),
        *WEB,
    ),
    groups=(group(members=WEB),),
    volumes=(replace(volume("gp2", 1_000), attached_to="i-steady"),),
    services=(service("i-api"),),
)
USE = panel(
    {
        "i-idle": {
            Metric.CPU_MEAN: flat(1.0),
            Metric.CPU_MAX: flat(2.0),
            Metric.NETWORK: flat(300.0),
            Metric.DISK: flat(100.0),
        },
        "i-office": {
            Metric.CPU_MEAN: office(busy=55.0, quiet=2.0),
            Metric.CPU_MAX: office(busy=90.0, quiet=4.0),
        },
        "i-steady": {Metric.CPU_MEAN: flat(80.0), Metric.CPU_MAX: flat(95.0)},
        "i-api": {Metric.CPU_MEAN: flat(4.5), Metric.CPU_MAX: flat(80.0)},
        "i-odd": {Metric.CPU_MEAN: flat(1.0), Metric.CPU_MAX: flat(2.0)},
        WEB_SERIES: {Metric.INSTANCES: flat(4.0), Metric.CPU_MEAN: office(busy=65.0, quiet=9.0)},
        "targetgroup/t/1": {Metric.REQUESTS: flat(600.0), Metric.RESPONSE: flat(0.05)},
    }
)
KINDS = {"i-idle": Archetype.IDLE, "i-office": Archetype.BUSINESS_HOURS}
QUOTES = [quote("m5.xlarge", zone) for zone in ZONES]


def found(
    *,
    account: Inventory = ACCOUNT,
    book: PriceBook | None = None,
    policy: SavingsPolicy | None = None,
    use: UsagePanel = USE,
    kinds: Mapping[str, Archetype] | None = None,
) -> Selection:
    known = book or prices(spot=QUOTES)
    limits = policy or SavingsPolicy()
    return find_savings(
        account,
        use,
        archetypes=KINDS if kinds is None else kinds,
        needs=capacity_needs(use, account, known.types, limits),
        prices=known,
        policy=limits,
        now=NOW,
    )


def chosen(selection: Selection) -> set[tuple[Kind, str]]:
    return {(one.opportunity.kind, one.opportunity.resource) for one in selection.chosen}


def test_every_kind_is_found_where_it_belongs() -> None:
    result = chosen(found())
    assert {
        (Kind.STOP, "i-idle"),
        (Kind.SCHEDULE, "i-office"),
        (Kind.SPOT, "web"),
        (Kind.PREDICTIVE_SCALING, "web"),
        (Kind.VOLUME_TYPE, "vol-1"),
        (Kind.SERVERLESS, "targetgroup/t/1"),
        (Kind.COMMITMENT, "account"),
    } <= result
    assert not {name for _, name in result} & {"i-odd", "i-api"}


def test_the_bill_before_is_that_of_what_has_a_price_and_the_rest_is_named() -> None:
    result = found()
    assert result.before.usd == pytest.approx(3 * 146.0 + 73.0 + 4 * 146.0 + 100.0)
    assert result.unknown == ("i-odd (us-east-1): no on-demand price of m5.xlarge with SUSE Linux",)
    assert result.before.usd - result.after.usd == result.saving.expected
    nets = sum(one.net.expected for one in result.chosen)
    assert nets == pytest.approx(result.saving.expected)


def test_an_ignored_instance_is_not_rebuilt_as_functions_either() -> None:
    rule = Ignore(resource="i-api", reason="leave it")
    result = found(policy=SavingsPolicy(ignores=(rule,)))
    assert (Kind.SERVERLESS, "targetgroup/t/1") not in chosen(result)
    why = [one.why for one in result.rejected if one.kind is Kind.SERVERLESS]
    assert "ignored for ever: leave it" in why[0]


def test_shared_and_unpriced_hosts_are_not_rebuilt_as_functions() -> None:
    other = replace(service("i-api"), service_id="targetgroup/u/2")
    shared = replace(ACCOUNT, services=(service("i-api"), other))
    assert "also does other work" in _serverless(found(account=shared))
    odd = replace(ACCOUNT, services=(service("i-api", "i-odd"),))
    assert "what i-odd costs is unknown" in _serverless(found(account=odd))


def _serverless(result: Selection) -> str:
    return next(one.why for one in result.rejected if one.kind is Kind.SERVERLESS)


def test_what_is_committed_already_is_counted_and_its_end_is_told() -> None:
    plan = Commitment(
        commitment_id="sp-1",
        kind=CommitmentKind.COMPUTE_SAVINGS_PLAN,
        usd_per_hour=0.05,
        ends_at=NOW + timedelta(days=30),
    )
    with_it, without = found(account=replace(ACCOUNT, commitments=(plan,))), found()
    assert with_it.commitment is not None
    assert without.commitment is not None
    assert with_it.commitment.usd_per_hour == pytest.approx(
        without.commitment.usd_per_hour - 0.05, abs=1e-9
    )
    notes = next(
        one.opportunity.notes for one in with_it.chosen if one.opportunity.kind is Kind.COMMITMENT
    )
    assert any("sp-1 (0.050 USD/h) ends on" in note for note in notes)


def test_too_short_a_history_commits_to_nothing() -> None:
    short = panel({"i-steady": {Metric.CPU_MEAN: flat(80.0, hours=72)}}, hours=72)
    result = found(use=short)
    assert result.commitment is None
    (why,) = [one.why for one in result.rejected if one.kind is Kind.COMMITMENT]
    assert why == "use was observed for 3.0 days, 14 are needed; wait for more"


def test_without_needs_nothing_is_right_sized() -> None:
    result = find_savings(
        ACCOUNT,
        USE,
        archetypes={},
        needs=CapacityNeeds(),
        prices=prices(),
        policy=SavingsPolicy(),
        now=NOW,
    )
    assert not any(kind is Kind.RIGHT_SIZE for kind, _ in chosen(result))


def test_the_lowest_week_lowers_what_is_committed_to() -> None:
    count = flat(4.0)
    count[:168] = 2.0
    use = panel({WEB_SERIES: {Metric.INSTANCES: count}})
    account = Inventory(
        observed_at=NOW, regions=(REGION,), instances=WEB, groups=(group(members=WEB),)
    )
    machines, _ = machines_of(account, use, prices())
    assert lowest_week_share(weekly_usd(machines, use)) == pytest.approx(2.0 / 3.5)
    known = plan_terms(account, machines, evidence(use))
    assert isinstance(known, PlanTerms)
    assert known.floor_share == pytest.approx(0.9 * 2.0 / 3.5)
    # From 2 to 4 once, then twice no change.
    assert known.weekly_deviation == pytest.approx(math.log(2.0) / math.sqrt(3.0))


def test_a_commitment_can_be_followed_with_a_calculator() -> None:
    spends = [compute(1.0, ratio=0.7), compute(2.0, ratio=None)]
    ledger = Ledger.of(spends)
    outcome = best_plan(
        ledger, ledger.eligible(spends), other_usd=0.0, floor_share=0.9, hurdle_usd=5.0
    )
    plan = commitment_opportunity(outcome, terms=terms(0.9), now=NOW)
    assert isinstance(plan, Opportunity)
    assert [step.value for step in plan.steps] == pytest.approx(
        [0.63, 0.63 * 730, 0.9 * 730, 0.7, 0.27 * 730]
    )
    assert "after 8.4 of 12 months" in plan.notes[0]
    assert "coverage 30% of on-demand compute, utilisation 100%" in plan.notes[1]


def test_a_plan_that_covers_the_floor_already_leaves_nothing_to_commit_to() -> None:
    spends = [compute(1.0, ratio=0.7)]
    ledger = Ledger.of(spends, cover=Cover(everywhere_usd_per_hour=0.7, paid_usd_per_hour=0.7))
    outcome = best_plan(
        ledger, ledger.eligible(spends), other_usd=0.0, floor_share=0.9, hurdle_usd=0.0
    )
    plan = commitment_opportunity(outcome, terms=terms(0.9), now=NOW)
    assert isinstance(plan, Rejection)
    assert "less 0.7000 USD/h of existing plans leaves nothing" in plan.why


def test_use_before_it_was_first_seen_is_not_a_low_week() -> None:
    late = flat(5.0)
    late[: HOURS // 2] = np.nan
    use = panel({"i-new": {Metric.CPU_MEAN: late}, "i-steady": {Metric.CPU_MEAN: flat(5.0)}})
    account = Inventory(
        observed_at=NOW,
        regions=(REGION,),
        instances=(instance("i-new", launched_at=NOW), instance("i-steady")),
    )
    machines, _ = machines_of(account, use, prices())
    assert lowest_week_share(weekly_usd(machines, use)) == pytest.approx(1.0)


def test_what_was_started_two_days_ago_or_never_seen_is_not_committed_to_for_a_year() -> None:
    late = flat(60.0)
    late[:-48] = np.nan
    new = tuple(instance(f"i-{n}", launched_at=NOW - timedelta(days=2)) for n in range(20))
    use = panel(
        {one.instance_id: {Metric.CPU_MEAN: late} for one in new}
        | {"i-old": {Metric.CPU_MEAN: flat(60.0)}}
    )
    account = Inventory(observed_at=NOW, regions=(REGION,), instances=(*new, instance("i-never")))
    result = found(account=account, use=use, book=prices())
    assert result.before.usd == pytest.approx(21 * 146.0)
    assert result.commitment is None
    (why,) = [one.why for one in result.rejected if one.kind is Kind.COMMITMENT]
    assert "stable floor of 0.0000 USD/h" in why
    assert "observed for less than 14 days, so in no floor: 21 of the resources, 3066.00" in why
    old = replace(account, instances=(*account.instances, instance("i-old")))
    more = found(account=old, use=use, book=prices()).commitment
    assert more is not None
    assert more.floor_usd_per_hour == pytest.approx(0.7 * 0.2)


def test_a_month_of_evidence_is_no_point_for_a_year() -> None:
    spends = [compute(1.0, ratio=0.7)]
    ledger = Ledger.of(spends)
    outcome = best_plan(
        ledger, ledger.eligible(spends), other_usd=0.0, floor_share=0.9, hurdle_usd=0.0
    )
    month = replace(terms(0.9), evidence_from=NOW - timedelta(days=28), evidence_to=NOW)
    months = np.arange(12) + 0.5
    used = np.minimum(0.95**months / 0.9, 1.0).mean()
    assert low_use(outcome, month) == pytest.approx(used)
    plan = commitment_opportunity(outcome, terms=month, now=NOW)
    assert isinstance(plan, Opportunity)
    assert plan.saving.low == pytest.approx((0.9 * used - 0.63) * 730)
    assert plan.confidence == pytest.approx(0.5 + 0.4 * math.sqrt(28 / 365), abs=0.005)
    restless = replace(month, weekly_deviation=0.2)
    assert low_use(outcome, restless) < used
    assert low_use(outcome, replace(month, weekly_deviation=math.inf)) == 0.0
    longer = replace(month, evidence_from=NOW - timedelta(days=365))
    assert plan_confidence(longer) == pytest.approx(0.9)
