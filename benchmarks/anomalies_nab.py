"""Labelled series to judge detectors by: the Numenta Anomaly Benchmark, or a seeded stand-in.

Expected in the data folder: `nab/data/<group>/<name>.csv` (timestamp, value) and
`nab/labels/combined_windows.json`, as the benchmark publishes them.

The halves for settings chosen elsewhere: series in order of their names, every other one. Names
start with the group, so both halves hold every kind of series.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.anomalies_scoring import Judge, Window, judge
from tasks.domain.arrays import FloatArray

NAB = Path("nab")
LABELS = Path("labels") / "combined_windows.json"
SYNTHETIC_ROWS = 2_000
SYNTHETIC_SERIES = 12
WINDOW_SHARE = 0.1
"""Of a series' rows in all its windows together, as the benchmark's labels have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledSeries:
    """A series and where its anomalies are.

    Attributes:
        name: Group and file, such as `realTweets/Twitter_volume_KO.csv`.
        timestamps: As written in the source.
        values: (rows,).
        windows: First and last row of each, in order.
    """

    name: str
    timestamps: Sequence[str]
    values: FloatArray
    windows: tuple[Window, ...]

    def judge(self) -> Judge:
        """Return what an alarm on each row is worth."""
        return judge(len(self.values), self.windows)


def labelled_series(data: Path | None) -> list[LabelledSeries]:
    """Return the benchmark's series by name, or seeded ones where there are none."""
    folder = nab_folder(data)
    return synthetic_series() if folder is None else recorded_series(folder)


def nab_folder(data: Path | None) -> Path | None:
    """Return the folder of the benchmark; None when the data folder has none."""
    if data is None:
        return None
    return next((one for one in (data / NAB, data) if (one / LABELS).is_file()), None)


def recorded_series(folder: Path) -> list[LabelledSeries]:
    """Return the labelled series of a folder in the benchmark's layout."""
    labels: dict[str, list[list[str]]] = json.loads((folder / LABELS).read_text())
    return [_recorded(folder, name, labels[name]) for name in sorted(labels)]


def _recorded(folder: Path, name: str, limits: Sequence[Sequence[str]]) -> LabelledSeries:
    frame = pd.read_csv(folder / "data" / name)
    timestamps = frame["timestamp"].astype(str).tolist()
    # Clock changes repeat timestamps; the first row of one counts, as in the benchmark's scorer.
    first_row: dict[str, int] = {}
    for row, timestamp in enumerate(timestamps):
        first_row.setdefault(timestamp, row)
    return LabelledSeries(
        name=name,
        timestamps=timestamps,
        values=frame["value"].to_numpy(dtype=np.float64),
        windows=tuple((first_row[_second(a)], first_row[_second(b)]) for a, b in limits),
    )


def _second(label: str) -> str:
    return label.split(".", maxsplit=1)[0]


def halves(series: Sequence[LabelledSeries]) -> tuple[list[int], list[int]]:
    """Return the positions of the series in each half."""
    order = sorted(range(len(series)), key=lambda at: series[at].name)
    return order[::2], order[1::2]


def synthetic_series(
    *, seed: int = 20, count: int = SYNTHETIC_SERIES, rows: int = SYNTHETIC_ROWS
) -> list[LabelledSeries]:
    """Return seeded days with noise and two anomalies each: spikes, shifts, stills and new shapes."""
    return [_synthetic(np.random.default_rng([seed, at]), at=at, rows=rows) for at in range(count)]


def _synthetic(rng: np.random.Generator, *, at: int, rows: int) -> LabelledSeries:
    clock = np.arange(rows)
    values = 10.0 + np.sin(2 * np.pi * clock / 144) + rng.normal(0.0, 0.1, rows)
    width = int(WINDOW_SHARE * rows / 2)
    starts = [int(rows * share + rng.integers(0, rows // 10)) for share in (0.3, 0.7)]
    for place, start in enumerate(starts):
        begun = start + width // 4
        _disturb(values[begun:], kind=(at + place) % 4, rng=rng)
    return LabelledSeries(
        name=f"synthetic/series_{at:02d}.csv",
        timestamps=[f"{moment:%Y-%m-%d %H:%M:%S}" for moment in _every_ten_minutes(rows)],
        values=values,
        windows=tuple((start, start + width - 1) for start in starts),
    )


def _every_ten_minutes(rows: int) -> pd.DatetimeIndex:
    return pd.date_range("2026-03-02", periods=rows, freq="10min")


def _disturb(rest: FloatArray, *, kind: int, rng: np.random.Generator) -> None:
    length = 40
    if kind == 0:
        rest[:2] += rng.choice([-4.0, 4.0])
    elif kind == 1:
        rest[:] += rng.choice([-3.0, 3.0])
    elif kind == 2:
        rest[:length] = rest[0]
    else:
        rest[:length] += np.sin(2 * np.pi * np.arange(length) / 8)
