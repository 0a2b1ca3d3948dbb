"""Seeded caches and connection pools whose other settings can be replayed exactly.

Split as in tuning_cases.py: constants are chosen on its development seeds.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from benchmarks.tuning_cases import STEP, Case
from tasks.domain.arrays import BoolArray, FloatArray, IntArray
from tasks.domain.tuning.observed import CacheObserved, NetworkObserved, WorkloadObserved
from tasks.domain.tuning.suggestions import Kind

LOOKUPS_PER_STEP = 400
CACHE_STEPS = 8 * 24
"""Of an hour, so that eight days are seen: the least that is accepted."""
FUTURE_LOOKUPS = 40_000

POOL_STEPS = 8 * 24
REQUESTS_PER_STEP = 150
FUTURE_POOL_STEPS = 7 * 24
KEEP_ALIVE_CLIENTS = 20_000


def cache_case(name: str, *, rng: np.random.Generator) -> Case:
    """Return a cache with a trace, or with two sizes seen, and the misses of any size after."""
    keys = _references(CACHE_STEPS * LOOKUPS_PER_STEP + FUTURE_LOOKUPS, rng=rng)
    seen, later = keys[:-FUTURE_LOOKUPS], keys[-FUTURE_LOOKUPS:]
    distinct = len(np.unique(seen))
    first = max(int(distinct * rng.choice([0.01, 0.03, 0.1, 0.3])), 10)
    sizes = np.full(CACHE_STEPS, first)
    traced = bool(rng.random() < 0.6)
    if not traced:
        sizes[: CACHE_STEPS // 2] = max(int(first * 0.6), 5)
    hits, evictions = _lru(seen, sizes.repeat(LOOKUPS_PER_STEP))
    observed = CacheObserved(
        step=STEP * 12,
        size_entries=sizes.astype(np.int64),
        lookups=np.full(CACHE_STEPS, LOOKUPS_PER_STEP, dtype=np.int64),
        hits=hits.reshape(CACHE_STEPS, -1).sum(axis=1),
        evictions=evictions.reshape(CACHE_STEPS, -1).sum(axis=1),
        references=seen if traced else None,
    )

    def missed(size: float | None) -> float:
        both = np.concatenate([seen[-FUTURE_LOOKUPS:], later])
        found, _ = _lru(both, np.full(len(both), int(size or 0)))
        return 1.0 - float(found[-FUTURE_LOOKUPS:].mean())

    return Case(
        observed=WorkloadObserved(workload=name, cache=observed), truth={Kind.CACHE_SIZE: missed}
    )


def _references(count: int, *, rng: np.random.Generator) -> IntArray:
    """Return keys of independent draws by Zipf's law, among them scans that nobody repeats."""
    keys = int(rng.choice([2_000, 8_000, 20_000]))
    weights = np.arange(1, keys + 1) ** -float(rng.choice([0.7, 0.9, 1.1]))
    drawn = rng.choice(keys, size=count, p=weights / weights.sum()).astype(np.int64)
    scanned = rng.random(count) < rng.choice([0.0, 0.1])
    drawn[scanned] = keys + np.arange(int(scanned.sum()))
    return drawn


def _lru(keys: IntArray, sizes: IntArray) -> tuple[BoolArray, BoolArray]:
    """Return which lookups hit and which evicted, in a cache that evicts the least recently used."""
    kept: OrderedDict[int, None] = OrderedDict()
    hits, evictions = np.zeros(len(keys), dtype=np.bool_), np.zeros(len(keys), dtype=np.bool_)
    for at, (key, size) in enumerate(zip(keys.tolist(), sizes.tolist(), strict=True)):
        if key in kept:
            hits[at] = True
            kept.move_to_end(key)
            continue
        kept[key] = None
        while len(kept) > size:
            kept.popitem(last=False)
            evictions[at] = True
    return hits, evictions


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """Requests in the order they come: when, how long they hold a connection, and their step."""

    at: FloatArray
    holds: FloatArray
    steps: IntArray


