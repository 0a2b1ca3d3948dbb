"""The judge of forecasts, by groups whose verdict is known from how they are made."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from tasks.domain.errors import PermanentError
from tasks.domain.stacks.health import Alarm
from tasks.domain.stacks.predictive.hours import GroupHours
from tasks.domain.stacks.predictive.judge import Verdict, judge_forecast, judge_scaling
from tasks.domain.stacks.predictive.limits import Limits
from tasks.domain.stacks.predictive.scores import forecast_scores
from tests.unit.stacks.predictive.cases import CASES, START, WEEK, Case, flat, followed

LIMITS = Limits()


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_each_case_is_judged_as_it_is_made(case: Case) -> None:
    found = judge_forecast(case.make(), limits=LIMITS)
    assert found.verdict == case.verdict, found.why


def small(busy: list[float], serving: list[float], forecast: list[float]) -> GroupHours:
    return GroupHours(
        start=START,
        busy=np.array(busy),
        serving=np.array(serving),
        forecast=np.array(forecast),
        min_size=1,
        max_size=10,
        target=0.5,
    )


def test_the_scores_of_a_few_hours_are_as_counted_by_hand() -> None:
    # Needed at 50 %: 2, 4, 6, 2; use of at most 57.5 % is within the limit.
    group = small([1.0, 2.0, 3.0, 0.6], [2.0, 3.0, 6.0, 4.0], [2.0, 3.2, 5.5, np.nan])
    found = forecast_scores(group, LIMITS)
    assert found.hours == 3
    assert (found.coverage, found.coverage_at_target) == (1.0, 1.0)
    assert found.spare == 0.0
    assert found.short_now == pytest.approx(1 / 3)
    assert found.helped == pytest.approx(1 / 3)
    assert found.added == pytest.approx(1 / 11)


def test_capacity_is_rounded_up_and_kept_within_the_sizes() -> None:
    group = small([1.0] * 3, [1.0] * 3, [0.2, 3.1, 99.0])
    assert group.planned.tolist() == [1.0, 4.0, 10.0]


def test_what_a_group_may_not_go_below_is_not_held_against_its_forecast() -> None:
    made = followed(2 * WEEK)
    fixed = replace(
        made,
        min_size=12,
        max_size=12,
        serving=np.full(2 * WEEK, 12.0),
        forecast=made.forecast * 0.5,
    )
    found = forecast_scores(fixed, LIMITS)
    assert (found.coverage, found.spare) == (1.0, 0.0)
    assert found.yesterday is not None
    assert found.yesterday.error == 0.0
    assert judge_forecast(fixed, limits=LIMITS).why == (
        "its size is 12 at any time: there is nothing to scale"
    )


def test_an_hour_within_the_headroom_is_covered_and_misses_the_target() -> None:
    group = small([2.2], [4.0], [4.0])
    found = forecast_scores(group, LIMITS)
    assert (found.coverage, found.coverage_at_target) == (1.0, 0.0)


def test_a_bad_week_is_not_hidden_by_good_ones() -> None:
    made = followed(5 * WEEK)
    made.busy[4 * WEEK :: 6] *= 1.5
    found = judge_forecast(made, limits=LIMITS)
    assert found.scores is not None
    assert found.scores.coverage is not None
    assert found.scores.coverage > LIMITS.good_coverage
    assert found.verdict is Verdict.NOT_YET
    assert "its worst week's hours" in found.why


def test_without_any_forecast_there_is_nothing_to_say_yet() -> None:
    made = followed(2 * WEEK)
    never = replace(made, forecast=np.full(2 * WEEK, np.nan))
    found = judge_forecast(never, limits=LIMITS)
    assert found.verdict is Verdict.NOT_YET
    assert found.why == "0.0 days of its forecasts can be compared, 14 are needed"


def test_a_group_whose_size_is_unknown_is_not_switched_on() -> None:
    made = followed(2 * WEEK)
    blind = replace(made, serving=np.full(2 * WEEK, np.nan))
    assert judge_forecast(blind, limits=LIMITS).verdict is Verdict.NOT_YET


def test_an_error_as_good_as_none_is_not_held_against_flat_demand() -> None:
    made = flat()
    made.forecast[::20] += 0.5  # a twentieth of the hours is one instance off
    assert judge_forecast(made, limits=LIMITS).verdict is Verdict.GOOD


def test_arrays_of_different_lengths_are_refused() -> None:
    with pytest.raises(PermanentError, match="differ in number"):
        small([1.0], [1.0, 2.0], [1.0])


@pytest.mark.parametrize(
    "changed", [{"min_size": 9, "max_size": 2}, {"target": 0.0}, {"target": 1.5}]
)
def test_sizes_and_targets_that_no_group_has_are_refused(changed: dict[str, float]) -> None:
    with pytest.raises(PermanentError, match="cannot be a group's"):
        replace(small([1.0], [1.0], [1.0]), **changed)  # type: ignore[arg-type]


def served(hours: int, use: float, *, short: int = 0) -> GroupHours:
    """A group at one use, with some hours above the limit."""
    serving = np.full(hours, 4.0)
    busy = serving * use
    busy[:short] = 4.0 * 0.9
    return GroupHours(
        start=START,
        busy=busy,
        serving=serving,
        forecast=np.full(hours, np.nan),
        min_size=1,
        max_size=10,
        target=0.7,
    )


def test_scaling_that_changes_nothing_for_the_worse_is_harmless_after_a_week() -> None:
    found = judge_scaling(served(2 * WEEK, 0.6), served(WEEK, 0.6), (), limits=LIMITS)
    assert found.verdict is Verdict.HARMLESS


def test_before_the_week_is_over_nothing_is_said() -> None:
    found = judge_scaling(served(2 * WEEK, 0.6), served(WEEK - 1, 0.6), (), limits=LIMITS)
    assert found.verdict is Verdict.NOT_YET


def test_a_few_more_short_hours_at_once_are_harm() -> None:
    before = served(2 * WEEK, 0.6, short=3)
    assert judge_scaling(before, served(24, 0.6, short=3), (), limits=LIMITS).verdict is (
        Verdict.HARMFUL
    )
    assert judge_scaling(before, served(24, 0.6, short=2), (), limits=LIMITS).verdict is (
        Verdict.NOT_YET
    )


def test_a_group_that_was_as_short_before_is_not_harmed() -> None:
    before = served(2 * WEEK, 0.6, short=40)
    found = judge_scaling(before, served(WEEK, 0.6, short=20), (), limits=LIMITS)
    assert found.verdict is Verdict.HARMLESS


def test_capacity_that_stands_idle_is_harm() -> None:
    found = judge_scaling(served(2 * WEEK, 0.6), served(WEEK, 0.4), (), limits=LIMITS)
    assert found.verdict is Verdict.HARMFUL
    assert found.why == "2.50 instance hours serve each busy one, 1.67 did before"


def test_an_alarm_is_harm_at_once() -> None:
    alarm = Alarm(name="5xx", ringing=True, ok=False, changed_at=START + timedelta(hours=1))
    found = judge_scaling(served(WEEK, 0.6), served(1, 0.6), [alarm], limits=LIMITS)
    assert found.verdict is Verdict.HARMFUL


def test_hours_that_nobody_knows_are_not_a_week() -> None:
    since = served(WEEK, 0.6)
    since.busy[:] = np.nan
    found = judge_scaling(served(WEEK, 0.6), since, (), limits=LIMITS)
    assert found.verdict is Verdict.NOT_YET
