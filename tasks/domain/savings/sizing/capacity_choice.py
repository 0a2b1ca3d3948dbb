"""Capacities of a fleet that cost least for the exceeded hours that they lead to."""

from __future__ import annotations

import numpy as np

from tasks.domain.arrays import FloatArray, IntArray

STEPS = 96
BISECTIONS = 60


def capacities_between(used: FloatArray, *, size: FloatArray) -> FloatArray:
    """Return (n, STEPS) capacities to choose from: each machine's median to its size, geometric.

    Args:
        used: (n, hours) demand; NaN where unknown.
        size: (n,) present size, above 0.

    Returns:
        Ascending rows that end at exactly the size; a machine of which nothing is known has its
        size in every column.
    """
    known = ~np.isnan(used).all(axis=1)
    low = size.astype(float)
    low[known] = np.nanmedian(used[known], axis=1)
    low = np.clip(low, 1e-4 * size, size)
    found: FloatArray = np.geomspace(low, size, STEPS, axis=1)
    # Powers round: a machine that always needs all of it would be offered a hair less.
    found = np.clip(found, low[:, None], size[:, None])
    found[:, -1] = size
    return found


def capacities_on_sale(sizes: FloatArray, *, size: FloatArray) -> FloatArray:
    """Return (n, k + 1) what can be bought, no larger than each machine's size, which comes last."""
    offered = np.minimum(np.sort(sizes)[None, :], size[:, None])
    return np.concatenate([offered, size[:, None].astype(float)], axis=1)


def least_capacities(
    capacities: FloatArray, exceedance: FloatArray, *, exceed_share: float, worst_share: float
) -> IntArray:
    """Return which capacity to give each machine, (n,) columns.

    Of all choices whose expected exceeded share, averaged over machines, is at most `exceed_share`,
    this is one with the least total capacity (up to the steps between capacities). A unit of
    capacity goes where it prevents most exceeded hours: the sum of capacity + price x exceedance
    is least for every machine, at one price for all of them, and the price is the lowest that meets
    the budget (Everett 1963). A larger `exceed_share` never gives any machine more.

    Args:
        capacities: (n, k), ascending in each row.
        exceedance: (n, k) expected share of hours above them, falling in each row; its last column
            is what cannot be avoided. No NaN.
        exceed_share: Budget of the fleet, 0 to 1.
        worst_share: Budget of any one machine, 0 to 1.
    """
    allowed = exceedance <= worst_share
    allowed[:, -1] = True
    offered = np.where(allowed, capacities, np.inf)
    scale = float(capacities[:, -1].mean()) if len(capacities) else 1.0
    low, high = np.log(scale * 1e-8), np.log(scale * 1e8)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2.0
        columns = _cheapest(offered, exceedance, price=float(np.exp(middle)))
        spent = np.take_along_axis(exceedance, columns[:, None], axis=1).mean()
        low, high = (middle, high) if spent > exceed_share else (low, middle)
    return _cheapest(offered, exceedance, price=float(np.exp(high)))


def _cheapest(capacities: FloatArray, exceedance: FloatArray, *, price: float) -> IntArray:
    found: IntArray = np.argmin(capacities + price * exceedance, axis=1)
    return found
