"""The simulated market keeps the promises that the embedded cloud and the scale run build on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from tasks.domain.errors import PermanentError
from tasks.domain.spot.catalogue import SIZES, assumed_on_demand_price, synthetic_pools
from tasks.domain.spot.pools import PRICE_CHANGE_COLUMNS, Pool, hourly_panel
from tasks.domain.spot.simulator import PriceProcess, simulate_price_changes

START = datetime(2026, 3, 1, 0, 30, tzinfo=UTC)
END = START + timedelta(days=30)
KEYS = ["availability_zone", "instance_type", "product_description"]


def market(n: int = 300, *, seed: int = 3, process: PriceProcess | None = None) -> pd.DataFrame:
    return simulate_price_changes(
        pools=synthetic_pools(n), start=START, end=END, seed=seed, process=process
    )


def test_columns_and_zone_aware_whole_seconds() -> None:
    frame = market(12)
    assert tuple(frame.columns) == PRICE_CHANGE_COLUMNS
    assert str(frame["timestamp"].dtype) == "datetime64[s, UTC]"


def test_equal_seeds_give_equal_markets_and_others_do_not() -> None:
    pd.testing.assert_frame_equal(market(30), market(30))
    assert not market(30).equals(market(30, seed=4))


def test_every_pool_has_a_price_from_the_first_instant() -> None:
    first = market(60).groupby(KEYS, observed=True)["timestamp"].min()
    assert len(first) == 60
    assert (first == pd.Timestamp(START)).all()


def test_a_pool_without_news_is_heard_of_every_day() -> None:
    frame = market(300)
    gaps = frame.groupby(KEYS, observed=True)["timestamp"].diff().dropna()
    assert gaps.max() < pd.Timedelta(hours=24, minutes=1)


def test_a_new_price_is_never_a_repeated_one_but_for_the_daily_heartbeat() -> None:
    frame = market(300)
    grouped = frame.groupby(KEYS, observed=True)
    repeated = grouped["price_usd_per_hour"].diff() == 0
    gap = grouped["timestamp"].diff()
    assert repeated.any()
    assert (gap[repeated] >= pd.Timedelta(hours=24)).all()


def test_prices_move_as_recordings_do() -> None:
    """2021: 38 % of pools stood still for 30 days; a day ahead the price is off by 0.36 %."""
    frame = market(900)
    prices = hourly_panel(frame, cutoff=END - timedelta(hours=1), hours=28 * 24).prices
    still = float((prices.max(axis=1) == prices.min(axis=1)).mean())
    assert 0.25 < still < 0.5
    error = float(np.abs(prices[:, 24:] - prices[:, :-24]).mean() / prices.mean())
    assert 0.002 < error < 0.008


def test_zones_of_a_type_move_together_more_than_strangers() -> None:
    always = PriceProcess(
        mean_stay_days=(1.0, 1e6, 1.0),
        next_regime=((0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (0.0, 1.0, 0.0)),
    )
    frame = market(300, process=always)
    panel = hourly_panel(frame, cutoff=END - timedelta(hours=1), hours=28 * 24)
    steps = np.diff(np.log(panel.prices[:, ::24]), axis=1)
    similar = np.corrcoef(steps)
    region = np.array([pool.availability_zone[:-1] for pool in panel.pools])
    kind = np.array([pool.instance_type for pool in panel.pools])
    same = (region[:, None] == region) & (kind[:, None] == kind) & ~np.eye(len(kind), dtype=bool)
    assert similar[same].mean() > 0.4
    assert abs(similar[region[:, None] != region].mean()) < 0.05


def test_given_base_prices_and_caps_are_kept() -> None:
    pools = synthetic_pools(6)
    prices = dict.fromkeys(pools, 0.02)
    caps = {pool.instance_type: 0.0201 for pool in pools}
    frame = simulate_price_changes(
        pools=pools, start=START, end=END, seed=1, base_prices=prices, on_demand_prices=caps
    )
    assert (frame.groupby(KEYS, observed=True)["price_usd_per_hour"].first() == 0.02).all()
    assert frame["price_usd_per_hour"].max() <= 0.0201


def test_a_cap_between_two_quanta_is_not_rounded_past() -> None:
    pools = synthetic_pools(3)
    frame = simulate_price_changes(
        pools=pools,
        start=START,
        end=END,
        seed=1,
        base_prices=dict.fromkeys(pools, 0.5),
        on_demand_prices={pool.instance_type: 0.02016 for pool in pools},
    )
    assert frame["price_usd_per_hour"].max() == 0.02016


def test_no_pools_give_an_empty_market() -> None:
    empty = simulate_price_changes(pools=(), start=START, end=END, seed=1)
    assert tuple(empty.columns) == PRICE_CHANGE_COLUMNS
    assert len(empty) == 0


def test_a_market_without_duration_is_refused() -> None:
    with pytest.raises(PermanentError, match="no duration"):
        simulate_price_changes(pools=synthetic_pools(3), start=START, end=START, seed=1)


def test_a_small_catalogue_holds_whole_zones_and_several_regions() -> None:
    pools = synthetic_pools(12, regions=("us-east-1", "eu-west-1"))
    assert pools[:2] == (
        Pool(availability_zone="us-east-1a", instance_type="m5.large"),
        Pool(availability_zone="us-east-1b", instance_type="m5.large"),
    )
    assert {pool.availability_zone[:-1] for pool in pools} == {"us-east-1", "eu-west-1"}


def test_a_large_catalogue_repeats_no_pool() -> None:
    assert len(set(synthetic_pools(35_000))) == 35_000


def test_more_pools_than_there_are_is_refused() -> None:
    with pytest.raises(PermanentError, match="name more regions"):
        synthetic_pools(100_000, regions=("us-east-1",))


@pytest.mark.parametrize("size", list(SIZES))
def test_assumed_on_demand_price_is_proportional_to_the_size(size: str) -> None:
    one = assumed_on_demand_price("m5.large") / 2
    assert assumed_on_demand_price(f"m5.{size}") == pytest.approx(one * SIZES[size], abs=2e-4 * 96)
