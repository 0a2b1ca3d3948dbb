"""How sure a live figure is, where values of one day go wrong together.

Days are the sample, not values: a thousand series that miss one common event are one observation. A
forecast that reaches over several days ties these together, so that blocks are as long as its horizon.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from tasks.domain.arrays import FloatArray

LEVEL = 0.9
"""The true figure lies inside nine times out of ten."""
FEWEST_BLOCKS = 5

Interval = tuple[float, float]


def share_interval(
    hits: FloatArray, counts: FloatArray, *, level: float = LEVEL
) -> Interval | None:
    """Return Wilson's interval (1927) of a share, on as many values as the blocks are worth.

    The variance of the share comes from how blocks differ (the ratio estimator over clusters,
    Cochran 1977); the effective count is that of independent values with this variance, at most
    the real one. Where all values are inside, or none is, nothing can be seen of that, and each
    block counts as one value. Student's t with blocks - 1 degrees of freedom takes the normal quantile's place.

    Args:
        hits: (b,) per block, at most its count.
        counts: (b,) per block; empty blocks are passed over.
        level: Strictly between 0 and 1.

    Returns:
        Bounds within 0 to 1; None for fewer than five blocks.
    """
    hits, counts = hits[counts > 0], counts[counts > 0]
    blocks, total = len(counts), float(counts.sum())
    if blocks < FEWEST_BLOCKS:
        return None
    share = float(hits.sum()) / total
    spread = float(((hits - share * counts) ** 2).sum())
    variance = blocks / (blocks - 1) * spread / total**2
    agreed = share * (1.0 - share)
    worth = float(blocks)
    if agreed > 0.0:
        worth = min(agreed / variance, total) if variance > 0.0 else total
    return _wilson(share, worth, float(stats.t.ppf(0.5 + level / 2.0, blocks - 1)))


def _wilson(share: float, count: float, quantile: float) -> Interval:
    square = quantile**2 / count
    middle = (share + square / 2.0) / (1.0 + square)
    half = np.sqrt(square * (share * (1.0 - share) + square / 4.0)) / (1.0 + square)
    return max(float(middle - half), 0.0), min(float(middle + half), 1.0)


def skill_interval(
    errors: FloatArray, references: FloatArray, *, level: float = LEVEL
) -> Interval | None:
    """Return the interval of 1 - errors / references, each block left out once (Tukey's jackknife).

    Args:
        errors: (b,) sum of errors per block.
        references: (b,) sum of the naive errors of the same values.
        level: Strictly between 0 and 1.

    Returns:
        None for fewer than five blocks with values, or where all naive error lies in one of them.
    """
    some = (errors > 0.0) | (references > 0.0)
    errors, references = errors[some], references[some]
    blocks, left = len(errors), references.sum() - references
    if blocks < FEWEST_BLOCKS or float(left.min()) <= 0.0:
        return None
    without = 1.0 - (errors.sum() - errors) / left
    error = float(np.sqrt((blocks - 1) / blocks * ((without - without.mean()) ** 2).sum()))
    middle = 1.0 - float(errors.sum() / references.sum())
    half = float(stats.t.ppf(0.5 + level / 2.0, blocks - 1)) * error
    return middle - half, middle + half
