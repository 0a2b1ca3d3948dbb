"""The judge of measured savings: what it puts in is what it holds for the truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.stacks_realised_data import Case, Onset, Shape, cases, development
from benchmarks.stacks_realised_rivals import before_and_after, two_differences
from benchmarks.stacks_realised_scoring import Answer, scored
from tasks.domain.savings.realised.values import Interval, Verdict

SOME = list(cases(development(None), count=60, controls=4))


def test_the_same_seed_gives_the_same_case() -> None:
    again = next(iter(cases(development(None), count=1, controls=4)))
    assert again.saving_usd == SOME[0].saving_usd
    assert np.array_equal(again.panel.usd, SOME[0].panel.usd, equal_nan=True)


def test_a_case_has_the_changed_resource_and_as_many_candidates_as_asked_for() -> None:
    assert {len(case.panel.series) for case in SOME} == {5}
    assert {case.panel.series[0] for case in SOME} == {"changed"}


def test_the_truth_of_a_step_is_its_share_of_what_it_would_have_cost() -> None:
    steps = [case for case in SOME if case.onset is Onset.STEP and case.effect < 0.0]
    assert steps
    for case in steps:
        after = case.panel.usd[0, _first_hour(case) :]
        due = float(np.nanmean(after)) / (1.0 + case.effect) * 730.0
        assert case.saving_usd == pytest.approx(-case.effect * due)


def _first_hour(case: Case) -> int:
    return ((case.change.applied_at - case.panel.start).days + 1) * 24


def test_a_change_without_effect_saves_nothing_and_promised_something() -> None:
    none = [case for case in SOME if case.effect == 0.0]
    assert none
    assert all(case.saving_usd == 0.0 and case.change.expected.expected > 0.0 for case in none)


def test_a_partial_change_saves_less_than_was_promised() -> None:
    partial = [case for case in SOME if case.onset is Onset.PARTIAL and case.effect < 0.0]
    steady = [case for case in partial if case.shape is Shape.STEADY]
    assert all(case.saving_usd < 0.6 * case.change.expected.expected for case in steady)
    assert partial


def test_naive_and_two_differences_are_the_same_without_candidates() -> None:
    alone = next(iter(cases(development(None), count=1, controls=0)))
    assert before_and_after(alone) == two_differences(alone)


def test_a_score_counts_covers_errors_and_wrong_verdicts() -> None:
    base = SOME[0]
    none = replace(base, effect=0.0, saving_usd=0.0, bill_usd=100.0)
    full = replace(base, effect=-0.4, saving_usd=40.0, bill_usd=100.0, onset=Onset.STEP)
    found = scored(
        [
            Answer(case=none, saving=_around(10.0), verdict=Verdict.REALISED),
            Answer(case=none, saving=_around(-4.0), verdict=Verdict.NOT),
            Answer(case=full, saving=_around(39.0), verdict=Verdict.NOT),
            Answer(case=full, saving=None, verdict=Verdict.TOO_EARLY),
        ]
    )
    assert found.cases == 3
    assert found.covered == pytest.approx(2 / 3)
    assert found.bias == pytest.approx((0.10 - 0.04 - 0.01) / 3)
    assert found.width == pytest.approx(0.1)
    assert found.false_realised == 0.5
    assert (found.called_realised, found.called_not) == (0.0, 0.5)
    assert found.undecided == 0.25


def _around(amount: float) -> Interval:
    return Interval(low=amount - 5.0, expected=amount, high=amount + 5.0)


def test_a_score_of_nothing_is_not_a_perfect_one() -> None:
    assert scored([]).covered is None
