import pytest

from tasks.domain.usage.archetypes import Archetype
from tasks.domain.usage.membership import STRONG_RUNS, WEAK_RUNS, Membership, settled

IDLE, DAILY, BURSTY, UNUSUAL = (
    Archetype.IDLE,
    Archetype.DAILY,
    Archetype.BURSTY,
    Archetype.UNUSUAL,
)


def after(findings: list[tuple[Archetype, float]], start: Membership | None = None) -> Membership:
    now = start
    for found, margin in findings:
        now = settled(now, found, margin=margin)
    assert now is not None
    return now


def test_a_new_resource_is_what_was_found() -> None:
    assert after([(IDLE, 0.1)]) == Membership(archetype=IDLE, margin=0.1)


def test_one_strong_finding_does_not_move_it() -> None:
    now = after([(IDLE, 1.0), (DAILY, 1.0)])
    assert (now.archetype, now.challenger, now.challenger_runs) == (IDLE, DAILY, 1)


def test_strong_findings_in_a_row_move_it() -> None:
    assert after([(IDLE, 1.0)] + [(DAILY, 0.6)] * STRONG_RUNS).archetype is DAILY


@pytest.mark.parametrize("runs", range(1, WEAK_RUNS))
def test_a_narrow_majority_has_to_last(runs: int) -> None:
    assert after([(IDLE, 1.0)] + [(DAILY, 0.1)] * runs).archetype is IDLE
    assert after([(IDLE, 1.0)] + [(DAILY, 0.1)] * WEAK_RUNS).archetype is DAILY


def test_challengers_that_take_turns_never_win() -> None:
    assert after([(IDLE, 1.0)] + [(DAILY, 1.0), (BURSTY, 1.0)] * 20).archetype is IDLE


def test_a_run_that_agrees_again_clears_the_challenger() -> None:
    now = after([(IDLE, 1.0), (DAILY, 1.0), (IDLE, 0.8)])
    assert now == Membership(archetype=IDLE, margin=0.8)


def test_what_was_unusual_takes_the_first_name_found() -> None:
    assert after([(UNUSUAL, 1.0), (DAILY, 0.1)]).archetype is DAILY


def test_becoming_unusual_takes_as_much_as_any_other_move() -> None:
    assert after([(IDLE, 1.0), (UNUSUAL, 1.0)]).archetype is IDLE
