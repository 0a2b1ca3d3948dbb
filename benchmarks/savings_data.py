"""Recorded use that right-sizing is replayed on: one stretch to decide on, the next to judge by."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import compress
from pathlib import Path

import numpy as np
import pandas as pd

from tasks.domain.arrays import BoolArray, FloatArray
from tasks.domain.usage.fleet import synthetic_fleet
from tasks.domain.usage.panel import Metric

BITBRAINS = "load/vms_hourly_2013.parquet"
AZURE = "load/azure_vms_5min_cpu_avg.parquet"
MONTH_CHANGE = datetime(2013, 7, 31, 22, tzinfo=UTC)
"""Where the July recording ends and the August one begins: midnight in Amsterdam."""
MIN_HOURS = 14 * 24
"""Observed hours to decide by; what has fewer is left out, for every policy alike."""
AZURE_HOURS_TO_DECIDE = 14 * 24
KB_PER_GIB = 2**20
VCPU_SIZES = tuple(float(2**power) for power in range(8))
MEMORY_SIZES_GIB = tuple(float(2**power) for power in range(-1, 11))


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """Hourly demand of many machines, and the hour at which a size is decided.

    Attributes:
        name: Short, becomes part of keys.
        demand: (n, hours) mean demand per hour in `unit`, never above `provisioned`; NaN where it
            was not recorded. Nothing is filled.
        start: First hour, aware UTC; None where the recording has no clock.
        cut: Hours before it may be looked at to decide; those from it on only judge.
        provisioned: (n,) size at the cut, the same all through the judged hours.
        sizes: What can be bought, ascending.
        unit: Of demand, "cores" or "GiB".
        machines: (n,) names.
    """

    name: str
    demand: FloatArray
    start: datetime | None
    cut: int
    provisioned: FloatArray
    sizes: tuple[float, ...]
    unit: str
    machines: tuple[str, ...]

    @property
    def history(self) -> FloatArray:
        """What may be looked at, (n, cut)."""
        return self.demand[:, : self.cut]

    @property
    def judged(self) -> FloatArray:
        """What happened afterwards, (n, hours - cut)."""
        return self.demand[:, self.cut :]

    def inside(self, *, begin: int, cut: int, end: int, name: str) -> Replay:
        """Return a replay within a stretch of this one; machines with too little in it are left out.

        Meant for development: a stretch that ends at this replay's cut shows nothing of its future.
        """
        part = replace(self, name=name, demand=self.demand[:, begin:end], cut=cut - begin)
        if self.start is not None:
            part = replace(part, start=self.start + timedelta(hours=begin))
        return part.of(enough(part.demand, part.cut, min_hours=min(MIN_HOURS, part.cut * 3 // 4)))

    def of(self, rows: BoolArray) -> Replay:
        """Return the replay of some machines."""
        return replace(
            self,
            demand=self.demand[rows],
            provisioned=self.provisioned[rows],
            machines=tuple(compress(self.machines, rows.tolist())),
        )


def enough(demand: FloatArray, cut: int, *, min_hours: int = MIN_HOURS) -> BoolArray:
    """Return the machines with enough hours before the cut and any after it, (n,)."""
    known = ~np.isnan(demand)
    found: BoolArray = (known[:, :cut].sum(axis=1) >= min_hours) & known[:, cut:].any(axis=1)
    return found


def bitbrains_cpu(folder: Path) -> Replay:
    """Return cores used: per cent of the cores that a machine had in that very hour."""
    frame = pd.read_parquet(folder / BITBRAINS)
    frame["demand"] = frame["cpu_percent"].clip(upper=100.0) / 100.0 * frame["cores"]
    return _months(frame, "cores", name="cpu", sizes=VCPU_SIZES, unit="cores")


def bitbrains_memory(folder: Path) -> Replay:
    """Return GiB of memory that was actively used, as the hypervisor saw it."""
    frame = pd.read_parquet(folder / BITBRAINS)
    frame["size"] = frame["memory_capacity_kb"] / KB_PER_GIB
    frame["demand"] = np.minimum(frame["memory_used_kb"] / KB_PER_GIB, frame["size"])
    return _months(frame, "size", name="memory", sizes=MEMORY_SIZES_GIB, unit="GiB")


def _months(
    frame: pd.DataFrame, size: str, *, name: str, sizes: tuple[float, ...], unit: str
) -> Replay:
    """Return the replay of the machines whose size in August is what it was at the end of July.

    A machine that was given another size in August is left out: the operator's act was no demand,
    and no policy could know of it. A change within July is kept, as demand is in units and not in
    per cent of a size.
    """
    hours = pd.date_range(frame["timestamp"].min(), frame["timestamp"].max(), freq="h")
    demand = _grid(frame, "demand", hours)
    provisioned = _grid(frame, size, hours)
    first = hours[0].to_pydatetime()
    cut = int((MONTH_CHANGE - first) / timedelta(hours=1))
    at_cut = pd.DataFrame(provisioned[:, :cut]).ffill(axis=1).to_numpy()[:, -1]
    after = provisioned[:, cut:]
    kept = (np.isnan(after) | np.isclose(after, at_cut[:, None])).all(axis=1) & (at_cut > 0.0)
    # A machine that was larger earlier may have used more than it has now.
    capped = np.minimum(demand, at_cut[:, None])
    whole = Replay(
        name=name,
        demand=capped,
        start=first,
        cut=cut,
        provisioned=at_cut,
        sizes=sizes,
        unit=unit,
        machines=tuple(str(one) for one in sorted(frame["resource_id"].unique())),
    )
    return whole.of(kept & enough(demand, cut))


def _grid(frame: pd.DataFrame, column: str, hours: pd.DatetimeIndex) -> FloatArray:
    wide = frame.pivot(index="timestamp", columns="resource_id", values=column)
    found: FloatArray = wide.reindex(hours).sort_index(axis=1).to_numpy(dtype=float).T
    return found


def azure_cpu(folder: Path) -> Replay:
    """Return hourly means in per cent of a machine; one core each, as sizes are not published.

    The recording has no clock, and its column names tell a period found by someone who had seen
    all of it: neither is used. A machine that was sampled twice counts once.
    """
    wide = pd.read_parquet(folder / AZURE)
    ids = [re.sub(r"_p\d+$", "", column) for column in wide.columns]
    first = [ids.index(one) == at for at, one in enumerate(ids)]
    values = wide.loc[:, first].to_numpy(dtype=float)
    hours = len(values) // 12
    hourly = values[: hours * 12].reshape(hours, 12, -1).mean(axis=1).T / 100.0
    found = Replay(
        name="azure",
        demand=np.clip(hourly, 0.0, 1.0),
        start=None,
        cut=AZURE_HOURS_TO_DECIDE,
        provisioned=np.ones(len(hourly)),
        sizes=tuple(0.5**power for power in range(7, -1, -1)),
        unit="cores",
        machines=tuple(compress(ids, first)),
    )
    return found.of(enough(found.demand, found.cut))


def synthetic_cpu(*, seed: int, machines: int = 120) -> Replay:
    """Return cores used by the seeded fleet of `tasks.domain.usage.fleet`, one month and the next."""
    start = datetime(2026, 7, 1, tzinfo=UTC)
    fleet = synthetic_fleet(machines, start=start, hours=61 * 24, seed=seed)
    size = np.random.default_rng(seed).choice([1.0, 2.0, 4.0, 8.0, 16.0], size=machines)
    share = fleet.panel.of(Metric.CPU_MEAN).astype(float) / 100.0
    found = Replay(
        name="synthetic",
        demand=np.minimum(share, 1.0) * size[:, None],
        start=start,
        cut=31 * 24,
        provisioned=size,
        sizes=VCPU_SIZES,
        unit="cores",
        machines=fleet.panel.resources,
    )
    return found.of(enough(found.demand, found.cut))
