"""Instances that are stopped, for good or by a clock."""

from __future__ import annotations

import pytest

from tasks.domain.savings.opportunity import Kind
from tasks.domain.savings.selection.selection import Chosen
from tasks.domain.stacks.kinds.schedule import GROUP_SCHEDULE, SCHEDULE
from tasks.domain.stacks.kinds.stoppable import KEY_GRANTED_TAG
from tasks.domain.stacks.program import Args, JsonText
from tests.support import stack_fleet as fleet
from tests.support.stack_fleet import IDLE, TRAINING, WEB, named, of_type, planned, refusal

ARN = f"arn:aws:ec2:us-east-1:123456789012:instance/{TRAINING}"


def test_an_idle_instance_is_adopted_and_stopped() -> None:
    plan = planned(fleet.stop(IDLE))
    instance, state = plan.change.resources

    assert instance.import_id == IDLE
    assert state.inputs == {"instance_id": IDLE, "state": "stopped"}
    assert named(plan.undo, state.name).inputs == {"instance_id": IDLE, "state": "running"}
    assert plan.prices == {f"instance-{IDLE}": (70.08, 0.0)}


def test_a_volume_is_never_deleted_by_a_program() -> None:
    unattached = fleet.chosen(Kind.STOP, "vol-1", {"state": "deleted", "first": "snapshot"})

    assert "holds data, which no program deletes: make a snapshot" in refusal(unattached)


STOPPING = {
    "stop": fleet.stop(WEB),
    "schedule": fleet.schedule(WEB),
    "spot": fleet.spot(WEB, fleet.POOLS, 0.0),
    "right-size": fleet.right_size(WEB, "m5d.xlarge", "m5.large"),
}
"""Everything that stops an instance, now or by the clock."""


@pytest.mark.parametrize("wanted", STOPPING.values(), ids=STOPPING)
def test_local_disks_are_not_emptied_by_a_stop(wanted: Chosen) -> None:
    live = fleet.account(instances={WEB: fleet.instance(WEB, instance_type="m5d.xlarge")})

    assert "local disks (150 GB) that a stop empties" in refusal(wanted, live=live)


@pytest.mark.parametrize("wanted", STOPPING.values(), ids=STOPPING)
def test_a_type_that_nobody_knows_may_have_local_disks(wanted: Chosen) -> None:
    instance = fleet.instance(WEB, instance_type="m5d.xlarge")
    types = {name: one for name, one in fleet.TYPES.items() if name != "m5d.xlarge"}
    live = fleet.account(instances={WEB: instance}, types=types)

    assert "whether m5d.xlarge has local disks" in refusal(wanted, live=live)


KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


@pytest.mark.parametrize(
    "wanted",
    [*list(STOPPING.values())[:3], fleet.right_size(WEB, "m5.xlarge", "m5.large")],
    ids=STOPPING,
)
def test_what_a_key_may_keep_from_starting_is_not_stopped(wanted: Chosen) -> None:
    live = fleet.account(instances={WEB: fleet.instance(WEB, keys=(KEY,))})
    granted = fleet.instance(WEB, keys=(KEY,), tags={KEY_GRANTED_TAG: "yes"})
    why = refusal(wanted, live=live)

    assert KEY in why
    assert "kms:CreateGrant" in why
    assert KEY_GRANTED_TAG in why
    assert planned(wanted, live=fleet.account(instances={WEB: granted})).refused == ()


def test_a_clock_may_use_the_key_of_what_it_starts_and_no_other() -> None:
    granted = fleet.instance(TRAINING, keys=(KEY,), tags={KEY_GRANTED_TAG: "yes"})
    plan = planned(fleet.schedule(TRAINING), live=fleet.account(instances={TRAINING: granted}))
    (policy,) = of_type(plan.change, "aws:iam/rolePolicy:RolePolicy")
    document = policy.inputs["policy"]
    assert isinstance(document, JsonText)
    assert isinstance(document.document, dict)

    assert document.document["Statement"][1:] == (
        {
            "Effect": "Allow",
            "Action": "kms:CreateGrant",
            "Resource": (KEY,),
            "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}},
        },
    )


def test_a_clock_starts_and_stops_by_a_role_for_that_instance_alone() -> None:
    plan = planned(fleet.schedule(TRAINING))
    rules = of_type(plan.change, SCHEDULE)
    (policy,) = of_type(plan.change, "aws:iam/rolePolicy:RolePolicy")
    document = policy.inputs["policy"]

    assert {str(one.inputs["schedule_expression"]) for one in rules} == {
        "cron(0 7 ? * MON,TUE *)",
        "cron(0 19 ? * MON,TUE *)",
        "cron(0 22 ? * FRI *)",
        "cron(0 2 ? * SAT *)",
    }
    assert {one.inputs["schedule_expression_timezone"] for one in rules} == {"UTC"}
    assert isinstance(document, JsonText)
    assert ARN in repr(document)
    assert "*" not in repr(document)


def test_rules_call_ec2_by_itself() -> None:
    rules = of_type(planned(fleet.schedule(TRAINING)).change, SCHEDULE)
    targets = [one.inputs["target"] for one in rules]

    assert {one.fields["arn"] for one in targets if isinstance(one, Args)} == {
        "arn:aws:scheduler:::aws-sdk:ec2:startInstances",
        "arn:aws:scheduler:::aws-sdk:ec2:stopInstances",
    }
    assert all(TRAINING in repr(one) for one in targets)


def test_undo_leaves_it_running() -> None:
    plan = planned(fleet.schedule(TRAINING))

    assert [one.inputs for one in plan.undo.resources if not one.adopted] == [
        {"instance_id": TRAINING, "state": "running"}
    ]


def test_a_group_goes_to_none_and_back() -> None:
    plan = planned(fleet.schedule("shop", "Mon 07-19"))
    rules = {
        str(one.inputs["recurrence"]): one.inputs for one in of_type(plan.change, GROUP_SCHEDULE)
    }

    assert (rules["0 7 * * 1"]["min_size"], rules["0 7 * * 1"]["desired_capacity"]) == (2, 4)
    assert (rules["0 19 * * 1"]["min_size"], rules["0 19 * * 1"]["desired_capacity"]) == (0, 0)
    assert named(plan.change, "group-shop").ignore_changes == (
        "desired_capacity",
        "max_size",
        "min_size",
    )
    assert named(plan.undo, "group-shop").ignore_changes == ("desired_capacity",)


@pytest.mark.parametrize("hours", ["always", "", "Mon 00-24; x"])
def test_hours_that_are_not_understood_are_refused(hours: str) -> None:
    assert "its hours are not understood" in refusal(fleet.schedule(TRAINING, hours))


def test_right_size_and_schedule_go_together() -> None:
    plan = planned(fleet.schedule(TRAINING), fleet.right_size(TRAINING, "m5.xlarge", "m5.large"))

    assert plan.refused == ()
    assert named(plan.change, f"instance-{TRAINING}").inputs["instance_type"] == "m5.large"
    assert plan.prices[f"instance-{TRAINING}"] == pytest.approx((140.16, 50.06))
