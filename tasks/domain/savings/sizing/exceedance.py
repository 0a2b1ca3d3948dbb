"""How often a machine will need more than a given size, expected from what was seen of it.

A percentile of the past says how often a size *was* exceeded. The next month differs: levels move,
and some machines start to do something else. Both are part of the expectation here:

- *Levels move.* The machine's own hours, with each demand multiplied by a factor that is one for all
  of its hours and unknown: exp(SPREAD x Student-t with 3 degrees of freedom).
- *Something else happens.* With probability SURPRISE the hour is not drawn from the machine's past
  but from the whole fleet's, as shares of each machine's size. A small fleet is filled up with the
  distribution of a recorded one.

So an idle machine, for which headroom costs little, gets much of it, and one that was steady at
half of its size gets little. The constants were chosen inside July 2013 of recorded machines
(Shen, van Beek, Iosup 2015), its first half against its second, and are the same for everything.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.domain.arrays import FloatArray
from tasks.domain.errors import PermanentError

SPREAD = 0.15
"""Of the logarithm of the factor by which a level moves within a month."""
SURPRISE = 0.05
"""Share of hours in which a machine is as likely to do what any other machine did."""
# Quantiles (k + 1/2)/11 of Student's t with 3 degrees of freedom.
T3_NODES = (-2.459, -1.340, -0.857, -0.524, -0.251, 0.0, 0.251, 0.524, 0.857, 1.340, 2.459)
PRIOR_MACHINES = 100
"""Weight of the recorded fleet, in machines."""
LEVELS = 101
"""Quantiles that one machine adds to its fleet's distribution."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetUse:
    """Share of machine-hours above shares of the machine's size.

    Attributes:
        share: Ascending, from 0 to 1.
        above: Share of hours above it; falls to 0 at 1, as more than all cannot be seen.
    """

    share: FloatArray
    above: FloatArray

    def exceeding(self, share: FloatArray) -> FloatArray:
        """Return the share of hours above shares of the size; any shape."""
        found: FloatArray = np.interp(share, self.share, self.above)
        return found


def _recorded(*points: tuple[float, float]) -> FleetUse:
    share, above = np.array(points).T
    return FleetUse(share=share, above=above)


RECORDED_CPU = _recorded(
    (0.0, 0.917), (0.005, 0.707), (0.01, 0.610), (0.02, 0.306), (0.05, 0.147), (0.1, 0.105),
    (0.2, 0.074), (0.3, 0.056), (0.5, 0.044), (0.7, 0.032), (0.9, 0.026), (0.99, 0.017), (1.0, 0.0),
)  # fmt: skip
"""Hourly means of 295 machines, Bitbrains, July 2013 (Shen, van Beek, Iosup 2015)."""
RECORDED_MEMORY = _recorded(
    (0.0, 0.973), (0.005, 0.878), (0.01, 0.819), (0.02, 0.672), (0.05, 0.396), (0.1, 0.180),
    (0.2, 0.055), (0.3, 0.020), (0.4, 0.012), (0.5, 0.004), (0.7, 0.001), (1.0, 0.0),
)  # fmt: skip
"""Memory in active use by 172 of the same machines."""


def fleet_use(used: FloatArray, *, size: FloatArray, prior: FleetUse) -> FleetUse:
    """Return the distribution of use over a fleet, filled up with a prior.

    Args:
        used: (n, hours) demand, in units of size; NaN where unknown.
        size: (n,) above 0.
        prior: Counts as much as PRIOR_MACHINES machines.
    """
    known = ~np.isnan(used).all(axis=1)
    if not known.any():
        return prior
    shares = used[known] / size[known, None]
    pooled = np.sort(np.nanquantile(shares, np.linspace(0.0, 1.0, LEVELS), axis=1), axis=None)
    at = np.unique(np.concatenate([prior.share, np.geomspace(1e-3, 1.0, 200)]))
    own = 1.0 - np.searchsorted(pooled, at, side="right") / len(pooled)
    weight = known.sum() / (known.sum() + PRIOR_MACHINES)
    above = weight * own + (1.0 - weight) * prior.exceeding(at)
    return FleetUse(share=at, above=np.where(at >= 1.0, 0.0, above))


def expected_exceedance(
    used: FloatArray, *, size: FloatArray, capacities: FloatArray, fleet: FleetUse
) -> FloatArray:
    """Return the share of future hours in which demand is expected above capacities.

    Args:
        used: (n, hours) mean demand per hour; NaN where unknown.
        size: (n,) present size in the same unit, above 0.
        capacities: (n, k) to be judged, above 0, ascending in each row.
        fleet: How machines are used of which this could become one.

    Returns:
        (n, k), falling along each row; 0 from the present size on, as demand beyond it cannot be
        seen; NaN in the row of a machine of which nothing is known.

    Raises:
        PermanentError: When a size is not above 0.
    """
    if not (size > 0.0).all():
        msg = f"sizes must be above 0, smallest is {size.min()}; leave such machines out"
        raise PermanentError(msg)
    own = np.stack(
        [_own_exceedance(row, at) for row, at in zip(used, capacities, strict=True)]
    ).reshape(capacities.shape)
    other = fleet.exceeding(capacities / size[:, None])
    expected = (1.0 - SURPRISE) * own + SURPRISE * other
    return np.where(capacities >= size[:, None], own * 0.0, expected)


def _own_exceedance(used: FloatArray, capacities: FloatArray) -> FloatArray:
    """Return (k,) shares of hours above each capacity, over the factors by which a level moves."""
    seen = np.sort(used[~np.isnan(used)])
    if not len(seen):
        return np.full(len(capacities), np.nan)
    scaled = capacities[:, None] / np.exp(SPREAD * np.array(T3_NODES))
    found: FloatArray = 1.0 - np.searchsorted(seen, scaled, side="right").mean(axis=1) / len(seen)
    return found
