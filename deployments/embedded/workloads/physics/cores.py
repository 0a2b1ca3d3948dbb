"""How a node's processors are shared, and how often a limit cuts a container short."""

from __future__ import annotations

import numpy as np

from deployments.embedded.workloads.physics.arrays import Floats, Ints
from deployments.embedded.workloads.physics.queueing import normal_cdf

PERIOD_SECONDS = 0.1
"""Of the completely fair scheduler's bandwidth control, as Kubernetes sets it."""
_LEAST_WEIGHT = 0.002  # cpu.shares of 2, what a container without a request gets


def shared(demand: Floats, weight: Floats, node: Ints, capacity: Floats) -> Floats:
    """Return the cores that each container gets: max-min fair by weight, nobody more than it asks.

    Args:
        demand: (R,) cores asked for, already below the limit.
        weight: (R,) cores requested.
        node: (R,) index.
        capacity: (N,) cores.

    Returns:
        (R,) at most the demand; their sum on a node is at most its capacity.
    """
    count = len(capacity)
    if not (np.bincount(node, demand, count) > capacity).any():
        return demand
    given = np.minimum(demand, 0.0)
    weight = np.maximum(weight, _LEAST_WEIGHT)
    open_ = np.ones(len(demand), dtype=bool)
    # Each round closes those who get all they ask for; what they leave is shared by the others.
    for _ in range(16):
        left = capacity - np.bincount(node, np.where(open_, 0.0, given), count)
        total = np.bincount(node, np.where(open_, weight, 0.0), count)
        level = np.maximum(left, 0.0) / np.maximum(total, 1e-12)
        offer = weight * level[node]
        full = open_ & (demand <= offer)
        given = np.where(open_, np.minimum(demand, offer), given)
        if not full.any():
            break
        open_ &= ~full
    return given


def throttled_fraction(
    mean_cores: Floats, *, rate: Floats, cost_seconds: Floats, limit_cores: Floats
) -> Floats:
    """Return the fraction of periods in which work beyond the limit was there.

    Requests arrive at random and their work is exponential. Short ones bring the work of one period
    the variance 2 rate cost^2 period; of long ones a Poisson number runs, each on one core. The
    normal distribution does the rest.

    Args:
        mean_cores: (R,) what would be used without the limit.
        rate: (R,) requests per second.
        cost_seconds: (R,) processor time of one.
        limit_cores: (R,) infinite without a limit.
    """
    variance = rate * cost_seconds * np.minimum(2.0 * cost_seconds / PERIOD_SECONDS, 1.0)
    deviation = np.sqrt(variance) + 0.01 * mean_cores + 1e-6
    room = np.minimum(limit_cores, 1e6) - mean_cores
    return normal_cdf(-room / deviation)
