"""Another type in place, and when it is not possible there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tasks.domain.inventory import InstanceState, Lifecycle
from tasks.domain.stacks.live import LiveGroup
from tasks.domain.stacks.program import Args, Attribute, JsonText
from tests.support import stack_fleet as fleet
from tests.support.stack_fleet import WEB, named, planned, refusal

NAME = f"instance-{WEB}"
TEMPLATE = "lt-0123456789abcdef0"


def test_an_instance_is_adopted_as_it_is_and_gets_its_type_in_place() -> None:
    plan = planned(fleet.right_size(WEB, "m5.xlarge", "m5.large"))
    adopted, changed = named(plan.adopt, NAME), named(plan.change, NAME)

    assert adopted.inputs == fleet.instance(WEB).resource.inputs
    assert changed.import_id == WEB
    assert changed.inputs["instance_type"] == "m5.large"
    assert {k: v for k, v in changed.inputs.items() if k not in {"instance_type", "tags"}} == {
        k: v for k, v in adopted.inputs.items() if k not in {"instance_type", "tags"}
    }
    assert len(plan.change.resources) == 1


def test_tags_of_before_stay_and_say_why_besides() -> None:
    plan = planned(fleet.right_size(WEB, "m5.xlarge", "m5.large"))
    tags = named(plan.change, NAME).inputs["tags"]

    assert isinstance(tags, dict)
    assert tags == {
        "Name": "web",
        "team": "mobile",
        "homeostat/change-id": plan.changes[0].change_id,
        "homeostat/resource": NAME,
        "homeostat/owner": "mobile",
        "homeostat/reason": "right-size saves 70.08 USD a month seen over 28 days to 2026-03-04",
        "homeostat/estimated-saving-usd-per-month": "70.08",
    }


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"state": InstanceState.STOPPED}, "it is stopped now"),
        ({"group": "shop"}, "it is in the group shop"),
        ({"lifecycle": Lifecycle.SPOT}, "it is a spot instance"),
        ({"root_device": "instance-store"}, "its root device is instance-store"),
        ({"stop_protected": True}, "protected against being stopped"),
        ({"instance_type": "c5.xlarge"}, "it is c5.xlarge now and was m5.xlarge"),
    ],
)
def test_an_instance_that_is_otherwise_than_it_was_is_left_alone(
    changes: dict[str, Any], why: str
) -> None:
    live = fleet.account(instances={WEB: fleet.instance(WEB, **changes)})

    assert why in refusal(fleet.right_size(WEB, "m5.xlarge", "m5.large"), live=live)


def test_what_is_gone_is_not_made_again() -> None:
    live = fleet.account(instances={})

    assert "not there any more" in refusal(
        fleet.right_size(WEB, "m5.xlarge", "m5.large"), live=live
    )


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("m5.xlarge", "m6g.large", "m6g.large is arm64 and m5.xlarge is x86_64"),
        ("m5d.xlarge", "m5.large", "has local disks (150 GB) that a stop empties"),
        ("m5.xlarge", "unheard.of", "what unheard.of can do is not known"),
    ],
)
def test_a_type_that_cannot_take_over_is_refused(old: str, new: str, why: str) -> None:
    live = fleet.account(instances={WEB: fleet.instance(WEB, instance_type=old)})

    assert why in refusal(fleet.right_size(WEB, old, new), live=live)


def test_a_group_changes_its_template_and_follows_the_new_version() -> None:
    plan = planned(fleet.right_size("shop", "m5.xlarge", "m6i.xlarge"))
    template, group = plan.change.resources

    assert (template.name, template.inputs["instance_type"]) == (
        f"template-{TEMPLATE}",
        "m6i.xlarge",
    )
    assert group.inputs["launch_template"] == Args(
        of="GroupLaunchTemplateArgs",
        fields={
            "id": TEMPLATE,
            "version": JsonText(document=Attribute(resource=template.name, name="latest_version")),
        },
    )
    assert group.ignore_changes == ("desired_capacity",)
    assert "auto_rollback" in repr(group.inputs["instance_refresh"])


def test_undoing_a_group_refreshes_its_instances_again() -> None:
    plan = planned(fleet.right_size("shop", "m5.xlarge", "m6i.xlarge"))
    template, group = plan.undo.resources

    assert template.inputs["instance_type"] == "m5.xlarge"
    assert group.inputs["launch_template"] == Args(
        of="GroupLaunchTemplateArgs", fields={"id": TEMPLATE, "version": "3"}
    )
    assert "Rolling" in repr(group.inputs["instance_refresh"])
    assert group.depends_on == (template.name,)


def test_a_group_is_priced_by_its_hours_and_an_instance_by_its_type() -> None:
    group = planned(fleet.right_size("shop", "m5.xlarge", "m6i.xlarge"))
    alone = planned(fleet.right_size(WEB, "m5.xlarge", "m5.large"))

    assert list(group.prices) == ["group-shop"]
    assert group.prices["group-shop"] == pytest.approx((140.16, 70.08))
    assert alone.prices == {}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"template_id": None}, "it uses a launch configuration"),
        ({"overridden": ("m5.xlarge", "c5.xlarge")}, "its mixed instances policy also names c5"),
        ({"suspended": ("Launch",)}, "its process Launch is suspended"),
    ],
)
def test_a_group_that_would_not_follow_is_refused(changes: dict[str, Any], why: str) -> None:
    live = fleet.account(groups={"shop": fleet.group("shop", **changes)})

    assert why in refusal(fleet.right_size("shop", "m5.xlarge", "m6i.xlarge"), live=live)


def mixed(**override: str) -> LiveGroup:
    """A group with spot members of one type."""
    of = "GroupMixedInstancesPolicy"
    specification = Args(
        of=f"{of}LaunchTemplateLaunchTemplateSpecificationArgs",
        fields={"launch_template_id": TEMPLATE, "version": "3"},
    )
    one = Args(of=f"{of}LaunchTemplateOverrideArgs", fields=override)
    launch = Args(
        of=f"{of}LaunchTemplateArgs",
        fields={"launch_template_specification": specification, "overrides": (one,)},
    )
    plain = fleet.group("shop")
    inputs = {k: v for k, v in plain.resource.inputs.items() if k != "launch_template"}
    policy = Args(of=f"{of}Args", fields={"launch_template": launch})
    resource = replace(plain.resource, inputs={**inputs, "mixed_instances_policy": policy})
    types = (override["instance_type"],)
    return replace(plain, resource=resource, mixed=True, overridden=types)


def test_a_group_that_mixes_ways_to_buy_one_type_names_the_new_one_everywhere() -> None:
    live = fleet.account(groups={"shop": mixed(instance_type="m5.xlarge")})
    plan = planned(fleet.right_size("shop", "m5.xlarge", "m6i.xlarge"), live=live)
    text = repr(named(plan.change, "group-shop").inputs["mixed_instances_policy"])

    assert "m6i.xlarge" in text
    assert "m5.xlarge" not in text
    assert "latest_version" in text
    assert "launch_template" not in named(plan.change, "group-shop").inputs
    assert "m5.xlarge" in repr(named(plan.undo, "group-shop").inputs)


def test_weights_of_types_are_not_guessed() -> None:
    weighed = mixed(instance_type="m5.xlarge", weighted_capacity="2")
    live = fleet.account(groups={"shop": weighed})

    assert "weighs its types" in refusal(
        fleet.right_size("shop", "m5.xlarge", "m6i.xlarge"), live=live
    )


def test_a_group_behind_the_latest_version_would_get_more_than_the_type() -> None:
    behind = fleet.template(latest=5, same_as_latest={3: False, 5: True})
    same = fleet.template(latest=5, same_as_latest={3: True, 5: True})
    wanted = fleet.right_size("shop", "m5.xlarge", "m6i.xlarge")

    assert "it uses version 3 of its launch template and the latest, 5" in refusal(
        wanted, live=fleet.account(templates={TEMPLATE: behind})
    )
    assert planned(wanted, live=fleet.account(templates={TEMPLATE: same})).refused == ()


def test_a_template_that_others_follow_is_left_alone() -> None:
    live = fleet.account(template_users={TEMPLATE: {"shop": "3", "other": "$Latest"}})

    assert "the group other also follows" in refusal(
        fleet.right_size("shop", "m5.xlarge", "m6i.xlarge"), live=live
    )


def test_settings_that_would_be_lost_are_a_reason_to_refuse() -> None:
    one = fleet.template()
    kept = replace(one.resource, unknown=("CpuOptions",))
    live = fleet.account(templates={TEMPLATE: fleet.template(resource=kept)})

    assert "its launch template sets CpuOptions, which would be lost" in refusal(
        fleet.right_size("shop", "m5.xlarge", "m6i.xlarge"), live=live
    )
