"""Recordings by five minutes, split as in load_data.py: by time, and half of the series to choose on.

- Development: half of the series at the earlier origins. Constants of steps within an hour are chosen there.
- Reported: every series at the later origins.

Traps. The rows of a Bitbrains machine come every five minutes, but not at full ones, so that now and then a
step has two rows and the next none. From the first morning on one id (20) has three rows a step and no cores:
it is no machine and left out. Unknown steps stay unknown, and are nobody's target.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.harness import notice
from benchmarks.load_data import AZURE, WINDOW, Recording, synthetic_recording
from tasks.domain.arrays import FloatArray, IntArray
from tasks.domain.load.panel import HOUR, Load, LoadPanel
from tasks.domain.load.resampling import hourly

BITBRAINS = Path("load") / "vms_5min_2013-08.parquet"
STEP = timedelta(minutes=5)
PER_HOUR = HOUR // STEP
HORIZON_STEPS = 24 * PER_HOUR
MOST_ROWS = 1.1
"""Rows a step, above which an id is several machines."""
SYNTHETIC_SEED = 11
RIPPLE = 0.15
"""Spread of the steps of a synthetic hour, of its mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FineRecording:
    """One set of series by five minutes.

    Attributes:
        panel: Every series, by five minutes.
        hours: The same by the hour: which origins are earlier, and which series may be chosen on.
    """

    panel: LoadPanel
    hours: Recording

    @property
    def name(self) -> str:
        """Prefix of its figures."""
        return self.hours.name

    def origins(self, count: int, *, later: bool) -> IntArray:
        """Return the hours seen at so many origins of a part, evenly spread over it."""
        every = np.array(self.hours.origins(later=later), dtype=np.int64)
        return np.asarray(every[np.unique(np.linspace(0, len(every) - 1, count).astype(int))])

    def rows(self, *, later: bool) -> IntArray:
        """Return the series that are judged in a part."""
        return np.arange(len(self.panel)) if later else self.hours.development_rows()

    def seen(self, origin: int) -> LoadPanel:
        """Return what is known after so many hours."""
        return self.panel.until(origin * PER_HOUR, window=WINDOW * PER_HOUR)

    def truth(self, origin: int) -> FloatArray:
        """Return (n, HORIZON_STEPS) what came after so many hours; NaN where nobody knows."""
        first = origin * PER_HOUR
        return self.panel.values[:, first : first + HORIZON_STEPS]


def fine_recordings(folder: Path | None) -> list[FineRecording]:
    """Return those that are in folder/load, or a synthetic one when there is no folder."""
    if folder is None:
        return [synthetic_fine()]
    found = []
    if (folder / BITBRAINS).exists():
        found.append(_recording("bitbrains", _bitbrains(folder), step_hours=37))
    if (folder / AZURE).exists():
        found.append(_recording("azure", _azure(folder), step_hours=17))
    if not found:
        notice(f"neither {BITBRAINS} nor {AZURE} in {folder}: steps of five minutes are left out")
    return found


def synthetic_fine(*, series: int = 24, days: int = 24) -> FineRecording:
    """Return hours of load_data.py that steps ripple about."""
    made = synthetic_recording(seed=SYNTHETIC_SEED, series=series, days=days)
    rng = np.random.default_rng(SYNTHETIC_SEED)
    hours = np.repeat(made.panel.values, PER_HOUR, axis=1)
    values = hours * np.exp(rng.normal(0.0, RIPPLE, hours.shape))
    panel = LoadPanel(
        load=made.panel.load,
        series=made.panel.series,
        step=STEP,
        start=made.panel.start,
        values=np.minimum(values, 100.0),
    )
    return _recording(made.name, panel, step_hours=made.step_hours)


def _recording(name: str, panel: LoadPanel, *, step_hours: int) -> FineRecording:
    hours = Recording(name=name, panel=hourly(panel), step_hours=step_hours)
    left = panel.steps - hours.panel.steps * PER_HOUR
    values = panel.values[:, left:]
    whole = LoadPanel(
        load=panel.load, series=panel.series, step=STEP, start=hours.panel.start, values=values
    )
    return FineRecording(panel=whole, hours=hours)


def _bitbrains(folder: Path) -> LoadPanel:
    frame = pd.read_parquet(folder / BITBRAINS, columns=["timestamp", "resource_id", "cpu_percent"])
    frame["timestamp"] = frame["timestamp"].dt.floor("5min")
    of_id = frame.groupby("resource_id")["timestamp"]
    single = of_id.size() <= MOST_ROWS * of_id.nunique()
    frame = frame[frame["resource_id"].map(single)]
    wide = frame.pivot_table(index="timestamp", columns="resource_id", values="cpu_percent")
    wide = wide.reindex(pd.date_range(wide.index[0], wide.index[-1], freq="5min"))
    return LoadPanel(
        load=Load.CPU,
        series=tuple(str(name) for name in wide.columns),
        step=STEP,
        start=wide.index[0].to_pydatetime(),
        values=wide.to_numpy(dtype=np.float64).T.copy(),
    )


def _azure(folder: Path) -> LoadPanel:
    values = pd.read_parquet(folder / AZURE).to_numpy(dtype=np.float64).T.copy()
    names = tuple(f"azure-{at:03d}" for at in range(len(values)))
    return LoadPanel(load=Load.CPU, series=names, step=STEP, start=None, values=values)
