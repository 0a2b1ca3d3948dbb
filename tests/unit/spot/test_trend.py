from __future__ import annotations

import numpy as np
import pytest

from tasks.domain.spot.trend import (
    NUGGET,
    PAST_STRIDES,
    Autocovariance,
    elapsed_hours,
    trend,
    trend_weights,
)

LAGS = 24 // 6 + 2 + PAST_STRIDES + 1


def moments(correlation: float) -> Autocovariance:
    """Increments of a first-order autoregression."""
    return Autocovariance(
        sums=np.array([1000.0 * correlation**lag for lag in range(LAGS)]),
        counts=np.full(LAGS, 1000.0),
    )


def test_increments_that_are_independent_predict_nothing() -> None:
    weights = trend_weights(moments(0.0), horizon_hours=24)
    np.testing.assert_allclose(weights, 0.0, atol=1e-12)


def test_persistent_increments_predict_more_of_the_same_and_less_of_it_further_on() -> None:
    weights = trend_weights(moments(0.5), horizon_hours=24)
    rising = np.zeros((1, PAST_STRIDES))
    rising[0, 0] = 1.0
    ahead = [trend(weights, rising, np.array([h]))[0] for h in (6.0, 12.0, 18.0)]
    first, second, third = np.diff([0.0, *ahead])
    assert first > second > third > 0.0
    assert first < 0.5  # shrunk below the correlation by the noise of increments


def test_the_weights_solve_the_yule_walker_equations() -> None:
    weights = trend_weights(moments(0.6), horizon_hours=24)
    lag = np.abs(np.subtract.outer(np.arange(PAST_STRIDES), np.arange(PAST_STRIDES)))
    covariance = 0.6**lag + NUGGET * np.eye(PAST_STRIDES)
    one_ahead = 0.6 ** np.arange(1, PAST_STRIDES + 1)
    np.testing.assert_allclose(covariance @ weights[1], one_ahead, atol=1e-9)


def test_without_movement_there_is_no_trend() -> None:
    nothing = Autocovariance(sums=np.zeros(LAGS), counts=np.zeros(LAGS))
    assert not trend_weights(nothing, horizon_hours=24).any()


def test_moments_of_chunks_add_up() -> None:
    both = moments(0.5) + moments(0.1)
    np.testing.assert_allclose(both.counts, 2000.0)


def test_elapsed_time_is_what_a_simulated_renewal_process_shows() -> None:
    rng = np.random.default_rng(5)
    age, ahead = 3.0, 30
    first = rng.uniform(4.6, 7.6, size=20_000)  # every first interval is longer than the age
    later = rng.uniform(4.6, 7.6, size=(20_000, 8))
    renewals = np.cumsum(np.column_stack([first, later]), axis=1)
    expected = np.where(renewals <= age + ahead, renewals, 0.0).max(axis=1).mean()
    found = elapsed_hours(np.array([age]), np.array([float(ahead)]), horizon_hours=48)
    assert found[0] == pytest.approx(expected, abs=0.1)


def test_a_path_that_stands_still_may_start_at_once() -> None:
    found = elapsed_hours(np.array([200.5, np.inf]), np.array([5.0, 7.0]), horizon_hours=24)
    np.testing.assert_array_equal(found, [5.0, 7.0])
