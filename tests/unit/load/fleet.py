"""Small seeded panels on which a whole model is fitted within a second."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from tasks.domain.load.panel import HOUR, Load, LoadPanel

START = datetime(2026, 3, 2, tzinfo=UTC)


def fleet(
    *, series: int = 6, days: int = 14, step: timedelta = HOUR, clock: bool = True, seed: int = 0
) -> LoadPanel:
    """Daily waves of different size with noise, and two steady series."""
    rng = np.random.default_rng(seed)
    per_day = timedelta(days=1) // step
    at = np.arange(days * per_day) / per_day
    rows = [
        20.0 + row + (row % 3) * 6.0 * np.sin(2.0 * np.pi * (at + row / 7.0))
        for row in range(series)
    ]
    values = np.stack(rows) + rng.normal(0.0, 0.5, (series, len(at)))
    return LoadPanel(
        load=Load.CPU,
        series=tuple(f"vm-{row}" for row in range(series)),
        step=step,
        start=START if clock else None,
        values=values,
    )


def with_values(panel: LoadPanel, values: np.ndarray) -> LoadPanel:
    """The same series with other values."""
    return LoadPanel(
        load=panel.load, series=panel.series, step=panel.step, start=panel.start, values=values
    )
