from __future__ import annotations

from dataclasses import replace

from benchmarks.stacks_kill_scenarios import Aftermath, Moment, Victim, judge, scenarios
from tasks.domain.stacks.changes import Phase

SOUND = Aftermath(
    expected=frozenset({"role", "function"}),
    found=("role", "function"),
    in_state={"role": "r", "function": "f", "server": "i-1"},
    in_account=frozenset({"r", "f"}),
    adopted_as_wanted=True,
    readable=True,
)


def test_fifty_kills_meet_every_moment_every_victim_and_both_updates() -> None:
    kills = scenarios(50, resources=6)
    assert {kill.moment for kill in kills} == set(Moment)
    assert {kill.victim for kill in kills} == set(Victim)
    assert {kill.phase for kill in kills} == {Phase.ADOPT, Phase.CHANGE}
    assert {kill.resource for kill in kills} == set(range(6))


def test_the_same_seed_kills_at_the_same_points() -> None:
    assert scenarios(9, resources=4) == scenarios(9, resources=4)
    assert scenarios(9, resources=4) != scenarios(9, resources=4, seed=6)


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
