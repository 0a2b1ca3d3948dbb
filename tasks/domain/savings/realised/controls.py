"""Which resources a changed one may be compared with."""

from __future__ import annotations

import numpy as np

from tasks.domain.arrays import BoolArray, FloatArray
from tasks.domain.savings.realised.values import CostPanel
from tasks.domain.savings.realised.windows import Window, untouched

LEAST_KNOWN = 0.5
"""Share of hours, before and after each."""
LONGEST_REST_HOURS = 48
"""A rest at the end that is longer than this, and than half as long again as any before, is an end."""
LONGER_THAN_BEFORE = 1.5


def candidates(panel: CostPanel, series: str, window: Window) -> BoolArray:
    """Return (n,) which other series nobody changed, and that are known on both sides.

    What was deleted or switched off for good was changed by somebody, whether or not it was told.
    """
    found = comparable(panel.usd, window) & ~gone(panel.usd, window)
    for name, times in panel.touched.items():
        if name in panel.position and not untouched(times, panel, window):
            found[panel.position[name]] = False
    found[panel.position[series]] = False
    return found


def comparable(usd: FloatArray, window: Window) -> BoolArray:
    """Return (n,) which rows are known for half of the hours on each side and cost something."""
    before = usd[:, window.before_from : window.before_to]
    after = usd[:, window.after_from : window.after_to]
    known = np.minimum(np.isfinite(before).mean(axis=1), np.isfinite(after).mean(axis=1))
    found: BoolArray = (known >= LEAST_KNOWN) & (np.nansum(before, axis=1) > 0.0)
    return found


def gone(usd: FloatArray, window: Window) -> BoolArray:
    """Return (n,) which rows cost nothing at the end, for longer than ever before."""
    before = usd[:, window.before_from : window.before_to]
    after = usd[:, window.after_from : window.after_to]
    at_end = np.cumprod((~(after > 0.0))[:, ::-1], axis=1)[:, ::-1]
    rests = (at_end * (after == 0.0)).sum(axis=1)
    found: BoolArray = rests > np.maximum(
        LONGER_THAN_BEFORE * _longest_rest(before), LONGEST_REST_HOURS
    )
    return found


def _longest_rest(before: FloatArray) -> FloatArray:
    """Return (n,) hours of the longest stretch without any cost."""
    hour = np.arange(before.shape[1] + 2, dtype=np.float64)
    runs = np.pad(before > 0.0, ((0, 0), (1, 1)), constant_values=True)
    last_run = np.maximum.accumulate(np.where(runs, hour, 0.0), axis=1)
    found: FloatArray = (hour - last_run).max(axis=1)
    return found
