"""How a node's processors are shared, and how often a limit cuts a container short."""

from __future__ import annotations

import numpy as np

from deployments.embedded.workloads.physics.arrays import Floats, Ints
from deployments.embedded.workloads.physics.queueing import normal_cdf

PERIOD_SECONDS = 0.1
"""Of the completely fair scheduler's bandwidth control, as Kubernetes sets it."""
_ROUNDS = 16  # each closes a container at least; what is left after so many is negligible
_LEAST_WEIGHT = 0.002  # cpu.shares of 2, what a container without a request gets


def shared(demand: Floats, weight: Floats, node: Ints, capacity: Floats) -> tuple[Floats, Floats]:
    """Return the cores each container gets: max-min fair by weight, nobody more than it asks.

    Args:
        demand: (R,) cores asked for, already below the limit.
        weight: (R,) cores requested.
        node: (R,) index.
        capacity: (N,) cores.

    Returns:
        (R,) what it gets, at most the demand; their sum on a node is at most its capacity. And (R,)
        what it could get at once did it ask for more: what is left on its node, or its fair share.
    """
    count = len(capacity)
    used = np.bincount(node, demand, count)
    if not (used > capacity).any():
        return demand, demand + (capacity - used)[node]
    given = np.zeros_like(demand)
    level = np.zeros_like(capacity)
    weight = np.maximum(weight, _LEAST_WEIGHT)
    open_ = np.ones(len(demand), dtype=bool)
    # Each round closes those who get all they ask for; what they leave is shared by the others.
    for _ in range(_ROUNDS):
        left = np.maximum(capacity - np.bincount(node, np.where(open_, 0.0, given), count), 0.0)
        total = np.bincount(node, np.where(open_, weight, 0.0), count)
        level = np.where(total > 0, left / np.maximum(total, 1e-12), level)
        offer = weight * level[node]
        full = open_ & (demand <= offer)
        given = np.where(open_, np.minimum(demand, offer), given)
        if not full.any():
            break
        open_ &= ~full
    spare = np.maximum(capacity - np.bincount(node, given, count), 0.0)
    return given, np.maximum(given + spare[node], np.minimum(weight * level[node], capacity[node]))


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
