"""Recordings that the load benchmark forecasts, split before anything was chosen.

- Development: half of the series (every other one in a seeded order) at the earlier origins. All
  constants are chosen there, see `python -m benchmarks.load_development`.
- Reported: every series at the later origins. Figures named `unseen` are of the other half of the
  series at the later origins: neither the series nor the time was looked at before.

Traps. Half of the Bitbrains hours of 16 and 17 July and the last day of July are missing: they stay
unknown, and are neither origins nor targets nor anybody's naive forecast, since a filled hour repeats the
day before perfectly. Some ids change their size; a forecast has to live with that. Azure has no wall
clock, and the period in its column names is dropped: whoever collected the set looked at all of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from tasks.domain.arrays import BoolArray, FloatArray, IntArray
from tasks.domain.load.panel import HOUR, Load, LoadPanel
from tasks.domain.load.resampling import hourly

HORIZON = 24
WINDOW = 720
"""Hours of history that a forecast may see."""
LEAST_WINDOW = 504
"""Hours before the first origin, or 40 % of a shorter recording."""
SPLIT_SEED = 2013
BITBRAINS = Path("load") / "vms_hourly_2013.parquet"
AZURE = Path("load") / "azure_vms_5min_cpu_avg.parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One set of series over some weeks.

    Attributes:
        name: Prefix of its figures.
        panel: Every series, hourly.
        step_hours: Between origins; no divisor of a day, so that hours of the day vary.
    """

    name: str
    panel: LoadPanel
    step_hours: int

    def origins(self, *, later: bool) -> list[int]:
        """Return the hours seen at each origin; the two parts share no target."""
        first = min(LEAST_WINDOW, int(0.4 * self.panel.steps))
        end = self.panel.steps - HORIZON
        middle = (first + end) // 2
        begin, stop = (middle + HORIZON, end) if later else (first, middle)
        return list(range(begin, stop + 1, self.step_hours))

    def development_rows(self) -> IntArray:
        """Return the series that constants may be chosen on."""
        order = np.random.default_rng(SPLIT_SEED).permutation(len(self.panel))
        return np.sort(order[::2])

    def seen(self, origin: int) -> LoadPanel:
        """Return what is known at an origin."""
        return self.panel.until(origin, window=WINDOW)

    def truth(self, origin: int) -> FloatArray:
        """Return (n, HORIZON) what came after an origin; NaN where nobody knows."""
        return self.panel.values[:, origin : origin + HORIZON]


def usable_rows(history: FloatArray) -> BoolArray:
    """Return (n,) series that can be an origin: newest hour, most of the last day, a week in all."""
    known = ~np.isnan(history)
    day = known[:, -24:].sum(axis=1) >= 20
    return np.asarray(known[:, -1] & day & (known.sum(axis=1) >= 168), dtype=np.bool_)


def load_recordings(folder: Path | None) -> list[Recording]:
    """Return the recordings in folder/load, or a synthetic one when there is no folder."""
    if folder is None:
        return [synthetic_recording(seed=7)]
    found = []
    if (folder / BITBRAINS).exists():
        found.append(Recording(name="bitbrains", panel=_bitbrains(folder), step_hours=37))
    if (folder / AZURE).exists():
        found.append(Recording(name="azure", panel=_azure(folder), step_hours=17))
    if not found:
        message = f"neither {BITBRAINS} nor {AZURE} in {folder}; see the layout of the data README"
        raise SystemExit(message)
    return found


def _bitbrains(folder: Path) -> LoadPanel:
    frame = pd.read_parquet(folder / BITBRAINS, columns=["timestamp", "resource_id", "cpu_percent"])
    frame["timestamp"] = frame["timestamp"].dt.floor("h")
    wide = frame.pivot_table(index="timestamp", columns="resource_id", values="cpu_percent")
    wide = wide.reindex(pd.date_range(wide.index[0], wide.index[-1], freq="h"))
    return LoadPanel(
        load=Load.CPU,
        series=tuple(str(name) for name in wide.columns),
        step=HOUR,
        start=wide.index[0].to_pydatetime(),
        values=wide.to_numpy(dtype=np.float64).T.copy(),
    )


def _azure(folder: Path) -> LoadPanel:
    frame = pd.read_parquet(folder / AZURE)
    values = frame.to_numpy(dtype=np.float64).T.copy()
    names = tuple(f"azure-{at:03d}" for at in range(len(values)))
    step = timedelta(minutes=5)
    return hourly(LoadPanel(load=Load.CPU, series=names, step=step, start=None, values=values))


def synthetic_recording(*, seed: int, series: int = 96, days: int = 60) -> Recording:
    """Return idle, steady, periodic and bursty series in equal numbers, with shifts and gaps."""
    rng = np.random.default_rng(seed)
    kinds = (_idle, _steady, _periodic, _bursty)
    values = np.stack([kinds[at % len(kinds)](rng, days * 24) for at in range(series)])
    for row in rng.choice(series, size=series // 8, replace=False):
        begin = rng.integers(24, days * 24 - 24)
        values[row, begin : begin + rng.integers(2, 20)] = np.nan
    panel = LoadPanel(
        load=Load.CPU,
        series=tuple(f"synthetic-{at:03d}" for at in range(series)),
        step=HOUR,
        start=datetime(2024, 1, 1, tzinfo=UTC),
        values=values,
    )
    return Recording(name="synthetic", panel=panel, step_hours=37)


def _idle(rng: np.random.Generator, hours: int) -> FloatArray:
    return np.abs(rng.uniform(0.2, 1.5) + rng.normal(0.0, 0.05, hours))


def _steady(rng: np.random.Generator, hours: int) -> FloatArray:
    level = rng.uniform(10.0, 60.0) * np.ones(hours)
    level[rng.integers(hours) :] *= rng.uniform(0.6, 1.4)
    return np.clip(level + _noise(rng, hours, 0.8), 0.0, 100.0)


def _periodic(rng: np.random.Generator, hours: int) -> FloatArray:
    day = np.sin(2.0 * np.pi * (np.arange(hours) / 24.0 + rng.random()))
    weekend = np.where(np.arange(hours) // 24 % 7 >= 5, rng.uniform(0.3, 1.0), 1.0)
    load = rng.uniform(10.0, 40.0) * (1.1 + rng.uniform(0.3, 0.9) * day * weekend)
    return np.clip(load + _noise(rng, hours, 1.5), 0.0, 100.0)


def _bursty(rng: np.random.Generator, hours: int) -> FloatArray:
    bursts = (rng.random(hours) < 0.04) * rng.exponential(30.0, hours)
    decay = 0.6 ** np.arange(24)
    load = 3.0 + np.convolve(bursts, decay)[:hours]
    return np.clip(load + np.abs(_noise(rng, hours, 0.5)), 0.0, 100.0)


def _noise(rng: np.random.Generator, hours: int, size: float) -> FloatArray:
    """Return noise that remembers the hour before."""
    kicks = rng.normal(0.0, size, hours + 48)
    return np.convolve(kicks, 0.7 ** np.arange(48))[48 : hours + 48]