def network_case(name: str, *, rng: np.random.Generator) -> Case:
    """Return a client of a dependency with a pool and a keep-alive, both often too small."""
    hold = float(rng.uniform(0.02, 0.5))
    spread = float(rng.choice([0.5, 1.0]))
    busy = float(rng.uniform(3.0, 30.0))
    rate = busy / hold
    seen = _arrivals(POOL_STEPS, rate=rate, hold=hold, spread=spread, rng=rng)
    later = _arrivals(FUTURE_POOL_STEPS, rate=rate, hold=hold, spread=spread, rng=rng)
    pool = max(int(busy * rng.choice([1.15, 1.6, 3.0, 6.0])), 2)
    waited = _waited(seen, pool=pool)
    pauses = _pauses(rng)
    keep_alive = float(rng.choice([0.0, 5.0, 60.0]))
    counts = np.bincount(seen.steps, minlength=POOL_STEPS)
    new = rng.binomial(np.maximum(counts, 1), _opened(pauses[0], keep_alive)) / np.maximum(
        counts, 1
    )
    observed = NetworkObserved(
        step=STEP * 12,
        requests_per_second=_rates(seen, counts),
        hold_seconds=np.bincount(seen.steps, seen.holds, POOL_STEPS) / np.maximum(counts, 1),
        waited=np.bincount(seen.steps, waited, POOL_STEPS) / np.maximum(counts, 1),
        new_per_request=new,
        retransmitted=np.full(POOL_STEPS, 0.001),
        pool_size=pool,
        keep_alive_seconds=keep_alive,
        pauses_seconds=pauses[0][:2_000] if rng.random() < 0.8 else None,
    )
    return Case(
        observed=WorkloadObserved(workload=name, network=observed),
        truth={
            Kind.CONNECTION_POOL: lambda size: float(_waited(later, pool=int(size or 0)).mean()),
            Kind.KEEP_ALIVE: lambda seconds: _opened(pauses[1], seconds or 0.0),
        },
    )


def _arrivals(
    steps: int, *, rate: float, hold: float, spread: float, rng: np.random.Generator
) -> Arrivals:
    """Return a stretch of each step's Poisson requests, with a daily wave and days that differ."""
    day = np.exp(rng.normal(0.0, 0.1, steps // 24)).repeat(24)
    wave = day * (1.0 + 0.4 * np.sin(2.0 * np.pi * np.arange(steps) / 24))
    counts = np.full(steps, REQUESTS_PER_STEP)
    step_of = np.arange(steps).repeat(counts).astype(np.int64)
    gaps = rng.exponential(1.0, len(step_of)) / (rate * wave[step_of])
    holds = hold * np.exp(rng.normal(-(spread**2) / 2.0, spread, len(step_of)))
    return Arrivals(at=np.cumsum(gaps), holds=holds, steps=step_of)


def _rates(arrivals: Arrivals, counts: IntArray) -> FloatArray:
    ends = arrivals.at[np.cumsum(counts) - 1]
    found: FloatArray = counts / np.diff(ends, prepend=0.0)
    return found


def _waited(arrivals: Arrivals, *, pool: int) -> FloatArray:
    """Return 1 for each request that finds every connection of the pool busy, first come first."""
    if pool < 1:
        return np.ones(len(arrivals.at))
    free = [0.0] * pool
    waited = np.zeros(len(arrivals.at))
    for at, (now, hold) in enumerate(
        zip(arrivals.at.tolist(), arrivals.holds.tolist(), strict=True)
    ):
        earliest = free[0]
        waited[at] = earliest > now
        heapq.heapreplace(free, max(earliest, now) + hold)
    return waited


def _pauses(rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Return pauses between requests of one client, seen and later: busy clients and idle ones."""
    share, slow = rng.uniform(0.3, 0.9), rng.uniform(20.0, 300.0)

    def drawn() -> FloatArray:
        fast = rng.random(KEEP_ALIVE_CLIENTS) < share
        return rng.exponential(np.where(fast, 2.0, slow))

    return drawn(), drawn()


def _opened(pauses: FloatArray, keep_alive_seconds: float) -> float:
    return float((pauses >= keep_alive_seconds).mean())
