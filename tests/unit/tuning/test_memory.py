from datetime import timedelta

import numpy as np

from tasks.domain.arrays import FloatArray
from tasks.domain.tuning.observed import MemoryObserved, TuningBounds, WorkloadObserved
from tasks.domain.tuning.suggest import suggestions
from tasks.domain.tuning.suggestions import Kind, Measure, NotSuggested, Suggestion

GIB = 2.0**30
DAYS = 14
BOUNDS = TuningBounds()


def observed(
    daily_peaks: FloatArray,
    *,
    limit: float | None,
    request: float | None = None,
    kill_days: tuple[int, ...] = (),
) -> MemoryObserved:
    kills = np.zeros(24 * len(daily_peaks), dtype=np.int64)
    kills[[24 * day for day in kill_days]] = 1
    return MemoryObserved(
        step=timedelta(hours=1),
        peak_bytes=daily_peaks.repeat(24),
        oom_kills=kills,
        request_bytes=limit if request is None else request,
        limit_bytes=limit,
    )


def answer(
    seen: MemoryObserved, kind: Kind = Kind.MEMORY_LIMIT, bounds: TuningBounds = BOUNDS
) -> Suggestion | NotSuggested:
    found = suggestions(WorkloadObserved(workload="shop", memory=seen), bounds=bounds)
    return {one.kind if isinstance(one, NotSuggested) else one.change.kind: one for one in found}[
        kind
    ]


def even_peaks(bytes_: float) -> FloatArray:
    return np.array([bytes_ * (1.0 + 0.01 * (day % 3)) for day in range(DAYS)])


def test_a_large_limit_falls_but_stays_above_the_observed_peak_with_its_margin() -> None:
    found = answer(observed(even_peaks(GIB), limit=1.8 * GIB))
    assert isinstance(found, Suggestion)
    assert found.change.after is not None
    assert 1.02 * GIB * BOUNDS.memory_margin <= found.change.after < 1.6 * GIB
    assert found.effect.measure is Measure.OOM
    assert found.effect.high < 0.1


def test_a_limit_falls_by_no_more_than_the_largest_step() -> None:
    found = answer(observed(even_peaks(GIB), limit=20.0 * GIB))
    assert isinstance(found, Suggestion)
    assert found.change.after == 10.0 * GIB


def test_kills_raise_the_limit_by_at_least_a_fifth() -> None:
    peaks = even_peaks(0.9 * GIB)
    peaks[[3, 9]] = GIB
    found = answer(observed(peaks, limit=GIB, kill_days=(3, 9)))
    assert isinstance(found, Suggestion)
    assert found.change.after is not None
    assert found.change.after >= 1.2 * GIB
    assert found.effect.before > 0.6


def test_where_every_day_ends_in_a_kill_the_step_is_the_largest_and_nothing_is_claimed() -> None:
    found = answer(observed(np.full(DAYS, GIB), limit=GIB, kill_days=tuple(range(DAYS))))
    assert isinstance(found, Suggestion)
    assert found.change.after == 2.0 * GIB
    assert (found.effect.low, round(found.effect.high, 1)) == (0.0, 0.9)


def test_a_heavy_tail_that_never_reached_the_limit_does_not_raise_it() -> None:
    peaks = np.array([0.2 * GIB if day % 2 else 0.8 * GIB for day in range(DAYS)])
    found = answer(observed(peaks, limit=GIB))
    assert isinstance(found, NotSuggested)


def test_growing_peaks_never_lower_a_limit() -> None:
    found = answer(observed(np.array([GIB * 1.05**day for day in range(DAYS)]), limit=20.0 * GIB))
    assert isinstance(found, NotSuggested)
    assert "a leak or growing data" in found.why


def test_a_request_never_ends_above_the_limit() -> None:
    seen = observed(even_peaks(GIB), limit=1.25 * GIB, request=GIB)
    found = answer(seen, Kind.MEMORY_REQUEST)
    limit = answer(seen)
    assert isinstance(found, Suggestion)
    assert isinstance(limit, NotSuggested)
    assert found.change.after is not None
    assert found.change.after <= 1.25 * GIB


def test_a_limit_is_not_lowered_below_a_request_that_stays() -> None:
    # The request is right within a tenth; half of the limit would be less than it.
    seen = observed(even_peaks(GIB), limit=2.5 * GIB, request=1.3 * GIB)
    request, limit = answer(seen, Kind.MEMORY_REQUEST), answer(seen)
    assert isinstance(request, NotSuggested)
    assert isinstance(limit, NotSuggested)
    assert "below the request" in limit.why
