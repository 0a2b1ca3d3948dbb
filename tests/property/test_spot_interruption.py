"""Laws of interruption risk: bounds, and never less risk with more strain."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from math import exp

from hypothesis import given
from hypothesis import strategies as st

from tasks.domain.spot.interruption import (
    AdvisorBand,
    PoolSignals,
    interruption_prior,
    interruption_risk,
)

signals = st.builds(
    PoolSignals,
    price_to_on_demand=st.none() | st.floats(0, 3),
    daily_volatility=st.none() | st.floats(0, 2),
    placement_score=st.none() | st.integers(1, 10),
    advisor_band=st.none() | st.sampled_from(AdvisorBand),
    interruptions=st.integers(0, 100),
    instance_hours=st.floats(1, 1e6),
)
horizons = st.floats(0.01, 10_000).map(lambda hours: timedelta(hours=hours))


@given(pool=signals, horizon=horizons)
def test_probabilities_are_ordered_and_within_bounds(pool: PoolSignals, horizon: timedelta) -> None:
    found = interruption_risk(pool)
    low, high = found.interval(horizon)
    assert found.low_per_hour < found.high_per_hour
    assert 0.0 <= low <= high <= 1.0  # equal only where both round to 1
    # Not knowing the rate lowers the average probability (Jensen), and never below 0.
    known_rate = 1.0 - exp(-found.rate_per_hour * (horizon / timedelta(hours=1)))
    assert 0.0 < found.probability(horizon) <= min(known_rate + 1e-12, 1.0)
    assert known_rate <= high


@given(pool=signals, worse=st.floats(0, 3), horizon=horizons)
def test_a_price_nearer_the_cap_is_never_safer(
    pool: PoolSignals, worse: float, horizon: timedelta
) -> None:
    ratio = pool.price_to_on_demand or 0.0
    calm = interruption_prior(replace(pool, price_to_on_demand=ratio))
    strained = interruption_prior(replace(pool, price_to_on_demand=ratio + worse))
    assert strained.probability(horizon) >= calm.probability(horizon)


@given(pool=signals, worse=st.floats(0, 1))
def test_a_livelier_price_is_never_safer(pool: PoolSignals, worse: float) -> None:
    volatility = pool.daily_volatility or 0.0
    calm = interruption_prior(replace(pool, daily_volatility=volatility))
    lively = interruption_prior(replace(pool, daily_volatility=volatility + worse))
    assert lively.rate_per_hour >= calm.rate_per_hour


@given(pool=signals, scores=st.tuples(st.integers(1, 10), st.integers(1, 10)))
def test_a_lower_placement_score_is_never_safer(pool: PoolSignals, scores: tuple[int, int]) -> None:
    poor, good = (
        interruption_prior(replace(pool, placement_score=score)).rate_per_hour
        for score in sorted(scores)
    )
    assert poor >= good


@given(pool=signals, more=st.integers(1, 50), horizon=horizons)
def test_more_interruptions_mean_more_risk(
    pool: PoolSignals, more: int, horizon: timedelta
) -> None:
    worse = replace(pool, interruptions=pool.interruptions + more)
    more_risk, less_risk = interruption_risk(worse), interruption_risk(pool)
    assert more_risk.rate_per_hour > less_risk.rate_per_hour
    # Equal only where both round to the same number next to 1.
    assert more_risk.probability(horizon) >= less_risk.probability(horizon)
