"""Which stacks come of what was chosen, and in which order their changes are made."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tasks.domain.savings.opportunity import Kind
from tasks.domain.stacks.changes import CHANGE_TAG, RESOURCE_TAG
from tasks.domain.stacks.kinds.graph import InvalidProgramError, checked, in_order
from tasks.domain.stacks.plan import stack_plans
from tasks.domain.stacks.program import Attribute, Resource
from tests.support import stack_fleet as fleet
from tests.support.stack_fleet import CRAWLER, DISK, IDLE, WEB, named, planned, refusal


def test_each_region_has_its_stack_and_purchases_theirs() -> None:
    elsewhere = fleet.chosen(Kind.STOP, "i-1", {"state": "stopped"}, region="eu-west-1")
    found = stack_plans([*fleet.everything(), elsewhere], fleet.account(), now=fleet.NOW)

    assert [(one.region, len(one.changes)) for one in found] == [
        ("us-east-1", 1),
        ("eu-west-1", 0),
        ("us-east-1", 8),
    ]
    assert found[1].refused[0].why == "eu-west-1 was not read: add it to the regions"


def test_nothing_chosen_is_no_stack() -> None:
    assert stack_plans([], fleet.account(), now=fleet.NOW) == ()


def test_a_stack_is_named_after_its_changes() -> None:
    one, other = planned(fleet.stop(IDLE)), planned(fleet.stop(WEB))

    assert one.stack != other.stack
    assert one.stack == planned(fleet.stop(IDLE)).stack
    assert one.stack.startswith("savings-us-east-1-")
    assert {one.adopt.stack, one.change.stack, one.undo.stack} == {one.stack}


def test_changes_are_listed_with_the_smallest_disruption_first() -> None:
    plan = planned(*(one for one in fleet.everything() if one.opportunity.region))
    risks = [one.disruption for one in plan.changes]

    assert risks == sorted(risks)


def test_a_wave_waits_for_the_one_before_and_begins_with_one() -> None:
    plan = planned(
        fleet.volume(DISK),
        fleet.right_size(WEB, "m5.xlarge", "m5.large"),
        fleet.right_size(CRAWLER, "m5.xlarge", "m5.large"),
    )
    first, gate, other = plan.change.resources

    assert first.depends_on == ()
    assert gate.depends_on == (first.name,)
    assert other.depends_on == (gate.name,)


def test_what_another_stack_manages_is_not_taken_from_it() -> None:
    managed = {("us-east-1", IDLE): "savings-us-east-1-00000000"}
    (plan,) = stack_plans(
        [fleet.stop(IDLE), fleet.stop(WEB)], fleet.account(), now=fleet.NOW, managed_by=managed
    )

    assert [one.resource for one in plan.changes] == [WEB]
    assert "is managed by the stack savings-us-east-1-00000000" in plan.refused[0].why


def test_a_launch_template_of_another_stack_is_not_taken_either() -> None:
    managed = {("us-east-1", "lt-0123456789abcdef0"): "savings-us-east-1-00000000"}
    wanted = fleet.right_size("shop", "m5.xlarge", "m6i.xlarge")
    (plan,) = stack_plans([wanted], fleet.account(), now=fleet.NOW, managed_by=managed)

    assert plan.changes == ()


def test_two_changes_that_do_not_go_together_are_not_both_made() -> None:
    plan = planned(fleet.stop(WEB), fleet.right_size(WEB, "m5.xlarge", "m5.large"))

    assert [one.kind for one in plan.changes] == [Kind.RIGHT_SIZE]
    assert "right-size of" in plan.refused[0].why


def test_groups_that_share_a_template_get_one_type() -> None:
    template = "lt-0123456789abcdef0"
    live = fleet.account(
        groups={name: fleet.group(name) for name in ("a", "b")},
        templates={template: fleet.template(users=("a", "b"))},
        template_users={template: {"a": "3", "b": "3"}},
    )
    same = planned(
        fleet.right_size("a", "m5.xlarge", "m5.large"),
        fleet.right_size("b", "m5.xlarge", "m5.large"),
        live=live,
    )
    why = refusal(
        fleet.right_size("a", "m5.xlarge", "m5.large"),
        fleet.right_size("b", "m5.xlarge", "m6i.xlarge"),
        live=live,
    )

    assert [one.name for one in same.change.resources] == [
        f"template-{template}",
        "group-a",
        "group-b",
    ]
    assert "it is m5.large now" in why


def test_money_of_what_has_no_price_of_its_own_is_taken_over() -> None:
    plan = planned(fleet.spot(CRAWLER, fleet.POOLS, 0.0), fleet.serverless())

    assert plan.prices == {
        f"instance-{CRAWLER}": (140.16, 0.0),
        f"instance-{CRAWLER}-spot": (0.0, 61.5),
        "service-targetgroup-reports-29c7abba2fd903ca-2754de75-function": (0.0, 0.21),
    }


HOSTILE = ['"); import os; os.system("x") #', "{0.__class__}", "\u202e", "'''", "x" * 5000]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_name_is_a_value_like_any_other(text: str) -> None:
    instance = fleet.instance(WEB, tags={"Name": text, "owner": text})
    plan = planned(
        fleet.right_size(WEB, "m5.xlarge", "m5.large"),
        live=fleet.account(instances={WEB: instance}),
    )
    tags = named(plan.change, f"instance-{WEB}").inputs["tags"]

    assert isinstance(tags, dict)
    assert tags["Name"] == text
    assert not set(str(tags.get("homeostat/owner", ""))) & set("\"'(){}\n\u202e")


@pytest.mark.parametrize("text", ["a\x00b", "\x1b[2J", "x" * 100_000, "\ud800"])
def test_what_no_program_can_carry_is_refused_by_itself(text: str) -> None:
    instance = fleet.instance(WEB, tags={"Name": text})
    instances = {WEB: instance, IDLE: fleet.instance(IDLE)}
    plan = planned(fleet.stop(WEB), fleet.stop(IDLE), live=fleet.account(instances=instances))

    assert [one.resource for one in plan.changes] == [IDLE]
    assert plan.refused[0].resource == WEB
    assert plan.refused[0].why.isprintable()


def many(count: int) -> dict[str, str]:
    return {f"tag-{number:02d}": "x" for number in range(count)}


def test_what_has_no_room_for_the_tag_of_its_change_is_refused_by_itself() -> None:
    instances = {
        WEB: fleet.instance(WEB, tags=many(49)),
        IDLE: fleet.instance(IDLE, tags=many(48)),
    }
    plan = planned(fleet.stop(WEB), fleet.stop(IDLE), live=fleet.account(instances=instances))
    tags = named(plan.change, f"instance-{IDLE}").inputs["tags"]

    assert [one.resource for one in plan.changes] == [IDLE]
    assert f"{WEB} cannot be tagged: it has 49 tags of at most 50" in plan.refused[0].why
    assert isinstance(tags, dict)
    assert len(tags) == 50
    assert {CHANGE_TAG, RESOURCE_TAG} <= set(tags)


def test_a_copy_of_something_with_many_tags_keeps_within_the_limit_too() -> None:
    live = fleet.account(instances={CRAWLER: fleet.instance(CRAWLER, tags=many(48))})
    plan = planned(fleet.spot(CRAWLER, fleet.POOLS, 0.0), live=live)
    tags = named(plan.change, f"instance-{CRAWLER}-spot").inputs["tags"]

    assert isinstance(tags, dict)
    assert len(tags) == 50
    assert {CHANGE_TAG, RESOURCE_TAG} <= set(tags)


def test_a_resource_of_a_hostile_name_can_be_named_in_a_refusal() -> None:
    plan = planned(fleet.stop("i-\x00\n" + "x" * 100_000))

    assert len(plan.refused[0].resource) <= 510
    assert "\x00" not in plan.refused[0].why


def resource(name: str, *needed: str) -> Resource:
    inputs = {f"input_{n}": Attribute(resource=one, name="id") for n, one in enumerate(needed)}
    return Resource(name=name, token="aws:x/y:Y", inputs=inputs, change_id="hs-0123456789ab")


def test_what_is_needed_comes_first() -> None:
    found = in_order([resource("a", "c"), resource("b"), resource("c", "b")])

    assert [one.name for one in found] == ["b", "c", "a"]


def test_a_circle_is_a_mistake() -> None:
    with pytest.raises(InvalidProgramError, match="a, b need each other"):
        in_order([resource("a", "b"), resource("b", "a")])


@pytest.mark.parametrize(
    ("resources", "why"),
    [
        ((resource("a"), resource("a")), "two resources"),
        ((resource("a", "b"), resource("b")), "a refers to b, which does not come before it"),
        ((resource("A"),), "is no name"),
    ],
)
def test_a_program_that_does_not_hold_together_is_a_mistake(
    resources: tuple[Resource, ...], why: str
) -> None:
    program = replace(planned(fleet.stop(IDLE)).adopt, resources=resources)

    with pytest.raises(InvalidProgramError, match=why):
        checked(program)
