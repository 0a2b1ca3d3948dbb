from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.domain.spot.features import pool_states
from tasks.domain.spot.forecaster import HorizonForecaster, forecast_panel, forecast_pools
from tasks.domain.spot.forecasts import PoolForecasts
from tasks.domain.spot.paths import price_paths
from tasks.domain.spot.pools import PRICE_CHANGE_COLUMNS, hourly_panel
from tests.unit.spot.market import CUTOFF, panel_of, smooth_prices, spiky_prices

HOURS, POOLS = 360, 10
few = settings(max_examples=6, deadline=None)


@cache
def forecaster(market: str) -> HorizonForecaster:
    prices = {"smooth": smooth_prices, "spiky": spiky_prices}[market](POOLS, HOURS)
    return forecast_panel(panel_of(prices), horizon_hours=24, seed=1, threads=1)[0]


markets = st.sampled_from(["smooth", "spiky"])


def forecasts(market: str, seed: int) -> PoolForecasts:
    prices = {"smooth": smooth_prices, "spiky": spiky_prices}[market](POOLS, HOURS, seed)
    return forecast_pools(panel_of(prices), forecaster(market))


@few
@given(market=markets, seed=st.integers(0, 40))
def test_quantiles_are_sorted_positive_and_hold_the_mean(market: str, seed: int) -> None:
    found = forecasts(market, seed)
    assert (np.diff(found.quantiles, axis=2) >= 0.0).all()
    assert (found.quantiles > 0.0).all()
    assert (found.mean >= found.quantiles[..., 0]).all()
    assert (found.mean <= found.quantiles[..., 2]).all()


@few
@given(market=markets, seed=st.integers(0, 40), factor=st.integers(-6, 6))
def test_another_currency_gives_the_same_forecast_in_it(
    market: str, seed: int, factor: int
) -> None:
    # Powers of two are exact in binary: any difference is a real one.
    one = forecasts(market, seed)
    prices = {"smooth": smooth_prices, "spiky": spiky_prices}[market](POOLS, HOURS, seed)
    other = forecast_pools(panel_of(prices * 2.0**factor), forecaster(market))
    np.testing.assert_allclose(other.quantiles, one.quantiles * 2.0**factor, rtol=1e-12)


@few
@given(market=markets, seed=st.integers(0, 40), order=st.permutations(range(POOLS)))
def test_the_order_of_pools_does_not_matter(market: str, seed: int, order: list[int]) -> None:
    one = forecasts(market, seed)
    prices = {"smooth": smooth_prices, "spiky": spiky_prices}[market](POOLS, HOURS, seed)
    other = forecast_pools(panel_of(prices).take(order), forecaster(market))
    np.testing.assert_allclose(other.quantiles, one.quantiles[order], rtol=1e-12)


@few
@given(market=markets, seed=st.integers(0, 40), cut=st.integers(1, POOLS - 1))
def test_chunks_give_the_forecasts_of_the_whole(market: str, seed: int, cut: int) -> None:
    one = forecasts(market, seed)
    prices = {"smooth": smooth_prices, "spiky": spiky_prices}[market](POOLS, HOURS, seed)
    panel = panel_of(prices)
    chunks = [panel.take(slice(0, cut)), panel.take(slice(cut, None))]
    both = PoolForecasts.concat([forecast_pools(c, forecaster(market)) for c in chunks])
    np.testing.assert_allclose(both.quantiles, one.quantiles, rtol=1e-12)
    assert both.pools == one.pools


@few
@given(seed=st.integers(0, 40), column=st.integers(60, 359), market=markets)
def test_a_state_depends_on_nothing_after_its_instant(seed: int, column: int, market: str) -> None:
    prices = {"smooth": smooth_prices, "spiky": spiky_prices}[market](POOLS, HOURS, seed)
    rows = np.arange(POOLS)
    whole = pool_states(price_paths(panel_of(prices)), rows, np.full(POOLS, column))
    known = panel_of(prices[:, : column + 1])
    cut = pool_states(price_paths(known), rows, np.full(POOLS, column))
    np.testing.assert_allclose(whole.increments, cut.increments, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(whole.even, cut.even, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(whole.pace, cut.pace, rtol=1e-12)


def test_announcements_after_the_cutoff_change_nothing() -> None:
    prices = smooth_prices(6, HOURS)
    stamps = pd.date_range(end=pd.Timestamp(CUTOFF), periods=HOURS, freq="h")
    panel = panel_of(prices)
    changes = pd.concat(
        [
            pd.DataFrame(
                {
                    "timestamp": stamps,
                    "instance_type": pool.instance_type,
                    "availability_zone": pool.availability_zone,
                    "product_description": pool.product_description,
                    "price_usd_per_hour": row,
                }
            )
            for pool, row in zip(panel.pools, prices, strict=True)
        ]
    )[list(PRICE_CHANGE_COLUMNS)]
    future = changes.assign(
        timestamp=changes["timestamp"] + pd.Timedelta(hours=HOURS), price_usd_per_hour=9.0
    )
    now = hourly_panel(changes, cutoff=CUTOFF, hours=HOURS)
    later = hourly_panel(pd.concat([changes, future]), cutoff=CUTOFF, hours=HOURS)
    one = forecast_panel(now, horizon_hours=24, seed=1, threads=1)[1]
    other = forecast_panel(later, horizon_hours=24, seed=1, threads=1)[1]
    np.testing.assert_array_equal(one.quantiles, other.quantiles)


def test_a_mirrored_market_is_forecast_mirrored() -> None:
    panel = panel_of(smooth_prices(POOLS, HOURS))
    mirrored = replace(panel, prices=1.0 / panel.prices)
    one = forecast_pools(panel, forecaster("smooth"))
    other = forecast_pools(mirrored, forecaster("smooth"))
    sources = (one.source == "model") & (other.source == "model")
    assert sources.any()
    np.testing.assert_allclose(
        1.0 / other.quantiles[sources, :, 1], one.quantiles[sources, :, 1], rtol=1e-6
    )
