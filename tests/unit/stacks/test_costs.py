"""What a preview costs, by hand-computed numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from tasks.domain.instances import Architecture, InstanceShape, Offer
from tasks.domain.savings.money import PriceBook, SpotQuote, VolumePrice
from tasks.domain.stacks.changes import CHANGE_TAG, Phase
from tasks.domain.stacks.costs import cost_deltas
from tasks.domain.stacks.preview import (
    UNKNOWN,
    CostDelta,
    Operation,
    Preview,
    ResourceChange,
    Source,
    Value,
)
from tasks.domain.stacks.stack_prices import StackPrices, stack_prices

INSTANCE = "aws:ec2/instance:Instance"
STATE = "aws:ec2transitgateway/instanceState:InstanceState"
VOLUME = "aws:ebs/volume:Volume"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
GROUP = "aws:autoscaling/group:Group"
PLAN = "aws:savingsplans/savingsPlan:SavingsPlan"
FUNCTION = "aws:lambda/function:Function"
ROLE = "aws:iam/role:Role"
LINUX = "Linux/UNIX"

PRICES = StackPrices(
    on_demand={
        ("m5.large", LINUX): 0.1,
        ("m5.xlarge", LINUX): 0.2,
        ("m5.large", "Windows"): 0.3,
    },
    volumes={
        "gp2": VolumePrice(usd_per_gib=0.1),
        "gp3": VolumePrice(
            usd_per_gib=0.08,
            usd_per_iops=0.005,
            free_iops=3000.0,
            usd_per_mib_per_second=0.04,
            free_mib_per_second=125.0,
        ),
    },
    spot={"m5.large": 0.03, "m5.xlarge": 0.05},
)


def line(
    token: str,
    operation: Operation,
    *,
    name: str = "it",
    before: Mapping[str, Value] | None = None,
    after: Mapping[str, Value] | None = None,
    resource_id: str | None = None,
) -> ResourceChange:
    return ResourceChange(
        name=name,
        token=token,
        urn=f"urn:pulumi:s::homeostat::{token}::{name}",
        operation=operation,
        resource_id=resource_id,
        inputs_before=before,
        inputs_after=after,
    )


def costs(
    *changes: ResourceChange,
    given: Mapping[str, tuple[float, float]] | None = None,
    phase: Phase = Phase.CHANGE,
    prices: StackPrices = PRICES,
) -> dict[str, CostDelta]:
    found = cost_deltas(preview(*changes, phase=phase), prices=prices, given=given or {})
    return {one.name: one for one in found}


def preview(*changes: ResourceChange, phase: Phase = Phase.CHANGE, **more: Any) -> Preview:
    return Preview(
        stack="s",
        region="us-east-1",
        phase=phase,
        source=Source.ENGINE,
        program_sha256="0",
        state_serial="1",
        changes=changes,
        **more,
    )


def resized(before: str, after: str, **more: Any) -> ResourceChange:
    return line(
        INSTANCE,
        Operation.UPDATE,
        before={"instanceType": before},
        after={"instanceType": after},
        **more,
    )


def test_a_smaller_machine_costs_its_price_times_the_hours_of_a_month() -> None:
    found = costs(resized("m5.xlarge", "m5.large"))["it"]
    assert (found.before_usd, found.after_usd) == pytest.approx((146.0, 73.0))
    assert found.basis == "0.2000 USD/h x 730 h to 0.1000 USD/h x 730 h"


def test_a_type_without_a_price_has_an_unknown_difference() -> None:
    found = costs(resized("m5.xlarge", "x9.huge"))["it"]
    assert found.before_usd == pytest.approx(146.0)
    assert found.after_usd is None
    assert found.delta_usd is None
    assert "x9.huge" in found.basis


def test_the_product_of_a_machine_decides_its_price() -> None:
    prices = StackPrices(on_demand=PRICES.on_demand, products={"i-1": "Windows"})
    one = line(INSTANCE, Operation.CREATE, after={"instanceType": "m5.large"}, resource_id="i-1")
    assert costs(one, prices=prices)["it"].after_usd == pytest.approx(219.0)


def test_where_several_products_are_sold_a_machine_of_neither_is_unpriced() -> None:
    prices = StackPrices(on_demand=PRICES.on_demand, product=None)
    one = line(INSTANCE, Operation.CREATE, after={"instanceType": "m5.large"})
    assert costs(one, prices=prices)["it"].after_usd is None


def test_a_machine_on_spot_is_reckoned_at_the_spot_price() -> None:
    after: dict[str, Value] = {
        "instanceType": "m5.large",
        "instanceMarketOptions": {"marketType": "spot"},
    }
    one = line(INSTANCE, Operation.REPLACE, before={"instanceType": "m5.large"}, after=after)
    found = costs(one)["it"]
    assert found.delta_usd == pytest.approx((0.03 - 0.1) * 730)


def test_spot_of_another_product_than_linux_is_unpriced() -> None:
    prices = StackPrices(spot=PRICES.spot, product="Windows")
    after: dict[str, Value] = {
        "instanceType": "m5.large",
        "instanceMarketOptions": {"marketType": "spot"},
    }
    assert (
        costs(line(INSTANCE, Operation.CREATE, after=after), prices=prices)["it"].after_usd is None
    )


def test_disks_that_a_machine_describes_are_added() -> None:
    before: dict[str, Value] = {
        "instanceType": "m5.large",
        "rootBlockDevice": {"volumeSize": 100.0},
    }
    after: dict[str, Value] = {
        "instanceType": "m5.large",
        "rootBlockDevice": {"volumeSize": 100, "volumeType": "gp3"},
    }
    found = costs(line(INSTANCE, Operation.UPDATE, before=before, after=after))["it"]
    assert (found.before_usd, found.after_usd) == pytest.approx((83.0, 81.0))


def test_stopping_a_machine_is_counted_at_the_state_and_leaves_its_disks() -> None:
    inputs: dict[str, Value] = {"instanceType": "m5.large", "rootBlockDevice": {"volumeSize": 10.0}}
    found = costs(
        line(INSTANCE, Operation.SAME, name="web", before=inputs, after=inputs, resource_id="i-1"),
        line(
            STATE,
            Operation.CREATE,
            name="web-state",
            after={"instanceId": "i-1", "state": "stopped"},
        ),
    )
    assert found["web"].delta_usd == 0.0
    assert found["web"].after_usd == pytest.approx(1.0)
    assert (found["web-state"].before_usd, found["web-state"].after_usd) == pytest.approx((73, 0))


def test_starting_it_again_costs_what_stopping_saved() -> None:
    inputs: dict[str, Value] = {"instanceType": "m5.large"}
    found = costs(
        line(INSTANCE, Operation.SAME, name="web", before=inputs, after=inputs, resource_id="i-1"),
        line(
            STATE,
            Operation.UPDATE,
            name="web-state",
            before={"instanceId": "i-1", "state": "stopped"},
            after={"instanceId": "i-1", "state": "running"},
        ),
        phase=Phase.UNDO,
    )
    assert sum(one.delta_usd or 0.0 for one in found.values()) == pytest.approx(73.0)


def test_taking_the_state_out_of_a_program_starts_nothing() -> None:
    inputs: dict[str, Value] = {"instanceType": "m5.large"}
    stopped: dict[str, Value] = {"instanceId": "i-1", "state": "stopped"}
    found = costs(
        line(INSTANCE, Operation.SAME, name="web", before=inputs, after=inputs, resource_id="i-1"),
        line(STATE, Operation.DELETE, name="web-state", before=stopped),
    )
    assert found["web-state"].delta_usd == 0.0


def test_resizing_a_machine_that_stays_stopped_costs_nothing() -> None:
    stopped: dict[str, Value] = {"instanceId": "i-1", "state": "stopped"}
    found = costs(
        resized("m5.xlarge", "m5.large", resource_id="i-1"),
        line(STATE, Operation.SAME, name="state", before=stopped, after=stopped),
    )
    assert (found["it"].before_usd, found["it"].after_usd) == (0.0, 0.0)


def test_a_state_whose_machine_is_elsewhere_is_unpriced() -> None:
    after: dict[str, Value] = {"instanceId": "i-9", "state": "stopped"}
    assert costs(line(STATE, Operation.CREATE, after=after))["it"].delta_usd is None


def test_a_volume_pays_for_what_is_above_the_free_part() -> None:
    found = costs(
        line(
            VOLUME,
            Operation.UPDATE,
            before={"type": "gp2", "size": 500.0},
            after={"type": "gp3", "size": 500.0, "iops": 4000.0, "throughput": 150.0},
        )
    )["it"]
    assert (found.before_usd, found.after_usd) == pytest.approx((50.0, 40.0 + 5.0 + 1.0))
    assert found.basis.endswith(
        "500 GiB gp3 x 0.0800 + 1000 IOPS gp3 x 0.0050 + 25 MiB/s gp3 x 0.0400"
    )


@pytest.mark.parametrize("size", [None, UNKNOWN, "big", -1, math.nan, math.inf, True])
def test_a_volume_whose_size_is_no_size_is_unpriced(size: Value) -> None:
    after: dict[str, Value] = {"type": "gp3", "size": size}
    assert costs(line(VOLUME, Operation.CREATE, after=after))["it"].after_usd is None


def test_a_new_group_takes_its_type_from_the_template_of_the_same_change() -> None:
    tags = ({"key": CHANGE_TAG, "value": "hs-1"},)
    found = costs(
        line(
            TEMPLATE,
            Operation.CREATE,
            name="template",
            after={"instanceType": "m5.xlarge", "tags": {CHANGE_TAG: "hs-1"}},
        ),
        line(TEMPLATE, Operation.CREATE, name="other", after={"instanceType": "m5.large"}),
        line(
            GROUP,
            Operation.CREATE,
            name="group",
            after={"desiredCapacity": 3, "launchTemplate": {"id": UNKNOWN}, "tags": tags},
        ),
    )
    assert found["group"].after_usd == pytest.approx(3 * 146.0)
    assert found["template"].after_usd == 0.0


def test_a_group_of_an_unknown_template_is_unpriced() -> None:
    after: dict[str, Value] = {"desiredCapacity": 3, "launchTemplate": {"id": "lt-9"}}
    assert costs(line(GROUP, Operation.CREATE, after=after))["it"].after_usd is None


def test_a_group_without_a_wanted_size_starts_with_its_smallest() -> None:
    found = costs(
        line(TEMPLATE, Operation.CREATE, name="t", after={"instanceType": "m5.large"}),
        line(GROUP, Operation.CREATE, after={"minSize": 2, "launchTemplate": {"id": UNKNOWN}}),
    )
    assert found["it"].after_usd == pytest.approx(146.0)


def mixed(**distribution: Value) -> dict[str, Value]:
    return {
        "desiredCapacity": 10.0,
        "mixedInstancesPolicy": {
            "instancesDistribution": distribution,
            "launchTemplate": {
                "launchTemplateSpecification": {"launchTemplateId": UNKNOWN},
                "overrides": ({"instanceType": "m5.large"}, {"instanceType": "m5.xlarge"}),
            },
        },
    }


def test_a_mixed_group_has_its_base_and_a_share_rounded_up_on_demand() -> None:
    after = mixed(onDemandBaseCapacity=1, onDemandPercentageAboveBaseCapacity=25)
    found = costs(line(GROUP, Operation.CREATE, after=after))["it"]
    # 1 + ceil(9 x 25 %) = 4 on demand, 6 on spot at the mean of two pools.
    assert found.after_usd == pytest.approx(730 * (4 * 0.1 + 6 * (0.03 + 0.05) / 2))


def test_a_mixed_group_that_says_nothing_is_on_demand() -> None:
    found = costs(line(GROUP, Operation.CREATE, after=mixed()))["it"]
    assert found.after_usd == pytest.approx(730.0)


def test_a_mixed_group_all_on_spot_needs_no_on_demand_price() -> None:
    prices = StackPrices(spot=PRICES.spot)
    after = mixed(onDemandBaseCapacity=0, onDemandPercentageAboveBaseCapacity=0)
    found = costs(line(GROUP, Operation.CREATE, after=after), prices=prices)["it"]
    assert found.after_usd == pytest.approx(730 * 10 * 0.04)


def test_weights_make_a_group_count_in_units() -> None:
    after: dict[str, Value] = {
        "desiredCapacity": 8,
        "mixedInstancesPolicy": {
            "instancesDistribution": {
                "onDemandBaseCapacity": 4,
                "onDemandPercentageAboveBaseCapacity": 0,
            },
            "launchTemplate": {
                "overrides": (
                    {"instanceType": "m5.large", "weightedCapacity": "2"},
                    {"instanceType": "m5.xlarge", "weightedCapacity": "4"},
                )
            },
        },
    }
    found = costs(line(GROUP, Operation.CREATE, after=after))["it"]
    # 4 units on demand of 0.1 / 2 each; 4 on spot at the mean of 0.03 / 2 and 0.05 / 4.
    assert found.after_usd == pytest.approx(730 * (4 * 0.05 + 4 * (0.015 + 0.0125) / 2))


def test_one_pool_without_a_spot_price_makes_a_group_unpriced() -> None:
    prices = StackPrices(on_demand=PRICES.on_demand, spot={"m5.large": 0.03})
    after = mixed(onDemandPercentageAboveBaseCapacity=0)
    found = costs(line(GROUP, Operation.CREATE, after=after), prices=prices)["it"]
    assert found.after_usd is None
    assert "m5.xlarge" in found.basis


def test_a_new_template_of_a_group_that_stays_the_same_is_counted_at_the_template() -> None:
    group: dict[str, Value] = {"desiredCapacity": 2, "launchTemplate": {"id": "lt-1"}}
    found = costs(
        line(
            TEMPLATE,
            Operation.UPDATE,
            name="template",
            before={"instanceType": "m5.xlarge"},
            after={"instanceType": "m5.large"},
            resource_id="lt-1",
        ),
        line(GROUP, Operation.SAME, name="group", before=group, after=group),
    )
    assert found["template"].delta_usd == pytest.approx(-146.0)
    assert found["group"].delta_usd == 0.0


def test_a_template_and_its_group_that_both_change_are_counted_once() -> None:
    group: dict[str, Value] = {"desiredCapacity": 2, "launchTemplate": {"id": "lt-1"}}
    found = costs(
        line(
            TEMPLATE,
            Operation.UPDATE,
            name="template",
            before={"instanceType": "m5.xlarge"},
            after={"instanceType": "m5.large"},
            resource_id="lt-1",
        ),
        line(
            GROUP,
            Operation.UPDATE,
            name="group",
            before=group,
            after={"launchTemplate": {"id": "lt-1", "version": UNKNOWN}},
        ),
    )
    assert sum(one.delta_usd or 0.0 for one in found.values()) == pytest.approx(-146.0)


def test_new_tags_of_a_group_hide_no_new_template() -> None:
    before: dict[str, Value] = {"desiredCapacity": 2, "launchTemplate": {"id": "lt-1"}}
    found = costs(
        line(
            TEMPLATE,
            Operation.UPDATE,
            name="template",
            before={"instanceType": "m5.xlarge"},
            after={"instanceType": "m5.large"},
            resource_id="lt-1",
        ),
        line(
            GROUP,
            Operation.UPDATE,
            name="group",
            before=before,
            after={**before, "tags": ({"key": "owner", "value": "web"},)},
        ),
    )
    assert found["group"].delta_usd == pytest.approx(-146.0)


def test_what_an_opportunity_knows_of_a_group_is_counted_once_at_the_template_that_acts() -> None:
    group: dict[str, Value] = {"desiredCapacity": 2, "launchTemplate": {"id": "lt-1"}}
    found = costs(
        line(
            TEMPLATE,
            Operation.UPDATE,
            name="template",
            before={"instanceType": "m5.xlarge"},
            after={"instanceType": "m5.large"},
            resource_id="lt-1",
        ),
        line(GROUP, Operation.SAME, name="group", before=group, after=group),
        given={"group": (300.0, 150.0)},
    )
    assert found["template"].delta_usd == -150.0
    assert found["template"].basis == "from the opportunity's arithmetic"
    assert found["group"].delta_usd == 0.0


def test_what_the_undo_stops_costs_what_the_change_made_it_cost() -> None:
    inputs: dict[str, Value] = {"instanceType": "m5.large"}
    stopped: dict[str, Value] = {"instanceId": UNKNOWN, "state": "stopped"}
    found = costs(
        resized("m5.large", "m5.large", name="other", resource_id="i-1"),
        line(INSTANCE, Operation.SAME, name="web-spot", before=inputs, after=inputs),
        line(STATE, Operation.CREATE, name="web-spot-state", after=stopped),
        given={"web-spot": (0.0, 61.5)},
        phase=Phase.UNDO,
    )
    assert found["web-spot"].delta_usd == 0.0
    assert (found["web-spot-state"].before_usd, found["web-spot-state"].after_usd) == (61.5, 0.0)


def test_a_commitment_that_the_undo_leaves_costs_what_it_does_since_the_change() -> None:
    plan: dict[str, Value] = {"commitment": "1"}
    one = line(PLAN, Operation.SAME, before=plan, after=plan)
    found = costs(one, given={"it": (1200.0, 900.0)}, phase=Phase.UNDO)["it"]
    assert (found.before_usd, found.after_usd) == (900.0, 900.0)


def test_an_api_and_logs_are_counted_with_the_function_that_an_opportunity_knows() -> None:
    tags: dict[str, Value] = {"tags": {CHANGE_TAG: "hs-1"}}
    changes = (
        line(FUNCTION, Operation.CREATE, name="function", after=tags),
        line("aws:apigatewayv2/api:Api", Operation.CREATE, name="api", after=tags),
        line("aws:cloudwatch/logGroup:LogGroup", Operation.CREATE, name="logs", after=tags),
        line("aws:cloudwatch/logGroup:LogGroup", Operation.CREATE, name="elsewhere", after={}),
    )
    found = costs(*changes, given={"function": (0.0, 0.21)})
    assert found["function"].delta_usd == 0.21
    assert (found["api"].delta_usd, found["logs"].delta_usd) == (0.0, 0.0)
    assert found["api"].basis == "per use, counted with function"
    assert found["elsewhere"].delta_usd is None
    assert costs(*changes)["api"].delta_usd is None


def test_what_an_opportunity_knows_of_a_machine_is_not_counted_at_its_state_again() -> None:
    found = costs(
        resized("m5.large", "m5.large", resource_id="i-1"),
        line(
            STATE,
            Operation.CREATE,
            name="state",
            after={"instanceId": "i-1", "state": "stopped"},
        ),
        given={"it": (73.0, 0.0)},
    )
    assert sum(one.delta_usd or 0.0 for one in found.values()) == -73.0


def test_a_savings_plan_adds_its_commitment_and_says_what_is_not_taken_off() -> None:
    found = costs(line(PLAN, Operation.CREATE, after={"commitment": "1.5"}))["it"]
    assert found.delta_usd == pytest.approx(1095.0)
    assert "not taken off" in found.basis


def test_a_given_price_wins_and_says_where_it_is_from() -> None:
    one = line(PLAN, Operation.CREATE, after={"commitment": "1.5"})
    found = costs(one, given={"it": (2000.0, 1500.0)})["it"]
    assert found.delta_usd == -500.0
    assert "opportunity" in found.basis


def test_the_undo_turns_a_given_price_round() -> None:
    found = costs(resized("m5.large", "m5.xlarge"), given={"it": (200.0, 150.0)}, phase=Phase.UNDO)[
        "it"
    ]
    assert found.delta_usd == 50.0


@pytest.mark.parametrize("operation", [Operation.IMPORT, Operation.SAME, Operation.FORGET])
@pytest.mark.parametrize("phase", list(Phase))
@pytest.mark.parametrize("given", [{}, {"it": (200.0, 150.0)}])
def test_what_is_adopted_stays_or_is_left_behind_costs_nothing(
    operation: Operation, phase: Phase, given: dict[str, tuple[float, float]]
) -> None:
    one = line(INSTANCE, operation, after={"instanceType": "m5.large"})
    found = costs(one, given=given, phase=phase)["it"]
    assert found.delta_usd == 0.0
    assert found.before_usd


def test_what_stays_the_same_without_a_price_is_left_out_rather_than_free() -> None:
    assert costs(line(FUNCTION, Operation.IMPORT, after={"memorySize": 128})) == {}


def test_new_tags_alone_change_no_price() -> None:
    before: dict[str, Value] = {"memorySize": 128}
    tagged: dict[str, Value] = {**before, "tags": {"owner": "web"}}
    assert costs(line(FUNCTION, Operation.UPDATE, before=before, after=tagged)) == {}


def test_a_function_is_unpriced_until_its_use_is_known() -> None:
    one = line(FUNCTION, Operation.CREATE, after={"memorySize": 128})
    assert costs(one)["it"].delta_usd is None
    assert costs(one, given={"it": (0.0, 3.0)})["it"].delta_usd == 3.0


def test_what_is_deleted_costs_nothing_afterwards() -> None:
    found = costs(line(VOLUME, Operation.DELETE, before={"type": "gp2", "size": 10}))["it"]
    assert (found.before_usd, found.after_usd) == (1.0, 0.0)


@pytest.mark.parametrize(
    "token",
    [
        ROLE,
        "aws:lambda/permission:Permission",
        "aws:apigatewayv2/route:Route",
        "aws:autoscaling/policy:Policy",
        "aws:scheduler/schedule:Schedule",
    ],
)
def test_roles_permissions_and_policies_are_free(token: str) -> None:
    assert costs(line(token, Operation.CREATE, after={}))["it"].delta_usd == 0.0


def test_a_type_that_nobody_knows_is_unpriced() -> None:
    found = costs(line("aws:rds/instance:Instance", Operation.CREATE, after={}))["it"]
    assert found.delta_usd is None


def test_the_engines_own_lines_have_no_cost() -> None:
    assert costs(line("pulumi:pulumi:Stack", Operation.CREATE, after={})) == {}


def test_a_given_price_that_is_no_number_is_unknown() -> None:
    found = costs(resized("m5.large", "m5.xlarge"), given={"it": (math.nan, 1.0)})["it"]
    assert found.delta_usd is None


def test_prices_are_those_of_the_region_and_spot_is_the_mean_of_its_zones() -> None:
    shape = InstanceShape(
        instance_type="m5.large", vcpu=2, memory_gib=8, architecture=Architecture.X86_64
    )
    offers = {"m5.large": Offer(shape=shape, price_usd_per_hour=0.1)}
    quotes = tuple(
        SpotQuote(
            region="us-east-1",
            availability_zone=f"us-east-1{zone}",
            instance_type="m5.large",
            usd_per_hour=usd,
            high_usd_per_hour=usd,
            interruptions_per_month=0.1,
        )
        for zone, usd in (("a", 0.02), ("b", 0.04))
    )
    book = PriceBook(
        offers={("us-east-1", LINUX): offers, ("eu-west-1", "Windows"): offers},
        volumes={("us-east-1", "gp3"): VolumePrice(usd_per_gib=0.08)},
        spot={("us-east-1", "m5.large"): quotes, ("eu-west-1", "m5.large"): quotes},
    )
    found = stack_prices(book, "us-east-1")
    assert found.on_demand == {("m5.large", LINUX): 0.1}
    assert found.spot == {"m5.large": pytest.approx(0.03)}
    assert set(found.volumes) == {"gp3"}
    assert found.product == LINUX


def test_a_region_with_several_products_has_no_usual_one() -> None:
    book = PriceBook(offers={("r", LINUX): {}, ("r", "Windows"): {}})
    assert stack_prices(book, "r").product is None


values = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.text(max_size=5)
    | st.just(UNKNOWN),
    lambda inner: (
        st.lists(inner, max_size=2).map(tuple)
        | st.dictionaries(st.sampled_from(["id", "key", "value", "marketType"]), inner, max_size=2)
    ),
    max_leaves=4,
)
keys = st.sampled_from(
    [
        "commitment",
        "desiredCapacity",
        "instanceId",
        "instanceMarketOptions",
        "instanceType",
        "launchTemplate",
        "mixedInstancesPolicy",
        "rootBlockDevice",
        "size",
        "state",
        "tags",
        "type",
    ]
)
inputs = st.dictionaries(keys, values, max_size=4)
odd_lines = st.lists(
    st.tuples(
        st.sampled_from([INSTANCE, STATE, VOLUME, TEMPLATE, GROUP, PLAN, ROLE, "x"]),
        st.sampled_from(list(Operation)),
        st.none() | inputs,
        st.none() | inputs,
    ),
    max_size=5,
)


@examples(odd_lines, st.sampled_from(list(Phase)))
def test_whatever_a_preview_says_known_costs_are_finite_and_add_up(
    drawn: list[tuple[str, Operation, dict[str, Value] | None, dict[str, Value] | None]],
    phase: Phase,
) -> None:
    changes = tuple(
        line(token, operation, name=f"n{index}", before=before, after=after)
        for index, (token, operation, before, after) in enumerate(drawn)
    )
    found = cost_deltas(preview(*changes, phase=phase), prices=PRICES, given={})
    known = [one.delta_usd for one in found if one.delta_usd is not None]
    assert all(math.isfinite(one) for one in known)
    assert preview(*changes, costs=found).delta_usd == pytest.approx(math.fsum(known))
    assert len({one.name for one in found}) == len(found)
