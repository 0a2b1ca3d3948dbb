"""Laws of how proposals that are in each other's way are resolved."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.domain.autonomous import HealingPlan
from tasks.domain.healing.actions import Action, Concern, Fields, conflict, merged, resolve
from tasks.domain.healing.causes import Cause, Remedy

FIELDS = st.one_of(
    st.just(Fields()),
    st.builds(Fields, replicas=st.integers(1, 9)),
    st.builds(Fields, memory_limit=st.sampled_from([1e8, 2e8])),
    st.builds(Fields, cpu_limit=st.just(0.5), cpu_request=st.just(0.25)),
    st.builds(Fields, revision=st.integers(1, 3)),
)
ACTIONS = st.builds(
    Action,
    subject=st.sampled_from(["shop/web", "shop/cart"]),
    operation=st.just("healing"),
    remedy=st.sampled_from([Remedy.RESTART, Remedy.RESIZE, Remedy.SCALE, Remedy.TELL]),
    cause=st.sampled_from(list(Cause)),
    concern=st.sampled_from(list(Concern)),
    fields=FIELDS,
    pods=st.sampled_from([(), ("a",), ("b",)]),
)
PLANS = st.lists(ACTIONS, max_size=8).map(lambda found: HealingPlan(tuple(found)))


@given(ACTIONS, ACTIONS)
def test_a_conflict_is_the_same_either_way_round(one: Action, other: Action) -> None:
    assert conflict(one, other) == conflict(other, one)


@given(PLANS)
def test_what_remains_is_in_nobodys_way_and_what_does_not_is_in_somebodys(
    plan: HealingPlan[Action],
) -> None:
    found = resolve(plan)

    assert not any(conflict(*pair) for pair in combinations(found.actions, 2))
    assert all(conflict(one.action, one.by) for one in found.overruled)
    assert all(one.by in found.actions for one in found.overruled)
    assert {*found.actions, *(one.action for one in found.overruled)} == set(plan.actions)


@given(PLANS)
def test_nobody_is_overruled_by_a_lesser_concern(plan: HealingPlan[Action]) -> None:
    found = resolve(plan)

    assert all(one.by.concern <= one.action.concern for one in found.overruled)
    assert [one.concern for one in found.actions] == sorted(one.concern for one in found.actions)


@given(PLANS)
def test_a_person_is_told_whatever_else_is_done(plan: HealingPlan[Action]) -> None:
    told = [one for one in plan.actions if one.remedy is Remedy.TELL]

    assert set(told) <= set(resolve(plan).actions)


@given(PLANS)
def test_resolving_again_changes_nothing(plan: HealingPlan[Action]) -> None:
    found = resolve(plan)

    assert resolve(HealingPlan(found.actions)).actions == found.actions


@given(PLANS)
def test_what_remains_on_one_workload_is_one_patch(plan: HealingPlan[Action]) -> None:
    for subject in ("shop/web", "shop/cart"):
        ours = [
            one
            for one in resolve(plan).actions
            if one.subject == subject and one.remedy is not Remedy.TELL
        ]
        patch = merged(ours)
        said = [name for one in ours for name in one.fields.names]
        assert patch.names == frozenset(said)
        assert len(said) == len(set(said))


def test_two_values_of_one_field_are_no_patch() -> None:
    one, other = (
        Action(
            subject="shop/web",
            operation="scaling",
            remedy=Remedy.SCALE,
            cause=Cause.TRAFFIC,
            fields=Fields(replicas=count),
        )
        for count in (3, 5)
    )

    with pytest.raises(ValueError, match="replicas of shop/web is changed twice"):
        merged([one, other])
