"""Panels for tests of load forecasts."""

from datetime import UTC, datetime, timedelta

import numpy as np

from tasks.domain.arrays import FloatArray
from tasks.domain.load.panel import HOUR, Load, LoadPanel

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


def panel_of(
    *rows: FloatArray, load: Load = Load.CPU, step: timedelta = HOUR, prefix: str = "w"
) -> LoadPanel:
    """Return a panel of rows of the same length, named w0, w1 and so on."""
    return LoadPanel(
        load=load,
        series=tuple(f"{prefix}{row}" for row in range(len(rows))),
        step=step,
        start=MONDAY,
        values=np.stack(rows).astype(np.float64),
    )


def day_wave(
    steps: int, *, per_day: int = 24, level: float = 30.0, height: float = 20.0
) -> FloatArray:
    """Return a cosine of one day around a level."""
    wave: FloatArray = level + height * np.cos(np.arange(steps) * (2.0 * np.pi / per_day))
    return wave
