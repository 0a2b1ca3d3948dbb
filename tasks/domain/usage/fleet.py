"""A seeded fleet whose archetypes are known, for when the truth has to be at hand.

Each resource draws an archetype of the mix, parameters of its pattern (see patterns.py), a time
zone, and what spoils real measurements:

1. Noise: a multiplicative autoregression (memory 0 to 0.8 an hour, 4 to 15 % standard deviation),
   and 0.1 to 0.6 points that are white.
2. Drift: up to 2 % of the level by the week, either way; growth starts at 8 %.
3. Outliers: one hour in 500 has up to 30 points more.
4. Missing hours: up to 2 % of them, and one resource in ten has a gap of 12 to 48 hours.
5. Memory: unknown for two resources in five, which have no agent. A memory-bound resource always
   has one: without it nobody could know that it is memory-bound.

Not fitted to any recording. Resources are made in chunks with a generator of their own each, so
that memory stays flat.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from tasks.domain.arrays import BoolArray, IntArray
from tasks.domain.usage.archetypes import Archetype
from tasks.domain.usage.clock import HOURS_PER_WEEK, Clock
from tasks.domain.usage.panel import Float32Array, Metric, UsagePanel
from tasks.domain.usage.patterns import memory_level, pattern

DEFAULT_MIX: Mapping[Archetype, float] = {
    Archetype.IDLE: 0.14,
    Archetype.STEADY: 0.16,
    Archetype.DAILY: 0.15,
    Archetype.BUSINESS_HOURS: 0.16,
    Archetype.NIGHTLY_BATCH: 0.10,
    Archetype.BURSTY: 0.12,
    Archetype.MEMORY_BOUND: 0.08,
    Archetype.GROWING: 0.09,
}
"""Shares of the archetypes; they sum to 1."""

NO_AGENT_SHARE = 0.4
OFFSETS_HOURS = (-8, -5, 0, 1, 9)
RESOURCES_PER_CHUNK = 2048
METRICS = (
    Metric.CPU_MEAN,
    Metric.CPU_MAX,
    Metric.MEMORY_MEAN,
    Metric.MEMORY_MAX,
    Metric.NETWORK,
    Metric.DISK,
)


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """Hourly use with the truth beside it.

    Attributes:
        panel: What was measured.
        archetypes: True archetype by row.
        utc_offsets: (n,) hours to add to UTC for the local time of each resource.
    """

    panel: UsagePanel
    archetypes: tuple[Archetype, ...]
    utc_offsets: IntArray


def synthetic_fleet(
    count: int,
    *,
    start: datetime,
    hours: int,
    seed: int,
    mix: Mapping[Archetype, float] = DEFAULT_MIX,
) -> Fleet:
    """Return a fleet; the same for the same arguments.

    Args:
        count: Resources, at least 1.
        start: First hour, aware UTC, on the hour.
        hours: Of history.
        seed: Of everything that is drawn.
        mix: Shares by archetype, made to sum to 1; without UNUSUAL.
    """
    rng = np.random.default_rng([seed, 0])
    archetypes = drawn_archetypes(count, mix=mix, rng=rng)
    offsets = rng.choice(np.array(OFFSETS_HOURS, dtype=np.int64), size=count)
    values = {metric: np.empty((count, hours), dtype=np.float32) for metric in METRICS}
    for number, first in enumerate(range(0, count, RESOURCES_PER_CHUNK), start=1):
        rows = slice(first, min(first + RESOURCES_PER_CHUNK, count))
        clock = Clock.local(start, hours, offsets[rows])
        made = _chunk(archetypes[rows], clock, np.random.default_rng([seed, number]))
        for metric in METRICS:
            values[metric][rows] = made[metric]
    names = tuple(f"i-{row:08x}" for row in range(count))
    panel = UsagePanel(resources=names, start=start, values=values)
    return Fleet(panel=panel, archetypes=archetypes, utc_offsets=offsets)


def drawn_archetypes(
    count: int, *, mix: Mapping[Archetype, float], rng: np.random.Generator
) -> tuple[Archetype, ...]:
    """Return archetypes drawn by the shares of a mix."""
    names = list(mix)
    shares = np.array([mix[name] for name in names], dtype=np.float64)
    drawn = rng.choice(len(names), size=count, p=shares / shares.sum())
    return tuple(names[index] for index in drawn.tolist())


def patterns_of(
    archetypes: tuple[Archetype, ...], clock: Clock, rng: np.random.Generator
) -> tuple[Float32Array, Float32Array]:
    """Return processor percent (n, hours) and memory percent (n,), without any noise."""
    cpu = np.empty(clock.shape, dtype=np.float32)
    memory = np.empty(clock.shape[0], dtype=np.float32)
    for archetype in dict.fromkeys(archetypes):
        rows = np.flatnonzero([one is archetype for one in archetypes])
        part = Clock(since_monday=clock.since_monday[rows])
        cpu[rows] = pattern(archetype, part, rng)
        memory[rows] = memory_level(archetype, len(rows), rng)
    return cpu, memory


def without_agent(archetypes: tuple[Archetype, ...], rng: np.random.Generator) -> BoolArray:
    """Return (n,): True for resources whose memory nobody measures."""
    bound = np.array([one is Archetype.MEMORY_BOUND for one in archetypes])
    found: BoolArray = (rng.random(len(archetypes)) < NO_AGENT_SHARE) & ~bound
    return found


def _chunk(
    archetypes: tuple[Archetype, ...], clock: Clock, rng: np.random.Generator
) -> dict[Metric, Float32Array]:
    shape = clock.shape
    cpu, level = patterns_of(archetypes, clock, rng)
    cpu = _spoiled(cpu, rng)
    spread = rng.uniform(0.1, 0.5, (shape[0], 1)) * rng.random(shape, dtype=np.float32)
    highest = np.clip(cpu * (1.0 + spread) + 2.0 * rng.random(shape, dtype=np.float32), 0.0, 100.0)
    wave = rng.uniform(0.0, 0.1, (shape[0], 1)) * (cpu - cpu.mean(axis=1, keepdims=True))
    jitter = 0.8 * rng.standard_normal(shape, dtype=np.float32)
    memory = np.clip(level[:, None] + wave + jitter, 0.5, 99.5)
    memory_max = np.clip(memory + 3.0 * rng.random(shape, dtype=np.float32), 0.5, 100.0)
    idle = np.array([one is Archetype.IDLE for one in archetypes])
    network = _traffic(cpu, idle, rng, high=5.0)
    disk = _traffic(cpu, idle, rng, high=4.5)
    gone = _missing(shape, rng)
    unknown = gone | without_agent(archetypes, rng)[:, None]
    holes = (gone, gone, unknown, unknown, gone, gone)
    made = (cpu, highest, memory, memory_max, network, disk)
    return {
        metric: np.where(hole, np.float32(np.nan), value).astype(np.float32)
        for metric, value, hole in zip(METRICS, made, holes, strict=True)
    }


def _spoiled(cpu: Float32Array, rng: np.random.Generator) -> Float32Array:
    """Return processor percent with noise, drift and outliers, within 0 to 100."""
    count, hours = cpu.shape
    weeks = np.arange(hours, dtype=np.float32) / HOURS_PER_WEEK
    drift = 1.0 + rng.uniform(-0.02, 0.02, (count, 1)).astype(np.float32) * weeks
    sd = rng.uniform(0.04, 0.15, (count, 1)).astype(np.float32)
    noise = np.exp(sd * _autoregression(cpu.shape, rng))
    white = rng.uniform(0.1, 0.6, (count, 1)) * rng.standard_normal(cpu.shape, dtype=np.float32)
    outlier = (rng.random(cpu.shape, dtype=np.float32) < 1 / 500) * rng.uniform(0, 30, cpu.shape)
    found: Float32Array = (cpu * drift * noise + white + outlier).clip(0.05, 100.0)
    return found.astype(np.float32)


def _autoregression(shape: tuple[int, int], rng: np.random.Generator) -> Float32Array:
    """Return (n, hours) of unit variance; each row has its own memory of 0 to 0.8 an hour."""
    count, hours = shape
    memory = rng.uniform(0.0, 0.8, count).astype(np.float32)
    fresh = np.sqrt(1.0 - memory**2)
    # Hours first: each step then touches one contiguous row.
    path = rng.standard_normal((hours, count), dtype=np.float32)
    for hour in range(1, hours):
        path[hour] = memory * path[hour - 1] + fresh * path[hour]
    found: Float32Array = path.T
    return found


def _traffic(
    cpu: Float32Array, idle: BoolArray, rng: np.random.Generator, *, high: float
) -> Float32Array:
    """Return bytes per second that follow the processor.

    For each percent 100 to 10**high, log-uniform; what is idle moves a hundredth of that.
    """
    per_percent = 10.0 ** rng.uniform(2.0, high, (cpu.shape[0], 1)).astype(np.float32)
    noise = np.exp(0.3 * rng.standard_normal(cpu.shape, dtype=np.float32))
    busy = np.where(idle, 0.01, 1.0).astype(np.float32)[:, None]
    found: Float32Array = (busy * per_percent * cpu * noise).astype(np.float32)
    return found


def _missing(shape: tuple[int, int], rng: np.random.Generator) -> BoolArray:
    """Return (n, hours): True where nothing was measured."""
    count, hours = shape
    lost = rng.random(shape, dtype=np.float32) < rng.uniform(0.0, 0.02, (count, 1))
    begin = rng.integers(0, hours, (count, 1))
    length = rng.integers(12, 49, (count, 1)) * (rng.random((count, 1)) < 0.1)
    hour = np.arange(hours)
    found: BoolArray = lost | ((hour >= begin) & (hour < begin + length))
    return found
