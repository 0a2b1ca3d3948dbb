from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest

from tasks.domain.errors import InsufficientHistoryError
from tasks.domain.spot.backtest import corrected, run_backtest, worse_than_last_value
from tasks.domain.spot.baselines import empirical_quantiles
from tasks.domain.spot.forecaster import (
    HorizonForecaster,
    draw_training_sample,
    fit_forecaster,
    forecast_panel,
    forecast_pools,
    merge_samples,
    minimum_hours,
)
from tasks.domain.spot.forecasts import PoolForecasts, Source
from tasks.domain.spot.quantile_models import Market, market_of
from tasks.domain.spot.sampling import backtest_hours_back
from tests.unit.spot.market import panel_of, smooth_prices, spiky_prices

HOURS, HORIZON = 400, 24


@pytest.fixture(scope="module")
def fitted() -> tuple[HorizonForecaster, PoolForecasts]:
    panel = panel_of(smooth_prices(24, HOURS))
    return forecast_panel(panel, horizon_hours=HORIZON, seed=1, threads=1)


def test_a_smooth_market_is_forecast_better_than_its_last_value(
    fitted: tuple[HorizonForecaster, PoolForecasts],
) -> None:
    prices = smooth_prices(24, HOURS + HORIZON)  # the same seed, but other prices: a fresh market
    past, future = prices[:, :HOURS], prices[:, HOURS:]
    found = forecast_pools(panel_of(past), fitted[0])
    error = np.abs(future - found.quantiles[..., 1]).mean()
    held = np.abs(future - past[:, -1:]).mean()
    assert error < 0.9 * held


def test_the_backtest_says_how_good_it_is(
    fitted: tuple[HorizonForecaster, PoolForecasts],
) -> None:
    scores = fitted[0].backtest
    assert scores.pools == 24
    assert scores.mae_skill is not None
    assert scores.mae_skill > 0.1
    assert scores.coverage_80_moved is not None
    assert 0.7 < scores.coverage_80_moved < 0.9
    assert (scores.pinball_skill_vs_empirical or 0.0) > 0.0
    assert scores.fallback_fraction < 0.2


def test_a_pool_that_never_moved_keeps_its_price() -> None:
    prices = smooth_prices(12, HOURS).copy()
    prices[3] = 0.25
    _, found = forecast_panel(panel_of(prices), horizon_hours=HORIZON, seed=1)
    assert found.source[3] == Source.STILL
    assert not found.moved[3]
    assert (found.quantiles[3] == 0.25).all()
    assert (found.source[:3] == Source.MODEL).all()


def test_a_panel_in_which_nothing_moves_is_forecast_to_stay() -> None:
    forecaster, found = forecast_panel(
        panel_of(np.full((5, HOURS), 0.3)), horizon_hours=HORIZON, seed=1
    )
    assert (found.quantiles == 0.3).all()
    assert set(found.source) == {Source.STILL.value}
    assert forecaster.backtest.mae_skill is None


def test_too_few_rows_fall_back_to_the_last_value_with_empirical_quantiles() -> None:
    panel = panel_of(smooth_prices(1, minimum_hours(HORIZON) + 10))
    forecaster, found = forecast_panel(panel, horizon_hours=HORIZON, seed=1)
    assert forecaster.model is None
    assert forecaster.backtest.fallback_fraction == 1.0
    assert found.source[0] == Source.LAST_VALUE
    expected = empirical_quantiles(panel.prices, horizon_hours=HORIZON)
    np.testing.assert_array_equal(found.quantiles, expected)


def test_a_single_pool_is_forecast() -> None:
    _, found = forecast_panel(panel_of(smooth_prices(1, 721)), horizon_hours=HORIZON, seed=1)
    assert found.source[0] == Source.MODEL
    assert np.isfinite(found.quantiles).all()


def test_a_panel_without_pools_gives_no_forecasts() -> None:
    _, found = forecast_panel(panel_of(np.zeros((0, HOURS))), horizon_hours=HORIZON, seed=1)
    assert found.quantiles.shape == (0, HORIZON, 3)


def test_a_pool_that_began_days_ago_is_forecast_too() -> None:
    prices = smooth_prices(12, HOURS).copy()
    prices[0, :-30] = np.nan
    prices[1, :-1] = np.nan
    _, found = forecast_panel(panel_of(prices), horizon_hours=HORIZON, seed=1)
    assert np.isfinite(found.quantiles).all()
    assert (found.quantiles[1] == prices[1, -1]).all()


def test_a_window_below_the_minimum_is_refused_with_the_hours_needed() -> None:
    panel = panel_of(smooth_prices(3, minimum_hours(HORIZON) - 1))
    with pytest.raises(InsufficientHistoryError, match=r"found 71 h.*needs at least 72 h"):
        draw_training_sample(panel, horizon_hours=HORIZON, max_rows=1000, seed=1)


def test_a_sample_for_another_horizon_is_refused() -> None:
    panel = panel_of(smooth_prices(3, 200))
    sample = draw_training_sample(panel, horizon_hours=24, max_rows=100, seed=1)
    with pytest.raises(ValueError, match="drawn for 24 h"):
        fit_forecaster(sample, horizon_hours=48, seed=1)


def test_equal_seeds_give_equal_forecasts_whatever_the_threads(
    fitted: tuple[HorizonForecaster, PoolForecasts],
) -> None:
    panel = panel_of(smooth_prices(24, HOURS))
    _, again = forecast_panel(panel, horizon_hours=HORIZON, seed=1, threads=2)
    np.testing.assert_array_equal(again.quantiles, fitted[1].quantiles)


