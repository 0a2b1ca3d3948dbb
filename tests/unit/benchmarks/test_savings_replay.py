"""The judge of right-sizing, by hand-computed numbers."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.savings_data import Replay
from benchmarks.savings_replay import beaten_share, bought, compare, interval, ledger
from benchmarks.savings_rivals import NAMED, PercentilePolicy
from tasks.domain.arrays import FloatArray

NAN = float("nan")


def replay(demand: list[list[float]], *, cut: int = 2, provisioned: float = 4.0) -> Replay:
    return Replay(
        name="cpu",
        demand=np.array(demand),
        start=None,
        cut=cut,
        provisioned=np.full(len(demand), provisioned),
        sizes=(1.0, 2.0, 4.0),
        unit="cores",
        machines=tuple(str(row) for row in range(len(demand))),
    )


def choices(*values: float, n: int = 1) -> list[FloatArray]:
    return [np.full(n, value) for value in values]


TWO_HOURS = replay([[1.0, 1.0, 1.0, 3.0]])
"""One machine of 4 cores: 4 core-hours used in the 2 hours judged, so 4 of slack."""


def test_an_hour_above_the_capacity_chosen_is_exceeded_and_its_demand_unserved() -> None:
    found = ledger(TWO_HOURS, choices(2.0, 3.0))
    assert found.exceeded_share() == pytest.approx([0.5, 0.0])
    assert found.unserved_share() == pytest.approx([0.25, 0.0])
    assert found.machines_exceeding(0.4) == pytest.approx([1.0, 0.0])


def test_slack_saved_is_what_the_choice_removes_of_what_was_not_used() -> None:
    found = ledger(TWO_HOURS, choices(2.0, 3.0))
    assert found.slack_saved() == pytest.approx([1.0, 0.5])
    assert found.slack_saved_per_machine() == pytest.approx([1.0, 0.5])


def test_a_choice_above_what_is_provisioned_keeps_what_is_provisioned() -> None:
    found = ledger(TWO_HOURS, choices(40.0))
    assert found.slack_saved() == pytest.approx([0.0])
    assert found.exceeded_share() == pytest.approx([0.0])


def test_hours_that_were_not_recorded_judge_nobody() -> None:
    found = ledger(replay([[1.0, 1.0, NAN, 3.0]]), choices(2.0))
    assert found.hours.tolist() == [[1.0]]
    assert found.exceeded_share() == pytest.approx([1.0])
    assert found.slack_saved() == pytest.approx([2.0])


def test_the_smallest_size_on_sale_that_holds_a_capacity_is_bought() -> None:
    fleet = replay([[1.0, 1.0, 1.0]] * 4, provisioned=6.0)
    wanted = np.array([0.3, 1.0, 2.1, 5.0])
    assert bought(fleet, wanted).tolist() == [1.0, 1.0, 4.0, 6.0]


def test_rivals_see_only_hours_before_the_cut() -> None:
    seen = replay([[1.0, 3.0, 100.0]])
    assert NAMED["max_plus_15"].capacities(seen) == pytest.approx([3.45])
    median = PercentilePolicy(percentile=50.0, headroom=0.0)
    assert median.capacities(seen) == pytest.approx([2.0])


def test_a_curve_is_compared_at_the_rivals_risk_and_at_the_rivals_slack() -> None:
    demand = [[1.0, 1.0, 1.0, 1.0, 1.0, 3.0]]
    # 4 hours judged: 6 of 16 core-hours used, 10 of slack. Ours: 3 cores remove 4 of it and are
    # never exceeded, 1 core removes 12 and is exceeded in 1 of 4. The rival: 8, in 1 of 4.
    ours = ledger(replay(demand), choices(3.0, 1.0))
    rival = ledger(replay(demand), choices(2.0))
    found = compare(ours, rival)
    assert found.slack_gain == pytest.approx(12 / 10 - 8 / 10)
    assert found.exceeded_ratio == pytest.approx(0.5)


def test_short_of_its_cautious_end_a_curve_says_nothing() -> None:
    ours = ledger(TWO_HOURS, choices(2.0))
    rival = ledger(TWO_HOURS, choices(3.5))
    assert np.isnan(compare(ours, rival).slack_gain)
    assert np.isnan(beaten_share(ours, rival))


def test_the_same_policy_is_neither_ahead_nor_behind_in_any_redrawn_fleet() -> None:
    fleet = replay([[1.0, 1.0, 1.0, 3.0], [2.0, 2.0, 2.5, 1.0]])
    ours = ledger(fleet, choices(4.0, 2.0, n=2))
    rival = ledger(fleet, choices(2.0, n=2))
    for end in interval(ours, rival, draws=20, rng=np.random.default_rng(0)):
        assert end.slack_gain == pytest.approx(0.0)


def test_development_inside_the_past_shows_nothing_of_the_future() -> None:
    whole = replay([[1.0, 2.0, 3.0, 4.0, 9.0, 9.0]], cut=4)
    part = whole.inside(begin=0, cut=2, end=whole.cut, name="july")
    assert part.demand.tolist() == [[1.0, 2.0, 3.0, 4.0]]
    assert part.judged.tolist() == [[3.0, 4.0]]
