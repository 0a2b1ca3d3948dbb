"""Load and spot forecasters as families: truth lies after the origin, and storage changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tasks.domain.errors import PermanentError
from tasks.domain.load.family import LoadFamily
from tasks.domain.load.forecaster import forecast_load
from tasks.domain.load.panel import Load
from tasks.domain.spot.family import MOVING, Prices, SpotFamily
from tasks.domain.spot.forecaster import forecast_pools
from tasks.domain.spot.pools import Pool
from tasks.domain.spot.simulator import simulate_price_changes
from tests.unit.load.fleet import fleet

END = datetime(2026, 3, 1, tzinfo=UTC)
POOLS = [
    Pool(availability_zone=f"us-east-1{zone}", instance_type=kind)
    for zone in "abc"
    for kind in ("m5.large", "c5.large", "r5.large", "m6g.large")
]
DAYS = 24


@pytest.fixture(scope="module")
def prices() -> Prices:
    changes = simulate_price_changes(pools=POOLS, start=END - timedelta(days=DAYS), end=END, seed=3)
    return Prices(changes=changes, cutoff=END, hours=DAYS * 24)


def test_prices_before_an_instant_end_there_and_begin_where_they_began(prices: Prices) -> None:
    earlier = SpotFamily(24).before(prices, hours=48)
    now, then = prices.panel(), earlier.panel()
    assert then.cutoff == END - timedelta(hours=48)
    np.testing.assert_array_equal(then.prices, now.prices[:, :-48])


def test_a_spot_forecaster_is_judged_by_the_prices_after_each_origin(prices: Prices) -> None:
    family = SpotFamily(24)
    model = family.fit(family.before(prices, hours=72), seed=1)
    found = family.rolling_errors(prices, model, hours_back=(72, 48, 24, 12))
    panel = prices.panel()
    held = np.abs(panel.prices[:, -72:-48] - panel.prices[:, -73][:, None])
    scale = np.nanmean(panel.prices[:, :-72], axis=1)
    np.testing.assert_allclose(found.naive_error[0], held.mean(axis=1) / scale)
    assert set(found.groups) <= {MOVING, "still"}
    assert found.error.shape == (4, len(POOLS))
    assert not np.isnan(found.error).any()  # Twelve of the last origin's hours have come.


def test_the_errors_of_a_days_prices_are_shares_of_the_price_at_the_origin(prices: Prices) -> None:
    family = SpotFamily(24)
    model = family.fit(family.before(prices, hours=72), seed=1)
    found = family.residuals(prices, model, hours_back=(72, 48, 24), most_series=99)
    known = family.before(prices, hours=48).panel()
    median = forecast_pools(known, model).quantiles[..., 1]
    off = (prices.panel().prices[:, -48:-24] - median) / known.prices[:, -1:]
    assert found.series == tuple(str(pool) for pool in known.pools)
    np.testing.assert_allclose(found.days[:, 0, 1], off.mean(axis=1))
    np.testing.assert_allclose(found.days[:, 1, 1], np.abs(off).mean(axis=1))


def test_of_many_pools_the_same_ones_are_looked_at_every_time(prices: Prices) -> None:
    family = SpotFamily(168)
    model = family.fit(prices, seed=1)
    found = [
        family.residuals(prices, model, hours_back=backs, most_series=5)
        for backs in ((48, 24), (72, 48, 24))
    ]
    assert found[0].series == found[1].series
    assert [one.days.shape for one in found] == [(5, 2, 2), (5, 2, 3)]
    np.testing.assert_array_equal(found[0].days, found[1].days[..., 1:])


def test_a_stored_spot_forecaster_serves_its_horizon_only(prices: Prices) -> None:
    family = SpotFamily(24)
    state = family.state(family.fit(prices, seed=1))
    assert family.read(state).horizon_hours == 24
    with pytest.raises(ValueError, match="it forecasts 24 h, not 168 h"):
        SpotFamily(168).read(state)


def test_windows_tell_one_set_of_data_from_another(prices: Prices) -> None:
    family, panel = LoadFamily(Load.CPU), fleet()
    assert family.window(panel).sha256 == family.window(fleet()).sha256
    assert family.window(panel).sha256 != family.window(fleet(seed=1)).sha256
    spot = SpotFamily(24)
    assert spot.window(prices).sha256 != spot.window(spot.before(prices, hours=1)).sha256
    moves = spot.window(prices).moves
    assert np.isnan(moves[:, 0]).all()
    assert (moves[:, 1:] >= 0.0).all()


def test_a_load_forecaster_is_judged_by_the_hours_after_each_origin() -> None:
    family, panel = LoadFamily(Load.CPU), fleet(days=10)
    model = family.fit(family.before(panel, hours=48), seed=1)
    found = family.rolling_errors(panel, model, hours_back=(48, 24, 6))
    moved = np.abs(panel.values[:, -48:-24] - panel.values[:, -72:-48]).mean(axis=1)
    past = panel.values[:, :-48]
    scale = np.maximum(
        np.abs(past[:, 24:] - past[:, :-24]).mean(axis=1),
        np.maximum(0.05 * past.mean(axis=1), 0.1),
    )
    np.testing.assert_allclose(found.naive_error[0], moved / scale)
    assert found.skill is not None
    assert found.skill > -0.5
    assert np.isnan(found.error_by_hour).sum() == 0


def test_the_errors_of_a_days_load_are_truth_less_median() -> None:
    family, panel = LoadFamily(Load.CPU), fleet(days=10)
    model = family.fit(family.before(panel, hours=72), seed=1)
    found = family.residuals(panel, model, hours_back=(72, 48, 24), most_series=99)
    median = forecast_load(family.before(panel, hours=24), model).quantiles[..., 1]
    off = panel.values[:, -24:] - median
    np.testing.assert_allclose(found.days[:, 0, 2], off.mean(axis=1))
    np.testing.assert_allclose(found.days[:, 1, 2], np.abs(off).mean(axis=1))
    few = family.residuals(panel, model, hours_back=(72, 48, 24), most_series=2)
    assert len(few.series) == 2
    assert set(few.series) < set(found.series)


def test_a_stored_load_forecaster_serves_its_load_only() -> None:
    family = LoadFamily(Load.CPU)
    state = family.state(family.fit(fleet(days=6), seed=1))
    assert family.read(state).load is Load.CPU
    with pytest.raises(PermanentError, match="cpu_percent, not memory_percent"):
        LoadFamily(Load.MEMORY).read(state)
