"""Instances and groups with what they cost: the resources that alternatives are found for."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tasks.domain.arrays import BoolArray, FloatArray
from tasks.domain.inventory import Instance, Inventory, Lifecycle, ScalingGroup
from tasks.domain.savings.bill import MONTHS_HOURS, Line, Spend
from tasks.domain.savings.cover import product_scope
from tasks.domain.savings.money import PriceBook
from tasks.domain.savings.running import (
    ENDED,
    days_known,
    days_observed,
    group_running,
    hours_reported,
    running_of,
)
from tasks.domain.savings.selection.alternatives import ResourceKey, Unit
from tasks.domain.usage.panel import Metric, UsagePanel

SHARED = "default"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Machines:
    """An instance outside of groups, or a group, with a known price.

    Attributes:
        key: Region, and instance id or group name.
        group: None for a single instance.
        instances: One, or those in the group now.
        instance_type: The only one; None where several are mixed.
        all_on_demand: Whether everything is bought on demand.
        usd_per_hour: On demand, of one; None where types are mixed.
        running: (168,) mean number of instances in each hour of the week.
        spend: What it costs now.
        in_floor: Whether it was observed for long enough to commit to it for a year.
    """

    key: ResourceKey
    group: ScalingGroup | None
    instances: tuple[Instance, ...]
    instance_type: str | None
    all_on_demand: bool
    usd_per_hour: float | None
    running: FloatArray
    spend: Spend
    in_floor: bool = True

    @property
    def region(self) -> str:
        """Where it runs."""
        return self.key[0]

    @property
    def name(self) -> str:
        """Instance id or group name."""
        return self.key[1]

    @property
    def series(self) -> str:
        """Its row in a usage panel."""
        return self.name if self.group is None else self.group.series

    @property
    def is_alone(self) -> bool:
        """Whether it is an instance that no group would replace; also of groups not listed."""
        return self.group is None and self.instances[0].group is None

    @property
    def product(self) -> str:
        """Of the first instance."""
        return self.instances[0].product

    @property
    def tags(self) -> Mapping[str, str]:
        """What all its instances share; a group's own tags come before."""
        first, *others = (one.tags for one in self.instances)
        shared = {
            key: value
            for key, value in first.items()
            if all(tags.get(key) == value for tags in others)
        }
        return shared if self.group is None else {**shared, **self.group.tags}

    @property
    def unit(self) -> Unit:
        """As the selection sees it."""
        return Unit(key=self.key, spend=self.spend)

    @property
    def hours_per_month(self) -> float:
        """Instance hours a month."""
        return float(self.running.sum()) * MONTHS_HOURS

    def during(self, share: FloatArray) -> Machines:
        """Return the same, running a share of each hour of the week.

        Args:
            share: (168,), at least 0; above 1 where more instances would run.
        """
        return replace(self, running=self.running * share, spend=self.spend.during(share))

    def of_type(self, instance_type: str, prices: PriceBook) -> Machines | None:
        """Return the same with another type everywhere; None where it has no known price."""
        facts = prices.types.get(instance_type)
        resized = tuple(
            replace(
                one,
                instance_type=instance_type,
                architecture=one.architecture if facts is None else facts.shape.architecture,
            )
            for one in self.instances
        )
        spend = _spend_together(resized, self.running, prices)
        if isinstance(spend, str):
            return None
        same = _machines(self.key, self.group, resized, self.running, spend, prices)
        return same if self.in_floor else same.outside_floor()

    def outside_floor(self) -> Machines:
        """Return the same, with nothing to commit to."""
        return replace(self, spend=self.spend.outside_floor(), in_floor=False)


def machines_of(
    inventory: Inventory, panel: UsagePanel, prices: PriceBook, *, min_days: float = 0.0
) -> tuple[tuple[Machines, ...], tuple[str, ...]]:
    """Return everything that has a known price, and what has not, with the reason.

    Args:
        inventory: What runs.
        panel: Use by the hour.
        prices: What is not in them is unknown.
        min_days: Of observation, below which nothing is committed to for a year.
    """
    reported = hours_reported(panel)
    alive = [one for one in inventory.instances if one.state not in ENDED]
    inside = _members(inventory, alive)
    grouped = {one.instance_id for members in inside.values() for one in members}
    found: list[Machines | str] = [
        _single(one, running_of(one, panel, reported=reported), prices)
        for one in alive
        if one.instance_id not in grouped
    ]
    for group in inventory.groups:
        members = inside.get((group.region, group.name), ())
        running = group_running(group, panel)
        if members:
            if running is None:
                each = [running_of(one, panel, reported=reported) for one in members]
                running = np.sum(each, axis=0)
            found.append(_group(group, members, running, prices))
        elif running is not None and running.any():
            found.append(
                f"{group.name} ({group.region}): it ran {running.mean():.2f} instances on average, "
                "but has none now, so that their type is unknown"
            )
    machines = tuple(
        one if _days_observed(one, panel, reported) >= min_days else one.outside_floor()
        for one in found
        if isinstance(one, Machines)
    )
    return machines, tuple(one for one in found if isinstance(one, str))


