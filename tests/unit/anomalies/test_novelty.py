"""Novelty of values, levels and shapes, row by row."""

import numpy as np
import pytest

from tasks.domain.anomalies.gate import AlarmGate, Gating
from tasks.domain.anomalies.nearest import NearestShape, ValueNet
from tasks.domain.anomalies.novelty import DEFAULT, NoveltyDetector, Settings
from tasks.domain.anomalies.surprise import Surprise

SMALL = Settings(values_kept=50, shapes_kept=40, level_rows=2, block_rows=3, blocks=2)


def scores(values: np.ndarray, settings: Settings = DEFAULT) -> np.ndarray:
    detector = NoveltyDetector(settings)
    return np.array([detector.update(value) for value in values.tolist()])


def noisy_days(rows: int, *, seed: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return 50 + 10 * np.sin(2 * np.pi * np.arange(rows) / 96) + rng.normal(0, 1, rows)


def plain_scores(values: np.ndarray, settings: Settings) -> np.ndarray:
    """The same scores from all of the history at every row, without any shortcut."""
    distances = [
        _distances(values, rows=1, blocks=1, lag=1),
        _distances(values, rows=settings.level_rows, blocks=1, lag=settings.level_rows),
        _distances(
            values, rows=settings.block_rows, blocks=settings.blocks, lag=settings.shape_rows
        ),
    ]
    squares = [_surprises(one, settings) ** 2 for one in distances]
    found: np.ndarray = np.sqrt(np.sum(squares, axis=0) / 3)
    return found


def _distances(values: np.ndarray, *, rows: int, blocks: int, lag: int) -> np.ndarray:
    found = np.full(len(values), np.nan)
    first = rows * blocks - 1
    shapes = {
        at: values[at - first : at + 1].reshape(blocks, rows).mean(axis=1)
        for at in range(first, len(values))
    }
    for at, shape in shapes.items():
        before = [np.linalg.norm(shape - shapes[s]) for s in range(first, at - lag + 1)]
        found[at] = min(before, default=np.nan)
    return found


def _surprises(distances: np.ndarray, settings: Settings) -> np.ndarray:
    found = np.zeros(len(distances))
    for at, distance in enumerate(distances):
        before = distances[:at][~np.isnan(distances[:at])]
        if not np.isnan(distance) and len(before) >= settings.warm_up:
            usual = max(before.std(), settings.mean_floor * before.mean())
            found[at] = np.clip((distance - before.mean()) / usual, 0, settings.limit)
    return found


def test_scores_are_those_of_the_plain_definition() -> None:
    settings = Settings(block_rows=4, blocks=2)
    values = noisy_days(160)
    values[120:126] += 25
    assert scores(values, settings) == pytest.approx(plain_scores(values, settings), abs=1e-9)


def test_a_spike_outside_of_everything_seen_scores_far_more_than_usual_rows() -> None:
    values = noisy_days(600)
    values[500] += 40
    found = scores(values)
    assert found[500] > 5
    assert found[500] > 3 * found[100:500].max()


def test_a_new_shape_within_the_usual_range_is_noticed() -> None:
    rng = np.random.default_rng(0)
    wave = np.where(np.arange(900) // 60 % 2 == 0, 10.0, 30.0) + rng.normal(0, 0.2, 900)
    wave[700:760] = 20.0 + rng.normal(0, 0.2, 60)
    found = scores(wave)
    assert found[700:760].max() > 3 * found[300:700].max()


def test_a_level_shift_is_one_occasion() -> None:
    values = noisy_days(1_200)
    values[600:] += 60
    found = scores(values)
    assert found[600:610].max() > 5
    assert found[750:].max() < 1


def test_the_same_spike_is_not_new_a_second_time() -> None:
    values = noisy_days(900)
    values[[500, 800]] = 120.0
    found = scores(values)
    assert found[800] < 0.1 * found[500]


def test_a_series_without_any_change_scores_nothing() -> None:
    assert scores(np.full(300, 7.25)).max() == 0.0


def test_the_first_change_after_a_long_still_is_as_new_as_can_be_for_the_value() -> None:
    values = np.full(300, 7.0)
    values[200] = 7.5
    assert scores(values)[200] >= DEFAULT.limit / 3**0.5


def test_a_square_wave_that_goes_on_scores_nothing_once_seen() -> None:
    wave = np.where(np.arange(2_000) // 50 % 2 == 0, 0.1, 0.7)
    assert scores(wave)[300:].max() == 0.0


@pytest.mark.parametrize("unknown", [float("nan"), float("inf"), -float("inf")])
def test_an_unknown_value_scores_nothing_and_leaves_no_trace(unknown: float) -> None:
    values = noisy_days(300)
    with_gap = np.insert(values, 150, unknown)
    found = scores(with_gap)
    assert found[150] == 0.0
    assert np.array_equal(np.delete(found, 150), scores(values))


def test_a_restored_detector_goes_on_exactly_the_same() -> None:
    values = noisy_days(400)
    detector = NoveltyDetector(SMALL)
    for value in values[:300].tolist():
        detector.update(value)
    state = detector.to_state()
    restored = NoveltyDetector.from_state(state, SMALL)
    assert [restored.update(v) for v in values[300:].tolist()] == [
        detector.update(v) for v in values[300:].tolist()
    ]
    assert all(isinstance(one, np.ndarray | float | int) for one in state.values())


def test_a_detector_that_has_seen_nothing_can_be_stored() -> None:
    restored = NoveltyDetector.from_state(NoveltyDetector(SMALL).to_state(), SMALL)
    assert [restored.update(value) for value in (1.0, 2.0)] == [0.0, 0.0]


def test_what_is_remembered_stops_growing() -> None:
    detector = NoveltyDetector(SMALL)
    sizes = []
    for value in noisy_days(400).tolist():
        detector.update(value)
        sizes.append(sum(np.size(one) for one in detector.to_state().values()))
    assert max(sizes[200:]) <= 2 * 51 + 2 * (40 + 5) + 40


def test_a_net_that_is_full_keeps_its_ends_and_drops_crowded_values() -> None:
    net = ValueNet(10)
    for value in [0.0, 100.0, *(50 + 0.1 * step for step in range(9))]:
        net.learn(value)
    kept = net.values()
    assert kept[[0, -1]].tolist() == [0.0, 100.0]
    assert len(kept) == 3
    assert net.distance(50.8) == pytest.approx(0.8)
    assert net.distance(-1.0) == 1.0


def test_a_value_known_already_is_kept_once() -> None:
    net = ValueNet(10)
    assert net.distance(1.0) is None
    for value in (1.0, 1.0, 2.0):
        net.learn(value)
    assert net.values().tolist() == [1.0, 2.0]


def test_shapes_that_overlap_are_not_compared() -> None:
    shapes = NearestShape(size=1, lag=3, capacity=2)
    found = []
    for value in (0.0, 10.0, 20.0, 0.0, 10.0, 21.0, 0.0, 0.0):
        found.append(shapes.distance(np.array([value])))
        shapes.learn(np.array([value]))
    # Compared with what is 3 or 4 rows older: two shapes are kept.
    assert found == [None, None, None, 0.0, 0.0, 1.0, 0.0, 0.0]


def test_distance_is_measured_in_deviations_above_the_mean() -> None:
    surprise = Surprise()
    for distance in (1.0, 3.0):
        surprise.learn(distance)
    assert surprise.of(5.0, floor=0.0, limit=20.0) == pytest.approx(3.0)
    assert surprise.of(2.0, floor=0.0, limit=20.0) == 0.0
    assert surprise.of(5.0, floor=6.0, limit=20.0) == pytest.approx(0.5)
    assert surprise.of(1e6, floor=0.0, limit=20.0) == 20.0


def test_a_gate_rests_for_its_rows_after_an_alarm() -> None:
    gate = AlarmGate(gating=Gating(threshold=2.0, rest_rows=3))
    raised = [gate.update(score) for score in (1.9, 2.0, 9.0, 9.0, 9.0, 9.0, 0.0, 9.0)]
    assert raised == [False, True, False, False, False, True, False, False]


def test_a_gate_without_rest_raises_every_high_score() -> None:
    gate = AlarmGate(gating=Gating(threshold=2.0, rest_rows=0))
    assert [gate.update(score) for score in (3.0, 3.0, 1.0)] == [True, True, False]


def test_an_unknown_score_raises_nothing() -> None:
    assert not AlarmGate().update(float("nan"))
