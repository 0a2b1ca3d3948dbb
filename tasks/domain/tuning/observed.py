"""What was measured of a workload, and what a suggestion may change at most."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from tasks.domain.arrays import FloatArray, IntArray
from tasks.domain.errors import PermanentError

DAY = timedelta(days=1)
LEAST_DAYS = 2.0
"""No policy may accept fewer days of observation."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CpuObserved:
    """Processor use of one container, step by step.

    Attributes:
        step: Time between values; divides a day.
        used_cores: (steps,) mean of each step; NaN where unknown.
        throttled: (steps,) share of enforcement periods that the limit cut short, 0 to 1; NaN where
            unknown.
        request_cores: What the scheduler keeps free; None without a request.
        limit_cores: None without a limit.
    """

    step: timedelta
    used_cores: FloatArray
    throttled: FloatArray
    request_cores: float | None
    limit_cores: float | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MemoryObserved:
    """Memory of one container, step by step.

    Attributes:
        step: Time between values; divides a day.
        peak_bytes: (steps,) highest working set of each step; NaN where unknown.
        oom_kills: (steps,) kills for want of memory.
        request_bytes: None without a request.
        limit_bytes: None without a limit.
    """

    step: timedelta
    peak_bytes: FloatArray
    oom_kills: IntArray
    request_bytes: float | None
    limit_bytes: float | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CacheObserved:
    """A cache that evicts what was not used for longest, step by step.

    Attributes:
        step: Time between values.
        size_entries: (steps,) capacity that was set.
        lookups: (steps,).
        hits: (steps,) at most the lookups.
        evictions: (steps,).
        references: (n,) keys in the order they were looked up; None where no trace was recorded.
    """

    step: timedelta
    size_entries: IntArray
    lookups: IntArray
    hits: IntArray
    evictions: IntArray
    references: IntArray | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NetworkObserved:
    """Connections of a workload to one dependency, step by step.

    Attributes:
        step: Time between values.
        requests_per_second: (steps,).
        hold_seconds: (steps,) mean time a request keeps its connection; NaN without requests.
        waited: (steps,) share of requests that waited for a connection, 0 to 1.
        new_per_request: (steps,) connections opened for each request, 0 to 1.
        retransmitted: (steps,) share of segments sent again, 0 to 1.
        pool_size: Most connections at once; None without a pool.
        keep_alive_seconds: Idle connections are closed after; None where it is unknown.
        pauses_seconds: (n,) sample of pauses between two requests of one client; None where they
            were not recorded.
    """

    step: timedelta
    requests_per_second: FloatArray
    hold_seconds: FloatArray
    waited: FloatArray
    new_per_request: FloatArray
    retransmitted: FloatArray
    pool_size: int | None
    keep_alive_seconds: float | None
    pauses_seconds: FloatArray | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadObserved:
    """Everything measured of one workload; None for what is not."""

    workload: str
    cpu: CpuObserved | None = None
    memory: MemoryObserved | None = None
    cache: CacheObserved | None = None
    network: NetworkObserved | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningBounds:
    """What is tolerated, and the largest steps.

    Attributes:
        largest_step_up: New over old setting, at most; at least 1.
        largest_step_down: New over old setting, at least; above 0, at most 1.
        least_change: Smaller relative changes are not worth a rollout, 0 to 1.
        least_days: Of observation, at least LEAST_DAYS.
        above_request: Tolerated share of steps with more processor use than requested.
        throttled: Tolerated share of enforcement periods cut short.
        oom_probability: Tolerated probability of a kill for want of memory within a week.
        memory_margin: A memory limit stays above the observed peak times this; at least 1.
        waited: Tolerated share of requests that wait for a connection.
        may_remove_cpu_limit: Whether "no limit" may be suggested.
    """

    largest_step_up: float = 2.0
    largest_step_down: float = 0.5
    least_change: float = 0.1
    least_days: float = 7.0
    above_request: float = 0.05
    throttled: float = 0.01
    oom_probability: float = 0.05
    memory_margin: float = 1.15
    waited: float = 0.01
    may_remove_cpu_limit: bool = True

    def __post_init__(self) -> None:
        if not 0.0 < self.largest_step_down <= 1.0 <= self.largest_step_up:
            msg = (
                f"steps of {self.largest_step_down} down and {self.largest_step_up} up; the first "
                "must be above 0 and at most 1, the second at least 1"
            )
            raise PermanentError(msg)
        if self.least_days < LEAST_DAYS:
            msg = f"{self.least_days:g} days say nothing of a week; ask for at least {LEAST_DAYS:g}"
            raise PermanentError(msg)
        if self.memory_margin < 1.0:
            msg = f"a memory margin of {self.memory_margin} is below the peak; give at least 1"
            raise PermanentError(msg)
