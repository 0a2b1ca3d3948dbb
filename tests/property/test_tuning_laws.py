from datetime import timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.domain.tuning.miss_ratio import reuse_distances
from tasks.domain.tuning.network import erlang_c
from tasks.domain.tuning.observed import (
    CpuObserved,
    MemoryObserved,
    TuningBounds,
    WorkloadObserved,
)
from tasks.domain.tuning.suggest import suggestions
from tasks.domain.tuning.suggestions import Kind, Suggestion

HOURS = 10 * 24


@st.composite
def workloads(draw: st.DrawFn) -> WorkloadObserved:
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    used = rng.gamma(draw(st.sampled_from([0.3, 3.0, 50.0])), 1.0, HOURS)
    limit = draw(st.one_of(st.none(), st.floats(0.05, 50.0)))
    if limit is not None:
        used = np.minimum(used, limit)
    share = np.zeros(HOURS) if limit is None else np.clip(used / limit, 0.0, 1.0) ** 8
    used[rng.random(HOURS) < draw(st.sampled_from([0.0, 0.2]))] = np.nan
    most = draw(st.floats(1e6, 1e11))
    peaks = np.minimum(rng.lognormal(20.0, draw(st.sampled_from([0.01, 0.5])), HOURS), most)
    return WorkloadObserved(
        workload="any",
        cpu=CpuObserved(
            step=timedelta(hours=1),
            used_cores=used,
            throttled=share,
            request_cores=draw(st.floats(0.01, 50.0)) if limit is None else limit,
            limit_cores=limit,
        ),
        memory=MemoryObserved(
            step=timedelta(hours=1),
            peak_bytes=peaks,
            oom_kills=(peaks >= most).astype(np.int64),
            request_bytes=most,
            limit_bytes=most,
        ),
    )


@settings(max_examples=15, deadline=None)
@given(workloads(), st.floats(0.3, 1.0), st.floats(1.0, 4.0))
def test_no_suggestion_leaves_its_bounds(
    observed: WorkloadObserved, down: float, up: float
) -> None:
    bounds = TuningBounds(largest_step_down=down, largest_step_up=up)
    for one in suggestions(observed, bounds=bounds):
        if not isinstance(one, Suggestion):
            continue
        assert 0.0 <= one.effect.low <= one.effect.high <= 1.0
        assert 0.0 <= one.confidence <= 1.0
        before, after = one.change.before, one.change.after
        if after is None:
            assert one.change.kind is Kind.CPU_LIMIT
            continue
        assert before is not None
        assert before * down * (1 - 1e-9) <= after <= before * up * (1 + 1e-9)
        assert abs(after - before) >= bounds.least_change * before * (1 - 1e-9)
        assert one.change.inverse.inverse == one.change


@settings(max_examples=15, deadline=None)
@given(workloads())
def test_memory_falls_no_lower_than_the_observed_peak_with_its_margin(
    observed: WorkloadObserved,
) -> None:
    assert observed.memory is not None
    bounds = TuningBounds()
    floor = bounds.memory_margin * float(observed.memory.peak_bytes.max())
    for one in suggestions(observed, bounds=bounds):
        if isinstance(one, Suggestion) and one.change.kind is Kind.MEMORY_LIMIT:
            before, after = one.change.before, one.change.after
            assert before is not None
            assert after is not None
            assert after >= floor or after > before


@settings(max_examples=15, deadline=None)
@given(workloads())
def test_the_same_observation_gives_the_same_answers(observed: WorkloadObserved) -> None:
    bounds = TuningBounds()
    assert suggestions(observed, bounds=bounds) == suggestions(observed, bounds=bounds)


@given(st.lists(st.integers(0, 12), max_size=60), st.integers(1, 14))
def test_distances_agree_with_a_cache_that_is_played_through(keys: list[int], size: int) -> None:
    kept: list[int] = []
    hits = []
    for key in keys:
        hits.append(key in kept)
        kept = [key, *(one for one in kept if one != key)][:size]
    found = reuse_distances(np.array(keys, dtype=np.int64))
    assert (found.distance <= size).tolist() == hits


@given(st.integers(1, 60), st.floats(0.0, 80.0))
def test_another_connection_never_makes_more_requests_wait(size: int, busy: float) -> None:
    load = np.array([busy])
    fewer, more = erlang_c(size, load)[0], erlang_c(size + 1, load)[0]
    assert 0.0 <= more <= fewer + 1e-12 <= 1.0 + 1e-12
