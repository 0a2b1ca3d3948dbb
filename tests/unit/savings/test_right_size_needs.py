"""What instances and groups need, from panels of known use."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.domain.inventory import ScalingGroup
from tasks.domain.savings.policy import SavingsPolicy
from tasks.domain.savings.sizing.capacity_needs import capacity_needs
from tasks.domain.savings.sizing.needs import CapacityNeed
from tasks.domain.usage.panel import Metric
from tests.unit.savings.right_size_builders import REGION, START, TYPES, instance, inventory, panel

POLICY = SavingsPolicy()
NAN = float("nan")


def need(row: dict[Metric, float | list[float]], *, policy: SavingsPolicy = POLICY) -> CapacityNeed:
    found = capacity_needs(panel({"i-1": row}), inventory(instance()), TYPES, policy)
    return found.instances["i-1"]


def test_an_idle_instance_of_8_vcpu_needs_the_smallest_size_on_sale() -> None:
    found = need({Metric.CPU_MEAN: 1.0})
    assert found.vcpu == 2.0
    assert 0.0 < found.exceeded_share <= POLICY.exceed_share
    assert found.vcpu_basis.startswith("100.00% of 672 hours seen used at most 2 of 8 vCPU")


def test_what_is_used_fully_is_kept() -> None:
    found = need({Metric.CPU_MEAN: 99.0})
    assert found.vcpu == 8.0
    assert found.saturated_share == 1.0
    assert found.exceeded_share == 0.0


def test_a_cautious_operator_keeps_what_there_is() -> None:
    assert need({Metric.CPU_MEAN: 20.0}, policy=SavingsPolicy(exceed_share=0.0)).vcpu == 8.0


def test_peaks_within_the_hour_may_be_stretched_to_twice_their_length() -> None:
    found = need({Metric.CPU_MEAN: 1.0, Metric.CPU_MAX: 60.0})
    # 60 % x 8 / 2 = 2.4 vCPU.
    assert found.vcpu == 4.0
    assert "60.0 % x 8 / 2 = 2.40, next size 4" in found.vcpu_basis


def test_memory_that_nobody_measures_is_unknown_and_not_zero() -> None:
    found = need({Metric.CPU_MEAN: 1.0})
    assert found.memory_gib is None
    assert found.network_gbps is None
    assert found.disk_mib_per_second is None


def test_memory_has_room_for_its_highest_hour_and_the_system() -> None:
    mean = [10.0] * 671 + [50.0]
    found = need({Metric.CPU_MEAN: 1.0, Metric.MEMORY_MEAN: mean})
    assert found.memory_gib is not None
    assert found.memory_gib >= 16.0 * 1.1 + 0.25
    assert "highest 16.00 GiB" in found.memory_basis


def test_traffic_has_headroom_above_its_99_percent_hour() -> None:
    found = need({Metric.CPU_MEAN: 1.0, Metric.NETWORK: 1e8, Metric.DISK: 2.0**20})
    assert found.network_gbps == pytest.approx(1.2)
    assert found.disk_mib_per_second == pytest.approx(1.5)


def test_the_window_and_the_weeks_are_those_in_which_it_was_seen() -> None:
    cpu = [NAN] * 168 + [1.0] * 336 + [NAN] * 24 + [1.0] * 144
    found = need({Metric.CPU_MEAN: cpu})
    assert (found.evidence_from - START).days == 7
    assert found.days == 20.0
    assert found.weekly_hours == (168.0, 168.0, 144.0)


def test_what_reports_nothing_or_has_an_unknown_type_has_no_need() -> None:
    fleet = inventory(instance("i-1"), instance("i-2"), instance("i-3", "x9.huge"))
    seen = panel({"i-1": {Metric.CPU_MEAN: NAN}, "i-3": {Metric.CPU_MEAN: 1.0}})
    assert capacity_needs(seen, fleet, TYPES, POLICY).instances == {}


def group_need(
    count: float | list[float] | None = 2.0, *, percent: float = 40.0, **rest: object
) -> CapacityNeed:
    group = ScalingGroup(
        name="web",
        region=REGION,
        instance_ids=("i-1", "i-2"),
        **({"min_size": 2, "max_size": 4, "desired": 2} | rest),  # type: ignore[arg-type]
    )
    members = (instance("i-1", group="web"), instance("i-2", group="web"))
    early = [percent] * 336 + [1.0] * 336
    rows: dict[str, dict[Metric, float | list[float]]] = {
        "i-1": {Metric.CPU_MEAN: early},
        "i-2": {Metric.CPU_MEAN: early[::-1]},
    }
    if count is not None:
        rows[group.series] = {Metric.INSTANCES: count}
    seen = panel(rows)
    found = capacity_needs(seen, inventory(*members, groups=(group,)), TYPES, POLICY)
    return found.groups[REGION, "web"]


def test_a_group_needs_what_its_busiest_member_needs_in_every_hour() -> None:
    found = group_need()
    assert found.mean_cpu_percent == pytest.approx(40.0)
    assert found.vcpu > 3.2
    assert found.weekly_hours == (336.0,) * 4


def test_a_group_that_scales_by_load_keeps_its_vcpu_at_any_hour_of_the_day() -> None:
    daily = ([2.0] * 12 + [6.0] * 12) * 28
    for desired in (2, 6):
        found = group_need(daily, desired=desired, max_size=10)
        assert found.vcpu == 8.0
        assert "scales by load" in found.vcpu_basis


def test_a_group_of_a_steady_number_is_sized_by_use_although_it_could_scale() -> None:
    replaced = [2.0] * 300 + [3.0] * 2 + [2.0] * 370
    assert group_need(replaced, percent=2.0, max_size=10, min_size=1).vcpu == 2.0


def test_a_group_with_a_policy_would_scale_if_its_instances_were_smaller() -> None:
    assert group_need(percent=2.0, dynamic_policies=("cpu-50",)).vcpu == 8.0
    assert group_need(percent=2.0, dynamic_policies=("cpu-50",), max_size=2).vcpu == 2.0


def test_a_group_whose_number_is_unknown_may_have_scaled() -> None:
    assert group_need(None, percent=2.0).vcpu == 8.0
    assert group_need(None, percent=2.0, max_size=2).vcpu == 2.0


def test_a_fleet_of_thousands_is_no_slower_than_its_hours() -> None:
    names = [f"i-{n}" for n in range(200)]
    rng = np.random.default_rng(0)
    rows: dict[str, dict[Metric, float | list[float]]] = {
        name: {Metric.CPU_MEAN: float(rng.uniform(1, 60))} for name in names
    }
    found = capacity_needs(panel(rows), inventory(*map(instance, names)), TYPES, POLICY)
    shares = [one.exceeded_share for one in found.instances.values()]
    assert len(shares) == 200
    assert np.mean(shares) <= POLICY.exceed_share
    assert max(shares) <= POLICY.worst_exceed_share
