import numpy as np
import pytest

from tasks.domain.spot.baselines import (
    empirical_quantiles,
    horizon_knots,
    interpolate_horizons,
    seasonal_naive,
)


def test_seasonal_naive_repeats_the_last_day() -> None:
    prices = np.arange(1.0, 61.0)[None, :]
    found = seasonal_naive(prices, horizon_hours=30)
    assert found[0, 0] == 37.0
    assert found[0, 23] == 60.0
    assert found[0, 24] == 37.0


def test_a_pool_that_never_moved_has_no_spread() -> None:
    found = empirical_quantiles(np.full((1, 100), 0.25), horizon_hours=24)
    assert (found == 0.25).all()


def test_empirical_quantiles_are_those_of_the_relative_changes() -> None:
    rng = np.random.default_rng(1)
    prices = np.exp(np.cumsum(rng.normal(0.0, 0.02, size=(2, 200)), axis=1))
    found = empirical_quantiles(prices, horizon_hours=3)
    changes = prices[:, 2:] / prices[:, :-2]  # all 198 origins of a two-hour step
    expected = prices[:, -1] * np.quantile(changes, 0.9, axis=1)
    assert found[:, 1, 2] == pytest.approx(expected)
    assert found[:, :, 1] == pytest.approx(np.repeat(prices[:, -1:], 3, axis=1))


def test_a_pool_that_only_rose_still_has_the_last_value_in_its_interval() -> None:
    prices = np.exp(np.linspace(0.0, 1.0, 100))[None, :]
    found = empirical_quantiles(prices, horizon_hours=24)
    assert (found[..., 0] == prices[0, -1]).all()
    assert (found[..., 2] > prices[0, -1]).all()


def test_hours_before_the_first_announcement_are_left_out() -> None:
    prices = np.exp(np.random.default_rng(2).normal(0.0, 0.1, size=(1, 120)))
    late = np.concatenate([np.full((1, 60), np.nan), prices], axis=1)
    assert np.isfinite(empirical_quantiles(late, horizon_hours=24)).all()


@pytest.mark.parametrize("horizon", [1, 5, 24, 25, 48, 168])
def test_horizon_knots_rise_and_end_at_the_horizon(horizon: int) -> None:
    knots = horizon_knots(horizon)
    assert (np.diff(knots) > 0).all()
    assert knots[0] == 1
    assert knots[-1] == horizon


def test_interpolation_between_knots_is_linear_and_exact_at_them() -> None:
    knots = np.array([1, 2, 6])
    found = interpolate_horizons(np.array([[1.0, 2.0, 10.0]]), knots)
    assert found[0].tolist() == [1.0, 2.0, 4.0, 6.0, 8.0, 10.0]
