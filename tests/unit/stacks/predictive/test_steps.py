"""The life of a predictive policy: each step, what keeps it from being taken, and the way back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tasks.domain.errors import PermanentError
from tasks.domain.guardrails.modes import Mode
from tasks.domain.stacks.predictive.configuration import (
    cpu_target,
    first_configuration,
    fulfils,
    policy_name,
)
from tasks.domain.stacks.predictive.judge import Judgement, Verdict
from tasks.domain.stacks.predictive.limits import Limits
from tasks.domain.stacks.predictive.steps import (
    Action,
    AheadGroup,
    Stage,
    Step,
    Trial,
    after_step,
    next_step,
    refusal,
    remembered,
)

NOW = datetime(2026, 5, 1, tzinfo=UTC)
LIMITS = Limits()
ONLY = first_configuration(0.7)
SCALES = {**ONLY, "Mode": "ForecastAndScale"}


def group(configuration: Any = ONLY, *, asks: bool = False) -> AheadGroup:
    return AheadGroup(
        region="us-east-1",
        group="web",
        policy=policy_name("web"),
        configuration=configuration,
        min_size=1,
        max_size=10,
        asks=asks,
    )


def trial(stage: Stage = Stage.FORECASTING, **more: Any) -> Trial:
    return Trial(stage=stage, since=NOW - timedelta(days=20), **more)


def judged(verdict: Verdict) -> Judgement:
    return Judgement(verdict=verdict, why="because")


def step(of: AheadGroup, known: Trial, verdict: Verdict | None, *, now: datetime = NOW) -> Step:
    judgement = None if verdict is None else judged(verdict)
    return next_step(of, known, judgement, now=now, limits=LIMITS)


def test_a_group_that_asks_begins_with_a_forecast_that_scales_nothing() -> None:
    found = step(group(None, asks=True), trial(Stage.NONE), None)
    assert found.action is Action.BEGIN
    assert found.before is None
    assert found.after == ONLY
    assert found.after["Mode"] == "ForecastOnly"


def test_a_group_that_does_not_ask_gets_none() -> None:
    assert step(group(None), trial(Stage.NONE), None).action is Action.WAIT


@pytest.mark.parametrize("verdict", [Verdict.NOT_YET, None])
def test_a_forecast_that_is_not_proved_goes_on(verdict: Verdict | None) -> None:
    assert step(group(), trial(), verdict).action is Action.WAIT


def test_a_good_forecast_is_switched_on_and_nothing_else_of_it_changes() -> None:
    buffered = {**ONLY, "SchedulingBufferTime": 300}
    found = step(group(buffered), trial(), Verdict.GOOD)
    assert found.action is Action.SWITCH_ON
    assert found.after == {**buffered, "Mode": "ForecastAndScale"}


def test_a_bad_forecast_that_was_begun_here_is_removed() -> None:
    found = step(group(), trial(begun_here=True), Verdict.BAD)
    assert (found.action, found.after) == (Action.REMOVE, None)


def test_a_bad_forecast_of_a_stack_is_left_to_its_stack() -> None:
    found = step(group(), trial(), Verdict.BAD)
    assert found.action is Action.HAND_OVER
    assert not found.changes


def test_harmful_scaling_is_switched_off() -> None:
    found = step(group(SCALES), trial(Stage.SCALING), Verdict.HARMFUL)
    assert (found.action, found.after) == (Action.SWITCH_OFF, ONLY)


@pytest.mark.parametrize("verdict", [Verdict.HARMLESS, Verdict.NOT_YET, None])
def test_scaling_that_does_no_harm_goes_on(verdict: Verdict | None) -> None:
    assert step(group(SCALES), trial(Stage.SCALING), verdict).action is Action.WAIT


def test_what_was_switched_off_rests_before_it_may_scale_again() -> None:
    off = step(group(SCALES), trial(Stage.SCALING), Verdict.HARMFUL)
    known = after_step(trial(Stage.SCALING), off, now=NOW, limits=LIMITS)
    assert step(group(), known, Verdict.GOOD).action is Action.WAIT
    later = NOW + timedelta(days=LIMITS.pause_days)
    assert step(group(), known, Verdict.GOOD, now=later).action is Action.SWITCH_ON


def test_what_was_switched_off_twice_is_left_to_a_person() -> None:
    assert step(group(), trial(reverts=2), Verdict.GOOD).action is Action.HAND_OVER


def test_harm_is_undone_also_while_it_rests() -> None:
    known = trial(Stage.SCALING, paused_until=NOW + timedelta(days=1))
    assert step(group(SCALES), known, Verdict.HARMFUL).action is Action.SWITCH_OFF


def test_what_was_removed_is_not_begun_again_at_once() -> None:
    gone = step(group(), trial(begun_here=True), Verdict.BAD)
    known = after_step(trial(begun_here=True), gone, now=NOW, limits=LIMITS)
    assert step(group(None, asks=True), known, None).action is Action.WAIT


def test_a_stage_that_somebody_else_changed_counts_from_when_it_was_seen() -> None:
    found = remembered(group(SCALES), trial(), now=NOW)
    assert (found.stage, found.since) == (Stage.SCALING, NOW)
    assert remembered(group(), trial(), now=NOW) == trial()
    assert remembered(group(), None, now=NOW).begun_here is False


def test_one_that_somebody_removed_and_put_again_is_not_ours_to_remove() -> None:
    gone = remembered(group(None), trial(begun_here=True), now=NOW)
    assert remembered(group(), gone, now=NOW).begun_here is False


def steps() -> Iterator[Step]:
    yield step(group(None, asks=True), trial(Stage.NONE), None)
    yield step(group(), trial(), Verdict.GOOD)
    yield step(group(SCALES), trial(Stage.SCALING), Verdict.HARMFUL)
    yield step(group(), trial(begun_here=True), Verdict.BAD)


@pytest.mark.parametrize("one", list(steps()), ids=lambda one: str(one.action))
def test_a_step_and_its_inverse_lead_back(one: Step) -> None:
    assert one.changes
    assert (one.inverse.before, one.inverse.after) == (one.after, one.before)
    assert one.inverse.inverse.after == one.after


@pytest.mark.parametrize("one", list(steps()), ids=lambda one: str(one.action))
@pytest.mark.parametrize("mode", list(Mode))
def test_only_auto_acts_without_approval_and_a_kill_switch_stops_everything(
    one: Step, mode: Mode
) -> None:
    nobody: frozenset[str] = frozenset()
    approved = frozenset({one.step_id})
    assert (refusal(one, mode=mode, shut=None, approved=nobody) is None) == (mode is Mode.AUTO)
    allowed = mode in {Mode.AUTO, Mode.APPROVE}
    assert (refusal(one, mode=mode, shut=None, approved=approved) is None) == allowed
    assert refusal(one, mode=mode, shut="the kill switch is on", approved=approved)


def test_an_approval_is_of_one_step_from_one_state() -> None:
    one = step(group(), trial(), Verdict.GOOD)
    other = replace(one, before={**ONLY, "SchedulingBufferTime": 60})
    assert one.step_id != other.step_id
    assert one.step_id == step(group(), trial(), Verdict.GOOD).step_id


def test_a_configuration_with_defaults_added_is_as_wanted() -> None:
    assert fulfils({**ONLY, "MaxCapacityBreachBehavior": "HonorMaxCapacity"}, ONLY)
    assert not fulfils(SCALES, ONLY)
    assert not fulfils({"Mode": "ForecastOnly", "MetricSpecifications": []}, ONLY)
    assert fulfils(None, None)
    assert not fulfils(None, ONLY)
    assert not fulfils(ONLY, None)


def test_the_target_is_known_of_the_processor_only() -> None:
    assert cpu_target(ONLY) == pytest.approx(0.7)
    network = {"PredefinedMetricPairSpecification": {"PredefinedMetricType": "ASGNetworkIn"}}
    assert cpu_target({"MetricSpecifications": [{"TargetValue": 50.0, **network}]}) is None
    assert cpu_target({}) is None
    assert cpu_target({"MetricSpecifications": list(ONLY["MetricSpecifications"]) * 2}) is None


@pytest.mark.parametrize("target", [0.0, -1.0, 70.0, float("nan")])
def test_a_target_that_is_no_share_is_refused(target: float) -> None:
    with pytest.raises(PermanentError, match="not above 0"):
        first_configuration(target)


def test_policies_are_named_for_their_group_whatever_it_is_called() -> None:
    assert policy_name("web") != policy_name("Web")
    assert len(policy_name("x" * 255)) < 64
