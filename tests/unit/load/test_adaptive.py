import json
from math import exp

import numpy as np
import pytest

from tasks.domain.errors import PermanentError
from tasks.domain.load.adaptive import LARGEST_FACTOR, STEP, AdaptiveWidth, scaled_quantiles


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def after_scores(width: AdaptiveWidth, scores: np.ndarray) -> AdaptiveWidth:
    """Return the width after errors of so many half-widths of the model."""
    for score in scores:
        width = width.after(bool(score <= width.factor))
    return width


def test_a_width_starts_as_the_model_gave_it_and_knows_nothing() -> None:
    new = AdaptiveWidth()
    assert new.factor == 1.0
    assert new.coverage is None
    assert new.largest_gap is None


def test_a_miss_widens_by_four_steps_of_a_hit() -> None:
    assert AdaptiveWidth().after(False).factor == pytest.approx(exp(STEP * 0.8))
    assert AdaptiveWidth().after(True).factor == pytest.approx(exp(-STEP * 0.2))


def test_values_that_became_known_together_are_one_update() -> None:
    found = AdaptiveWidth().after(np.array([True, True, False, False]))
    assert found.updates == 1
    assert found.coverage == 0.5
    assert found.factor == pytest.approx(exp(STEP * 0.3))


def test_nothing_known_changes_nothing() -> None:
    width = AdaptiveWidth().after(False)
    assert width.after(np.array([], dtype=np.bool_)) == width


def test_intervals_of_half_the_right_width_are_doubled() -> None:
    errors = np.abs(rng().normal(size=3000)) / 1.2816 * 2.0
    found = after_scores(AdaptiveWidth(), errors)
    late = [width.factor for width in (after_scores(found, errors[:n]) for n in range(0, 300, 20))]
    assert np.mean(late) == pytest.approx(2.0, rel=0.2)


def test_a_load_three_times_as_wild_is_followed_within_three_days_of_hours() -> None:
    wild = 3.0 * np.abs(rng().normal(size=(20, 72))) / 1.2816
    found = [after_scores(AdaptiveWidth(), errors).factor for errors in wild]
    assert np.median(found) == pytest.approx(3.0, rel=0.2)


def test_misses_without_end_stop_at_the_widest_and_are_forgotten_at_once() -> None:
    width = after_scores(AdaptiveWidth(), np.full(2000, 1e9))
    assert width.factor == pytest.approx(LARGEST_FACTOR)
    assert after_scores(width, np.zeros(10)).factor < LARGEST_FACTOR


def test_hits_without_end_stop_at_the_narrowest() -> None:
    width = after_scores(AdaptiveWidth(), np.zeros(2000))
    assert width.factor == pytest.approx(1.0 / LARGEST_FACTOR)
    assert width.coverage == 1.0


def test_the_state_is_plain_json() -> None:
    width = AdaptiveWidth(level=0.9, step=0.1).after(True).after(False)
    assert AdaptiveWidth.from_state(json.loads(json.dumps(width.to_state()))) == width


@pytest.mark.parametrize(
    "change",
    [
        {"level": 1.0},
        {"step": 0.0},
        {"position": 99.0},
        {"hits": 3.0},
        {"updates": 1.5},
        {"position": float("nan")},
        {"level": "0.8"},
    ],
)
def test_an_impossible_state_is_refused(change: dict[str, float]) -> None:
    with pytest.raises(PermanentError, match="start anew"):
        AdaptiveWidth.from_state(AdaptiveWidth().after(True).to_state() | change)


def test_a_state_that_lacks_a_number_is_refused() -> None:
    state = AdaptiveWidth().to_state()
    del state["hits"]
    with pytest.raises(PermanentError, match="lacks \\['hits'\\]"):
        AdaptiveWidth.from_state(state)


def test_half_widths_are_scaled_around_the_median_and_stop_at_zero() -> None:
    quantiles = np.array([[[8.0, 10.0, 14.0]], [[1.0, 2.0, 5.0]]])
    found = scaled_quantiles(quantiles, np.array([0.5, 3.0]))
    np.testing.assert_array_equal(found, [[[9.0, 10.0, 12.0]], [[0.0, 2.0, 11.0]]])
    np.testing.assert_array_equal(scaled_quantiles(quantiles, 1.0), quantiles)
    each_hour = scaled_quantiles(quantiles, np.array([[0.0], [1.0]]))
    np.testing.assert_array_equal(each_hour, [[[10.0, 10.0, 10.0]], [[1.0, 2.0, 5.0]]])
