"""What was seen of every instance and every group that could be right-sized.

An instance outside of a group is judged by the hours in which it had its present type
(`same_type`); a member of a group has the type that it was launched with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tasks.domain.arrays import FloatArray
from tasks.domain.instances import TypeFacts
from tasks.domain.inventory import Instance, Inventory, ScalingGroup
from tasks.domain.savings.sizing.same_type import hours_of_present_type
from tasks.domain.usage.panel import Metric, UsagePanel

VARYING_SHARE = 0.01
"""Share of hours with another number of instances from which a group scales; a replaced instance
changes the number for an hour."""

USED = (
    Metric.CPU_MEAN,
    Metric.CPU_MAX,
    Metric.MEMORY_MEAN,
    Metric.MEMORY_MAX,
    Metric.NETWORK,
    Metric.DISK,
)
PER_CENT = (Metric.CPU_MEAN, Metric.CPU_MAX, Metric.MEMORY_MEAN, Metric.MEMORY_MAX)
"""What means something else on another type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """One instance, or the busiest of a group's in every hour.

    Attributes:
        use: By metric, (hours,); all NaN where nothing reports it.
        instance_hours: (hours,) instances seen.
        keeps_vcpu: Whether it must have as many vCPU as now.
    """

    resource: str
    facts: TypeFacts
    use: Mapping[Metric, FloatArray]
    instance_hours: FloatArray
    keeps_vcpu: bool = False


def observed_instance(instance: Instance, panel: UsagePanel, facts: TypeFacts) -> Observed | None:
    """Return an instance's use; None where nothing is known of it with its present type."""
    name = instance.instance_id
    if not _is_known(panel, name):
        return None
    use = _use(panel, [name])
    if instance.group is None:
        counts = hours_of_present_type(
            use[Metric.CPU_MEAN], start=panel.start, launched_at=instance.launched_at
        )
        use |= {metric: np.where(counts, use[metric], np.nan) for metric in PER_CENT}
    if np.isnan(use[Metric.CPU_MEAN]).all():
        return None
    return Observed(resource=name, facts=facts, use=use, instance_hours=_seen(panel, [name]))


def _is_known(panel: UsagePanel, resource: str) -> bool:
    return panel.row(Metric.CPU_MEAN, resource) is not None


def _use(panel: UsagePanel, resources: Sequence[str]) -> dict[Metric, FloatArray]:
    """Return each metric of the busiest of some resources in every hour."""
    # fmax passes over NaN, and does not warn where all are.
    return {metric: np.fmax.reduce(_rows(panel, metric, resources)) for metric in USED}


def _rows(panel: UsagePanel, metric: Metric, resources: Sequence[str]) -> FloatArray:
    found = panel.values.get(metric)
    if found is None:
        return np.full((len(resources), panel.hours), np.nan)
    return found[[panel.position[one] for one in resources]].astype(float)


def _seen(panel: UsagePanel, resources: Sequence[str]) -> FloatArray:
    known = ~np.isnan(_rows(panel, Metric.CPU_MEAN, resources))
    return np.asarray(known.sum(axis=0), dtype=float)


def observed_group(
    group: ScalingGroup, panel: UsagePanel, inventory: Inventory, types: Mapping[str, TypeFacts]
) -> tuple[tuple[str, str], Observed] | None:
    """Return a group's region and name, and the use of the busiest of its members in every hour.

    Returns:
        None for a group of several types, or of which nothing is known.
    """
    members = [inventory.instance[one] for one in group.instance_ids if one in inventory.instance]
    found = {one.instance_type for one in members}
    known = [one.instance_id for one in members if _is_known(panel, one.instance_id)]
    if len(found) != 1 or not found <= types.keys() or not known:
        return None
    observed = Observed(
        resource=group.name,
        facts=types[found.pop()],
        use=_use(panel, known),
        instance_hours=_seen(panel, known),
        keeps_vcpu=_scales(group, panel),
    )
    return (group.region, group.name), observed


def _scales(group: ScalingGroup, panel: UsagePanel) -> bool:
    """Return whether the number of a group's instances follows its load, or could."""
    if group.max_size <= group.min_size:
        return False
    counts = panel.row(Metric.INSTANCES, group.series)
    if counts is None or group.predictive_policies or group.dynamic_policies:
        return True
    known = counts[~np.isnan(counts)]
    return bool((np.abs(known - np.median(known)) >= 0.5).mean() > VARYING_SHARE)
