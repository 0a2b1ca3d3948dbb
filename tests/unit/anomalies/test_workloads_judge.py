"""The judge of alarms on workloads judges what was told, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.anomalies_workloads_data import PER_DAY, START, STEP, Trace
from benchmarks.anomalies_workloads_effects import BAD_DEPLOY, SHIFT, Case, cases
from benchmarks.anomalies_workloads_scoring import FIRST, Judgement, judge, scores
from tasks.domain.anomalies.alarms import Alarm, Kind, Reason, Remedy, Sample, Signal

STEPS = FIRST + 7 * PER_DAY
ONSET = FIRST + 2 * PER_DAY
RUSH = 1.0 + np.array([0.2, 1.0, 0.5])


class Scripted:
    """Alarms where errors are at least a share; severity is the step's share of the trace."""

    def __init__(self, *, least: float = 0.5) -> None:
        self.least = least
        self.steps = 0

    @property
    def severity(self) -> float | None:
        """Return the share of steps gone."""
        return self.steps % 100 / 100.0

    def update(self, sample: Sample) -> Alarm | None:
        """Alarm on errors."""
        self.steps += 1
        errors = sample.values.get(Signal.ERRORS, 0.0)
        if errors < self.least:
            return None
        reason = Reason(signal=Signal.ERRORS, value=errors, expected=0.0, distance=9.0)
        return Alarm(
            at=sample.at,
            kind=Kind.ERROR_RATE,
            severity=1.0,
            reasons=(reason,),
            remedy=Remedy.LOOK,
        )


def trace(*, errors_at: tuple[int, ...] = (), deployed_at: tuple[int, ...] = ()) -> Trace:
    errors = np.zeros(STEPS)
    errors[list(errors_at)] = 0.9
    deployed = np.zeros(STEPS, dtype=bool)
    deployed[list(deployed_at)] = True
    values = {Signal.ERRORS: errors, Signal.REQUESTS: np.full(STEPS, 100.0)}
    return Trace(name="seeded-x", values=values, deployed=deployed)


def case(kind: Kind, *, errors_at: tuple[int, ...], name: str | None = None) -> Case:
    changed = trace(errors_at=errors_at)
    return Case(trace=changed, name=name or str(kind), kind=kind, first=ONSET, last=ONSET + 10)


def test_an_alarm_within_the_effect_is_found_with_its_delay() -> None:
    found = Judgement()
    judge(trace(), [case(Kind.ERROR_RATE, errors_at=(ONSET + 3,))], Scripted, found)
    assert scores(found)["recall_error_rate"] == 1.0
    assert scores(found)["delay_minutes_error_rate"] == pytest.approx(15.0)


def test_an_alarm_long_after_the_effect_is_not_about_it() -> None:
    found = Judgement()
    judge(trace(), [case(Kind.ERROR_RATE, errors_at=(ONSET + 60,))], Scripted, found)
    assert scores(found)["recall"] == 0.0


def test_an_alarm_that_the_untouched_trace_raised_as_well_finds_nothing() -> None:
    found = Judgement()
    at = (ONSET + 3,)
    judge(trace(errors_at=at), [case(Kind.ERROR_RATE, errors_at=at)], Scripted, found)
    assert scores(found)["recall"] == 0.0
    assert scores(found)["alarms_per_week"] == pytest.approx(1.0)


def test_another_name_is_found_but_not_of_the_right_kind() -> None:
    found = Judgement()
    judge(trace(), [case(Kind.SECURITY, errors_at=(ONSET,))], Scripted, found)
    assert scores(found)["recall"] == 1.0
    assert scores(found)["kind_accuracy"] == 0.0


def test_alarms_of_the_first_week_are_not_judged() -> None:
    found = Judgement()
    judge(trace(errors_at=(10, 20)), [], Scripted, found)
    assert scores(found)["alarms_per_week"] == 0.0


def test_every_alarm_of_a_level_shift_is_counted() -> None:
    found = Judgement()
    shift = case(Kind.ERROR_RATE, errors_at=(ONSET, ONSET + 4, ONSET + 8), name=SHIFT)
    judge(trace(), [shift], Scripted, found)
    assert scores(found)["level_shift_alarms"] == 3.0
    assert scores(found)["level_shifts_told_more_than_once"] == 1.0
    assert scores(found)["recall"] is None


def test_an_alarm_within_an_hour_of_a_harmless_deploy_is_counted() -> None:
    found = Judgement()
    at = (ONSET + 5, ONSET + 50)
    judge(trace(errors_at=at, deployed_at=(ONSET,)), [], Scripted, found)
    assert scores(found)["alarms_per_harmless_deploy"] == 1.0


def test_severity_of_untouched_steps_is_compared_with_its_meaning() -> None:
    found = Judgement()
    judge(trace(), [], Scripted, found)
    assert scores(found)["severity_at_least_9_share"] == pytest.approx(0.1, abs=0.01)


def test_effects_leave_what_came_before_them_alone_and_only_what_can_be_seen_is_a_case() -> None:
    plain = trace()
    made = cases(plain, [ONSET], [RUSH], rng=np.random.default_rng(1))
    assert {one.name for one in made} == {
        Kind.TRAFFIC_SPIKE,
        Kind.ERROR_RATE,
        Kind.UNKNOWN,
        SHIFT,
        BAD_DEPLOY,
    }
    for one in made:
        for signal, value in one.trace.values.items():
            assert np.array_equal(value[:ONSET], plain.values[signal][:ONSET])
        changed = [s for s, v in one.trace.values.items() if not np.array_equal(v, plain.values[s])]
        assert changed
    (bad,) = (one for one in made if one.name == BAD_DEPLOY)
    assert bad.trace.deployed[ONSET]


def test_samples_leave_out_what_was_not_measured() -> None:
    one = trace()
    one.values[Signal.ERRORS][0] = np.nan
    first, second = one.samples(0, 2)
    assert set(first.values) == {Signal.REQUESTS}
    assert set(second.values) == {Signal.REQUESTS, Signal.ERRORS}
    assert second.at - first.at == STEP
    assert first.at == START
