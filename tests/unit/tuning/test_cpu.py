from datetime import timedelta

import numpy as np
import pytest

from tasks.domain.arrays import FloatArray
from tasks.domain.tuning.cpu import cpu_limit, cpu_request
from tasks.domain.tuning.observed import CpuObserved, TuningBounds
from tasks.domain.tuning.suggestions import NotSuggested, Suggestion

HOURS = 14 * 24
BOUNDS = TuningBounds()


def observed(
    used: FloatArray,
    *,
    request: float | None = 4.0,
    limit: float | None = None,
    throttled: FloatArray | None = None,
) -> CpuObserved:
    return CpuObserved(
        step=timedelta(hours=1),
        used_cores=used,
        throttled=np.zeros(len(used)) if throttled is None else throttled,
        request_cores=request,
        limit_cores=limit,
    )


def requested(seen: CpuObserved, bounds: TuningBounds = BOUNDS) -> Suggestion | NotSuggested:
    return cpu_request("shop", seen, bounds=bounds, rng=np.random.default_rng(0))


def limited(seen: CpuObserved, bounds: TuningBounds = BOUNDS) -> Suggestion | NotSuggested:
    return cpu_limit("shop", seen, bounds=bounds, rng=np.random.default_rng(0))


def throttling_workload(limit: float) -> CpuObserved:
    """Use between 40 % and 95 % of the limit; periods are cut short from 80 % on."""
    used = limit * np.tile(np.linspace(0.4, 0.95, 24), 14)
    share = np.clip((used / limit - 0.8) / 0.2, 0.0, 1.0)
    return observed(used, request=1.0, limit=limit, throttled=share)


def test_an_idle_request_falls_by_the_largest_step_and_no_further() -> None:
    found = requested(observed(np.full(HOURS, 0.1)))
    assert isinstance(found, Suggestion)
    assert found.change.after == 2.0
    assert found.effect.expected == 0.0
    assert found.confidence == 1.0


def test_a_request_below_use_rises_to_what_use_reaches() -> None:
    used = np.tile(np.linspace(1.0, 2.0, 24), 14)
    found = requested(observed(used, request=1.5))
    assert isinstance(found, Suggestion)
    assert found.change.after is not None
    assert 1.9 < found.change.after <= 3.0
    assert found.effect.before > 0.4
    assert found.effect.expected <= 0.05
    assert found.confidence >= 0.9


def test_the_inverse_sets_what_was_set_before() -> None:
    found = requested(observed(np.full(HOURS, 0.1)))
    assert isinstance(found, Suggestion)
    assert (found.change.inverse.before, found.change.inverse.after) == (2.0, 4.0)


def test_too_few_known_days_are_refused_with_their_number() -> None:
    used = np.full(HOURS, np.nan)
    used[:48] = 0.1
    found = requested(observed(used))
    assert isinstance(found, NotSuggested)
    assert "known for 2.0 days, 7 are needed" in found.why


def test_a_request_is_left_alone_while_the_limit_hides_what_is_wanted() -> None:
    found = requested(observed(np.full(HOURS, 2.0), request=1.0, limit=2.0))
    assert isinstance(found, NotSuggested)
    assert "raise the limit first" in found.why


def test_a_small_change_is_not_worth_a_rollout() -> None:
    found = requested(observed(np.full(HOURS, 1.0), request=1.12))
    assert isinstance(found, NotSuggested)


def test_a_throttling_limit_is_raised_to_where_the_measured_curve_is_low() -> None:
    found = limited(throttling_workload(2.0))
    assert isinstance(found, Suggestion)
    assert found.change.after is not None
    # Use reaches 1.9 cores; at .8 of the new limit throttling begins.
    assert 1.9 / 0.8 * 0.95 < found.change.after < 4.0
    assert found.effect.before > 0.1
    assert found.effect.expected < 0.01


def test_nothing_below_the_limit_tells_how_much_more_was_wanted() -> None:
    hidden = throttling_workload(2.0)
    hidden.used_cores[::24] = 2.0
    hidden.throttled[::24] = 1.0
    found = limited(hidden)
    assert isinstance(found, Suggestion)
    assert found.change.after == pytest.approx(3.1)
    # An hour a day is saturated, 4.2 % of all. The middle guess keeps the tolerated 1 % and by itself
    # would put the interval's end at 1.2 %; the largest lies e^(1.2 * 1.6) = 6.8 times as far above.
    assert found.effect.high > 2 * BOUNDS.throttled
    assert found.promised > BOUNDS.throttled


def test_a_limit_that_no_step_reaches_is_taken_away_only_where_that_is_allowed() -> None:
    full = observed(np.full(HOURS, 1.0), request=0.5, limit=1.0, throttled=np.ones(HOURS))
    free = limited(full)
    held = limited(full, TuningBounds(largest_step_up=1.1, may_remove_cpu_limit=False))
    assert isinstance(free, Suggestion)
    assert isinstance(held, Suggestion)
    assert free.change.after is None
    assert held.change.after == 1.1


def test_tolerated_throttling_changes_nothing() -> None:
    rare = np.zeros(HOURS)
    rare[5] = 1.0
    found = limited(observed(np.full(HOURS, 0.2), limit=1.0, throttled=rare))
    assert isinstance(found, NotSuggested)
    assert found.figures[0].value == 1 / HOURS


def test_a_workload_without_a_limit_is_not_throttled() -> None:
    assert isinstance(limited(observed(np.full(HOURS, 0.2))), NotSuggested)
