from __future__ import annotations

import numpy as np
import pytest

from benchmarks.tuning_cases import PARTS, PER_DAY, Case, cpu_case, memory_case, served
from benchmarks.tuning_flow_cases import cache_case, network_case
from benchmarks.tuning_rivals import twice_the_mean, vpa_like
from benchmarks.tuning_scoring import confidence_error, judge_change, summary
from tasks.domain.tuning.observed import WorkloadObserved
from tasks.domain.tuning.suggestions import Change, Effect, Kind, Measure


def known(after: float) -> Case:
    """A case whose share is 0.5 under the old setting and something else under any other."""
    return Case(
        observed=WorkloadObserved(workload="known"),
        truth={Kind.CPU_REQUEST: lambda cores: 0.5 if cores == 1.0 else after},
    )


def effect(low: float, high: float) -> Effect:
    return Effect(
        measure=Measure.ABOVE_REQUEST, before=0.5, expected=(low + high) / 2, low=low, high=high
    )


CHANGE = Change(kind=Kind.CPU_REQUEST, before=1.0, after=2.0)


def test_work_above_the_limit_waits_for_the_next_period() -> None:
    work = np.zeros((1, PARTS))
    work[0, :2] = [3.0, 1.0]
    used, cut = served(work, limit_cores=2.0)
    # Two now and two in the next period: nothing is lost, and one period was cut short.
    assert used[0] * PARTS == 4.0
    assert cut[0] == 1 / PARTS


def test_without_a_limit_nothing_is_throttled() -> None:
    used, cut = served(np.full((2, PARTS), 7.0), limit_cores=None)
    assert used.tolist() == [7.0, 7.0]
    assert not cut.any()


def test_a_change_harms_when_it_ends_above_both_what_is_tolerated_and_what_was() -> None:
    assert judge_change(known(0.6), CHANGE).harmful
    assert not judge_change(known(0.5), CHANGE).harmful
    assert not judge_change(known(0.05), CHANGE).harmful


def test_an_interval_covers_what_lies_inside_of_it() -> None:
    held = judge_change(known(0.2), CHANGE, effect=effect(0.1, 0.3))
    missed = judge_change(known(0.4), CHANGE, effect=effect(0.1, 0.3))
    found = summary([held, missed])
    assert found["coverage_90"] == 0.5
    assert found["effect_mae"] == pytest.approx(0.1)


def test_a_limit_taken_away_flatters_no_interval() -> None:
    free = Change(kind=Kind.CPU_REQUEST, before=1.0, after=None)
    found = summary([judge_change(known(0.0), free, effect=effect(0.0, 0.0))])
    assert found["coverage_90"] is None
    assert found["saving_fraction"] is None


def test_what_is_lowered_is_counted_apart() -> None:
    lower = Change(kind=Kind.CPU_REQUEST, before=4.0, after=1.0)
    found = summary([judge_change(known(0.0), one) for one in (CHANGE, lower)])
    assert found["saving_fraction"] == pytest.approx(1.0 - 3.0 / 5.0)
    assert found["lowered_saving_fraction"] == 0.75


def test_confidence_above_what_held_is_overconfidence() -> None:
    assert confidence_error([1.0, 0.8], [True, False]) == pytest.approx(0.4)
    assert confidence_error([], []) is None


def test_more_of_anything_is_never_worse_in_the_truth_of_a_case() -> None:
    for make in (cpu_case, memory_case, cache_case, network_case):
        case = make("any", rng=np.random.default_rng(1))
        for truth in case.truth.values():
            shares = [truth(size) for size in (2.0, 20.0, 2e12 if make is memory_case else 200.0)]
            assert all(0.0 <= share <= 1.0 for share in shares)
            assert shares == sorted(shares, reverse=True)


def test_a_case_is_the_same_for_the_same_seed() -> None:
    first, second = (cpu_case("any", rng=np.random.default_rng(4)).observed.cpu for _ in range(2))
    assert first is not None
    assert second is not None
    assert len(first.used_cores) == 14 * PER_DAY
    assert np.array_equal(first.used_cores, second.used_cores)


def test_rivals_set_a_request_and_a_limit_from_use_alone() -> None:
    observed = cpu_case("any", rng=np.random.default_rng(1)).observed
    assert observed.cpu is not None
    request, limit = twice_the_mean(observed)
    assert request.after == pytest.approx(float(observed.cpu.used_cores.mean()))
    assert limit.after == pytest.approx(2.0 * float(observed.cpu.used_cores.mean()))
    p90 = float(np.quantile(observed.cpu.used_cores, 0.9))
    assert vpa_like(observed)[0].after == pytest.approx(1.15 * p90)
