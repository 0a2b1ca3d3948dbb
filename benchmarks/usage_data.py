"""Recorded processor use for the usage benchmark, split before anything was chosen.

Constants are chosen on development series; figures are reported on the others:

- `vms_hourly_2013`: development is July of even ids, reported is August of odd ids.
- `azure_vms_5min_cpu_avg` (no clock, so for injection only): every other column by name.
- Seeded fleets: development seeds are 0 to 4, reported seeds are 10 and above; of small fleets,
  whose answers vary more, 100 to 111 and 200 to 211.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from tasks.domain.usage.fleet import Fleet, synthetic_fleet
from tasks.domain.usage.injection import injected_fleet
from tasks.domain.usage.panel import Float32Array, Metric, UsagePanel

VMS = Path("load") / "vms_hourly_2013.parquet"
AZURE = Path("load") / "azure_vms_5min_cpu_avg.parquet"

START = datetime(2026, 3, 2, tzinfo=UTC)
HOURS = 28 * 24
SHORT_HOURS = 14 * 24
DEVELOPMENT_SEEDS = (0, 1, 2, 3, 4)
REPORTED_SEEDS = (10, 11, 12)
SMALL_DEVELOPMENT_SEEDS = tuple(range(100, 112))
SMALL_REPORTED_SEEDS = tuple(range(200, 212))


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Which half of the data.

    Attributes:
        month: 7 or 8, of 2013.
        remainder: Of ids and of column positions divided by 2.
        seeds: Of fleets and injections.
    """

    month: int
    remainder: int
    seeds: tuple[int, ...]


DEVELOPMENT = Part(month=7, remainder=0, seeds=DEVELOPMENT_SEEDS)
REPORTED = Part(month=8, remainder=1, seeds=REPORTED_SEEDS)


def recorded_vms(data: Path, *, part: Part) -> UsagePanel:
    """Return the month of the half of the virtual machines; hours without a row are unknown."""
    frame = pd.read_parquet(data / VMS)
    stamp = frame["timestamp"]
    ours = (stamp.dt.month == part.month) & (frame["resource_id"] % 2 == part.remainder)
    frame = frame[ours]
    start = datetime(2013, part.month, 1, tzinfo=UTC)
    grid = pd.date_range(start, periods=31 * 24, freq="h")
    memory = 100.0 * frame["memory_used_kb"] / frame["memory_capacity_kb"].where(lambda kb: kb > 0)
    columns = {
        Metric.CPU_MEAN: frame["cpu_percent"].clip(0.0, 100.0),
        Metric.MEMORY_MEAN: memory.clip(0.0, 100.0),
        Metric.NETWORK: 1e3 * (frame["network_in_kb_per_s"] + frame["network_out_kb_per_s"]),
        Metric.DISK: 1e3 * (frame["disk_read_kb_per_s"] + frame["disk_write_kb_per_s"]),
    }
    known = frame[["timestamp", "resource_id"]].assign(**columns)
    ids = sorted(known["resource_id"].unique().tolist())
    values: dict[Metric, Float32Array] = {
        metric: known.pivot_table(index="timestamp", columns="resource_id", values=metric)
        .reindex(index=grid, columns=ids)
        .to_numpy(dtype=np.float32)
        .T
        for metric in columns
    }
    return UsagePanel(resources=tuple(f"vm-{one}" for one in ids), start=start, values=values)


def recorded_azure(data: Path, *, part: Part) -> UsagePanel:
    """Return hourly means of every other series; their start is made up, for they have no clock."""
    frame = pd.read_parquet(data / AZURE)
    frame = frame[sorted(frame.columns)[part.remainder :: 2]]
    hourly = frame.groupby(np.arange(len(frame)) // 12).mean()
    cpu = hourly.to_numpy(dtype=np.float32).T
    names = tuple(f"azure-{at}" for at in range(len(cpu)))
    return UsagePanel(resources=names, start=START, values={Metric.CPU_MEAN: cpu})


def seeded_fleet(seed: int, *, count: int, hours: int = HOURS) -> Fleet:
    """Return a fleet, of four weeks unless told otherwise."""
    return synthetic_fleet(count, start=START, hours=hours, seed=seed)


def injected_fleets(data: Path, *, part: Part, copies: int = 3) -> list[tuple[str, Fleet]]:
    """Return known archetypes laid over the part's recorded series, per source and seed."""
    sources = [
        ("vms_hourly_2013", recorded_vms(data, part=part)),
        ("azure", recorded_azure(data, part=part)),
    ]
    return [
        (name, injected_fleet(panel, seed=seed, copies=copies))
        for name, panel in sources
        for seed in part.seeds
    ]
