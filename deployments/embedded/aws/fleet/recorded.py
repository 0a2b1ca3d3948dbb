"""A fleet from a file of recorded use: one row a resource and instant."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from deployments.embedded.aws.fleet.description import Fleet, FleetInstance, InstanceUsage
from deployments.embedded.aws.fleet.generated import ZONES, architecture_of
from deployments.embedded.aws.metric_writes import instance_id
from deployments.embedded.aws.price_list import on_demand_types
from deployments.embedded.aws.replay import shift_to_end
from deployments.embedded.aws.tables import instants, read_table, refuse_first
from tasks.domain.usage.panel import Float32Array

REQUIRED = ("timestamp", "resource_id", "cpu_percent")
NUMBERS = (
    "cpu_max_percent",
    "cores",
    "cpu_capacity_mhz",
    "memory_capacity_kb",
    "memory_used_kb",
    "disk_read_kb_per_s",
    "disk_write_kb_per_s",
    "network_in_kb_per_s",
    "network_out_kb_per_s",
)
FAMILIES = ("t3", "m5", "c5", "r5", "m5n", "x1e")
"""Where a type is looked for that holds a resource's cores and memory: the cheapest one."""
AGENT_SHARE = 0.6
_DEFAULT_TYPE = "m5.large"
_KIB = 1024.0
_HOUR = timedelta(hours=1)


def recorded_fleet(path: Path, *, end: datetime | None) -> Fleet:
    """Return the recorded resources as instances.

    Instances are launched an hour before the recording begins. Three in five have the agent that
    reports memory, chosen by a hash of their name; only where the file has memory.

    Args:
        path: Parquet or CSV with timestamp, resource_id and cpu_percent, and any of NUMBERS.
        end: Its last row is moved to the hour to this instant; None leaves the recorded times.

    Raises:
        InvalidFileError: A column is missing or unknown, or a row is not valid; names it.
    """
    frame = _read(path)
    frame = frame if end is None else shift_to_end(frame, end=end)
    hour = frame["timestamp"].dt.floor("h")
    start = hour.min().to_pydatetime().astimezone(UTC)
    hours = int((hour.max() - hour.min()) / _HOUR) + 1
    resources = sorted(frame["resource_id"].unique())
    cells = _Cells(frame, resources=resources, start=pd.Timestamp(start), hours=hours)
    instances = tuple(
        _instance(name, row, cells, launched_at=start - _HOUR) for row, name in enumerate(resources)
    )
    source = f"recorded, {path.name}, {len(instances)} instances"
    return Fleet(source=source, start=start, hours=hours, instances=instances)


def _read(path: Path) -> pd.DataFrame:
    frame = read_table(path, columns=REQUIRED, optional=NUMBERS)
    refuse_first(frame["resource_id"].isna(), frame["resource_id"], path, "resource_id is missing")
    found = {
        "timestamp": instants(frame["timestamp"], path),
        "resource_id": frame["resource_id"].astype(str),
    }
    for name in frame.columns.drop(["timestamp", "resource_id"]):
        found[name] = _numbers(frame[name], path, required=name in REQUIRED)
    return pd.DataFrame(found)


def _numbers(column: pd.Series, path: Path, *, required: bool) -> pd.Series:
    numbers = pd.to_numeric(column, errors="coerce").astype(np.float32)
    empty = column.isna() | column.astype(str).eq("")
    bad = ~(np.isfinite(numbers) & (numbers >= 0)) & ~(empty & (not required))
    refuse_first(bad, column, path, f"{column.name} {{!r}} is not a number of at least 0")
    return numbers


class _Cells:
    """Columns of a recording on a grid of resources and hours."""

    def __init__(
        self, frame: pd.DataFrame, *, resources: list[str], start: pd.Timestamp, hours: int
    ) -> None:
        self.columns = set(frame.columns)
        self._shape = (len(resources), hours)
        rows = pd.Index(resources).get_indexer(pd.Index(frame["resource_id"]))
        hour = ((frame["timestamp"] - start) // _HOUR).to_numpy(np.int64)
        self._flat = rows * hours + hour
        self._frame = frame
        self._made: dict[tuple[str, str], Float32Array] = {}

    def of(self, name: str, row: int, *, how: str = "mean") -> Float32Array | None:
        """Return (hours,) of a resource; None where the file lacks the column."""
        if name not in self.columns:
            return None
        if (name, how) not in self._made:
            self._made[name, how] = self._grid(name, how)
        found: Float32Array = self._made[name, how][row]
        return found

    def _grid(self, name: str, how: str) -> Float32Array:
        cells = self._frame[name].groupby(self._flat).agg(how)
        flat = np.full(self._shape[0] * self._shape[1], np.nan, dtype=np.float32)
        flat[cells.index.to_numpy()] = cells.to_numpy(np.float32)
        return flat.reshape(self._shape)


def _instance(name: str, row: int, cells: _Cells, *, launched_at: datetime) -> FleetInstance:
    mean = cells.of("cpu_percent", row)
    if mean is None:
        raise AssertionError  # required by `_read`
    high = cells.of("cpu_max_percent", row, how="max")
    high = cells.of("cpu_percent", row, how="max") if high is None else high
    kind = _type_for(cells, row)
    memory = _memory_percent(cells, row) if _has_agent(name) else None
    rates = {
        target: _bytes(cells.of(f"{source}_kb_per_s", row))
        for target, source in (
            ("network_in", "network_in"),
            ("network_out", "network_out"),
            ("disk_read", "disk_read"),
            ("disk_write", "disk_write"),
        )
    }
    percent = np.minimum(mean, 100.0)
    return FleetInstance(
        name=f"recorded-{name}",
        instance_type=kind,
        availability_zone=ZONES[row % len(ZONES)],
        launched_at=launched_at,
        usage=InstanceUsage(
            cpu_mean=percent,
            cpu_max=percent if high is None else np.minimum(high, 100.0),
            memory_mean=memory,
            memory_max=memory,
            **rates,
        ),
        architecture=architecture_of(kind),
        tags={"recorded": instance_id(name)},
    )


def _has_agent(name: str) -> bool:
    digest = hashlib.sha256(name.encode()).digest()
    return digest[0] / 256.0 < AGENT_SHARE


def _memory_percent(cells: _Cells, row: int) -> Float32Array | None:
    used, capacity = cells.of("memory_used_kb", row), cells.of("memory_capacity_kb", row)
    if used is None or capacity is None:
        return None
    known = np.where(capacity > 0, capacity, np.nan)
    return np.minimum(100.0 * used / known, 100.0).astype(np.float32)


def _bytes(kilobytes: Float32Array | None) -> Float32Array | None:
    return None if kilobytes is None else kilobytes * np.float32(_KIB)


def _type_for(cells: _Cells, row: int) -> str:
    cores, memory = (_largest(cells.of(name, row)) for name in ("cores", "memory_capacity_kb"))
    if cores is None:
        return _DEFAULT_TYPE
    gib = 0.0 if memory is None else memory / _KIB**2
    fitting = {
        name: kind.usd_per_hour
        for name, kind in on_demand_types().items()
        if name.partition(".")[0] in FAMILIES
        and kind.vcpu >= cores
        # A machine of 8 GB was sold as one of 8 GiB.
        and kind.memory_gib >= 0.95 * gib
    }
    return min(fitting, key=lambda name: (fitting[name], name), default=_DEFAULT_TYPE)


def _largest(values: Float32Array | None) -> float | None:
    if values is None or bool(np.isnan(values).all()):
        return None
    return float(np.nanmax(values))
