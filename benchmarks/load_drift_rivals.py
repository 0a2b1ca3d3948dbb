"""The usual way to look for drift: a plain Kolmogorov-Smirnov test at .05, every day.

It takes every hour for an independent draw. "Any" alarms as soon as one series differs, "quarter"
when a quarter of them do; both look at the load and at the errors of the forecasts.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import kstwobign

from benchmarks.load_drift_data import LoadPath
from tasks.domain.arrays import FloatArray

WINDOW_DAYS = 7


def plain_ks(training: LoadPath, live: LoadPath, *, share: float) -> float:
    """Return the p-value that so large a share of the series stays below, load or errors.

    Args:
        training: What the model was trained on.
        live: Days since then; the last week of them is tested.
        share: 0 for "any series", otherwise above 0 and up to 1.
    """
    if live.days < WINDOW_DAYS:
        return 1.0
    recent = live.between(live.days - WINDOW_DAYS, live.days)
    smallest = 1.0
    for before, after in (
        (training.values, recent.values),
        (training.residuals, recent.residuals),
    ):
        found = _p_values(before, after)
        at = max(int(np.ceil(share * len(found))) - 1, 0)
        smallest = min(smallest, float(np.sort(found)[at]))
    return smallest


def _p_values(before: FloatArray, after: FloatArray) -> FloatArray:
    """Return asymptotic two-sided p-values, as `scipy.stats.ks_2samp` gives for many values."""
    distances, sizes = [], []
    for one, other in zip(before, after, strict=True):
        first, second = (np.sort(known[np.isfinite(known)]) for known in (one, other))
        if not len(first) or not len(second):
            distances.append(0.0)
            sizes.append(1.0)
            continue
        at = np.concatenate([first, second])
        below = [np.searchsorted(of, at, side="right") / len(of) for of in (first, second)]
        distances.append(float(np.abs(below[0] - below[1]).max()))
        sizes.append(len(first) * len(second) / (len(first) + len(second)))
    return np.asarray(kstwobign.sf(np.sqrt(sizes) * np.array(distances)))
