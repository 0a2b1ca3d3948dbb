"""Laws of streaming novelty."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from benchmarks.anomalies_choice import alarm_rows
from tasks.domain.anomalies.gate import AlarmGate, Gating
from tasks.domain.anomalies.nearest import ValueNet
from tasks.domain.anomalies.novelty import NoveltyDetector, Settings

SMALL = Settings(values_kept=16, shapes_kept=20, level_rows=2, block_rows=2, blocks=2, warm_up=4)

# Few distinct values meet again; multiples of an eighth are exact in any sum here.
values = arrays.arrays(
    np.float64, st.integers(1, 80), elements=st.integers(-200, 200).map(lambda whole: whole / 8)
)
wild = st.lists(st.floats(allow_nan=True, allow_infinity=True, width=32), max_size=60)
high_scores = arrays.arrays(np.float64, st.integers(0, 60), elements=st.floats(0.0, 4.0))


def scores(found: list[float]) -> list[float]:
    detector = NoveltyDetector(SMALL)
    return [detector.update(value) for value in found]


@settings(max_examples=60, deadline=None)
@given(found=values, share=st.floats(0.0, 1.0))
def test_a_score_depends_on_no_later_row(found: np.ndarray, share: float) -> None:
    cut = int(share * len(found))
    assert scores(found[:cut].tolist()) == scores(found.tolist())[:cut]


@settings(max_examples=60, deadline=None)
@given(found=wild)
def test_scores_are_bounded_and_known_whatever_comes(found: list[float]) -> None:
    assert all(0.0 <= score <= SMALL.limit for score in scores(found))


@settings(max_examples=60, deadline=None)
@given(found=values, power=st.integers(-20, 20), shift=st.integers(-64, 64))
def test_unit_and_level_do_not_matter(found: np.ndarray, power: int, shift: int) -> None:
    moved = (found + shift) * 2.0**power
    assert scores(moved.tolist()) == pytest.approx(scores(found.tolist()), abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(found=values, share=st.floats(0.0, 1.0))
def test_a_stored_detector_goes_on_the_same(found: np.ndarray, share: float) -> None:
    cut = int(share * len(found))
    detector = NoveltyDetector(SMALL)
    for value in found[:cut].tolist():
        detector.update(value)
    restored = NoveltyDetector.from_state(detector.to_state(), SMALL)
    rest = found[cut:].tolist()
    assert [restored.update(value) for value in rest] == [detector.update(value) for value in rest]


@settings(max_examples=60, deadline=None)
@given(found=values)
def test_a_net_errs_by_less_than_a_cell_and_never_below_however_often_values_were_dropped(
    found: np.ndarray,
) -> None:
    net = ValueNet(16)
    for at, value in enumerate(found.tolist()):
        distance = net.distance(value)
        if distance is not None:
            exact = np.abs(found[:at] - value).min()
            cell = 4.0 * np.ptp(found[:at]) / 16
            assert exact <= distance + 1e-12
            assert distance <= exact + cell + 1e-12
        net.learn(value)
        assert len(net.values()) <= 17


@settings(max_examples=60, deadline=None)
@given(found=high_scores, rest=st.integers(0, 9), threshold=st.floats(0.5, 3.5))
def test_the_judge_sees_the_alarms_that_a_gate_raises(
    found: np.ndarray, rest: int, threshold: float
) -> None:
    gate = AlarmGate(gating=Gating(threshold=threshold, rest_rows=rest))
    raised = [row for row, score in enumerate(found.tolist()) if gate.update(score)]
    assert alarm_rows(found, threshold=threshold, rest_rows=rest).tolist() == raised
