"""What counts of an instance that was stopped: it may have come back as another type."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from tasks.domain.savings.opportunity import Opportunity, Rejection
from tasks.domain.savings.policy import SavingsPolicy
from tasks.domain.savings.sizing.capacity_needs import capacity_needs
from tasks.domain.savings.sizing.right_size import right_size
from tasks.domain.savings.sizing.same_type import hours_of_present_type
from tasks.domain.usage.panel import Metric
from tests.unit.savings.right_size_builders import (
    NOW,
    START,
    TYPES,
    instance,
    inventory,
    panel,
    price_book,
)

HOURS = 672
POLICY = SavingsPolicy()
NAN = float("nan")


def decided(cpu: list[float], launched_at: datetime) -> Opportunity | Rejection:
    """Return the answer for an m5.2xlarge, through what it needs."""
    one = instance(launched_at=launched_at)
    use = panel({"i-1": {Metric.CPU_MEAN: cpu, Metric.MEMORY_MEAN: 10.0}})
    needs = capacity_needs(use, inventory(one), TYPES, POLICY)
    return right_size(one, needs.instances.get("i-1"), prices=price_book(), policy=POLICY, now=NOW)


def nightly(*, first_hour: int = 6) -> list[float]:
    """Return use of what runs from 06:00 to midnight, or of which the last day starts late."""
    days = ([NAN] * 6 + [2.0] * 18) * 27
    return days + [NAN] * first_hour + [2.0] * (24 - first_hour)


def test_per_cent_of_a_type_that_it_no_longer_has_is_not_taken_for_per_cent_of_this_one() -> None:
    # 2.4 cores all along: 7.5 % of 32 vCPU, and 30 % of 8 since it was made smaller.
    found = decided([7.5] * (HOURS - 20) + [30.0] * 20, NOW - timedelta(hours=20))
    assert isinstance(found, Rejection)
    assert found.why.startswith("it was started 0.8 days ago")


def test_two_weeks_after_a_change_only_they_count() -> None:
    found = decided([1.0] * 312 + [99.0] * 360, START + timedelta(hours=312))
    assert isinstance(found, Rejection)
    assert "it needs more, not less: nearly all of its processors in 100.0%" in found.why
    smaller = decided([99.0] * 312 + [1.0] * 360, START + timedelta(hours=312))
    assert isinstance(smaller, Opportunity)
    assert smaller.evidence_from == START + timedelta(hours=312)


def test_nothing_seen_since_the_last_start_is_nothing_known() -> None:
    found = decided([1.0] * HOURS, NOW)
    assert isinstance(found, Rejection)
    assert "was not observed since its last start 0.0 days ago" in found.why


def test_what_is_stopped_every_night_is_judged_by_all_its_days() -> None:
    found = decided(nightly(), NOW - timedelta(hours=18))
    assert isinstance(found, Opportunity)
    assert found.evidence_from == START + timedelta(hours=6)
    assert "stopped and started at regular times" in found.notes[-1]


def test_a_start_at_an_unusual_time_is_not_routine() -> None:
    found = decided(nightly(first_hour=10), NOW - timedelta(hours=14))
    assert isinstance(found, Rejection)
    assert "may be of another type" in found.why


def test_a_weekly_start_is_routine_once_it_was_seen_four_times() -> None:
    week = [NAN] * 48 + [2.0] * 120
    for weeks, counted in ((4, True), (3, False)):
        cpu = np.array(week * weeks)
        last = START + timedelta(hours=168 * (weeks - 1) + 48)
        found = hours_of_present_type(cpu, start=START, launched_at=last)
        assert bool(found.all()) is counted


def test_bytes_are_the_same_on_every_type() -> None:
    use = panel({"i-1": {Metric.CPU_MEAN: 1.0, Metric.NETWORK: [1e8] * 336 + [0.0] * 336}})
    one = instance(launched_at=START + timedelta(hours=336))
    found = capacity_needs(use, inventory(one), TYPES, POLICY).instances["i-1"]
    assert found.days == 14.0
    assert found.network_gbps is not None
    assert found.network_gbps > 1.0
