"""How many instances an allocation over several pools may lose at once.

Losses are correlated on three levels, and each pool keeps its own loss probability:

- Within a pool: with weight `within_pool` its instances share one fate, otherwise each has its own.
  So the chance that another instance goes, given that one went, is at least that weight; recorded
  interruptions of one type and zone came within 3 minutes of each other 92 % of the time.
- Zones of one type in a region, and all pools of a region: a Gaussian copula with one factor per
  region and one per type within it (Vasicek, 1987; Li, 2000; nested as in Gregory and Laurent, 2004).
- Regions are independent.

The distribution follows by quadrature over the factors and convolution over pools (Andersen, Sidenius
and Basu, 2003), without simulation: equal arguments give equal figures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
from scipy.signal import fftconvolve
from scipy.special import gammaln, ndtr, ndtri, xlog1py, xlogy

from tasks.domain.arrays import FloatArray
from tasks.domain.errors import PermanentError
from tasks.domain.spot.pools import Pool

REGION_NODES = 64
TYPE_NODES = 32
LONGEST_SUM = 64
"""Above it a convolution is faster by Fourier transform, exact to 1e-15."""
FACTOR_RANGE = 6.5
"""Factors are integrated over this many standard deviations either way."""
LARGEST_COPULA_CORRELATION = 0.9
"""Above it the conditional probabilities are steps that the quadrature does not resolve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LossCorrelation:
    """How strongly losses come together.

    The copula's defaults are what recorded availability traces showed for losses within an hour:
    .44 between two zones of a type, .07 between types; `benchmarks.spot_availability` prints them.

    Attributes:
        within_pool: Weight of the shared fate within a pool, 0 to 1.
        same_type: Correlation of latent strain between zones of a type in a region; at least
            same_region, at most .9.
        same_region: The same between any two pools of a region, 0 to .9.
    """

    within_pool: float = 0.92
    same_type: float = 0.44
    same_region: float = 0.07

    def __post_init__(self) -> None:
        if not 0.0 <= self.within_pool <= 1.0:
            msg = f"within_pool is {self.within_pool}, allowed is 0 to 1; .92 is the recorded share"
            raise PermanentError(msg)
        if not 0.0 <= self.same_region <= self.same_type <= LARGEST_COPULA_CORRELATION:
            msg = (
                f"same_region {self.same_region} and same_type {self.same_type} must be ordered, "
                f"0 <= same_region <= same_type <= {LARGEST_COPULA_CORRELATION}; raise same_type "
                "or lower same_region"
            )
            raise PermanentError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolHolding:
    """Instances held in one pool.

    Attributes:
        pool: Where.
        instances: How many, at least 0.
        loss_probability: Of one instance within the horizon in question, 0 to 1.
    """

    pool: Pool
    instances: int
    loss_probability: float

    def __post_init__(self) -> None:
        if self.instances < 0 or not 0.0 <= self.loss_probability <= 1.0:
            msg = (
                f"{self.pool}: {self.instances} instances with loss probability "
                f"{self.loss_probability}; allowed are at least 0 instances and 0 to 1"
            )
            raise PermanentError(msg)


def loss_distribution(
    holdings: Sequence[PoolHolding], *, correlation: LossCorrelation | None = None
) -> FloatArray:
    """Return P(exactly j of the n instances are lost), j from 0 to n.

    Args:
        holdings: An allocation; each pool at most once. Empty gives [1.0].
        correlation: None for the documented defaults.

    Returns:
        (n + 1,) probabilities that sum to 1.

    Raises:
        PermanentError: When a pool is named twice.
    """
    pools = [holding.pool for holding in holdings]
    if len(set(pools)) < len(pools):
        twice = sorted(str(pool) for pool in set(pools) if pools.count(pool) > 1)
        msg = f"{', '.join(twice)}: held twice in one allocation; add the instances up"
        raise PermanentError(msg)
    correlation = correlation or LossCorrelation()
    held = [holding for holding in holdings if holding.instances > 0]
    found = np.ones(1)
    for region in _grouped(held, _region):
        found = np.convolve(found, _region_losses(region, correlation))
    return np.asarray(found / found.sum(), dtype=np.float64)


def probability_of_losing(
    at_least: int,
    holdings: Sequence[PoolHolding],
    *,
    correlation: LossCorrelation | None = None,
) -> float:
    """Return P(at least that many instances are lost); 1 for none, 0 for more than there are."""
    found = losing_at_least(loss_distribution(holdings, correlation=correlation))
    return float(found[max(at_least, 0)]) if at_least < len(found) else 0.0


