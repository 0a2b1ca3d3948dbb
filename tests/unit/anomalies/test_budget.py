from __future__ import annotations

import pytest

from tasks.domain.anomalies.budget import CAPACITY, Budget


def test_a_full_bucket_allows_what_is_just_worth_an_alarm() -> None:
    assert Budget(1.0).allows(0.0)
    assert not Budget(1.0).allows(-0.01)


def test_an_empty_bucket_allows_only_what_is_ten_times_rarer() -> None:
    budget = Budget(1.0, left=0.0)
    assert not budget.allows(0.9)
    assert budget.allows(1.0)


def test_each_alarm_without_a_place_asks_for_ten_times_more() -> None:
    budget = Budget(1.0, left=0.0)
    budget.spend()
    assert not budget.allows(1.5)
    assert budget.allows(2.0)


def test_however_many_were_told_a_far_worse_one_may_pass() -> None:
    budget = Budget(1.0)
    for _ in range(100):
        budget.spend()
    assert budget.allows(4.0)


def test_a_week_brings_the_weekly_number_up_to_the_capacity() -> None:
    budget = Budget(1.0, left=0.0)
    budget.refill(0.5)
    assert budget.left == pytest.approx(0.5)
    budget.refill(10.0)
    assert budget.left == CAPACITY