def test_a_forecaster_survives_pickling(
    fitted: tuple[HorizonForecaster, PoolForecasts],
) -> None:
    panel = panel_of(smooth_prices(24, HOURS))
    thawed = pickle.loads(pickle.dumps(fitted[0]))
    np.testing.assert_array_equal(forecast_pools(panel, thawed).quantiles, fitted[1].quantiles)


def test_samples_of_chunks_merge_into_the_sample_of_all() -> None:
    panel = panel_of(smooth_prices(12, 300))
    parts = [
        draw_training_sample(panel.take(slice(i, i + 4)), horizon_hours=24, max_rows=300, seed=i)
        for i in (0, 4, 8)
    ]
    merged = merge_samples(parts)
    assert len(merged) == sum(len(part) for part in parts) <= 900
    assert merged.pools == 12
    assert len(np.unique(merged.pool)) == 12
    np.testing.assert_allclose(merged.moments.sums, sum(part.moments.sums for part in parts))


def test_rows_are_capped_and_stay_within_the_window() -> None:
    sample = draw_training_sample(
        panel_of(smooth_prices(12, 300)), horizon_hours=24, max_rows=250, seed=1
    )
    assert len(sample) == 250
    assert (sample.horizon <= sample.hours_back).all()
    assert sample.horizon.min() >= 1
    assert sample.horizon.max() <= 24


def test_markets_are_told_apart_by_how_often_changes_repeat_their_sign() -> None:
    smooth = draw_training_sample(
        panel_of(smooth_prices(12, 300)), horizon_hours=24, max_rows=100, seed=1
    )
    spiky = draw_training_sample(
        panel_of(spiky_prices(12, 300)), horizon_hours=24, max_rows=100, seed=1
    )
    assert market_of(repeats=smooth.repeats, successions=smooth.successions) is Market.SMOOTH
    assert market_of(repeats=spiky.repeats, successions=spiky.successions) is Market.SPIKY
    assert market_of(repeats=0, successions=0) is Market.SMOOTH


def test_spikes_are_forecast_to_fall_back_at_most_half_way_in_the_median() -> None:
    prices = spiky_prices(16, HOURS).copy()
    prices[:5, -1] = 0.8
    forecaster, found = forecast_panel(panel_of(prices), horizon_hours=HORIZON, seed=1)
    assert forecaster.model is not None
    assert forecaster.model.market is Market.SPIKY
    assert (found.quantiles[:5, 5:, 0] < 0.2).all()
    assert (found.quantiles[:5, 5:, 1] < 0.8).all()


def test_a_belief_of_zero_is_the_last_value_within_the_interval() -> None:
    changes = np.array([[0.1, 0.2, 0.4]])
    np.testing.assert_allclose(corrected(changes, belief=0.0, width=1.0), [[0.0, 0.0, 0.4]])
    np.testing.assert_allclose(corrected(changes, belief=1.0, width=2.0), [[0.0, 0.2, 0.6]])


def test_a_pool_is_held_only_when_the_model_is_clearly_worse() -> None:
    held = worse_than_last_value(
        np.array([0, 0, 1, 2]),
        np.array([1.0, 1.5, 1.9, 0.0]),
        np.array([0.5, 0.5, 1.0, 0.0]),
        pools=4,
    )
    np.testing.assert_array_equal(held, [True, False, False, False])


def test_a_forecaster_that_gained_nothing_in_the_backtest_holds_the_last_value(
    fitted: tuple[HorizonForecaster, PoolForecasts],
) -> None:
    panel = panel_of(smooth_prices(24, HOURS))
    check = fitted[0].check
    assert check is not None
    useless = replace(fitted[0], check=replace(check, belief=0.0))
    found = forecast_pools(panel, useless)
    assert set(found.source) == {Source.LAST_VALUE.value}
    np.testing.assert_allclose(
        found.quantiles[..., 1], np.repeat(panel.prices[:, -1:], HORIZON, axis=1)
    )
    assert (found.quantiles[..., 2] > found.quantiles[..., 0]).any()


def test_the_backtest_fits_on_nothing_that_its_origins_look_forward_to() -> None:
    prices = smooth_prices(24, HOURS)
    known = HOURS - backtest_hours_back(HORIZON)
    other = prices.copy()
    other[:, known:] = prices[:, known - 1 :: -1][:, : HOURS - known]
    checks = []
    for version in (prices, other):
        panel = panel_of(version)
        sample = draw_training_sample(panel, horizon_hours=HORIZON, max_rows=9000, seed=1)
        checks.append((run_backtest(sample, Market.SMOOTH, seed=1, threads=1), sample))
    (one, sample), (two, _) = checks
    assert one is not None
    assert two is not None
    horizon = sample.horizon.astype(np.float64)
    np.testing.assert_array_equal(
        one.model.predict(sample.states, horizon), two.model.predict(sample.states, horizon)
    )
    assert one.scores != two.scores


def test_the_minute_of_the_last_change_counts(
    fitted: tuple[HorizonForecaster, PoolForecasts],
) -> None:
    panel = panel_of(smooth_prices(24, HOURS))
    exact = replace(panel, last_change_at=panel.last_change_at - np.timedelta64(50, "m"))
    assert (forecast_pools(exact, fitted[0]).quantiles != fitted[1].quantiles).any()


def test_pools_with_few_backtest_rows_do_not_count_as_fallbacks() -> None:
    panel = panel_of(smooth_prices(24, HOURS))
    sample = draw_training_sample(panel, horizon_hours=HORIZON, max_rows=900, seed=1)
    check = run_backtest(sample, Market.SMOOTH, seed=1, threads=1)
    assert check is not None
    assert check.scores.fallback_fraction < 0.2
