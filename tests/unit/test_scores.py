import numpy as np
import pytest

from tasks.domain import scores


def test_mae_is_the_mean_of_absolute_errors() -> None:
    assert scores.mae(np.array([1.0, 2.0, 4.0]), np.array([2.0, 2.0, 1.0])) == pytest.approx(4 / 3)


def test_pinball_loss_charges_a_low_forecast_of_a_high_quantile_more() -> None:
    actual = np.array([10.0])
    assert scores.pinball_loss(actual, np.array([8.0]), quantile=0.9) == pytest.approx(1.8)
    assert scores.pinball_loss(actual, np.array([12.0]), quantile=0.9) == pytest.approx(0.2)


def test_pinball_loss_at_the_median_is_half_the_absolute_error() -> None:
    actual, forecast = np.array([3.0, 5.0]), np.array([4.0, 1.0])
    half = scores.pinball_loss(actual, forecast, quantile=0.5)
    assert half == pytest.approx(0.5 * 2.5)


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1, 80.0])
def test_a_level_outside_0_and_1_is_refused(level: float) -> None:
    with pytest.raises(ValueError, match="strictly between 0 and 1"):
        scores.pinball_loss(np.ones(1), np.ones(1), quantile=level)


def test_an_interval_covers_its_own_ends() -> None:
    actual = np.array([1.0, 2.0, 3.0, 4.0])
    low, high = np.full(4, 1.0), np.full(4, 3.0)
    assert scores.interval_coverage(actual, low=low, high=high) == 0.75


def test_interval_score_is_the_width_plus_ten_times_the_miss_at_80_percent() -> None:
    actual = np.array([2.0, 5.0])
    found = scores.interval_scores(actual, low=np.full(2, 1.0), high=np.full(2, 3.0), level=0.8)
    assert found == pytest.approx([2.0, 2.0 + 10.0 * 2.0])


def test_interval_score_is_ten_times_the_pinball_losses_of_its_ends() -> None:
    actual, low, high = np.array([0.2, 2.0, 9.0]), np.full(3, 1.0), np.full(3, 4.0)
    ends = scores.pinball_losses(actual, low, quantile=0.1)
    ends = ends + scores.pinball_losses(actual, high, quantile=0.9)
    found = scores.interval_scores(actual, low=low, high=high, level=0.8)
    assert found == pytest.approx(10.0 * ends)


def test_skill_is_one_for_no_error_zero_for_parity_and_negative_when_worse() -> None:
    assert scores.skill(0.0, reference_error=2.0) == 1.0
    assert scores.skill(2.0, reference_error=2.0) == 0.0
    assert scores.skill(3.0, reference_error=2.0) == -0.5


def test_skill_against_a_perfect_reference_is_undefined() -> None:
    assert scores.skill(0.0, reference_error=0.0) is None
    assert scores.skill(1.0, reference_error=None) is None


def test_scores_of_nothing_are_undefined() -> None:
    none = np.array([])
    assert scores.mae(none, none) is None
    assert scores.interval_coverage(none, low=none, high=none) is None
    assert scores.interval_score(none, low=none, high=none, level=0.8) is None


def test_mase_divides_by_the_seasonal_naive_error_of_the_history() -> None:
    history = np.array([1.0, 2.0, 3.0, 5.0])  # errors of lag 2: 2 and 3
    found = scores.mase(np.array([6.0]), np.array([5.0]), history=history, season_length=2)
    assert found == pytest.approx(1.0 / 2.5)


def test_mase_is_undefined_for_a_constant_or_too_short_history() -> None:
    one = np.array([1.0])
    assert scores.mase(one, one, history=np.full(9, 4.0)) is None
    assert scores.mase(one, one, history=one, season_length=3) is None
