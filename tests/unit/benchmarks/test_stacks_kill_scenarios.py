"""Where updates are killed, what of that could make something twice, and how the rest is judged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from benchmarks.stacks_kill_account import COULD_DOUBLE
from benchmarks.stacks_kill_bench import mean_by_phase
from benchmarks.stacks_kill_processes import faults
from benchmarks.stacks_kill_scenarios import (
    KILLS,
    Aftermath,
    Moment,
    Scenario,
    Victim,
    judge,
    scenarios,
)
from benchmarks.stacks_kill_stack import ONCE
from benchmarks.stacks_kills import Killed, creations, figures
from tasks.domain.stacks.changes import Phase
from tasks.domain.stacks.recovery import Outcome, Recovery, Resolution

SOUND = Aftermath(
    expected=frozenset({"role", "function"}),
    found=("role", "function"),
    in_state={"role": "r", "function": "f", "server": "i-1"},
    in_account=frozenset({"r", "f"}),
    adopted_as_wanted=True,
    readable=True,
)


def some_scenarios(count: int, *, seed: int = 5) -> tuple[Scenario, ...]:
    return scenarios(count, once=ONCE, could_double=COULD_DOUBLE, seed=seed)


def test_fifty_kills_meet_every_moment_every_victim_and_both_updates() -> None:
    kills = some_scenarios(50)
    assert {kill.moment for kill in kills} == set(Moment)
    assert {kill.victim for kill in kills} == set(Victim)
    assert {kill.phase for kill in kills} == {Phase.ADOPT, Phase.CHANGE}


@pytest.mark.parametrize("count", [2, 6, 7, 50, KILLS])
def test_at_least_half_of_the_kills_around_a_call_are_aimed_at_what_can_be_there_twice(
    count: int,
) -> None:
    aimed = [kill.resource for kill in some_scenarios(count) if kill.is_aimed]
    assert 2 * sum(name in COULD_DOUBLE for name in aimed) >= len(aimed) > 0
    if count >= 50:
        assert {*COULD_DOUBLE, *ONCE} == set(aimed)


def test_what_could_double_is_aimed_at_with_every_victim_around_a_call() -> None:
    aimed = [kill for kill in some_scenarios(KILLS) if kill.is_aimed]
    for names in (COULD_DOUBLE, ONCE):
        assert {kill.victim for kill in aimed if kill.resource in names} == {
            Victim.ALL,
            Victim.ENGINE,
            Victim.PROVIDER,
        }


def test_adoptions_are_killed_at_any_time_and_say_so() -> None:
    adoptions = [kill for kill in some_scenarios(KILLS) if kill.phase is Phase.ADOPT]
    assert len(adoptions) == KILLS // 7
    assert {kill.moment for kill in adoptions} == {Moment.ANY_TIME}
    assert not any(faults(kill) for kill in adoptions)


def test_a_kill_around_a_call_holds_up_the_call_it_is_aimed_at() -> None:
    aimed = next(kill for kill in some_scenarios(6) if kill.moment is Moment.CALL_DONE)
    assert {(rule["name"], rule["when"]) for rule in faults(aimed)} == {(aimed.resource, "after")}


def test_the_same_seed_kills_at_the_same_points() -> None:
    assert some_scenarios(9) == some_scenarios(9)
    assert some_scenarios(9) != some_scenarios(9, seed=6)


def test_usual_durations_are_means_of_those_that_ran_side_by_side() -> None:
    taken = [{Phase.ADOPT: 4.0, Phase.CHANGE: 8.0}, {Phase.ADOPT: 6.0, Phase.CHANGE: 9.0}]
    assert mean_by_phase(taken) == {Phase.ADOPT: 5.0, Phase.CHANGE: 8.5}


def killed(**changes: Any) -> Killed:
    """Return a kill at any time that hit an update before it made anything."""
    scenario = next(kill for kill in some_scenarios(6) if not kill.is_aimed)
    nothing: frozenset[str] = frozenset()
    plain = Killed(
        scenario=scenario, verdict=judge(SOUND), hit=1, pending=0, begun=nothing,
        unrecorded=nothing, covered=True, seconds=1.0,
    )  # fmt: skip
    return replace(plain, **changes)


def aimed_at(name: str) -> Scenario:
    aimed = next(kill for kill in some_scenarios(6) if kill.is_aimed)
    return replace(aimed, resource=name)


def test_a_kill_could_double_where_something_nameless_was_begun_or_aimed_at_and_it_hit() -> None:
    done = [
        killed(),
        killed(begun=frozenset({"spare"})),
        killed(begun=frozenset({"spare"}), unrecorded=frozenset({"spare"})),
        killed(scenario=aimed_at("disk")),
        killed(scenario=aimed_at("role")),
        killed(scenario=aimed_at("disk"), hit=0),
    ]
    measured = figures(done)
    assert measured["kills"] == 5
    assert measured["kills_that_could_double"] == 3
    assert measured["kills_that_left_one_unrecorded"] == 1


def test_what_recovery_says_of_nameless_creations_is_told_apart_from_the_rest() -> None:
    def resolution(name: str, operation: str, outcome: Outcome) -> Resolution:
        return Resolution(name=name, token="", urn=name, operation=operation, outcome=outcome)

    recovery = Recovery(
        stack="s",
        serial="1",
        resolutions=(
            resolution("batch", "creating", Outcome.ADOPTED),
            resolution("spare", "creating", Outcome.CLEARED),
            resolution("role", "creating", Outcome.ADOPTED),
            resolution("disk", "updating", Outcome.REFRESHED),
        ),
    )
    assert creations(recovery) == {"batch", "spare"}
    assert creations(recovery, Outcome.ADOPTED) == {"batch"}


def test_each_resource_once_and_known_to_the_state_is_sound() -> None:
    assert judge(SOUND).sound


def test_a_resource_made_twice_is_told_and_the_second_is_a_stray() -> None:
    after = replace(
        SOUND, found=("role", "function", "role"), in_account=frozenset({"r", "f", "r2"})
    )
    verdict = judge(after)
    assert (verdict.twice, verdict.strays) == (("role",), ("r2",))


def test_what_was_never_made_or_never_changed_is_told() -> None:
    after = replace(SOUND, found=("role",), in_account=frozenset({"r"}), adopted_as_wanted=False)
    assert judge(after).missing == ("function", "an adopted resource")


def test_a_state_that_cannot_be_read_is_never_sound() -> None:
    assert not judge(replace(SOUND, readable=False)).sound
