from __future__ import annotations

import math

import pytest

from tasks.domain.anomalies.alarms import Kind, Remedy, Signal
from tasks.domain.anomalies.workload import Settings, WorkloadDetector
from tests.unit.anomalies.workload_builders import (
    LEARNED,
    PER_HOUR,
    Change,
    learned,
    quiet,
    step,
    times,
    to,
    told,
    unchanged,
)


def _rush(since: int, values: dict[Signal, float]) -> None:
    for signal in (Signal.REQUESTS, Signal.CPU, Signal.EGRESS):
        values[signal] *= 4.0


def _leak(since: int, values: dict[Signal, float]) -> None:
    values[Signal.MEMORY] += 0.008 * since


def _silence(since: int, values: dict[Signal, float]) -> None:
    for signal in (Signal.REQUESTS, Signal.CPU, Signal.EGRESS):
        values[signal] *= 0.05


@pytest.mark.parametrize(
    ("change", "hours", "kind", "remedy"),
    [
        (_rush, 2.0, Kind.TRAFFIC_SPIKE, Remedy.SURGE),
        (_leak, 6.0, Kind.MEMORY_LEAK, Remedy.RESTART),
        (_silence, 2.0, Kind.UNKNOWN, Remedy.LOOK),
        (to(Signal.ERRORS, 0.1), 2.0, Kind.ERROR_RATE, Remedy.LOOK),
        (times(Signal.LATENCY, 3.0), 2.0, Kind.DEGRADATION, Remedy.RESTART),
        (times(Signal.EGRESS, 8.0), 2.0, Kind.SECURITY, Remedy.ISOLATE),
        (to(Signal.REFUSED, 5.0), 2.0, Kind.SECURITY, Remedy.ISOLATE),
    ],
)
def test_what_goes_wrong_is_told_once_under_its_name_with_a_remedy(
    change: Change, hours: float, kind: Kind, remedy: Remedy
) -> None:
    alarms = told(learned(), change, hours=hours)
    assert [(one.kind, one.remedy) for one in alarms] == [(kind, remedy)]


def test_a_quiet_day_is_told_nothing_of() -> None:
    assert told(learned(), unchanged, hours=24.0) == []


def test_an_alarm_names_the_signal_that_is_furthest_and_what_was_expected_of_it() -> None:
    (alarm,) = told(learned(), times(Signal.LATENCY, 3.0), hours=1.0)
    reason = alarm.reasons[0]
    assert reason.signal is Signal.LATENCY
    assert reason.value == pytest.approx(0.3, rel=0.2)
    assert reason.expected == pytest.approx(0.1, rel=0.2)
    assert reason.distance > 5.0
    assert 0.99 < alarm.severity <= 1.0


def test_a_blip_of_one_step_is_no_alarm() -> None:
    def blip(since: int, values: dict[Signal, float]) -> None:
        if since == 3:
            values[Signal.LATENCY] *= 10.0

    assert told(learned(), blip, hours=3.0) == []


def test_processor_use_that_requests_explain_is_not_among_the_reasons_of_a_rush() -> None:
    (alarm,) = told(learned(), _rush, hours=2.0)
    assert [one.signal for one in alarm.reasons] == [Signal.REQUESTS]


def test_a_level_that_stays_is_told_once_and_is_normal_a_day_later() -> None:
    detector = learned()
    alarms = told(detector, times(Signal.LATENCY, 2.5), hours=30.0)
    assert len(alarms) == 1
    assert detector.status.ongoing is None
    assert detector.severity < 0.99


def test_going_back_to_the_level_of_before_is_no_second_alarm() -> None:
    detector = learned()
    told(detector, times(Signal.LATENCY, 2.5), hours=12.0)
    back = told(detector, unchanged, hours=12.0, first=LEARNED + 12 * PER_HOUR)
    assert back == []


def test_memory_that_drops_and_fills_after_a_deploy_is_no_alarm() -> None:
    def emptied(since: int, values: dict[Signal, float]) -> None:
        values[Signal.MEMORY] -= 0.2 * math.exp(-since / PER_HOUR)

    assert told(learned(), emptied, hours=8.0, deployed_at=0) == []


def test_latency_of_cold_processes_is_excused_for_half_an_hour() -> None:
    def cold(since: int, values: dict[Signal, float]) -> None:
        values[Signal.LATENCY] *= 4.0 if since < 2 else 1.0

    assert told(learned(), cold, hours=3.0, deployed_at=0) == []


def test_errors_that_stay_after_a_deploy_ask_for_the_revision_before() -> None:
    (alarm,) = told(learned(), to(Signal.ERRORS, 0.2), hours=2.0, deployed_at=0)
    assert alarm.after_deploy
    assert (alarm.kind, alarm.remedy) == (Kind.ERROR_RATE, Remedy.ROLL_BACK)


def test_a_signal_that_is_not_measured_is_left_out() -> None:
    def unmeasured(since: int, values: dict[Signal, float]) -> None:
        del values[Signal.REQUESTS], values[Signal.MEMORY]

    assert told(learned(), unmeasured, hours=12.0) == []


def test_a_value_that_is_no_number_counts_as_not_measured() -> None:
    one, other = learned(), learned()
    values = quiet(LEARNED)
    one.update(step(LEARNED, values | {Signal.CPU: math.nan}))
    del values[Signal.CPU]
    other.update(step(LEARNED, values))
    assert one.to_state() == other.to_state()


def test_a_step_that_comes_twice_changes_nothing() -> None:
    detector = learned()
    detector.update(step(LEARNED, quiet(LEARNED)))
    before = detector.to_state()
    assert detector.update(step(LEARNED, {Signal.ERRORS: 1.0})) is None
    assert detector.to_state() == before


def test_nothing_is_told_of_a_workload_in_its_first_two_days() -> None:
    detector = WorkloadDetector()
    alarms = told(detector, times(Signal.ERRORS, 50.0), hours=24.0, first=0)
    assert alarms == []
    assert detector.status.learning


def test_an_ongoing_anomaly_is_the_status_until_it_has_been_over_for_an_hour() -> None:
    detector = learned()
    (alarm,) = told(detector, to(Signal.ERRORS, 0.1), hours=2.0)
    assert detector.status.ongoing == alarm
    assert detector.status.kind is Kind.ERROR_RATE
    assert detector.status.reasons[0].signal is Signal.ERRORS
    told(detector, unchanged, hours=2.0, first=LEARNED + 2 * PER_HOUR)
    assert detector.status.ongoing is None


def test_fewer_alarms_per_week_are_fewer_alarms() -> None:
    def mild(since: int, values: dict[Signal, float]) -> None:
        values[Signal.LATENCY] *= 1.3

    few = told(learned(Settings(alarms_per_week=1e-6)), mild, hours=2.0)
    many = told(learned(Settings(alarms_per_week=50.0)), mild, hours=2.0)
    assert (len(few), len(many)) == (0, 1)
