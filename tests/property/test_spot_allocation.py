"""Laws of correlated losses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.domain.spot.allocation import (
    LossCorrelation,
    PoolHolding,
    loss_distribution,
    probability_of_losing,
)
from tasks.domain.spot.pools import Pool

POOLS = [
    Pool(availability_zone=zone, instance_type=kind)
    for zone in ("us-east-1a", "us-east-1b", "eu-west-1a")
    for kind in ("m5.large", "c5.large")
]


@st.composite
def allocations(draw: st.DrawFn) -> list[PoolHolding]:
    pools = draw(st.lists(st.sampled_from(POOLS), unique=True, min_size=1, max_size=4))
    return [
        PoolHolding(
            pool=pool,
            instances=draw(st.integers(0, 5)),
            loss_probability=draw(st.floats(0.0, 1.0)),
        )
        for pool in pools
    ]


@st.composite
def correlations(draw: st.DrawFn) -> LossCorrelation:
    same_type = draw(st.floats(0.0, 0.8))
    return LossCorrelation(
        within_pool=draw(st.floats(0.0, 1.0)),
        same_type=same_type,
        same_region=draw(st.floats(0.0, same_type)),
    )


@settings(max_examples=50, deadline=None)
@given(holdings=allocations(), correlation=correlations())
def test_a_distribution_whose_mean_is_what_the_pools_lose_on_average(
    holdings: list[PoolHolding], correlation: LossCorrelation
) -> None:
    found = loss_distribution(holdings, correlation=correlation)
    n = sum(holding.instances for holding in holdings)
    assert found.shape == (n + 1,)
    assert (found >= -1e-12).all()
    assert abs(found.sum() - 1.0) < 1e-9
    expected = sum(holding.instances * holding.loss_probability for holding in holdings)
    assert abs(float(found @ np.arange(n + 1)) - expected) < 1e-4 * max(n, 1)


@settings(max_examples=30, deadline=None)
@given(holdings=allocations(), correlation=correlations(), k=st.integers(0, 21))
def test_losing_more_is_never_likelier(
    holdings: list[PoolHolding], correlation: LossCorrelation, k: int
) -> None:
    more = probability_of_losing(k + 1, holdings, correlation=correlation)
    assert 0.0 <= more <= probability_of_losing(k, holdings, correlation=correlation) <= 1.0


@settings(max_examples=30, deadline=None)
@given(
    holdings=allocations(),
    correlation=correlations(),
    k=st.integers(1, 20),
    share=st.floats(0.0, 1.0),
)
def test_a_riskier_pool_never_makes_a_loss_less_likely(
    holdings: list[PoolHolding], correlation: LossCorrelation, k: int, share: float
) -> None:
    first = holdings[0]
    p = first.loss_probability + share * (1.0 - first.loss_probability)
    riskier = [replace(first, loss_probability=min(p, 1.0)), *holdings[1:]]
    calm = probability_of_losing(k, holdings, correlation=correlation)
    assert probability_of_losing(k, riskier, correlation=correlation) >= calm - 1e-9


@settings(max_examples=30, deadline=None)
@given(p=st.floats(0.01, 0.5), half=st.integers(1, 6), correlation=correlations())
def test_splitting_over_two_pools_never_makes_losing_all_likelier(
    p: float, half: int, correlation: LossCorrelation
) -> None:
    one = [PoolHolding(pool=POOLS[0], instances=2 * half, loss_probability=p)]
    two = [PoolHolding(pool=pool, instances=half, loss_probability=p) for pool in POOLS[:2]]
    together = probability_of_losing(2 * half, one, correlation=correlation)
    # Only where a pool's fate is shared is a pool worse than two: separate fates have no pool.
    shared = replace(correlation, within_pool=max(correlation.within_pool, 0.9))
    together = probability_of_losing(2 * half, one, correlation=shared)
    assert probability_of_losing(2 * half, two, correlation=shared) <= together + 1e-9


@settings(max_examples=30, deadline=None)
@given(holdings=allocations(), correlation=correlations())
def test_the_order_of_pools_does_not_matter(
    holdings: list[PoolHolding], correlation: LossCorrelation
) -> None:
    np.testing.assert_allclose(
        loss_distribution(holdings, correlation=correlation),
        loss_distribution(holdings[::-1], correlation=correlation),
        atol=1e-12,
    )
