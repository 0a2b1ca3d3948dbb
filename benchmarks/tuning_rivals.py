"""What peers set: the Vertical Pod Autoscaler's rule, and twice the mean.

The Vertical Pod Autoscaler requests the 90th percentile of processor use, and of the daily memory
peaks, each with 15 % on top; limits keep their ratio to requests. The rule of thumb sets every
limit to twice the mean and the request to the mean.
"""

from __future__ import annotations

import numpy as np

from tasks.domain.tuning.observed import DAY, CpuObserved, MemoryObserved, WorkloadObserved
from tasks.domain.tuning.suggestions import Change, Kind

MARGIN = 1.15


def vpa_like(observed: WorkloadObserved) -> list[Change]:
    """Return the changes of the Vertical Pod Autoscaler's rule."""
    changes = []
    if observed.cpu is not None:
        request = MARGIN * float(np.nanquantile(observed.cpu.used_cores, 0.9))
        changes += _cpu(observed.cpu, request, _scaled(observed.cpu, request))
    if observed.memory is not None:
        per_day = DAY // observed.memory.step
        days = observed.memory.peak_bytes[: len(observed.memory.peak_bytes) // per_day * per_day]
        peaks = np.nanmax(days.reshape(-1, per_day), axis=1)
        changes += _memory(observed.memory, MARGIN * float(np.quantile(peaks, 0.9)))
    return changes


def twice_the_mean(observed: WorkloadObserved) -> list[Change]:
    """Return the changes of "limit = 2 x mean"."""
    changes = []
    if observed.cpu is not None:
        mean = float(np.nanmean(observed.cpu.used_cores))
        changes += _cpu(observed.cpu, mean, 2.0 * mean)
    if observed.memory is not None:
        changes += _memory(observed.memory, 2.0 * float(np.nanmean(observed.memory.peak_bytes)))
    return changes


def _scaled(cpu: CpuObserved, request: float) -> float | None:
    if cpu.limit_cores is None or not cpu.request_cores:
        return cpu.limit_cores
    return cpu.limit_cores * request / cpu.request_cores


def _cpu(cpu: CpuObserved, request: float, limit: float | None) -> list[Change]:
    return [
        Change(kind=Kind.CPU_REQUEST, before=cpu.request_cores, after=request),
        Change(kind=Kind.CPU_LIMIT, before=cpu.limit_cores, after=limit),
    ]


def _memory(memory: MemoryObserved, limit: float) -> list[Change]:
    return [Change(kind=Kind.MEMORY_LIMIT, before=memory.limit_bytes, after=limit)]
