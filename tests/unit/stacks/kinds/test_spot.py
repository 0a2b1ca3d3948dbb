"""Spot for groups and for single instances."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.domain.stacks.kinds.spot import on_demand_part
from tasks.domain.stacks.program import Args, Attribute, JsonText, StackPlan
from tests.support import stack_fleet as fleet
from tests.support.stack_fleet import CRAWLER, POOLS, named, planned, refusal


def policy(plan: StackPlan) -> Args:
    found = named(plan.change, "group-shop").inputs["mixed_instances_policy"]
    assert isinstance(found, Args)
    return found


def distribution(plan: StackPlan) -> dict[str, Any]:
    found = policy(plan).fields["instances_distribution"]
    assert isinstance(found, Args)
    return dict(found.fields)


def launch(plan: StackPlan) -> Args:
    found = policy(plan).fields["launch_template"]
    assert isinstance(found, Args)
    return found


def overridden(plan: StackPlan) -> list[object]:
    found = launch(plan).fields["overrides"]
    assert isinstance(found, tuple)
    return [dict(one.fields) for one in found if isinstance(one, Args)]


def test_a_group_spreads_over_pools_and_keeps_its_share_on_demand() -> None:
    plan = planned(fleet.spot("shop", POOLS, 0.25))

    # 2 to 8 instances, 4 now: a quarter of 2 is 1, and 1 of 4 is the quarter.
    assert distribution(plan) == {
        "on_demand_allocation_strategy": "prioritized",
        "on_demand_base_capacity": 1,
        "on_demand_percentage_above_base_capacity": 0,
        "spot_allocation_strategy": "price-capacity-optimized",
    }
    assert overridden(plan) == [
        {"instance_type": "m5.xlarge"},
        {"instance_type": "m5a.xlarge"},
        {"instance_type": "c5.xlarge"},
    ]
    assert "launch_template" not in named(plan.change, "group-shop").inputs
    assert named(plan.change, "group-shop").ignore_changes == ("desired_capacity",)


def test_undo_gives_a_group_its_template_back() -> None:
    plan = planned(fleet.spot("shop", POOLS, 0.25))
    undone = named(plan.undo, "group-shop")

    assert "mixed_instances_policy" not in undone.inputs
    assert (
        undone.inputs["launch_template"]
        == named(plan.adopt, "group-shop").inputs["launch_template"]
    )


def test_right_size_and_spot_of_a_group_are_one_resource() -> None:
    plan = planned(
        fleet.spot("shop", POOLS, 0.25), fleet.right_size("shop", "m5.xlarge", "m6i.xlarge")
    )
    specification = launch(plan).fields["launch_template_specification"]

    assert plan.refused == ()
    assert [one.name for one in plan.change.resources] == [
        "template-lt-0123456789abcdef0",
        "group-shop",
    ]
    assert isinstance(specification, Args)
    assert specification.fields["version"] == JsonText(
        document=Attribute(resource="template-lt-0123456789abcdef0", name="latest_version")
    )
    assert overridden(plan)[0] == {"instance_type": "m6i.xlarge"}
    assert plan.prices["group-shop"] == pytest.approx((140.16, 61.5))


@pytest.mark.parametrize(
    ("share", "least", "desired", "wanted"),
    [
        (0.0, 2, 4, (0, 0)),
        (1.0, 2, 4, (2, 100)),
        (0.5, 0, 4, (0, 50)),
        (0.25, 4, 4, (1, 0)),
        (0.3, 0, 0, (0, 30)),
        (1.0, 4, 4, (4, 100)),
        (0.25, 0, 3, (0, 33)),
        (0.3, 1, 10, (1, 22)),
        (0.503, 0, 1000, (0, 51)),
    ],
)
def test_the_share_on_demand_is_kept_in_whole_instances(
    share: float, least: int, desired: int, wanted: tuple[int, int]
) -> None:
    assert on_demand_part(share, least=least, desired=desired) == wanted


def test_a_single_instance_gets_another_beside_it_and_is_stopped_after_that() -> None:
    plan = planned(fleet.spot(CRAWLER, POOLS, 0.0))
    old, new, runs, state = plan.change.resources

    assert old.import_id == CRAWLER
    assert old.inputs["instance_type"] == "m5.xlarge"
    assert new.import_id is None
    assert new.inputs["ami"] == old.inputs["ami"]
    assert new.inputs["subnet_id"] == old.inputs["subnet_id"]
    market = repr(new.inputs["instance_market_options"])
    assert all(word in market for word in ("'spot'", "'persistent'", "'stop'"))
    assert state.inputs == {"instance_id": CRAWLER, "state": "stopped"}
    assert {new.name, runs.name} <= {*state.depends_on}


def test_the_states_that_undo_sets_are_declared_by_the_change() -> None:
    plan = planned(fleet.spot(CRAWLER, POOLS, 0.0))
    declared = {one.name for one in plan.change.resources}
    runs = named(plan.change, f"instance-{CRAWLER}-spot-state")

    assert {one.name for one in plan.undo.resources} <= declared
    assert runs.inputs == {
        "instance_id": Attribute(resource=f"instance-{CRAWLER}-spot", name="id"),
        "state": "running",
    }
    # EC2 itself may stop it: only undo says otherwise.
    assert runs.ignore_changes == ("state",)
    assert named(plan.undo, runs.name).ignore_changes == ()


def test_undo_starts_the_old_instance_and_then_stops_the_new_one() -> None:
    plan = planned(fleet.spot(CRAWLER, POOLS, 0.0))
    new = named(plan.change, f"instance-{CRAWLER}-spot")
    kept, started, stopped = (one for one in plan.undo.resources if not one.adopted)

    assert (kept.name, kept.inputs) == (new.name, new.inputs)
    assert kept.protect
    assert started.inputs == {"instance_id": CRAWLER, "state": "running"}
    assert stopped.inputs == {
        "instance_id": Attribute(resource=new.name, name="id"),
        "state": "stopped",
    }
    assert stopped.depends_on == (started.name,)


def test_the_new_instance_is_encrypted_and_asks_for_tokens() -> None:
    new = named(planned(fleet.spot(CRAWLER, POOLS, 0.0)).change, f"instance-{CRAWLER}-spot")

    assert new.inputs["root_block_device"] == Args(
        of="InstanceRootBlockDeviceArgs", fields={"encrypted": True}
    )
    assert "required" in repr(new.inputs["metadata_options"])


def test_the_new_root_is_as_large_as_the_old_one() -> None:
    live = fleet.account(
        instances={CRAWLER: fleet.instance(CRAWLER, root_volume="vol-1")},
        volumes={"vol-1": fleet.live_volume("vol-1", size_gib=80, kind="gp3")},
    )
    new = named(
        planned(fleet.spot(CRAWLER, POOLS, 0.0), live=live).change, f"instance-{CRAWLER}-spot"
    )

    assert new.inputs["root_block_device"] == Args(
        of="InstanceRootBlockDeviceArgs",
        fields={"encrypted": True, "volume_size": 80, "volume_type": "gp3"},
    )


def test_a_reviewer_is_told_what_is_not_copied() -> None:
    (change,) = planned(fleet.spot(CRAWLER, POOLS, 0.0)).changes

    assert any("are not copied" in note for note in change.notes)


def test_a_reviewer_is_told_to_cancel_the_request_before_the_instance_is_deleted() -> None:
    (change,) = planned(fleet.spot(CRAWLER, POOLS, 0.0)).changes
    (note,) = (one for one in change.notes if "cancel-spot-instance-requests" in one)

    assert note.index("cancel") < note.index("terminate")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"services": ("targetgroup/a/1",)}, "it answers for targetgroup/a/1"),
        ({"services": None}, "could not be read"),
        ({"data_volumes": ("vol-1",)}, "it holds data on vol-1"),
        ({"availability_zone": "us-east-1f"}, "none of the pools is in us-east-1f"),
    ],
)
def test_an_instance_that_others_hold_on_to_is_refused(changes: dict[str, Any], why: str) -> None:
    live = fleet.account(instances={CRAWLER: fleet.instance(CRAWLER, **changes)})

    assert why in refusal(fleet.spot(CRAWLER, POOLS, 0.0), live=live)


def test_a_group_with_several_types_is_refused() -> None:
    live = fleet.account(groups={"shop": fleet.group("shop", mixed=True)})

    assert "several types are mixed" in refusal(fleet.spot("shop", POOLS, 0.25), live=live)


@pytest.mark.parametrize("pools", ["", "m5.large", "m5.large in us-east-1a; rm -rf /", "a in b"])
def test_text_that_names_no_pools_is_refused(pools: str) -> None:
    assert "names no pools" in refusal(fleet.spot("shop", pools, 0.25))


def test_a_pool_of_another_architecture_is_refused() -> None:
    assert "m6g.large is arm64" in refusal(fleet.spot("shop", "m6g.large in us-east-1a", 0.25))
