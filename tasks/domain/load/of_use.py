"""The load that was observed of an account, as the forecaster takes it."""

from __future__ import annotations

import math
from datetime import timedelta

import numpy as np

from tasks.domain.load.panel import HOUR, Load, LoadPanel
from tasks.domain.usage.panel import Metric, UsagePanel

SECONDS_PER_HOUR = 3600.0
SOURCES: dict[Load, tuple[Metric, float]] = {
    Load.CPU: (Metric.CPU_MEAN, 1.0),
    Load.MEMORY: (Metric.MEMORY_MEAN, 1.0),
    Load.REQUESTS: (Metric.REQUESTS, SECONDS_PER_HOUR),
}
"""By load: the metric that tells it, and how many of that metric's unit make one of the load's."""


def panel_of_use(use: UsagePanel, load: Load) -> LoadPanel:
    """Return one kind of load of every resource that reports it, hour by hour.

    Args:
        use: What was observed.
        load: Which kind.

    Returns:
        A panel without rows where nothing reports it. Values below 0 are unknown: nothing has a
        negative load.
    """
    metric, unit = SOURCES[load]
    values = use.of(metric).astype(np.float64) / unit
    values = np.where(values >= 0.0, values, np.nan)
    rows = np.flatnonzero(~np.isnan(values).all(axis=1)).tolist()
    return LoadPanel(
        load=load,
        series=tuple(use.resources[row] for row in rows),
        step=HOUR,
        start=use.start,
        values=values[rows],
    )


def cut_at(panel: LoadPanel, hours_before_end: float) -> LoadPanel:
    """Return what was known some hours before the panel's end; a step that was not over is left out."""
    ahead = math.ceil(timedelta(hours=hours_before_end) / panel.step)
    return panel.until(max(panel.steps - ahead, 0))
