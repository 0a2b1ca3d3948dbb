"""Seeded workloads whose throttling, kills, misses and waits under other settings can be computed.

Two weeks are observed, as a monitoring system would see them: through the settings that were in
force. The truth of a setting is what happens under it in the week after, from the same demand, which
no estimator sees. Constants of the estimators are chosen on DEVELOPMENT_SEEDS; figures are reported
on REPORTED_SEEDS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from tasks.domain.arrays import FloatArray
from tasks.domain.tuning.observed import CpuObserved, MemoryObserved, WorkloadObserved
from tasks.domain.tuning.suggestions import Kind

DEVELOPMENT_SEEDS = (0, 1, 2)
REPORTED_SEEDS = (10, 11, 12)

STEP = timedelta(minutes=5)
PER_DAY = timedelta(days=1) // STEP
OBSERVED_DAYS = 14
FUTURE_DAYS = 7
PARTS = 12
"""Enforcement periods simulated in each step; a real step has 3,000, with the same law."""
PATIENCE = 3
"""Periods' worth of work that waits at most; what comes on top is turned away."""
FUTURES = 60
"""Weeks simulated for a probability."""
GIB = 2.0**30

Truth = Callable[[float | None], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What was observed, and the share that each kind's measure reaches under a setting."""

    observed: WorkloadObserved
    truth: Mapping[Kind, Truth]


def cpu_case(name: str, *, rng: np.random.Generator) -> Case:
    """Return a container with processor demand of a random shape, and often too low a limit."""
    steps = (OBSERVED_DAYS + FUTURE_DAYS) * PER_DAY
    level = _level(steps, rng=rng)
    variation = rng.choice([0.15, 0.4, 0.8])
    shape = 1.0 / variation**2
    work = rng.gamma(shape, 1.0 / shape, (steps, PARTS)) * level[:, None]
    seen, later = work[: OBSERVED_DAYS * PER_DAY], work[OBSERVED_DAYS * PER_DAY :]
    p95 = float(np.quantile(seen.mean(axis=1), 0.95))
    request = float(p95 * rng.choice([0.5, 0.8, 1.2, 2.5, 5.0]))
    limit = None if rng.random() < 0.25 else float(p95 * rng.choice([0.7, 1.0, 1.3, 2.0, 4.0]))
    used, throttled = served(seen, limit_cores=limit)
    observed = CpuObserved(
        step=STEP,
        used_cores=used,
        throttled=throttled,
        request_cores=request if limit is None else min(request, limit),
        limit_cores=limit,
    )

    def above(cores: float | None) -> float:
        # Under the old limit: each suggestion is judged alone.
        return float((served(later, limit_cores=limit)[0] > (cores or 0.0)).mean())

    def cut_short(cores: float | None) -> float:
        return float(served(later, limit_cores=cores)[1].mean())

    return Case(
        observed=WorkloadObserved(workload=name, cpu=observed),
        truth={Kind.CPU_REQUEST: above, Kind.CPU_LIMIT: cut_short},
    )


def served(work: FloatArray, *, limit_cores: float | None) -> tuple[FloatArray, FloatArray]:
    """Return use and throttled share of each step under a limit.

    Args:
        work: (steps, parts) cores wanted in each enforcement period.
        limit_cores: Served in a period at most; the rest waits for the next. None for all.

    Returns:
        (steps,) mean cores used, and (steps,) share of periods in which something had to wait.
    """
    if limit_cores is None:
        return work.mean(axis=1), np.zeros(len(work))
    waiting, done, cut = 0.0, np.empty(work.size), np.empty(work.size)
    most = PATIENCE * limit_cores
    for at, wanted in enumerate(work.ravel().tolist()):
        wanted += waiting  # noqa: PLW2901 - what waits is wanted too
        cut[at] = wanted > limit_cores
        done[at] = min(wanted, limit_cores)
        waiting = min(wanted - done[at], most)
    return done.reshape(work.shape).mean(axis=1), cut.reshape(work.shape).mean(axis=1)


def memory_case(name: str, *, rng: np.random.Generator) -> Case:
    """Return a container whose memory has daily peaks, jobs or a leak, and often too low a limit."""
    law = MemoryLaw(
        base=float(rng.uniform(0.2, 4.0)) * GIB,
        daily=float(rng.uniform(0.0, 0.5)),
        day_spread=float(rng.choice([0.03, 0.1])),
        job_rate=float(rng.choice([0.0, 0.3, 2.0])) / PER_DAY,
        job_size=float(rng.choice([0.1, 0.4])),
        leak_per_step=float(rng.choice([0.0, 0.0, 0.0, 0.15])) / PER_DAY,
    )
    demand = law.demand(1, days=OBSERVED_DAYS, rng=rng)
    high = float(np.quantile(demand, 0.995))
    limit = float(high * rng.choice([0.9, 1.05, 1.5, 3.0, 6.0]))
    peaks, kills, leaked = law.run(demand, limit_bytes=limit, leaked=np.zeros(1))
    observed = MemoryObserved(
        step=STEP,
        peak_bytes=peaks[0],
        oom_kills=kills[0],
        request_bytes=limit,
        limit_bytes=limit,
    )
    futures = law.demand(FUTURES, days=FUTURE_DAYS, rng=rng)

    def killed(bound: float | None) -> float:
        if bound is None:
            return 0.0
        start = np.full(FUTURES, leaked[0])
        return float(law.run(futures, limit_bytes=bound, leaked=start)[1].any(axis=1).mean())

    return Case(
        observed=WorkloadObserved(workload=name, memory=observed),
        truth={Kind.MEMORY_LIMIT: killed},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryLaw:
    """How the memory of a workload behaves.

    Attributes:
        base: Bytes at rest.
        daily: Height of the daily wave, of the base.
        day_spread: Standard deviation of the logarithm of a day's height.
        job_rate: Jobs begun a step, each an hour long.
        job_size: Median size of a job, of the base; log-normal.
        leak_per_step: Growth a step, of the base, until the next restart.
    """

    base: float
    daily: float
    day_spread: float
    job_rate: float
    job_size: float
    leak_per_step: float

    def demand(self, futures: int, *, days: int, rng: np.random.Generator) -> FloatArray:
        """Return (futures, steps) bytes wanted, without what has leaked."""
        steps = days * PER_DAY
        wave = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(steps) / PER_DAY)
        day = np.exp(rng.normal(0.0, self.day_spread, (futures, days))).repeat(PER_DAY, axis=1)
        jobs = (rng.random((futures, steps)) < self.job_rate) * self.job_size
        jobs *= np.exp(rng.normal(0.0, 0.5, (futures, steps)))
        hour = timedelta(hours=1) // STEP
        total = np.cumsum(jobs, axis=1)
        running = total - np.pad(total, ((0, 0), (hour, 0)))[:, :steps]
        found: FloatArray = self.base * (day * (1.0 + self.daily * wave) + running)
        return found * np.exp(rng.normal(0.0, 0.01, found.shape))

    def run(
        self, demand: FloatArray, *, limit_bytes: float, leaked: FloatArray
    ) -> tuple[FloatArray, np.ndarray[tuple[int, ...], np.dtype[np.int64]], FloatArray]:
        """Return peaks seen and kills, (futures, steps), and bytes leaked at the end, (futures,)."""
        lost = leaked.copy()
        peaks, kills = np.empty(demand.shape), np.zeros(demand.shape, dtype=np.int64)
        for at in range(demand.shape[1]):
            wanted = demand[:, at] + lost
            killed = wanted > limit_bytes
            peaks[:, at] = np.minimum(wanted, limit_bytes)
            kills[:, at] = killed
            lost = np.where(killed, 0.0, lost + self.leak_per_step * self.base)
        return peaks, kills, lost


def _level(steps: int, *, rng: np.random.Generator) -> FloatArray:
    """Return (steps,) mean cores wanted: a wave, days that differ, bursts and sometimes a drift."""
    days = steps // PER_DAY
    wave = 1.0 + rng.uniform(0.0, 0.8) * np.sin(2.0 * np.pi * np.arange(steps) / PER_DAY)
    day = rng.normal(0.0, rng.choice([0.03, 0.15]), days)
    if rng.random() < 0.3:
        day = np.cumsum(rng.normal(0.0, 0.04, days))
    week = np.where(np.arange(days) % 7 >= 5, rng.choice([1.0, 0.4]), 1.0)
    bursts = np.ones(steps)
    for at in np.flatnonzero(rng.random(steps) < rng.choice([0.0, 1.0, 4.0]) / PER_DAY):
        bursts[at : at + rng.integers(1, 13)] = 1.0 + rng.pareto(2.0)
    found: FloatArray = rng.uniform(0.05, 4.0) * wave * (np.exp(day) * week).repeat(PER_DAY)
    return found * np.minimum(bursts, 10.0)
