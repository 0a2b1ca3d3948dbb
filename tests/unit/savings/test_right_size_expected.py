"""A need holds for the next day as well as for the month that was seen."""

from __future__ import annotations

import pytest

from tasks.domain.inventory import ScalingGroup
from tasks.domain.savings.policy import SavingsPolicy
from tasks.domain.savings.sizing.capacity_needs import capacity_needs
from tasks.domain.savings.sizing.expected_use import ExpectedUse, with_expected
from tasks.domain.savings.sizing.needs import CapacityNeeds
from tasks.domain.usage.panel import Metric
from tests.unit.savings.right_size_builders import REGION, TYPES, instance, inventory, panel

FLEET = inventory(instance("i-1"))
IDLE = capacity_needs(panel({"i-1": {Metric.CPU_MEAN: 1.0}}), FLEET, TYPES, SavingsPolicy())


def expecting(percent: float, *, confidence: float | None = 0.81) -> CapacityNeeds:
    said = ExpectedUse(
        peak_percent=percent, horizon_hours=24, confidence=confidence, model="load-cpu 1a2b3c"
    )
    return with_expected(IDLE, {"i-1": said}, FLEET, TYPES)


@pytest.mark.parametrize(("percent", "vcpu"), [(20.0, 2.0), (25.0, 2.0), (25.1, 4.0), (60.0, 8.0)])
def test_the_next_size_holds_the_busiest_hour_that_is_expected(percent: float, vcpu: float) -> None:
    assert expecting(percent).instances["i-1"].vcpu == vcpu


def test_the_reason_names_model_value_and_how_often_such_intervals_held() -> None:
    basis = expecting(40.0).instances["i-1"].vcpu_basis
    assert "load-cpu 1a2b3c expects up to 40.0 % of 8 vCPU within 24 h" in basis
    assert "(such intervals held 81%): next size 4; by what was seen, 2 would do" in basis


def test_an_interval_that_was_never_measured_is_not_called_sure() -> None:
    assert "held" not in expecting(40.0, confidence=None).instances["i-1"].vcpu_basis


def test_a_forecast_never_makes_a_need_smaller_nor_larger_than_the_instance() -> None:
    assert expecting(0.0) == IDLE
    assert expecting(400.0).instances["i-1"].vcpu == 8.0


def test_a_group_is_as_busy_as_its_busiest_member() -> None:
    members = ("i-1", "i-2")
    group = ScalingGroup(
        name="web", region=REGION, instance_ids=members, min_size=2, max_size=2, desired=2
    )
    fleet = inventory(*(instance(one, group="web") for one in members), groups=(group,))
    seen = panel({one: {Metric.CPU_MEAN: 1.0} for one in members})
    needs = capacity_needs(seen, fleet, TYPES, SavingsPolicy())
    said = {
        one: ExpectedUse(peak_percent=percent, horizon_hours=24, confidence=None, model="m")
        for one, percent in zip(members, (10.0, 45.0), strict=True)
    }
    assert with_expected(needs, said, fleet, TYPES).groups[REGION, "web"].vcpu == 4.0
