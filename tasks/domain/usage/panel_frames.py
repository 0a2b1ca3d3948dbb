"""A usage panel as a table, and back."""

from __future__ import annotations

from datetime import UTC

import numpy as np
import pandas as pd

from tasks.domain.usage.panel import Metric, UsagePanel

COLUMNS = ("resource", "metric", "start", "values")


def panel_frame(panel: UsagePanel) -> pd.DataFrame:
    """Return one row a resource and metric that is known of it: its hourly values as a list."""
    rows = [
        (resource, str(metric), panel.values[metric][row])
        for row, resource in enumerate(panel.resources)
        for metric in sorted(panel.values)
        if not np.isnan(panel.values[metric][row]).all()
    ]
    # A resource of which nothing is known is still one of the panel.
    known = {resource for resource, _, _ in rows}
    rows += [
        (resource, "", np.empty(0, np.float32))
        for resource in panel.resources
        if resource not in known
    ]
    frame = pd.DataFrame(rows, columns=["resource", "metric", "values"])
    frame.insert(2, "start", pd.Timestamp(panel.start))
    return frame


def panel_from_frame(frame: pd.DataFrame) -> UsagePanel:
    """Return the panel that `panel_frame` wrote; resources in the order of their names."""
    resources = tuple(sorted(frame["resource"].unique()))
    position = {resource: row for row, resource in enumerate(resources)}
    known = frame[frame["metric"] != ""]
    hours = max((len(values) for values in known["values"]), default=0)
    found: dict[Metric, np.ndarray] = {}
    for name, rows in known.groupby("metric", sort=True):
        values = np.full((len(resources), hours), np.nan, dtype=np.float32)
        values[[position[one] for one in rows["resource"]]] = np.stack(list(rows["values"]))
        found[Metric(str(name))] = values
    start = frame["start"].iloc[0].to_pydatetime().astimezone(UTC)
    return UsagePanel(resources=resources, start=start, values=found)
