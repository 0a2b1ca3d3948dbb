"""Everything that can be suggested for a workload, or why not."""

from __future__ import annotations

import numpy as np

from tasks.domain.tuning.cache import cache_size
from tasks.domain.tuning.cpu import cpu_limit, cpu_request
from tasks.domain.tuning.memory import memory_limit, memory_request
from tasks.domain.tuning.network import connection_pool, keep_alive
from tasks.domain.tuning.observed import MemoryObserved, TuningBounds, WorkloadObserved
from tasks.domain.tuning.suggestions import Kind, NotSuggested, Suggestion

SEED = 7


def suggestions(
    observed: WorkloadObserved, *, bounds: TuningBounds, seed: int = SEED
) -> tuple[Suggestion | NotSuggested, ...]:
    """Return one answer for each setting of what was measured.

    Args:
        observed: Of one workload.
        bounds: What is tolerated, and the largest steps.
        seed: Of the resamples; the same seed and observation give the same answers.
    """
    name = observed.workload
    found: list[Suggestion | NotSuggested] = []

    def rng() -> np.random.Generator:
        return np.random.default_rng(seed)

    if observed.cpu is not None:
        found.append(cpu_request(name, observed.cpu, bounds=bounds, rng=rng()))
        found.append(cpu_limit(name, observed.cpu, bounds=bounds, rng=rng()))
    if observed.memory is not None:
        found += _memory(name, observed.memory, bounds=bounds, seed=seed)
    if observed.cache is not None:
        found.append(cache_size(name, observed.cache, bounds=bounds, rng=rng()))
    if observed.network is not None:
        found.append(connection_pool(name, observed.network, bounds=bounds, rng=rng()))
        found.append(keep_alive(name, observed.network, bounds=bounds, rng=rng()))
    return tuple(found)


def _memory(
    workload: str, seen: MemoryObserved, *, bounds: TuningBounds, seed: int
) -> list[Suggestion | NotSuggested]:
    """Return request and limit that fit together: a request is never above its limit."""
    rng = np.random.default_rng(seed)
    limit = memory_limit(workload, seen, bounds=bounds, rng=rng)
    limit_bytes = limit.change.after if isinstance(limit, Suggestion) else seen.limit_bytes
    rng = np.random.default_rng(seed)
    request = memory_request(workload, seen, limit_bytes=limit_bytes, bounds=bounds, rng=rng)
    asked = request.change.after if isinstance(request, Suggestion) else seen.request_bytes
    if limit_bytes is not None and asked is not None and asked > limit_bytes:
        why = "a limit this low would be below the request, which stays"
        limit = NotSuggested(workload=workload, kind=Kind.MEMORY_LIMIT, why=why)
    return [request, limit]
