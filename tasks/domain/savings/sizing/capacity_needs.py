"""What every instance and every group needs, from how it was used.

**vCPU**: the sizes on sale that cost least for the exceeded hours that are expected over the whole
fleet (`exceedance`, `capacity_choice`). Hourly means hide what happens within the hour: where the
highest minutes are known, a size must not stretch a peak to more than PEAK_STRETCH times its
length, in all but one hour in a hundred.

**Memory** is less forgiving: a process that finds none is stopped. Besides the same budget of
expected hours, the highest hour seen must fit with MEMORY_HEADROOM, and the operating system keeps
OS_RESERVE_GIB. (A fifth of the budget as well cost three points of the bill on the recorded
machines, inside July, and prevented six exceeded hours in a hundred thousand.)

**Network and disks**: the 99 % hour with TRAFFIC_HEADROOM.

All members of a group get the same type, so it must do for the busiest of them in every hour. A
group that has a scaling policy, or whose number of instances varied, scales by load: fewer vCPU each would bring more instances,
so it keeps as many vCPU. What is seen of each is in `observed_use`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from tasks.domain.arrays import FloatArray
from tasks.domain.instances import TypeFacts
from tasks.domain.inventory import Inventory
from tasks.domain.savings.money import HOURS_PER_WEEK
from tasks.domain.savings.policy import SavingsPolicy
from tasks.domain.savings.sizing.capacity_choice import (
    capacities_between,
    capacities_on_sale,
    least_capacities,
)
from tasks.domain.savings.sizing.exceedance import (
    RECORDED_CPU,
    RECORDED_MEMORY,
    FleetUse,
    expected_exceedance,
    fleet_use,
)
from tasks.domain.savings.sizing.needs import CapacityNeed, CapacityNeeds
from tasks.domain.savings.sizing.observed_use import Observed, observed_group, observed_instance
from tasks.domain.usage.panel import Metric, UsagePanel

PEAK_STRETCH = 2.0
PEAK_QUANTILE = 0.99
MEMORY_HEADROOM = 0.10
OS_RESERVE_GIB = 0.25
TRAFFIC_QUANTILE = 0.99
TRAFFIC_HEADROOM = 0.50
SATURATED_PERCENT = 95.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Capacities chosen for a fleet, each (n,)."""

    capacity: FloatArray
    exceeded_share: FloatArray


def capacity_needs(
    panel: UsagePanel,
    inventory: Inventory,
    types: Mapping[str, TypeFacts],
    policy: SavingsPolicy,
) -> CapacityNeeds:
    """Return what every instance and group of an account needs.

    Args:
        panel: Rows by instance id, and of groups by `series`; processors and memory in per cent of
            the instance.
        inventory: What there is. A group of instances of different types is left out.
        types: Facts of the types in use and of those on sale, whose sizes are chosen among.
        policy: Budgets of exceeded hours.
    """
    singles = [
        use
        for one in inventory.instances
        if one.instance_type in types
        and (use := observed_instance(one, panel, types[one.instance_type]))
    ]
    groups = [
        found for one in inventory.groups if (found := observed_group(one, panel, inventory, types))
    ]
    sizes = np.unique([facts.shape.vcpu for facts in types.values()])
    needed = _needs(singles, panel.start, sizes=sizes, policy=policy)
    pooled = _needs([found for _, found in groups], panel.start, sizes=sizes, policy=policy)
    return CapacityNeeds(
        instances={need.resource: need for need in needed},
        groups={key: need for (key, _), need in zip(groups, pooled, strict=True)},
    )


def _needs(
    fleet: Sequence[Observed], start: datetime, *, sizes: FloatArray, policy: SavingsPolicy
) -> list[CapacityNeed]:
    if not fleet:
        return []
    vcpu = np.array([one.facts.shape.vcpu for one in fleet])
    cpu = np.stack([one.use[Metric.CPU_MEAN] for one in fleet]).clip(0.0, 100.0)
    cores = cpu / 100.0 * vcpu[:, None]
    offered = capacities_on_sale(sizes, size=vcpu)
    chosen = _chosen(cores, vcpu, offered, prior=RECORDED_CPU, policy=policy)
    memory = _memory_choices(fleet, policy)
    return [
        _need(one, start, cores[row], chosen=chosen, memory_gib=float(memory[row]), row=row,
              offered=offered[row])
        for row, one in enumerate(fleet)
    ]  # fmt: skip


def _chosen(
    used: FloatArray,
    size: FloatArray,
    offered: FloatArray,
    *,
    prior: FleetUse,
    policy: SavingsPolicy,
) -> Choice:
    fleet = fleet_use(used, size=size, prior=prior)
    expected = expected_exceedance(used, size=size, capacities=offered, fleet=fleet)
    columns = least_capacities(
        offered,
        expected,
        exceed_share=policy.exceed_share,
        worst_share=policy.worst_exceed_share,
    )[:, None]
    return Choice(
        capacity=np.take_along_axis(offered, columns, axis=1)[:, 0],
        exceeded_share=np.take_along_axis(expected, columns, axis=1)[:, 0],
    )


