"""What is kept of prices when a stack is made, so that savings can be measured weeks later."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tasks.adapters.documents import from_json, to_json
from tasks.domain.savings.money import VolumePrice
from tasks.domain.savings.opportunity import Kind
from tasks.domain.savings.selection.selection import Chosen
from tasks.domain.stacks.hourly import hourly_prices
from tasks.domain.stacks.record import StackRecord
from tasks.domain.stacks.stack_prices import LINUX, StackPrices
from tests.support import stack_fleet as fleet

PRICES = StackPrices(
    on_demand={
        ("m5.xlarge", LINUX): 0.192,
        ("m5.large", LINUX): 0.096,
        ("m6i.xlarge", LINUX): 0.18,
        ("m5.xlarge", "Windows"): 0.376,
        ("m5.large", "Windows"): 0.188,
    },
    volumes={"gp2": VolumePrice(usd_per_gib=0.1), "gp3": VolumePrice(usd_per_gib=0.08)},
    spot={"m5.xlarge": 0.06, "m5a.xlarge": 0.05},
)


def hourly(*wanted: Chosen, prices: StackPrices = PRICES) -> dict[str, tuple[float, float]]:
    """Prices by resource."""
    plan = fleet.planned(*wanted)
    assert not plan.refused, plan.refused
    found = hourly_prices(plan, prices)
    return {
        f"{c.kind} {c.resource}": found[c.change_id] for c in plan.changes if c.change_id in found
    }


def test_an_instance_of_another_type_has_the_prices_of_both() -> None:
    found = hourly(fleet.right_size(fleet.WEB, "m5.xlarge", "m5.large"))

    assert found == {f"right-size {fleet.WEB}": (0.192, 0.096)}


def test_the_operating_system_counts() -> None:
    windows = replace(PRICES, products={fleet.WEB: "Windows"})
    found = hourly(fleet.right_size(fleet.WEB, "m5.xlarge", "m5.large"), prices=windows)

    assert found == {f"right-size {fleet.WEB}": (0.376, 0.188)}


def test_what_is_stopped_costs_nothing_after_and_what_has_hours_costs_the_same() -> None:
    found = hourly(fleet.stop(fleet.IDLE), fleet.schedule(fleet.TRAINING))

    assert found == {
        f"stop {fleet.IDLE}": (0.192, 0.0),
        f"schedule {fleet.TRAINING}": (0.192, 0.192),
    }


def test_an_instance_that_moves_to_spot_has_the_price_of_the_new_one() -> None:
    found = hourly(fleet.spot(fleet.CRAWLER, "m5a.xlarge in us-east-1a", 0.0))

    assert found == {f"spot {fleet.CRAWLER}": (0.192, 0.05)}


def test_a_group_has_the_prices_of_its_template() -> None:
    found = hourly(fleet.right_size("shop", "m5.xlarge", "m6i.xlarge"))

    assert found == {"right-size shop": (0.192, 0.18)}


def test_a_group_on_spot_has_its_price_in_the_proportion_of_its_bills() -> None:
    found = hourly(fleet.spot("shop", fleet.POOLS, 0.25))

    assert found["spot shop"] == pytest.approx((0.192, 0.192 * 61.5 / 140.16))


def test_two_changes_of_a_group_both_have_the_first_and_the_last_price() -> None:
    found = hourly(
        fleet.right_size("shop", "m5.xlarge", "m6i.xlarge"), fleet.spot("shop", fleet.POOLS, 0.25)
    )

    assert found["right-size shop"] == found["spot shop"]
    assert found["spot shop"] == pytest.approx((0.192, 61.5 / 730))


def test_a_volume_has_its_monthly_price_by_the_hour() -> None:
    found = hourly(fleet.volume(fleet.DISK))

    assert found[f"volume-type {fleet.DISK}"] == pytest.approx((50 / 730, 40 / 730))


def test_what_has_no_known_price_or_no_hours_is_left_out() -> None:
    wanted = [fleet.commitment(), fleet.serverless()]
    plans = [fleet.planned(one) for one in wanted]
    unpriced = hourly(
        fleet.right_size(fleet.WEB, "m5.xlarge", "m5.large"), prices=replace(PRICES, on_demand={})
    )

    assert [hourly_prices(plan, PRICES) for plan in plans] == [{}, {}]
    assert unpriced == {}


def test_a_record_of_an_earlier_release_loads_without_prices() -> None:
    record = StackRecord(
        stack="savings-us-east-1-1",
        region="us-east-1",
        generated_at=datetime(2026, 3, 4, tzinfo=UTC),
        changes=(),
        refused=(),
        members=(),
        files={},
    )
    old = to_json(StackRecord, record).replace(b',"hourly":{}', b"")

    assert b"hourly" not in old
    assert from_json(StackRecord, old).hourly == {}


def test_every_kind_that_has_hours_is_in_the_example_fleet() -> None:
    plan = fleet.planned(*(one for one in fleet.everything() if one.opportunity.region))
    found = hourly_prices(plan, PRICES)
    kinds = {one.kind for one in plan.changes if one.change_id in found}

    assert kinds == {Kind.RIGHT_SIZE, Kind.SPOT, Kind.STOP, Kind.SCHEDULE, Kind.VOLUME_TYPE}