def _days_observed(one: Machines, panel: UsagePanel, reported: BoolArray) -> float:
    """Return days of which it is known how many ran; of a group the least of its instances."""
    days = 0.0 if one.group is None else days_known(panel, one.series, Metric.INSTANCES)
    each = (days_observed(member, panel, reported=reported) for member in one.instances)
    return days if days > 0.0 else min(each)


def _members(
    inventory: Inventory, alive: Sequence[Instance]
) -> Mapping[ResourceKey, tuple[Instance, ...]]:
    """Return instances by group, as the group or the instance says."""
    by_id = {
        (i, group.region): group.name for group in inventory.groups for i in group.instance_ids
    }
    found: dict[ResourceKey, list[Instance]] = defaultdict(list)
    for one in alive:
        name = by_id.get((one.instance_id, one.region), one.group)
        if name is not None and (one.region, name) in inventory.group:
            found[one.region, name].append(one)
    return {key: tuple(members) for key, members in found.items()}


def on_demand_line(
    instance_type: str, running: FloatArray, *, region: str, product: str, prices: PriceBook
) -> Line | None:
    """Return on-demand spend of a type; None where it has no price."""
    price = prices.on_demand(instance_type, region=region, product=product)
    if price is None:
        return None
    rate = prices.plan_rate(instance_type, region=region, product=product)
    return Line(
        usd_per_hour=price,
        running=running,
        plan_ratio=None if rate is None or price <= 0.0 else min(rate / price, 1.0),
        scope=product_scope(region, instance_type.partition(".")[0], product),
    )


def _single(instance: Instance, running: FloatArray, prices: PriceBook) -> Machines | str:
    spend = _spend(instance, running, prices)
    if isinstance(spend, str):
        return f"{instance.instance_id} ({instance.region}): {spend}"
    return _machines(
        (instance.region, instance.instance_id), None, (instance,), running, spend, prices
    )


def _group(
    group: ScalingGroup, instances: tuple[Instance, ...], running: FloatArray, prices: PriceBook
) -> Machines | str:
    spend = _spend_together(instances, running, prices)
    if isinstance(spend, str):
        return f"{group.name} ({group.region}): {spend}"
    return _machines((group.region, group.name), group, instances, running, spend, prices)


def _spend_together(
    instances: tuple[Instance, ...], running: FloatArray, prices: PriceBook
) -> Spend | str:
    """Return what instances cost that run so many together, dealt out as they are now."""
    spend = Spend()
    for instance, count in _kinds(instances):
        part = _spend(instance, running * (count / len(instances)), prices)
        if isinstance(part, str):
            return part
        spend = spend.plus(part)
    return spend


def _kinds(instances: tuple[Instance, ...]) -> list[tuple[Instance, int]]:
    """Return one instance of each way to be charged, and how many there are."""
    how = [
        (i.instance_type, i.lifecycle, i.product, i.tenancy, i.availability_zone) for i in instances
    ]
    first = dict(zip(reversed(how), reversed(instances), strict=True))
    return [(first[one], count) for one, count in sorted(Counter(how).items())]


def _machines(
    key: ResourceKey,
    group: ScalingGroup | None,
    instances: tuple[Instance, ...],
    running: FloatArray,
    spend: Spend,
    prices: PriceBook,
) -> Machines:
    types = {one.instance_type for one in instances}
    product = instances[0].product
    same = len(types) == 1 and all(one.product == product for one in instances)
    kind = next(iter(types)) if same else None
    return Machines(
        key=key,
        group=group,
        instances=instances,
        instance_type=kind,
        all_on_demand=all(one.lifecycle is Lifecycle.ON_DEMAND for one in instances),
        usd_per_hour=None
        if kind is None
        else prices.on_demand(kind, region=key[0], product=product),
        running=running,
        spend=spend,
    )


def _spend(instance: Instance, running: FloatArray, prices: PriceBook) -> Spend | str:
    """Return what instances like this cost, or why that is not known."""
    if instance.tenancy != SHARED:
        return f"prices of {instance.tenancy} tenancy are not read"
    if not running.any():
        return Spend()
    if instance.lifecycle is Lifecycle.SPOT:
        return _spot_spend(instance, running, prices)
    if instance.lifecycle is Lifecycle.SCHEDULED:
        return "scheduled instances have no price in the price list"
    line = on_demand_line(
        instance.instance_type,
        running,
        region=instance.region,
        product=instance.product,
        prices=prices,
    )
    if line is None:
        return f"no on-demand price of {instance.instance_type} with {instance.product}"
    return Spend(lines=(line,))


def _spot_spend(instance: Instance, running: FloatArray, prices: PriceBook) -> Spend | str:
    quotes = prices.spot.get((instance.region, instance.instance_type), ())
    here = [q for q in quotes if q.availability_zone == instance.availability_zone]
    if not here:
        return f"no spot quote of {instance.instance_type} in {instance.availability_zone}"
    return Spend(other_usd=here[0].usd_per_hour * float(running.sum()) * MONTHS_HOURS)
