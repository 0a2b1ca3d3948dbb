"""How well the hour of the week foretells a resource's use, measured on a week that was held out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tasks.domain.arrays import FloatArray
from tasks.domain.savings.money import HOURS_PER_WEEK
from tasks.domain.savings.running import quantile_by_hour_of_week

LEAST_REGULARITY = 0.5
"""Below it the hour of the week is no ground to switch anything on or off by."""


def regularity(values: FloatArray, hours: NDArray[np.int64]) -> float:
    """Return 1 less the error of the weekly profile over that of the mean, in the last week.

    Both are learned from the weeks before it. 1 is a week like all others; 0 or less says that
    the hour of the week tells nothing, also where too little is known to say.

    Args:
        values: (n,) of consecutive hours, NaN where unknown.
        hours: (n,) hour of the week of each.
    """
    if len(values) < 2 * HOURS_PER_WEEK:
        return 0.0
    before, last = values[:-HOURS_PER_WEEK], values[-HOURS_PER_WEEK:]
    profile = quantile_by_hour_of_week(before, hours[:-HOURS_PER_WEEK], quantile=0.5)
    expected = profile[hours[-HOURS_PER_WEEK:]]
    known = np.isfinite(expected) & np.isfinite(last)
    if not known.any():
        return 0.0
    naive = float(np.abs(last[known] - np.nanmean(before)).mean())
    error = float(np.abs(last[known] - expected[known]).mean())
    return 1.0 - error / naive if naive > 0.0 else 0.0
