"""Laws of the simulated market, whatever the seed and the span."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.domain.spot.catalogue import assumed_on_demand_price, synthetic_pools
from tasks.domain.spot.simulator import PriceProcess, simulate_price_changes

START = datetime(2026, 1, 1, tzinfo=UTC)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    n=st.integers(1, 20),
    minutes=st.integers(1, 6 * 24 * 60),
    contended_sd=st.floats(0.0, 3.0),
)
def test_prices_lie_between_the_quantum_and_the_cap_and_time_only_grows(
    seed: int, n: int, minutes: int, contended_sd: float
) -> None:
    end = START + timedelta(minutes=minutes)
    process = PriceProcess(demand_sd=(0.0, 0.1, contended_sd), mean_stay_days=(1.0, 1.0, 1.0))
    pools = synthetic_pools(n)
    frame = simulate_price_changes(pools=pools, start=START, end=end, seed=seed, process=process)
    caps = (
        frame["instance_type"]
        .map({p.instance_type: assumed_on_demand_price(p.instance_type) for p in pools})
        .astype(float)
    )
    assert (frame["price_usd_per_hour"] >= 1e-4 - 1e-12).all()
    assert (frame["price_usd_per_hour"] <= caps).all()
    assert (frame["timestamp"] >= START).all()
    assert (frame["timestamp"] < end).all()
    steps = frame.groupby(["availability_zone", "instance_type"], observed=True)["timestamp"].diff()
    assert (steps.dropna().dt.total_seconds() > 0).all()


@given(days=st.tuples(*[st.floats(0.05, 1000)] * 3))
def test_transition_probabilities_sum_to_one(days: tuple[float, float, float]) -> None:
    matrix = PriceProcess(mean_stay_days=days).transition_matrix()
    assert (matrix >= 0).all()
    np.testing.assert_allclose(matrix.sum(axis=1), 1.0)
