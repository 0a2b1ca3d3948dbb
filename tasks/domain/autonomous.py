"""How operations of the loop are put together: each takes a state to outcomes, a new state and a plan.

Plans form a monoid: `+` joins two, `NO_ACTION` changes nothing, and it does not matter how three are
bracketed. Operations compose by `then`, with `identity` as their unit, so that a loop is one operation
made of many; a failure in one of them is an outcome, and the ones after it still run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Generic, TypeVar

A = TypeVar("A")
"""Of actions; hashable, equal when they are the same."""
S = TypeVar("S")
"""Of states."""


@dataclass(frozen=True, slots=True)
class HealingPlan(Generic[A]):
    """What is proposed to be done, in order; nothing twice.

    Attributes:
        actions: The first of those that are equal stays where it is.
    """

    actions: tuple[A, ...] = ()

    def __post_init__(self) -> None:
        """Leave out what is there already."""
        object.__setattr__(self, "actions", tuple(dict.fromkeys(self.actions)))

    def __add__(self, other: HealingPlan[A]) -> HealingPlan[A]:
        """Return both plans, this one's actions first."""
        return HealingPlan((*self.actions, *other.actions))

    def __bool__(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.actions)


def no_action() -> HealingPlan[A]:
    """Return the plan of doing nothing."""
    return HealingPlan()


@dataclass(frozen=True, slots=True, kw_only=True)
class Success:
    """An operation has looked at everything it is for.

    Attributes:
        operation: Its name.
        notes: What it saw and did not act on, for people.
    """

    operation: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An operation could not do its work.

    Attributes:
        operation: Its name.
        reason: In a sentence.
    """

    operation: str
    reason: str


Outcome = Success | Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Generic[S, A]):
    """What operations leave behind.

    Attributes:
        outcomes: Of each of them, in order.
        state: For the next one.
        plan: What they propose.
    """

    state: S
    outcomes: tuple[Outcome, ...] = ()
    plan: HealingPlan[A] = field(default_factory=no_action)

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Return those that could not do their work."""
        return tuple(one for one in self.outcomes if isinstance(one, Failure))


Operation = Callable[[S], Step[S, A]]


def identity(state: S) -> Step[S, A]:
    """Do nothing: the unit of `then`."""
    return Step(state=state)


def then(first: Operation[S, A], second: Operation[S, A]) -> Operation[S, A]:
    """Return both operations, the second on the state that the first left, whatever came of it."""

    def both(state: S) -> Step[S, A]:
        before = first(state)
        after = second(before.state)
        return Step(
            state=after.state,
            outcomes=(*before.outcomes, *after.outcomes),
            plan=before.plan + after.plan,
        )

    return both


def pipeline(operations: Iterable[Operation[S, A]]) -> Operation[S, A]:
    """Return all operations as one, in order; `identity` where there is none."""
    start: Operation[S, A] = identity
    return reduce(then, operations, start)


def guarded(
    name: str,
    operation: Operation[S, A],
    *,
    heal: Callable[[S, Failure], HealingPlan[A]],
    expected: tuple[type[Exception], ...],
) -> Operation[S, A]:
    """Return an operation whose failures heal: they are outcomes with a plan, and end nothing.

    Args:
        name: Of the operation.
        operation: May raise, or end in failures of its own.
        heal: What to propose for a failure, in the state that it left; may be nothing.
        expected: Exceptions that are failures. Others are faults of the program, and are raised.
    """

    def run(state: S) -> Step[S, A]:
        try:
            found = operation(state)
        except expected as error:
            failure = Failure(operation=name, reason=str(error) or type(error).__name__)
            # What it did to the state is not known: the next one sees it as it was before.
            found = Step(state=state, outcomes=(failure,))
        plans = (heal(found.state, one) for one in found.failures)
        return replace(found, plan=reduce(HealingPlan.__add__, plans, found.plan))

    return run
