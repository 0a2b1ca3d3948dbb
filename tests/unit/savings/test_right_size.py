"""Right-sizing of instances and groups, by hand-computed numbers."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from tasks.domain.instances import Architecture, Offer
from tasks.domain.inventory import InstanceState, Lifecycle, ScalingGroup
from tasks.domain.savings.money import PriceBook, SpotQuote
from tasks.domain.savings.opportunity import Effort, Opportunity, Rejection
from tasks.domain.savings.policy import ARCHITECTURE_TAG, SavingsPolicy
from tasks.domain.savings.sizing.needs import CapacityNeed
from tasks.domain.savings.sizing.right_size import confidence, right_size, right_size_group
from tasks.domain.savings.sizing.running_hours import monthly_hours
from tests.unit.savings.right_size_builders import (
    LINUX,
    NOW,
    REGION,
    TYPES,
    USD_PER_HOUR,
    facts,
    instance,
    need,
    price_book,
)

POLICY = SavingsPolicy()
SMALL = need(memory_gib=6.0, memory_basis="highest 5.23 GiB x 1.1 + 0.25 GiB")


def opportunity(
    needed: CapacityNeed = SMALL,
    *,
    prices: PriceBook | None = None,
    policy: SavingsPolicy = POLICY,
    **of: object,
) -> Opportunity:
    found = right_size(
        instance(**of),  # type: ignore[arg-type]
        needed,
        prices=prices or price_book(),
        policy=policy,
        now=NOW,
    )
    assert isinstance(found, Opportunity), found
    return found


def rejection(needed: CapacityNeed | None = SMALL, **rest: object) -> str:
    policy = rest.pop("policy", POLICY)
    prices = rest.pop("prices", price_book())
    found = right_size(instance(**rest), needed, prices=prices, policy=policy, now=NOW)  # type: ignore[arg-type]
    assert isinstance(found, Rejection), found
    return found.why


def test_the_cheapest_type_that_is_large_enough_is_taken() -> None:
    found = opportunity()
    assert found.target == {"instance_type": "m5.large", "from_instance_type": "m5.2xlarge"}
    assert found.saving.expected == pytest.approx((0.428 - 0.107) * 730.0)
    assert (found.saving.low, found.saving.high) == (found.saving.expected, found.saving.expected)
    assert found.effort is Effort.LOW
    assert found.restart
    assert found.reversible


def test_unknown_memory_keeps_at_least_what_there_is() -> None:
    found = opportunity(need())
    assert found.target["instance_type"] == "r5.xlarge"
    assert "memory is not measured" in " ".join(found.notes)


def test_the_arithmetic_can_be_followed_with_a_pocket_calculator() -> None:
    found = opportunity(need(memory_gib=6.0, weekly_hours=(168.0, 120.0, 168.0, 144.0)))
    last = found.steps[-1]
    today, after, hours = (float(x) for x in re.findall(r"\d+\.?\d*", last.formula))
    assert (today - after) * hours == pytest.approx(last.value)
    assert last.value == pytest.approx(found.saving.expected)
    assert hours == pytest.approx((168 + 120 + 168 + 144) / 4 * 730 / 168, abs=0.05)
    assert found.saving.low < found.saving.expected < found.saving.high


def test_arm64_is_taken_only_where_somebody_allowed_it() -> None:
    tagged = opportunity(tags={ARCHITECTURE_TAG: "any"})
    allowed = opportunity(policy=SavingsPolicy(allow_arm64=True))
    assert tagged.target["instance_type"] == allowed.target["instance_type"] == "m6g.large"
    assert tagged.effort is Effort.HIGH
    assert "arm64" in " ".join(tagged.notes)


def test_local_storage_is_not_lost() -> None:
    why = rejection(replace(SMALL, instance_type="m5d.2xlarge"), instance_type="m5d.2xlarge")
    assert why == "no other priced type gives 2 vCPU and 6.00 GiB and loses nothing it has"


def test_a_move_to_nitro_says_that_drivers_are_needed() -> None:
    older = replace(SMALL, instance_type="m4.2xlarge", network_gbps=0.01)
    found = opportunity(older, instance_type="m4.2xlarge")
    assert found.target["instance_type"] == "m5.large"
    assert found.effort is Effort.MEDIUM
    assert "ENA and NVMe" in found.notes[0]


def test_nothing_moves_to_a_burstable_type_by_itself() -> None:
    found = opportunity(need(vcpu=8.0), policy=SavingsPolicy(allow_arm64=True))
    assert found.target["instance_type"] == "m6g.2xlarge"
    why = rejection(need(vcpu=8.0))
    assert why.startswith("nothing cheaper gives 8 vCPU and as much memory (it is not measured)")


def test_what_is_saturated_needs_more_and_saves_nothing() -> None:
    why = rejection(replace(SMALL, saturated_share=0.2))
    assert why.startswith("it needs more, not less: nearly all of its processors in 20.0% of hours")


@pytest.mark.parametrize(
    ("needed", "rest", "why"),
    [
        (None, {}, "its processor use was not observed"),
        (replace(SMALL, days=9.5), {}, "9.5 days were observed, 14 are needed; wait"),
        (SMALL, {"group": "web"}, "it belongs to web, which has one type for all"),
        (SMALL, {"state": InstanceState.STOPPED}, "it is stopped: only a running"),
        (SMALL, {"tenancy": "dedicated"}, "tenancy dedicated has other prices"),
        (SMALL, {"region": "us-east-1"}, "the price or size of m5.2xlarge on demand in us-east-1"),
        (SMALL, {"lifecycle": Lifecycle.SPOT}, "launch one of a smaller type instead"),
    ],
)
def test_a_rejection_says_why(
    needed: CapacityNeed | None, rest: dict[str, object], why: str
) -> None:
    assert why in rejection(needed, **rest)


def test_a_restart_is_named_where_it_leaves_too_few_days() -> None:
    why = rejection(replace(SMALL, days=3.0), launched_at=NOW - timedelta(days=3))
    assert why == (
        "it was started 3.0 days ago, and what was measured before may be of another type: "
        "3.0 days were observed, 14 are needed; wait"
    )
    unseen = rejection(None, launched_at=NOW - timedelta(hours=6))
    assert unseen.startswith("its processor use was not observed since its last start 0.2 days ago")


def test_regular_stops_are_an_assumption_that_the_approver_is_told() -> None:
    (note,) = opportunity(launched_at=NOW - timedelta(hours=16)).notes[-1:]
    assert note.startswith("it is stopped and started at regular times: what was measured since")
    assert "regular times" not in " ".join(opportunity().notes)


def test_a_stop_may_change_the_address_of_a_single_instance() -> None:
    assert "a stop changes its public address, unless that is an Elastic IP" in opportunity().notes


def test_what_is_on_local_disks_is_lost_by_a_stop() -> None:
    needed = replace(SMALL, instance_type="m5d.2xlarge")
    prices = price_book({"m5d.2xlarge": 0.504})
    wide = facts("m6id.xlarge", 4, 16, local_storage_gb=400.0)
    offers = dict(prices.offers[REGION, LINUX])
    offers["m6id.xlarge"] = Offer(shape=wide.shape, price_usd_per_hour=0.25)
    prices = replace(prices, offers={(REGION, LINUX): offers}, types={**TYPES, "m6id.xlarge": wide})
    found = opportunity(needed, prices=prices, instance_type="m5d.2xlarge")
    assert found.target["instance_type"] == "m6id.xlarge"
    assert not found.reversible
    assert found.disruption == pytest.approx(opportunity().disruption + 0.2)
    assert "its local disks are emptied: what has to last must be copied before" in found.notes


def test_spot_instances_of_a_group_are_reckoned_at_spot_prices_of_their_zone() -> None:
    quotes = {
        (REGION, name): (
            SpotQuote(region=REGION, availability_zone=f"{REGION}a", instance_type=name,
                      usd_per_hour=price, high_usd_per_hour=price, interruptions_per_month=0.1),
        )
        for name, price in (("m5.2xlarge", 0.15), ("m5.xlarge", 0.06))
    }  # fmt: skip
    prices = replace(price_book(), spot=quotes)
    found = right_size_group(
        group(instance_ids=("i-1",)),
        (instance("i-1", group="web", lifecycle=Lifecycle.SPOT),),
        SMALL,
        prices=prices,
        policy=POLICY,
        now=NOW,
    )
    assert isinstance(found, Opportunity)
    assert found.target["instance_type"] == "m5.xlarge"
    assert found.saving.expected == pytest.approx((0.15 - 0.06) * 730.0)


def group(**rest: object) -> ScalingGroup:
    values: dict[str, object] = {
        "name": "web", "region": REGION, "min_size": 2, "max_size": 2, "desired": 2,
        "instance_ids": ("i-1", "i-2"),
    } | rest  # fmt: skip
    return ScalingGroup(**values)  # type: ignore[arg-type]


MEMBERS = (instance("i-1", group="web"), instance("i-2", group="web"))


def test_a_group_changes_the_type_of_all_and_saves_for_each() -> None:
    found = right_size_group(
        group(),
        MEMBERS,
        replace(SMALL, resource="web", weekly_hours=(336.0,) * 4),
        prices=price_book(),
        policy=POLICY,
        now=NOW,
    )
    assert isinstance(found, Opportunity)
    assert found.resource == "web"
    assert found.saving.expected == pytest.approx(2 * (0.428 - 0.107) * 730.0)
    assert found.disruption < opportunity().disruption


def test_a_group_of_several_types_or_of_none_is_left_alone() -> None:
    mixed = (MEMBERS[0], instance("i-2", "m5.large", group="web"))
    for members, why in ((mixed, "it mixes m5.2xlarge, m5.large"), ((), "no instances now")):
        found = right_size_group(
            group(), members, SMALL, prices=price_book(), policy=POLICY, now=NOW
        )
        assert isinstance(found, Rejection)
        assert why in found.why


def test_confidence_grows_with_days_and_falls_with_expected_exceedance() -> None:
    assert confidence(need(days=28.0)) == pytest.approx(0.8)
    assert confidence(need(days=28.0, exceeded_share=0.05)) == pytest.approx(0.4)


def test_a_month_is_as_uncertain_as_weeks_differ() -> None:
    steady = monthly_hours((168.0, 168.0))
    assert (steady.low, steady.expected, steady.high) == (730.0, 730.0, 730.0)
    # Mean 84 h, deviation 118.8 h: the range reaches both ends.
    wild = monthly_hours((0.0, 168.0))
    assert (wild.low, wild.expected, wild.high) == (0.0, 365.0, 730.0)
    # 90 and 110 h: deviation 14.142, x 1.2816 x sqrt(1/4.345 + 1/2) = 15.49 h a week.
    some = monthly_hours((90.0, 110.0))
    assert some.low == pytest.approx((100.0 - 15.49) * 730 / 168, abs=0.1)


def test_a_type_without_a_price_is_never_chosen() -> None:
    known = {name: usd for name, usd in USD_PER_HOUR.items() if name != "m5.large"}
    assert opportunity(prices=price_book(known)).target["instance_type"] == "r5.large"


def test_an_instance_of_another_architecture_keeps_it() -> None:
    arm = replace(SMALL, instance_type="m6g.2xlarge")
    found = opportunity(arm, instance_type="m6g.2xlarge", architecture=Architecture.ARM64)
    assert found.target["instance_type"] == "m6g.large"
    assert found.effort is Effort.LOW
