"""What holds of every plan of stacks, whatever was chosen."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterator
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.domain.savings.opportunity import Kind
from tasks.domain.savings.selection.selection import Chosen
from tasks.domain.stacks.changes import CHANGE_TAG, Phase
from tasks.domain.stacks.kinds.graph import needs
from tasks.domain.stacks.kinds.made import INSTANCE_STATE
from tasks.domain.stacks.kinds.serverless import FUNCTION
from tasks.domain.stacks.kinds.spot import STRATEGY, on_demand_part
from tasks.domain.stacks.kinds.tags import MOST_TAGS, change_tags, clean, merged
from tasks.domain.stacks.live import LiveAccount
from tasks.domain.stacks.plan import stack_plans
from tasks.domain.stacks.program import Args, Program, StackPlan
from tests.support import stack_fleet as fleet

HOW_TO_FOLLOW = "instance_refresh"
"""Says how instances follow, and is nothing that the account keeps."""
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

INSTANCES = [f"i-{number:017x}" for number in range(1, 6)]
VOLUMES = [f"vol-{number:017x}" for number in range(1, 4)]
GROUPS = ["shop", "Shop", "shop 2", "a" * 255]


def template_id(name: str) -> str:
    return f"lt-{GROUPS.index(name):017x}"


ACCOUNT: LiveAccount = fleet.account(
    instances={one: fleet.instance(one) for one in INSTANCES},
    volumes={one: fleet.live_volume(one) for one in VOLUMES},
    groups={one: fleet.group(one, template=template_id(one)) for one in GROUPS},
    templates={template_id(one): fleet.template(template_id(one), users=(one,)) for one in GROUPS},
    template_users={template_id(one): {one: "3"} for one in GROUPS},
)

opportunities = st.one_of(
    st.builds(
        fleet.right_size,
        st.sampled_from([*INSTANCES, *GROUPS]),
        st.just("m5.xlarge"),
        st.sampled_from(["m5.large", "m6i.xlarge", "m6g.large", "unheard.of"]),
    ),
    st.builds(
        fleet.spot,
        st.sampled_from([*INSTANCES, *GROUPS]),
        st.just(fleet.POOLS),
        st.floats(0.0, 1.0),
    ),
    st.builds(fleet.stop, st.sampled_from(INSTANCES)),
    st.builds(fleet.schedule, st.sampled_from([*INSTANCES, *GROUPS])),
    st.builds(fleet.volume, st.sampled_from(VOLUMES)),
    st.builds(fleet.predictive, st.sampled_from(GROUPS)),
    st.builds(fleet.serverless, st.sampled_from(["targetgroup/a/1", "targetgroup/b/2"])),
    st.builds(fleet.commitment, st.floats(0.0, 50.0)),
)


@st.composite
def selections(draw: st.DrawFn) -> list[Chosen]:
    found = draw(st.lists(opportunities, min_size=1, max_size=14))
    risks = st.sampled_from([0.0, 0.1, 0.3])
    return [
        replace(one, opportunity=replace(one.opportunity, disruption=draw(risks))) for one in found
    ]


def plans(selection: list[Chosen]) -> tuple[StackPlan, ...]:
    return stack_plans(selection, ACCOUNT, now=fleet.NOW)


def programs(selection: list[Chosen]) -> Iterator[Program]:
    for plan in plans(selection):
        for phase in Phase:
            yield plan.program(phase)


def every_args(value: object) -> Iterator[Args]:
    if isinstance(value, Args):
        yield value
        yield from every_args(value.fields)
    elif isinstance(value, dict):
        for one in value.values():
            yield from every_args(one)
    elif isinstance(value, tuple):
        for one in value:
            yield from every_args(one)


@given(selections())
def test_undoing_is_adopting_again(selection: list[Chosen]) -> None:
    for plan in plans(selection):
        undone = {one.name: one for one in plan.undo.resources if one.adopted}
        assert set(undone) == {one.name for one in plan.adopt.resources}
        for one in plan.adopt.resources:
            back = {k: v for k, v in undone[one.name].inputs.items() if k != HOW_TO_FOLLOW}
            assert back == one.inputs
            assert undone[one.name].import_id == one.import_id


@given(selections())
def test_undo_has_what_the_change_has_but_for_starting_what_a_clock_may_have_stopped(
    selection: list[Chosen],
) -> None:
    for plan in plans(selection):
        kinds = {one.change_id: one.kind for one in plan.changes}
        declared = {one.name for one in plan.change.resources}
        adopted = {one.import_id for one in plan.change.resources if one.adopted}
        for one in plan.undo.resources:
            if one.name not in declared:
                assert kinds[one.change_id] is Kind.SCHEDULE
                assert one.token == INSTANCE_STATE
                assert one.inputs["instance_id"] in adopted
                assert one.inputs["state"] == "running"


@given(selections())
def test_adopting_says_what_is_there_and_nothing_of_ours(selection: list[Chosen]) -> None:
    for plan in plans(selection):
        assert all(one.adopted for one in plan.adopt.resources)
        assert CHANGE_TAG not in repr([one.inputs for one in plan.adopt.resources])


@given(selections())
def test_what_exists_is_protected_and_kept_in_every_phase(selection: list[Chosen]) -> None:
    for program in programs(selection):
        for one in program.resources:
            assert not one.adopted or (one.protect and one.retain_on_delete)


@given(selections())
def test_right_sizing_makes_no_second_machine(selection: list[Chosen]) -> None:
    for plan in plans(selection):
        new = [
            one
            for one in plan.change.resources
            if one.token == "aws:ec2/instance:Instance" and not one.adopted
        ]
        kinds = {one.change_id: one.kind for one in plan.changes}
        assert {kinds[one.change_id] for one in new} <= {Kind.SPOT}


@given(selections())
def test_every_function_has_a_role(selection: list[Chosen]) -> None:
    for program in programs(selection):
        assert all("role" in one.inputs for one in program.resources if one.token == FUNCTION)


@given(selections())
def test_spot_is_never_the_lowest_price_alone(selection: list[Chosen]) -> None:
    for program in programs(selection):
        for args in (a for one in program.resources for a in every_args(dict(one.inputs))):
            assert args.fields.get("spot_allocation_strategy", STRATEGY) == STRATEGY


@given(selections())
def test_names_are_valid_and_unique_and_references_lead_back(selection: list[Chosen]) -> None:
    for program in programs(selection):
        seen: set[str] = set()
        for one in program.resources:
            assert NAME.fullmatch(one.name) is not None
            assert len(one.name) <= 80
            assert one.name not in seen
            assert needs(one) <= seen
            seen.add(one.name)
        assert NAME.fullmatch(program.stack) is not None
        assert len(program.stack) <= 60


@given(selections(), st.randoms(use_true_random=False))
def test_the_order_of_what_was_chosen_changes_nothing(
    selection: list[Chosen], rng: random.Random
) -> None:
    shuffled = list(selection)
    rng.shuffle(shuffled)
    assert plans(shuffled) == plans(selection)


@given(selections())
def test_everything_chosen_is_made_or_refused_with_a_reason(selection: list[Chosen]) -> None:
    found = plans(selection)
    assert sum(len(one.changes) + len(one.refused) for one in found) == len(selection)
    assert all(one.why for plan in found for one in plan.refused)


@given(selections())
def test_a_change_waits_for_those_that_disturb_less(selection: list[Chosen]) -> None:
    for plan in plans(selection):
        risk = {one.change_id: one.disruption for one in plan.changes}
        after = {one.name: needs(one) for one in plan.change.resources}
        whose = {one.name: one.change_id for one in plan.change.resources}
        merged_ids = _sharing(plan)
        for late in after:
            for early in after:
                if _risk(whose[early], risk, merged_ids) < _risk(whose[late], risk, merged_ids):
                    assert early in _before(late, after)


def _sharing(plan: StackPlan) -> dict[str, set[str]]:
    """Ids of the changes that share a resource with one, over any number of steps."""
    groups: list[set[str]] = []
    for one in plan.change.resources:
        tags = repr(one.inputs.get("tags", ""))
        ids = {one.change_id, *re.findall(r"hs-[0-9a-f]{12}", tags)}
        touching = [each for each in groups if each & ids]
        groups = [each for each in groups if not each & ids] + [ids.union(*touching)]
    return {each: together for together in groups for each in together}


def _risk(change_id: str, risk: dict[str, float], together: dict[str, set[str]]) -> float:
    return max(risk[one] for one in together[change_id])


def _before(name: str, after: dict[str, frozenset[str]]) -> set[str]:
    found: set[str] = set()
    left = [name]
    while left:
        for one in after[left.pop()] - found:
            found.add(one)
            left.append(one)
    return found


@given(st.floats(0.0, 1.0), st.integers(0, 50), st.integers(0, 100))
def test_as_much_stays_on_demand_as_was_promised(share: float, least: int, more: int) -> None:
    desired = least + more
    base, above = on_demand_part(share, least=least, desired=desired)

    assert 0 <= base <= least
    assert 0 <= above <= 100
    assert base >= share * least - 1e-6
    rest = max(desired - base, 0)
    on_demand = base + -(-above * rest // 100)
    promised = max(base, math.ceil(share * desired - 1e-9))
    # Whole percents of more than a hundred instances do not reach every number of them.
    assert 0 <= on_demand - promised < max(rest / 100, 1)


texts = st.text(max_size=400)


@given(st.dictionaries(texts, texts, max_size=70), texts)
@settings(max_examples=50)
def test_tags_keep_to_the_limits_of_aws(tags: dict[str, str], name: str) -> None:
    change = fleet.planned(fleet.stop(fleet.IDLE)).changes[0]
    added = change_tags((replace(change, reason=name, owner=name),), "instance-a")
    found = merged(tags, added)

    assert len(found) <= max(MOST_TAGS, len(tags))
    assert all(len(key) <= 128 and len(value) <= 256 for key, value in added.items())
    assert not any(key.casefold().startswith("aws:") for key in found)


@given(texts)
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)
