"""Laws of plans and of operations: unit, associativity, and that a failure ends nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.domain.autonomous import (
    Failure,
    HealingPlan,
    Operation,
    Outcome,
    Step,
    Success,
    guarded,
    identity,
    no_action,
    pipeline,
    then,
)

Plan = HealingPlan[str]
State = tuple[int, ...]

plans = st.lists(st.sampled_from("abcdef")).map(lambda found: HealingPlan(tuple(found)))


@st.composite
def operations(draw: st.DrawFn) -> Operation[State, str]:
    """Operations whose outcome, state and plan depend on the state that they find."""
    mark, action = draw(st.integers(0, 9)), draw(st.sampled_from("abcdef"))
    fails, acts = draw(st.booleans()), draw(st.booleans())

    def run(state: State) -> Step[State, str]:
        outcome: Outcome = (
            Failure(operation=str(mark), reason=f"in {state}")
            if fails and sum(state) % 2
            else Success(operation=str(mark), notes=(str(state),))
        )
        proposed: Plan = HealingPlan((f"{action}{len(state) % 3}",)) if acts else no_action()
        return Step(state=(*state, mark), outcomes=(outcome,), plan=proposed)

    return run


@given(plans)
def test_doing_nothing_is_the_unit_of_plans(plan: Plan) -> None:
    nothing: Plan = no_action()

    assert plan + nothing == plan == nothing + plan
    assert not nothing


@given(plans, plans, plans)
def test_it_does_not_matter_how_plans_are_bracketed(one: Plan, two: Plan, three: Plan) -> None:
    assert (one + two) + three == one + (two + three)


@given(plans, plans)
def test_nothing_is_proposed_twice_or_lost_and_the_first_come_first(one: Plan, two: Plan) -> None:
    both = (one + two).actions

    assert len(set(both)) == len(both)
    assert set(both) == {*one.actions, *two.actions}
    assert both[: len(one.actions)] == one.actions


@given(operations(), st.tuples(st.integers(0, 9)))
def test_doing_nothing_is_the_unit_of_operations(
    operation: Operation[State, str], state: State
) -> None:
    assert then(operation, identity)(state) == operation(state)
    assert then(identity, operation)(state) == operation(state)


@given(operations(), operations(), operations(), st.tuples(st.integers(0, 9)))
def test_it_does_not_matter_how_operations_are_bracketed(
    one: Operation[State, str],
    two: Operation[State, str],
    three: Operation[State, str],
    state: State,
) -> None:
    left, right = then(then(one, two), three), then(one, then(two, three))

    assert left(state) == right(state) == pipeline([one, two, three])(state)


@given(st.lists(operations(), max_size=6), st.tuples(st.integers(0, 9)))
def test_all_run_whatever_fails(many: list[Operation[State, str]], state: State) -> None:
    step = pipeline(many)(state)

    assert len(step.outcomes) == len(many)
    assert len(step.state) == len(state) + len(many)


def _raises(_: State) -> Step[State, str]:
    message = "Prometheus does not answer"
    raise TimeoutError(message)


@given(operations(), st.tuples(st.integers(0, 9)))
def test_a_failure_heals_and_the_next_operation_sees_the_state_as_it_was(
    after: Operation[State, str], state: State
) -> None:
    healing = guarded(
        "scaling",
        _raises,
        heal=lambda found, failure: HealingPlan((f"tell {failure.operation} {len(found)}",)),
        expected=(TimeoutError,),
    )

    step = then(healing, after)(state)

    assert step.failures[0] == Failure(operation="scaling", reason="Prometheus does not answer")
    assert step.plan.actions[0] == f"tell scaling {len(state)}"
    assert step.state == after(state).state


def test_a_fault_of_the_program_is_not_taken_for_a_failure() -> None:
    healing = guarded("scaling", _raises, heal=lambda *_: no_action(), expected=(ValueError,))

    with pytest.raises(TimeoutError):
        healing((1,))
