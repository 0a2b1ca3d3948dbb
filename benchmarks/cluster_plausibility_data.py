"""Recorded weeks that the simulated shop is compared with, in two halves.

Noise and shapes of the demonstration were chosen with the even half in view (`Half.EVEN`); what is
reported is the odd half: machines of odd ids, every other Azure column by name, every other week of the
one web site. No machine is in both.

Traps. A Bitbrains hour that is missing stays unknown; weeks known by less than 90 percent are left out.
Rows of five minutes do not come at full ones, so that a step has two now and then and the next none. Azure
has no clock, so no weekends. Machines that use less than 1 percent of their processor are idle and left
out: the shop has none. Bitbrains' memory is what its hypervisor saw in use lately, not a working set.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.cluster_plausibility_statistics import DAYS
from tasks.domain.arrays import BoolArray, FloatArray

AZURE = Path("load") / "azure_vms_5min_cpu_avg.parquet"
BITBRAINS = Path("load") / "vms_hourly_2013.parquet"
BITBRAINS_FINE = Path("load") / "vms_5min_2013-08.parquet"
SITE = Path("load") / "requests_worldcup98_per_minute.parquet"
BALANCER = Path("nab") / "data" / "realAWSCloudwatch" / "elb_request_count_8c0756.csv"
FILES = (AZURE, BITBRAINS, BITBRAINS_FINE, SITE, BALANCER)
IDLE_PERCENT = 1.0
MOST_ROWS = 1.1
"""Rows a step, above which an id is several machines."""
FINE_DAY, HOURLY_DAY = 288, 24


class Half(IntEnum):
    """Of the series: the remainder of their number divided by 2."""

    EVEN = 0
    ODD = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Weeks:
    """Whole weeks of many series.

    Attributes:
        values: (n, w, 7 * per_day), NaN where unknown.
        per_day: Steps a day.
        clock: (n,) whether weeks begin on a Monday at midnight; else anywhere.
        companion: (n, w, 7 * per_day) processor use at the same time; None where it is not known.
    """

    values: FloatArray
    per_day: int
    clock: list[bool]
    companion: FloatArray | None = None


def missing_files(folder: Path | None) -> list[Path]:
    """Return which recordings are not there."""
    return [one for one in FILES if folder is None or not (folder / one).exists()]


def recorded_weeks(folder: Path, *, half: Half, every: int = 1) -> dict[str, Weeks]:
    """Return weeks of a half by the name of the metric; what has no recording is left out.

    Args:
        folder: Of the recordings.
        half: Which series.
        every: Keep every so manieth series, to be quick.
    """
    groups: dict[str, list[Weeks]] = {}
    if (folder / BITBRAINS).exists():
        for name, weeks in _bitbrains(folder, half, every).items():
            groups.setdefault(name, []).append(weeks)
    if (folder / BITBRAINS_FINE).exists():
        groups.setdefault("cpu_5min", []).append(_bitbrains_fine(folder, half, every))
    if (folder / AZURE).exists():
        fine = _azure(folder, half, every)
        groups.setdefault("cpu_5min", []).append(fine)
        groups.setdefault("cpu_hourly", []).append(by_hour(fine))
    for site in (_site(folder, half), _balancer(folder, half)):
        if site is not None:
            groups.setdefault("requests_5min", []).append(site)
            groups.setdefault("requests_hourly", []).append(by_hour(site))
    return {name: _joined(parts) for name, parts in groups.items()}


def by_hour(weeks: Weeks) -> Weeks:
    """Return hourly means; an hour is unknown when half of it is."""
    rows = weeks.values.reshape(*weeks.values.shape[:2], DAYS * HOURLY_DAY, -1)
    known = np.isfinite(rows).mean(axis=-1) > 0.5
    total = np.where(np.isfinite(rows), rows, 0.0).sum(axis=-1)
    count = np.maximum(np.isfinite(rows).sum(axis=-1), 1)
    return Weeks(
        values=np.where(known, total / count, np.nan), per_day=HOURLY_DAY, clock=weeks.clock
    )


def cut(values: FloatArray, *, per_day: int, first: int = 0) -> FloatArray:
    """Return (n, w, 7 * per_day) the whole weeks of (n, T) from a step on."""
    length = DAYS * per_day
    count = (values.shape[1] - first) // length
    return values[:, first : first + count * length].reshape(len(values), count, length)


def _joined(parts: list[Weeks]) -> Weeks:
    most = max(one.values.shape[1] for one in parts)

    def padded(values: FloatArray) -> FloatArray:
        extra = most - values.shape[1]
        return np.pad(values, ((0, 0), (0, extra), (0, 0)), constant_values=np.nan)

    companions = [one.companion for one in parts if one.companion is not None]
    return Weeks(
        values=np.concatenate([padded(one.values) for one in parts]),
        per_day=parts[0].per_day,
        clock=[flag for one in parts for flag in one.clock],
        companion=np.concatenate([padded(one) for one in companions]) if companions else None,
    )


def _busy(percent: FloatArray) -> BoolArray:
    known = np.isfinite(percent)
    total = np.where(known, percent, 0.0).sum(axis=1)
    return np.asarray(total >= IDLE_PERCENT * np.maximum(known.sum(axis=1), 1), dtype=np.bool_)


def _wide(frame: pd.DataFrame, column: str, step: str) -> pd.DataFrame:
    wide = frame.pivot_table(index="timestamp", columns="resource_id", values=column)
    return wide.reindex(pd.date_range(wide.index[0], wide.index[-1], freq=step))


def _from_monday(wide: pd.DataFrame, per_day: int) -> FloatArray:
    stamps = pd.DatetimeIndex(wide.index)
    starts = (stamps.weekday == 0) & (stamps.hour == 0) & (stamps.minute == 0)
    first = int(np.argmax(starts))
    return cut(wide.to_numpy(dtype=np.float64).T, per_day=per_day, first=first)


def _bitbrains(folder: Path, half: Half, every: int) -> dict[str, Weeks]:
    frame = pd.read_parquet(folder / BITBRAINS)
    frame = frame[frame["resource_id"] % 2 == half]
    frame["timestamp"] = frame["timestamp"].dt.floor("h")
    capacity = frame["memory_capacity_kb"].where(lambda kb: kb > 0)
    frame["memory"] = (100.0 * frame["memory_used_kb"] / capacity).clip(0.0, 100.0)
    frame["network"] = frame["network_in_kb_per_s"] + frame["network_out_kb_per_s"]
    frame["cpu"] = frame["cpu_percent"].clip(0.0, 100.0)
    cpu = _wide(frame, "cpu", "h")
    ids = cpu.columns[_busy(cpu.to_numpy(dtype=np.float64).T)][::every]
    companion = _from_monday(cpu[ids], HOURLY_DAY)
    clock = [True] * len(ids)
    found = {"cpu_hourly": Weeks(values=companion, per_day=HOURLY_DAY, clock=clock)}
    for column in ("memory", "network"):
        values = _from_monday(_wide(frame, column, "h").reindex(columns=ids), HOURLY_DAY)
        found[f"{column}_hourly"] = Weeks(
            values=values, per_day=HOURLY_DAY, clock=clock, companion=companion
        )
    return found


def _bitbrains_fine(folder: Path, half: Half, every: int) -> Weeks:
    frame = pd.read_parquet(
        folder / BITBRAINS_FINE, columns=["timestamp", "resource_id", "cpu_percent"]
    )
    frame = frame[frame["resource_id"] % 2 == half]
    frame["timestamp"] = frame["timestamp"].dt.floor("5min")
    of_id = frame.groupby("resource_id")["timestamp"]
    single = of_id.size() <= MOST_ROWS * of_id.nunique()
    wide = _wide(frame[frame["resource_id"].map(single)], "cpu_percent", "5min")
    wide = wide.loc[:, _busy(wide.to_numpy(dtype=np.float64).T)].iloc[:, ::every]
    values = _from_monday(wide.clip(0.0, 100.0), FINE_DAY)
    return Weeks(values=values, per_day=FINE_DAY, clock=[True] * len(values))


def _azure(folder: Path, half: Half, every: int) -> Weeks:
    frame = pd.read_parquet(folder / AZURE)
    values = frame[sorted(frame.columns)[int(half) :: 2]].to_numpy(dtype=np.float64).T
    values = values[_busy(values)][::every]
    return Weeks(
        values=cut(values, per_day=FINE_DAY), per_day=FINE_DAY, clock=[False] * len(values)
    )


def _site(folder: Path, half: Half) -> Weeks | None:
    """Return weeks of the one site as series of their own: no two weeks of it are alike."""
    if not (folder / SITE).exists():
        return None
    frame = pd.read_parquet(folder / SITE)
    stamp = pd.to_datetime(frame["period"], utc=True)
    counts = pd.Series(frame["count"].to_numpy(dtype=np.float64) / 60.0, index=stamp)
    return _alone(counts.resample("5min").mean(), remainder=half)


def _balancer(folder: Path, half: Half) -> Weeks | None:
    """Return the one whole week of a load balancer, which is in the odd half."""
    if half is Half.EVEN or not (folder / BALANCER).exists():
        return None
    frame = pd.read_csv(folder / BALANCER)
    stamp = pd.to_datetime(frame["timestamp"], utc=True)
    counts = pd.Series(frame["value"].to_numpy(dtype=np.float64) / 300.0, index=stamp)
    return _alone(counts.resample("5min").mean(), remainder=0)


def _alone(steps: pd.Series[float], *, remainder: int) -> Weeks:
    weeks = _from_monday(steps.to_frame(), FINE_DAY)[0][remainder::2]
    return Weeks(values=weeks[:, None, :], per_day=FINE_DAY, clock=[True] * len(weeks))
