"""Settings chosen on two recorded weeks and judged on the two weeks after.

`vms_5min_2013-08`: processor and memory of virtual machines at five minutes, August 2013. Machines
have no limit of a container, so what they could use is their demand: the present setting is their
size, and a smaller one is judged by what the recording says they used later. Constants are chosen
on machines with an even id, figures are reported on odd ones.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.tuning_cases import STEP, Case
from tasks.domain.arrays import FloatArray
from tasks.domain.tuning.observed import CpuObserved, MemoryObserved, WorkloadObserved
from tasks.domain.tuning.suggestions import Kind

RECORDING = Path("load") / "vms_5min_2013-08.parquet"
START = datetime(2013, 8, 1, tzinfo=UTC)
CHOSEN_ON = timedelta(days=14)
JUDGED_ON = timedelta(days=14)
LEAST_KNOWN = 0.9
"""Of the steps of either half; a machine that was off for a week says nothing."""


def replayed(data: Path, *, remainder: int) -> list[Case]:
    """Return the machines whose id divided by two leaves the remainder, with their later weeks."""
    frame = pd.read_parquet(data / RECORDING)
    frame = frame[frame["resource_id"] % 2 == remainder]
    frame = frame.assign(step=((frame["timestamp"] - START) // STEP).astype(int))
    steps = (CHOSEN_ON + JUDGED_ON) // STEP
    frame = frame[frame["step"].between(0, steps - 1)]
    cases = []
    for machine, rows in frame.groupby("resource_id"):
        size, capacity = (
            float(rows["cores"].max()),
            float(rows["memory_capacity_kb"].max()) * 1024.0,
        )
        series = rows.groupby("step")[["cpu_percent", "memory_used_kb"]].max().reindex(range(steps))
        cpu = (series["cpu_percent"].clip(0.0, 100.0) / 100.0 * size).to_numpy(dtype=np.float64)
        memory = (series["memory_used_kb"] * 1024.0).to_numpy(dtype=np.float64)
        if size > 0.0 and capacity > 0.0 and _known(cpu) and np.nanmax(memory) > 0.0:
            cases.append(_case(f"vm-{machine}", cpu, memory, size=size, capacity=capacity))
    return cases


def _known(values: FloatArray) -> bool:
    first = CHOSEN_ON // STEP
    return all(np.isfinite(half).mean() >= LEAST_KNOWN for half in (values[:first], values[first:]))


def _case(name: str, cpu: FloatArray, memory: FloatArray, *, size: float, capacity: float) -> Case:
    first = CHOSEN_ON // STEP
    later_cpu, later_memory = cpu[first:], memory[first:]
    week = timedelta(days=7) // STEP
    peaks = np.array([np.nanmax(later_memory[:week]), np.nanmax(later_memory[week:])])
    observed = WorkloadObserved(
        workload=name,
        cpu=CpuObserved(
            step=STEP,
            used_cores=cpu[:first],
            throttled=np.zeros(first),
            request_cores=size,
            limit_cores=None,
        ),
        memory=MemoryObserved(
            step=STEP,
            peak_bytes=memory[:first],
            oom_kills=np.zeros(first, dtype=np.int64),
            request_bytes=capacity,
            limit_bytes=capacity,
        ),
    )
    known = later_cpu[np.isfinite(later_cpu)]
    return Case(
        observed=observed,
        truth={
            Kind.CPU_REQUEST: lambda cores: float((known > (cores or 0.0)).mean()),
            Kind.CPU_LIMIT: lambda cores: 0.0 if cores is None else float((known > cores).mean()),
            Kind.MEMORY_LIMIT: lambda bound: (
                0.0 if bound is None else float((peaks > bound).mean())
            ),
        },
    )
