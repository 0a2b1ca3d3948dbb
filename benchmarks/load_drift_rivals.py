"""The usual way to look for drift: a plain Kolmogorov-Smirnov test at .05, every day.

It takes every hour for an independent draw, and alarms when as large a share of the series differs
as ours asks for, in load or in the errors of the forecasts; with "any series" it would never be
silent.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import kstwobign

from benchmarks.load_drift_data import LoadPath
from tasks.domain.arrays import FloatArray
from tasks.domain.models.drift_tests import ks_distances

WINDOW_DAYS = 7


def plain_ks(training: LoadPath, live: LoadPath, *, share: float) -> float:
    """Return the p-value that so large a share of the series stays below, load or errors.

    Args:
        training: What the model was trained on.
        live: Days since then; the last week of them is tested.
        share: Above 0 and up to 1.
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
    flat = [one.reshape(len(one), -1) for one in (before, after)]
    known = [np.maximum(np.isfinite(one).sum(axis=1), 1) for one in flat]
    root = np.sqrt(known[0] * known[1] / (known[0] + known[1]))
    return np.asarray(kstwobign.sf(root * np.nan_to_num(ks_distances(*flat))))
