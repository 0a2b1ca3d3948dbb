"""Everything that can be suggested for a workload, or why not."""

from __future__ import annotations

import numpy as np

from tasks.domain.tuning.cache import cache_size
from tasks.domain.tuning.cpu import cpu_limit, cpu_request
from tasks.domain.tuning.memory import memory_limit, memory_request
from tasks.domain.tuning.network import connection_pool, keep_alive
from tasks.domain.tuning.observed import TuningBounds, WorkloadObserved
from tasks.domain.tuning.suggestions import NotSuggested, Suggestion

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
        found.append(memory_request(name, observed.memory, bounds=bounds, rng=rng()))
        found.append(memory_limit(name, observed.memory, bounds=bounds, rng=rng()))
    if observed.cache is not None:
        found.append(cache_size(name, observed.cache, bounds=bounds, rng=rng()))
    if observed.network is not None:
        found.append(connection_pool(name, observed.network, bounds=bounds, rng=rng()))
        found.append(keep_alive(name, observed.network, bounds=bounds, rng=rng()))
    return tuple(found)
