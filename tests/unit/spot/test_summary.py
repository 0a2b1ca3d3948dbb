"""Summaries and signals, by hand-computed numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tasks.domain.arrays import FloatArray
from tasks.domain.spot.availability import AvailabilityPanel
from tasks.domain.spot.forecasts import PoolForecasts, Source
from tasks.domain.spot.interruption import AdvisorBand, PoolSignals
from tasks.domain.spot.pools import Pool, PricePanel
from tasks.domain.spot.signals import daily_volatility, observed_losses, pool_signals
from tasks.domain.spot.summary import PoolSummary, pool_summaries

CUTOFF = datetime(2026, 5, 1, 12, tzinfo=UTC)
POOLS = tuple(Pool(availability_zone=f"us-east-1{z}", instance_type="m5.large") for z in "ab")


def forecasts(mean: list[list[float]]) -> PoolForecasts:
    means = np.array(mean).reshape(len(mean), -1)
    quantiles = np.stack([means - 0.125, means, means + 0.25], axis=-1)
    return PoolForecasts(
        pools=POOLS[: len(means)],
        cutoff=CUTOFF,
        quantiles=quantiles,
        mean=means,
        last_value=means[:, 0] if means.size else np.zeros(0),
        naive_quantiles=quantiles,
        source=np.array([Source.MODEL, Source.STILL][: len(means)], dtype=np.str_),
        moved=np.ones(len(means), dtype=bool),
    )


def prices(*rows: list[float]) -> PricePanel:
    values: FloatArray = np.array(rows)
    never = np.full(len(values), np.datetime64("NaT"), dtype="datetime64[s]")
    return PricePanel(
        pools=POOLS[: len(values)], cutoff=CUTOFF, prices=values, last_change_at=never
    )


def test_a_summary_of_three_hours() -> None:
    # Dyadic prices: the arithmetic is exact.
    (found,) = pool_summaries(forecasts([[0.5, 0.25, 0.75]]), on_demand_prices={POOLS[0]: 1.0})
    assert found == PoolSummary(
        pool=POOLS[0],
        cheapest_at=CUTOFF + timedelta(hours=2),
        cheapest_usd_per_hour=0.25,
        low_usd_per_hour=0.125,
        high_usd_per_hour=1.0,
        mean_usd_per_hour=0.5,
        on_demand_usd_per_hour=1.0,
        saving_fraction=0.5,
        source=Source.MODEL,
    )


def test_of_equally_cheap_hours_the_first_is_named() -> None:
    (found,) = pool_summaries(forecasts([[0.05, 0.04, 0.04]]), on_demand_prices={})
    assert found.cheapest_at == CUTOFF + timedelta(hours=2)


def test_without_an_on_demand_price_the_saving_is_unknown() -> None:
    known, unknown = pool_summaries(forecasts([[0.05], [0.2]]), on_demand_prices={POOLS[0]: 0.04})
    assert known.saving_fraction == pytest.approx(-0.25)
    assert (unknown.on_demand_usd_per_hour, unknown.saving_fraction) == (None, None)
    assert unknown.source is Source.STILL


def test_no_pools_no_summaries() -> None:
    empty = forecasts([[0.1]])
    none = PoolForecasts(
        pools=(),
        cutoff=CUTOFF,
        quantiles=empty.quantiles[:0],
        mean=empty.mean[:0],
        last_value=empty.last_value[:0],
        naive_quantiles=empty.naive_quantiles[:0],
        source=empty.source[:0],
        moved=empty.moved[:0],
    )
    assert pool_summaries(none, on_demand_prices={}) == ()


def test_volatility_is_the_mean_daily_change() -> None:
    panel = prices([0.1] * 24 + [0.11, 0.1], [0.2] * 26)
    np.testing.assert_allclose(daily_volatility(panel), [0.05, 0.0])


def test_volatility_is_unknown_within_the_first_day() -> None:
    assert np.isnan(daily_volatility(prices([0.1] * 24))).all()
    assert np.isnan(daily_volatility(prices([np.nan] * 25 + [0.1]))).all()
    assert daily_volatility(prices([np.nan] + [0.1] * 24 + [0.12])) == pytest.approx(0.2)


def test_signals_hold_what_is_known_and_nothing_else() -> None:
    found = pool_signals(
        prices([0.5] * 24 + [0.75], [0.25] * 25),
        on_demand_prices={POOLS[0]: 1.5},
        placement_scores={POOLS[1]: 3},
        advisor_bands={POOLS[1]: AdvisorBand.FROM_5},
        observed={POOLS[0]: (2, 50.0)},
    )
    assert found == {
        POOLS[0]: PoolSignals(
            price_to_on_demand=0.5, daily_volatility=0.5, interruptions=2, instance_hours=50.0
        ),
        POOLS[1]: PoolSignals(
            daily_volatility=0.0, placement_score=3, advisor_band=AdvisorBand.FROM_5
        ),
    }


def test_a_trace_is_read_as_one_running_instance() -> None:
    up = np.array([[1, 1, 0, 1, 0, 0], [0, 0, 0, 0, 0, 0]], dtype=bool)
    traces = AvailabilityPanel(pools=POOLS, tick=timedelta(minutes=15), up=up)
    assert observed_losses(traces) == {POOLS[0]: (2, 0.75)}