def _memory_used(one: Observed) -> FloatArray:
    """Return GiB in use, (hours,): the highest of each hour where it is known."""
    highest, mean = one.use[Metric.MEMORY_MAX], one.use[Metric.MEMORY_MEAN]
    percent = np.where(np.isnan(highest), mean, highest).clip(0.0, 100.0)
    found: FloatArray = percent / 100.0 * one.facts.shape.memory_gib
    return found


def _memory_choices(fleet: Sequence[Observed], policy: SavingsPolicy) -> FloatArray:
    """Return (n,) GiB by expected exceedance; NaN where memory is not measured."""
    used = np.stack([_memory_used(one) for one in fleet])
    found = np.full(len(fleet), np.nan)
    known = ~np.isnan(used).all(axis=1)
    if known.any():
        size = np.array([one.facts.shape.memory_gib for one in fleet])[known]
        offered = capacities_between(used[known], size=size)
        found[known] = _chosen(
            used[known], size, offered,
            prior=RECORDED_MEMORY, policy=policy,
        ).capacity  # fmt: skip
    return found


def _need(
    one: Observed,
    start: datetime,
    cores: FloatArray,
    *,
    chosen: Choice,
    memory_gib: float,
    row: int,
    offered: FloatArray,
) -> CapacityNeed:
    known = ~np.isnan(cores)
    hours = np.flatnonzero(known)
    expected = float(chosen.exceeded_share[row])
    vcpu, basis = _vcpu(one, cores[known], float(chosen.capacity[row]), expected, offered)
    memory, memory_basis = _memory(_memory_used(one), memory_gib)
    return CapacityNeed(
        resource=one.resource,
        instance_type=one.facts.shape.instance_type,
        vcpu=vcpu,
        vcpu_basis=basis,
        exceeded_share=expected,
        saturated_share=float((one.use[Metric.CPU_MEAN][known] >= SATURATED_PERCENT).mean()),
        mean_cpu_percent=float(one.use[Metric.CPU_MEAN][known].mean()),
        memory_gib=memory,
        memory_basis=memory_basis,
        network_gbps=_traffic(one.use[Metric.NETWORK], unit=8e-9),
        disk_mib_per_second=_traffic(one.use[Metric.DISK], unit=2.0**-20),
        days=len(hours) / 24.0,
        weekly_hours=_weekly(one.instance_hours[hours[0] : hours[-1] + 1]),
        evidence_from=start + timedelta(hours=int(hours[0])),
        evidence_to=start + timedelta(hours=int(hours[-1]) + 1),
    )


def _vcpu(
    one: Observed, seen: FloatArray, chosen: float, expected: float, offered: FloatArray
) -> tuple[float, str]:
    """Return the vCPU needed, and on what they rest."""
    size = one.facts.shape.vcpu
    if one.keeps_vcpu:
        return size, f"it scales by load, so each instance keeps its {size:g} vCPU"
    peaks = one.use[Metric.CPU_MAX]
    peak = float(np.nanquantile(peaks, PEAK_QUANTILE)) if not np.isnan(peaks).all() else 0.0
    for_peaks = peak / 100.0 * size / PEAK_STRETCH
    if for_peaks > chosen:
        vcpu = float(offered[np.searchsorted(offered, for_peaks)]) if for_peaks <= size else size
        return vcpu, (
            f"in 1 % of hours a peak takes {peak:.1f} % or more of {size:g} vCPU; at most "
            f"{PEAK_STRETCH:g} times as long: {peak:.1f} % x {size:g} / {PEAK_STRETCH:g} = "
            f"{for_peaks:.2f}, next size {vcpu:g}"
        )
    below = float((seen <= chosen).mean())
    return chosen, (
        f"{below:.2%} of {len(seen)} hours seen used at most {chosen:g} of {size:g} vCPU, the "
        f"highest {seen.max():.2f}; {expected:.2%} of future hours are expected to want more"
    )


def _memory(used: FloatArray, chosen: float) -> tuple[float | None, str]:
    """Return the GiB needed, and on what they rest."""
    if np.isnan(used).all():
        return None, "memory is not measured: at least as much as now"
    highest = float(np.nanmax(used))
    with_headroom = highest * (1.0 + MEMORY_HEADROOM)
    if with_headroom >= chosen:
        basis = f"highest {highest:.2f} GiB x {1.0 + MEMORY_HEADROOM:g}"
    else:
        basis = f"highest {highest:.2f} GiB, level may move: {chosen:.2f} GiB"
    return max(with_headroom, chosen) + OS_RESERVE_GIB, f"{basis} + {OS_RESERVE_GIB:g} GiB"


def _traffic(bytes_per_second: FloatArray, *, unit: float) -> float | None:
    if np.isnan(bytes_per_second).all():
        return None
    busy = float(np.nanquantile(bytes_per_second, TRAFFIC_QUANTILE))
    return busy * (1.0 + TRAFFIC_HEADROOM) * unit


def _weekly(instance_hours: FloatArray) -> tuple[float, ...]:
    """Return instance-hours of each whole week; of less than a week, what a week would have."""
    weeks = len(instance_hours) // HOURS_PER_WEEK
    if weeks == 0:
        return (float(instance_hours.mean()) * HOURS_PER_WEEK,)
    whole = instance_hours[-weeks * HOURS_PER_WEEK :].reshape(weeks, HOURS_PER_WEEK)
    return tuple(whole.sum(axis=1).tolist())
