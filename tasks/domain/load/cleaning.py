"""Recorded load made fit for models: gaps, counters that restart, levels that jump."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from tasks.domain.arrays import BoolArray, FloatArray
from tasks.domain.errors import PermanentError
from tasks.domain.load.panel import LoadPanel

LONGEST_FILLED_GAP = timedelta(hours=3)
"""Past it a line says nothing of a load, and a filled day would fake a perfect repetition."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanLoad:
    """Load without short gaps.

    Attributes:
        values: (n, steps); short gaps interpolated, longer ones still NaN.
        imputed: (n, steps) where a value was made up; nothing is to be learnt from it or judged by
            it.
    """

    values: FloatArray
    imputed: BoolArray

    @property
    def observed(self) -> BoolArray:
        """(n, steps) where a value was measured."""
        return ~self.imputed & ~np.isnan(self.values)


def cleaned(panel: LoadPanel) -> CleanLoad:
    """Return the load with gaps of up to three hours, at least one step, bridged by a line.

    Gaps at either end stay: nothing lies on their other side. A bridged value rests on the one after
    it, so cut the history at the cutoff first.

    Raises:
        PermanentError: When a value is negative or infinite.
    """
    _check(panel)
    values = panel.values.astype(np.float64, copy=True)
    longest = max(LONGEST_FILLED_GAP // panel.step, 1)
    flat = values.reshape(-1)
    unknown = np.isnan(flat)
    imputed = np.zeros(flat.shape, dtype=np.bool_)
    holes, known = np.flatnonzero(unknown), np.flatnonzero(~unknown)
    after = np.searchsorted(known, holes)
    inside = (after > 0) & (after < len(known))
    holes, after = holes[inside], after[inside]
    left, right = known[after - 1], known[after]
    short = (right - left - 1 <= longest) & (left // panel.steps == right // panel.steps)
    holes, left, right = holes[short], left[short], right[short]
    share = (holes - left) / (right - left)
    flat[holes] = flat[left] * (1.0 - share) + flat[right] * share
    imputed[holes] = True
    return CleanLoad(values=values, imputed=imputed.reshape(values.shape))


def rates_of_counters(values: FloatArray, *, step: timedelta) -> FloatArray:
    """Return (n, steps) increases per second of counters that only grow until they restart.

    A counter that fell has restarted: what it counted before that, since the last reading, is lost,
    so the rate of that step is unknown. Prometheus' `rate` takes it for nothing, which is too little
    whenever a busy workload restarts. After a gap the rate is unknown as well, for the increase may
    lie anywhere in it and hide a restart. So is the first step of all.

    Args:
        values: (n, steps) readings at the end of each step, at least 0; NaN where unknown.
        step: Time between readings.

    Raises:
        PermanentError: When a reading is negative or infinite.
    """
    _check_rows(values, tuple(f"counter in row {row}" for row in range(len(values))))
    increase = np.diff(values, axis=1)
    rates = np.full(values.shape, np.nan)
    rates[:, 1:] = np.where(increase >= 0.0, increase, np.nan) / step.total_seconds()
    return rates


def _check(panel: LoadPanel) -> None:
    _check_rows(panel.values, panel.series)


def _check_rows(values: FloatArray, names: tuple[str, ...]) -> None:
    with np.errstate(invalid="ignore"):
        wrong = (values < 0.0) | np.isinf(values)
    if not wrong.any():
        return
    row, step = (int(at) for at in np.argwhere(wrong)[0])
    msg = (
        f"{names[row]} is {values[row, step]:g} at step {step}, load is finite and at least 0; "
        "leave the value out (NaN) or mend its source"
    )
    raise PermanentError(msg)
