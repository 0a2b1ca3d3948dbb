from __future__ import annotations

import math
import random

import pytest

from tasks.domain.anomalies.alarms import Signal
from tasks.domain.anomalies.expected import Expectation
from tasks.domain.anomalies.following import Following
from tasks.domain.anomalies.moments import Moment, Rates
from tasks.domain.anomalies.units import UNITS

PER_DAY = 48
RATES = Rates.per(0.5)


def moment(at: int, *, load: float | None = None, slack: float = 0.0) -> Moment:
    return Moment(
        slot=at % PER_DAY,
        part=0.0,
        weekend=at // PER_DAY % 7 >= 5,
        load=load,
        load_slack=slack,
        rates=RATES,
        after_deploy=False,
        frozen=False,
    )


def wave(at: int) -> float:
    return 5.0 + math.sin(2.0 * math.pi * at / PER_DAY) + random.Random(at).gauss(0.0, 0.05)


def learned(days: int = 10, *, signal: Signal = Signal.REQUESTS) -> Expectation:
    expectation = Expectation(UNITS[signal])
    for at in range(days * PER_DAY):
        expectation.update(wave(at), moment(at))
    return expectation


def test_the_time_of_day_is_expected_after_some_days() -> None:
    expectation = learned()
    far = [abs(expectation.update(wave(at), moment(at))) for at in range(480, 528)]
    assert sum(far) / len(far) < 0.15


def test_a_value_usual_at_noon_is_far_off_at_midnight() -> None:
    expectation = learned()
    noon, midnight = 480 + PER_DAY // 4, 480 + 3 * PER_DAY // 4
    for at in range(480, noon):
        expectation.update(wave(at), moment(at))
    assert abs(expectation.update(6.0, moment(noon))) < 0.3
    for at in range(noon + 1, midnight):
        expectation.update(wave(at), moment(at))
    assert expectation.update(6.0, moment(midnight)) > 1.0


def test_one_wild_value_hardly_moves_what_is_expected() -> None:
    one, other = learned(), learned()
    one.update(50.0, moment(480))
    other.update(wave(480), moment(480))
    assert one.update(5.0, moment(481)) == pytest.approx(other.update(5.0, moment(481)), abs=0.1)


def test_a_level_that_stayed_for_six_hours_is_adopted_and_the_former_one_remembered() -> None:
    expectation = learned()
    for at in range(480, 480 + 16):
        expectation.update(wave(at) + 3.0, moment(at))
    assert abs(expectation.update(wave(496) + 3.0, moment(496))) < 0.5
    assert abs(expectation.update(wave(497), moment(497))) < 0.7


def test_nothing_is_expected_below_zero() -> None:
    unit = UNITS[Signal.LATENCY]
    expectation = Expectation(unit)
    for at in range(100):
        expectation.update(unit.compared(0.001 * (1 + at % 2)), moment(at))
    expectation.update(unit.compared(0.0), moment(100))
    assert expectation.expected >= unit.lowest


def test_deviations_are_measured_in_no_less_than_the_least_spread() -> None:
    unit = UNITS[Signal.MEMORY]
    expectation = Expectation(unit)
    for at in range(100):
        expectation.update(0.5, moment(at))
    assert expectation.deviation == unit.least_spread


def test_what_requests_explain_is_freed_of_them() -> None:
    following = Following()
    rng = random.Random(3)
    for at in range(300):
        load = rng.gauss(4.0, 0.3)
        following.learn(0.8 * load + rng.gauss(0.0, 0.05), moment(at, load=load))
    explained, low, high = following.explained(moment(300, load=following.load_mean + 0.3))
    assert explained == pytest.approx(0.24, abs=0.02)
    assert (low, high) == (0.0, 0.0)


def test_loads_never_seen_may_excuse_more_but_explain_no_more() -> None:
    following = Following()
    rng = random.Random(3)
    for at in range(300):
        load = rng.gauss(4.0, 0.3)
        following.learn(0.8 * load, moment(at, load=load))
    explained, low, high = following.explained(moment(300, load=following.load_mean + 3.0))
    assert explained == pytest.approx(2.5 * 0.3 * 0.8, rel=0.1)
    assert low == 0.0
    assert explained + high == pytest.approx(2.4, rel=0.05)


def test_a_signal_that_does_not_follow_requests_is_left_as_it_is() -> None:
    following = Following()
    rng = random.Random(3)
    for at in range(300):
        following.learn(rng.gauss(0.0, 1.0), moment(at, load=rng.gauss(4.0, 0.3)))
    assert following.explained(moment(300, load=9.0))[0] == pytest.approx(0.0, abs=0.05)


def test_a_load_that_was_not_measured_teaches_nothing() -> None:
    following = Following()
    following.learn(1.0, moment(0, load=4.0, slack=0.1))
    assert following.steps == 0
