"""What an error is measured by: how far a series usually is from where it was a day before."""

from __future__ import annotations

import numpy as np

from tasks.domain.arrays import FloatArray
from tasks.domain.load.panel import Load, LoadPanel
from tasks.domain.spot.pools import PricePanel

SMALLEST_SHARE = 0.05
"""Of a load's mean: a series that repeats itself exactly would make every error infinite."""
SMALLEST_POINTS = 0.1
"""Of a load in percent."""
SMALLEST_PRICE_SHARE = 0.005
"""Of a pool's mean price; most pools do not move for days."""
HOURS_PER_DAY = 24


def load_scales(panel: LoadPanel) -> FloatArray:
    """Return (n,) mean absolute daily differences, at least 5 % of the mean and .1 percent point.

    NaN where nothing is known of a series.
    """
    least = 0.0 if panel.load is Load.REQUESTS else SMALLEST_POINTS
    return _scales(panel.values, season=panel.steps_per_day, share=SMALLEST_SHARE, least=least)


def price_scales(panel: PricePanel) -> FloatArray:
    """Return (n,) mean absolute daily differences, at least .5 % of the mean price."""
    return _scales(panel.prices, season=HOURS_PER_DAY, share=SMALLEST_PRICE_SHARE, least=0.0)


def _scales(values: FloatArray, *, season: int, share: float, least: float) -> FloatArray:
    moved = _means(np.abs(values[:, season:] - values[:, :-season]))
    level = _means(np.abs(values))
    found = np.fmax(moved, np.fmax(share * level, least))
    return np.asarray(np.where(np.isnan(level) | (found <= 0.0), np.nan, found))


def _means(values: FloatArray) -> FloatArray:
    """Return the mean of what is known of each row; NaN where nothing is."""
    known = ~np.isnan(values)
    count = known.sum(axis=1)
    total = np.where(known, values, 0.0).sum(axis=1)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))
