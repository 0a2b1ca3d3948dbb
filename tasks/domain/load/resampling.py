"""Hourly means of finer panels, which the forecaster works on whatever the step."""

from __future__ import annotations

import warnings
from datetime import timedelta

import numpy as np

from tasks.domain.arrays import FloatArray
from tasks.domain.errors import PermanentError
from tasks.domain.load.panel import HOUR, LoadPanel

CLOSING = timedelta(minutes=15)


def hourly(panel: LoadPanel) -> LoadPanel:
    """Return the panel in steps of an hour that end where the panel ends.

    Hours are counted back from the end, so that the newest one is complete; what is left over at the
    begin is dropped. An hour is unknown when fewer than half of its steps are known.

    Raises:
        PermanentError: When the step does not divide an hour.
    """
    if panel.step == HOUR:
        return panel
    if HOUR % panel.step:
        msg = f"a step of {panel.step} does not divide an hour; give 5 minutes or 1 hour"
        raise PermanentError(msg)
    each = HOUR // panel.step
    hours = panel.steps // each
    left = panel.steps - hours * each
    grid = panel.values[:, left:].reshape(len(panel), hours, each)
    closing = max(1, CLOSING // panel.step)
    return LoadPanel(
        load=panel.load,
        series=panel.series,
        step=HOUR,
        start=None if panel.start is None else panel.start + left * panel.step,
        values=_means(grid),
        closing=_means(grid[..., -closing:]),
        archetypes=panel.archetypes,
    )


def _means(grid: FloatArray) -> FloatArray:
    """Return means over the last axis, NaN where fewer than half of the values are known."""
    known = ~np.isnan(grid)
    with warnings.catch_warnings():
        # An hour without any value is unknown, which is what its empty mean says.
        warnings.simplefilter("ignore", RuntimeWarning)
        found = np.nanmean(grid, axis=-1)
    return np.where(2 * known.sum(axis=-1) >= grid.shape[-1], found, np.nan)
