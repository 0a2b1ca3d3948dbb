"""Bills whose shape was recorded: daily usage of real systems, priced per unit, effects injected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from tasks.domain.arrays import FloatArray
from tasks.domain.savings.spend.simulator import (
    Service,
    SimulatedSpend,
    SpendProcess,
    simulate_spend,
)

FIXED_SHARE = 0.5
"""Of a usage-driven service's level that does not follow usage: the floor of a fleet."""
FLEETS = 6


def recorded_bills(folder: Path | None, seeds: Sequence[int]) -> Iterator[SimulatedSpend]:
    """Return a bill of each recording for each seed; nothing without a folder."""
    load = folder / "load" if folder else None
    if load is None or not load.is_dir():
        return
    for first_day, usage in (_requests(load), _fleets(load)):
        days = min(len(row) for row in usage.values())
        services = tuple(
            Service(group=group, usd_per_day=300.0, lump_usd=200.0 * (place % 2))
            for place, group in enumerate(usage)
        )
        process = SpendProcess(services=services, quiet_days=28, anomalies_per_month=0.3)
        for seed in seeds:
            yield simulate_spend(
                first_day=first_day, days=days, seed=seed, process=process, usage=usage
            )


def _requests(load: Path) -> tuple[date, dict[str, FloatArray]]:
    frame = pd.read_parquet(load / "requests_worldcup98_per_minute.parquet")
    # Shorter gaps than a day are left out of a day's mean; the first and the last day are partial.
    stamps = pd.to_datetime(frame["period"])
    daily = frame["count"].groupby(stamps.dt.floor("D")).mean().asfreq("D").iloc[1:-1]
    shape = _spend(daily.interpolate().to_numpy(dtype=np.float64))
    return daily.index[0].date(), {"CloudFront": shape, "API Gateway": shape**0.5}


def _fleets(load: Path) -> tuple[date, dict[str, FloatArray]]:
    frame = pd.read_parquet(
        load / "vms_hourly_2013.parquet",
        columns=["resource_id", "timestamp", "cores", "cpu_percent"],
    )
    busy = frame["cores"].astype(float) * frame["cpu_percent"].astype(float)
    fleet = frame["resource_id"] % FLEETS
    table = busy.groupby([frame["timestamp"].dt.floor("D"), fleet]).sum().unstack().iloc[1:-1]
    # Four weeks earlier than recorded: weekdays stay, and a whole month has four weeks before it.
    return table.index[0].date() - timedelta(weeks=4), {
        f"fleet-{name}": _spend(table[name].interpolate().to_numpy(dtype=np.float64))
        for name in table.columns
    }


def _spend(usage: FloatArray) -> FloatArray:
    """Return spend with a fixed part, mean 1."""
    return np.asarray(FIXED_SHARE + (1.0 - FIXED_SHARE) * usage / usage.mean(), dtype=np.float64)
