"""Losses of an allocation, against numbers worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import multivariate_normal, norm

from tasks.domain.errors import PermanentError
from tasks.domain.spot.allocation import (
    LossCorrelation,
    PoolHolding,
    in_lots,
    losing_at_least,
    loss_distribution,
    probability_of_losing,
)
from tasks.domain.spot.pools import Pool

INDEPENDENT = LossCorrelation(within_pool=0.0, same_type=0.0, same_region=0.0)


def held(n: int, p: float, *, zone: str = "us-east-1a", kind: str = "m5.large") -> PoolHolding:
    pool = Pool(availability_zone=zone, instance_type=kind)
    return PoolHolding(pool=pool, instances=n, loss_probability=p)


def test_nothing_held_is_nothing_lost() -> None:
    assert loss_distribution(()).tolist() == [1.0]
    assert loss_distribution([held(0, 0.5)]).tolist() == [1.0]
    assert probability_of_losing(1, ()) == 0.0
    assert probability_of_losing(0, ()) == 1.0


def test_independent_instances_of_one_pool_are_binomial() -> None:
    found = loss_distribution([held(2, 0.25)], correlation=INDEPENDENT)
    np.testing.assert_allclose(found, [9 / 16, 6 / 16, 1 / 16])


def test_independent_pools_are_poisson_binomial() -> None:
    holdings = [held(1, 0.5), held(1, 0.25, zone="us-east-1b"), held(1, 0.1, kind="c5.large")]
    found = loss_distribution(holdings, correlation=INDEPENDENT)
    none, one = 0.5 * 0.75 * 0.9, 0.5 * 0.75 * 0.9 + 0.5 * 0.25 * 0.9 + 0.5 * 0.75 * 0.1
    three = 0.5 * 0.25 * 0.1
    np.testing.assert_allclose(found, [none, one, 1 - none - one - three, three])


def test_a_shared_fate_takes_all_or_none() -> None:
    shared = replace(INDEPENDENT, within_pool=1.0)
    found = loss_distribution([held(5, 0.2)], correlation=shared)
    np.testing.assert_allclose(found, [0.8, 0, 0, 0, 0, 0.2], atol=1e-12)


def test_two_instances_of_a_pool_go_together_as_recorded() -> None:
    """Given that one went the other goes with .92 + .08 p."""
    found = loss_distribution([held(2, 0.1)], correlation=replace(INDEPENDENT, within_pool=0.92))
    both_given_one = found[2] / 0.1
    assert both_given_one == pytest.approx(0.92 + 0.08 * 0.1)


@pytest.mark.parametrize(
    ("other", "correlation"),
    [
        ({"zone": "us-east-1b"}, 0.5),  # the same type
        ({"kind": "c5.large"}, 0.2),  # the same region only
        ({"zone": "eu-west-1a"}, 0.0),  # another region
    ],
)
def test_two_pools_are_joined_by_the_gaussian_copula(
    other: dict[str, str], correlation: float
) -> None:
    given = LossCorrelation(within_pool=0.9, same_type=0.5, same_region=0.2)
    found = probability_of_losing(2, [held(1, 0.1), held(1, 0.3, **other)], correlation=given)
    joint = multivariate_normal(cov=[[1, correlation], [correlation, 1]])
    expected = joint.cdf(norm.ppf([0.1, 0.3]))
    assert found == pytest.approx(float(expected), abs=2e-5)


def test_nearly_full_correlation_loses_nearly_everything_together() -> None:
    given = LossCorrelation(within_pool=1.0, same_type=0.9, same_region=0.9)
    holdings = [held(2, 0.1, zone=f"us-east-1{z}", kind=k) for z in "ab" for k in ("m5.x", "c5.x")]
    together = probability_of_losing(8, holdings, correlation=given)
    apart = probability_of_losing(8, holdings, correlation=replace(INDEPENDENT, within_pool=1.0))

    def all_four(factor: float) -> float:
        conditional = norm.cdf((norm.ppf(0.1) - 0.9**0.5 * factor) / 0.1**0.5)
        return float(norm.pdf(factor) * conditional**4)

    assert together == pytest.approx(quad(all_four, -8, 8)[0], abs=2e-5)
    assert apart == pytest.approx(1e-4)


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_certainties_stay_certain(p: float) -> None:
    found = loss_distribution([held(3, p), held(2, p, zone="us-east-1b")])
    assert found[0 if p == 0.0 else -1] == pytest.approx(1.0)


def test_spreading_over_zones_makes_losing_all_unlikely() -> None:
    one = probability_of_losing(12, [held(12, 0.1)])
    three = probability_of_losing(12, [held(4, 0.1, zone=f"us-east-1{z}") for z in "abc"])
    regions = [held(4, 0.1, zone=z) for z in ("us-east-1a", "eu-west-1a", "us-west-2a")]
    assert one > 0.09
    assert three < 0.25 * one
    assert probability_of_losing(12, regions) < 0.2 * three


def test_a_pool_held_twice_is_refused_by_name() -> None:
    with pytest.raises(PermanentError, match=r"m5\.large/us-east-1a: held twice"):
        loss_distribution([held(1, 0.1), held(2, 0.1)])


@pytest.mark.parametrize("values", [(0.92, 0.1, 0.3), (0.92, 0.95, 0.1), (1.2, 0.3, 0.1)])
def test_impossible_correlations_are_refused(values: tuple[float, float, float]) -> None:
    within, same_type, same_region = values
    with pytest.raises(PermanentError, match=r"allowed is|must be ordered"):
        LossCorrelation(within_pool=within, same_type=same_type, same_region=same_region)


@pytest.mark.parametrize(("instances", "p"), [(-1, 0.1), (1, 1.1), (1, float("nan"))])
def test_impossible_holdings_are_refused(instances: int, p: float) -> None:
    with pytest.raises(PermanentError, match="allowed are"):
        held(instances, p)


def test_sums_by_fourier_transform_are_those_of_the_plain_sum() -> None:
    pools = [Pool(availability_zone=f"us-east-1{zone}", instance_type="m5.large") for zone in "ab"]
    many = [PoolHolding(pool=pool, instances=70, loss_probability=0.1) for pool in pools]

    found = loss_distribution(many)
    few = loss_distribution([replace(many[0], instances=60), replace(many[1], instances=80)])

    assert found.min() >= 0.0
    assert found.sum() == pytest.approx(1.0)
    # 60 takes the plain way, 70 the other; the odds of losing all hardly depend on the split.
    assert found[-1] == pytest.approx(few[-1], rel=0.05)


def test_a_large_fleet_in_lots_has_about_the_same_odds() -> None:
    pools = [Pool(availability_zone=f"us-east-1{zone}", instance_type="m5.large") for zone in "ab"]
    held = [PoolHolding(pool=pool, instances=200, loss_probability=0.05) for pool in pools]

    lots, size = in_lots(held, most=100)
    exact = losing_at_least(loss_distribution(held))
    rough = losing_at_least(loss_distribution(lots))

    assert (size, sum(one.instances for one in lots)) == (4, 100)
    assert rough[50] == pytest.approx(exact[200], rel=0.02)
    assert rough[1] == pytest.approx(exact[1], rel=0.25)