def losing_at_least(distribution: FloatArray) -> FloatArray:
    """Return P(at least j lost) from P(exactly j lost), j from 0 to n; never increasing."""
    # Summed from the far end: rounding then never makes losing more the likelier.
    found = np.minimum(distribution[::-1].cumsum()[::-1], 1.0)
    found[0] = 1.0
    return np.asarray(found, dtype=np.float64)


def in_lots(holdings: Sequence[PoolHolding], *, most: int) -> tuple[list[PoolHolding], int]:
    """Return holdings counted in lots, so that there are about so many at most, and a lot's size.

    Instances of a pool go nearly together, so a lot is lost much like its instances are.
    """
    total = sum(holding.instances for holding in holdings)
    size = max(1, -(-total // most))
    lots = [replace(one, instances=-(-one.instances // size)) for one in holdings]
    return lots, size


def _region_losses(holdings: list[PoolHolding], correlation: LossCorrelation) -> FloatArray:
    region_factor, weights = _normal_nodes(REGION_NODES)
    found = np.ones((len(region_factor), 1))
    for same_type in _grouped(holdings, _type):
        found = _convolved(found, _type_losses(same_type, region_factor, correlation))
    return np.asarray(weights @ found, dtype=np.float64)


def _type_losses(
    holdings: list[PoolHolding], region_factor: FloatArray, correlation: LossCorrelation
) -> FloatArray:
    """Return P(j lost | region factor), (nodes, instances + 1)."""
    type_factor, weights = _normal_nodes(TYPE_NODES)
    common = (
        np.sqrt(correlation.same_region) * region_factor[:, None]
        + np.sqrt(correlation.same_type - correlation.same_region) * type_factor
    )
    own = np.sqrt(1.0 - correlation.same_type)
    found = np.ones((*common.shape, 1))
    for holding in holdings:
        # A high factor is plenty of capacity: losses fall.
        conditional = ndtr((ndtri(holding.loss_probability) - common) / own)
        found = _convolved(
            found, _pool_losses(conditional, holding.instances, correlation.within_pool)
        )
    return np.asarray(np.einsum("rtj,t->rj", found, weights), dtype=np.float64)


def _pool_losses(probability: FloatArray, instances: int, within_pool: float) -> FloatArray:
    """Return P(j lost) in one pool, (..., instances + 1): shared fate mixed with separate ones."""
    lost = np.arange(instances + 1)
    ways = gammaln(instances + 1) - gammaln(lost + 1) - gammaln(instances - lost + 1)
    p = probability[..., None]
    # In logarithms: scipy's own binomial overflows at probabilities such as 1e-270.
    found = (1.0 - within_pool) * np.exp(ways + xlogy(lost, p) + xlog1py(instances - lost, -p))
    found[..., 0] += within_pool * (1.0 - probability)
    found[..., -1] += within_pool * probability
    return np.asarray(found, dtype=np.float64)


def _convolved(one: FloatArray, other: FloatArray) -> FloatArray:
    """Return the distribution of the sum, along the last axis."""
    short, long = sorted((one, other), key=lambda array: array.shape[-1])
    if short.shape[-1] > LONGEST_SUM:
        summed = fftconvolve(short, long, axes=-1)
        return np.asarray(np.maximum(summed, 0.0), dtype=np.float64)  # rounding goes below zero
    width = long.shape[-1]
    total = np.zeros((*long.shape[:-1], width + short.shape[-1] - 1))
    for lost in range(short.shape[-1]):
        total[..., lost : lost + width] += short[..., lost, None] * long
    return total


def _normal_nodes(count: int) -> tuple[FloatArray, FloatArray]:
    """Return nodes and weights of a standard normal factor; the weights sum to 1."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    factor = nodes * FACTOR_RANGE
    density = weights * np.exp(-0.5 * factor**2)
    return factor, np.asarray(density / density.sum(), dtype=np.float64)


def _region(holding: PoolHolding) -> str:
    return holding.pool.region


def _type(holding: PoolHolding) -> str:
    return holding.pool.instance_type


def _grouped(
    holdings: Iterable[PoolHolding], key: Callable[[PoolHolding], str]
) -> list[list[PoolHolding]]:
    return [list(group) for _, group in groupby(sorted(holdings, key=key), key=key)]
