"""Laws of alarms on workloads, whatever is measured."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.domain.anomalies.alarms import Sample, Signal
from tasks.domain.anomalies.severity import Rarity
from tasks.domain.anomalies.units import UNITS
from tasks.domain.anomalies.workload import WorkloadDetector
from tests.unit.anomalies.workload_builders import LEARNED, START, STEP, learned, quiet

FACTORS = st.sampled_from([0.0, 0.5, 1.0, 1.0, 1.0, 1.5, 4.0, 100.0, math.nan])
CHANGES = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from(list(Signal)), FACTORS, max_size=3),
        st.sampled_from([1, 1, 1, 1, 2, 30]),
        st.booleans(),
    ),
    min_size=1,
    max_size=25,
)
Changes = list[tuple[dict[Signal, float], int, bool]]


def _samples(changes: Changes) -> list[Sample]:
    found, at = [], LEARNED
    for factors, skipped, deployed in changes:
        at += skipped
        values: Mapping[Signal, float] = {
            signal: value * factors.get(signal, 1.0) for signal, value in quiet(at).items()
        }
        found.append(Sample(at=START + at * STEP, values=values, deployed=deployed))
    return found


@settings(max_examples=20, deadline=None)
@given(changes=CHANGES)
def test_severity_is_a_share_and_an_alarm_has_reasons_furthest_from_usual(changes: Changes) -> None:
    detector = learned()
    for sample in _samples(changes):
        alarm = detector.update(sample)
        assert 0.0 <= detector.severity <= 1.0
        if alarm is not None:
            assert alarm.at == sample.at
            assert alarm.severity == detector.severity
            assert alarm.reasons
            assert all(math.isfinite(one.expected) for one in alarm.reasons)
            assert {one.signal for one in alarm.reasons} <= sample.values.keys()


@settings(max_examples=15, deadline=None)
@given(changes=CHANGES, cut=st.integers(0, 25))
def test_a_detector_written_and_read_goes_on_as_if_nothing_had_been(
    changes: Changes, cut: int
) -> None:
    one, other = learned(), learned()
    for at, sample in enumerate(_samples(changes)):
        if at == cut:
            other = WorkloadDetector.from_state(json.loads(json.dumps(other.to_state())))
        assert one.update(sample) == other.update(sample)
        assert one.status == other.status
    assert one.to_state() == other.to_state()


@settings(max_examples=15, deadline=None)
@given(changes=CHANGES, more=CHANGES)
def test_what_comes_later_changes_no_earlier_answer(changes: Changes, more: Changes) -> None:
    short, long = _samples(changes), _samples([*changes, *more])
    one, other = learned(), learned()
    assert [one.update(s) for s in short] == [other.update(s) for s in long][: len(short)]


@settings(max_examples=15, deadline=None)
@given(changes=CHANGES)
def test_two_alarms_are_at_least_two_hours_apart(changes: Changes) -> None:
    detector = learned()
    told = [alarm.at for s in _samples(changes) if (alarm := detector.update(s)) is not None]
    assert all(b - a >= timedelta(hours=2) for a, b in pairwise(told))


@settings(max_examples=50, deadline=None)
@given(
    scores=st.lists(st.floats(0.0, 20.0), min_size=1, max_size=200),
    asked=st.lists(st.floats(0.0, 30.0), min_size=2, max_size=10),
)
def test_a_higher_score_is_never_more_common(scores: list[float], asked: list[float]) -> None:
    rarity = Rarity()
    for score in scores:
        rarity.learn(score)
    shares = [rarity.share_above(score) for score in sorted(asked)]
    assert all(0.0 < share <= 1.0 for share in shares)
    assert shares == sorted(shares, reverse=True)


@given(signal=st.sampled_from(list(Signal)), value=st.floats(0.0, 1e9))
def test_a_value_comes_back_from_the_scale_it_is_compared_on(signal: Signal, value: float) -> None:
    unit = UNITS[signal]
    again = unit.measured(unit.compared(value))
    assert math.isclose(again, value, rel_tol=1e-6, abs_tol=1e-6 + 1e-9 * unit.offset)
