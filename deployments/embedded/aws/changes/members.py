"""Members of auto scaling groups: launched as the group's policy says, and ended.

On-demand members have the first type of a policy, spot members its types in turn, and capacity is
counted in instances: weights are kept and not applied.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any


def scale(backend: Any, group: Any, wanted: int) -> None:
    """Launch or end members until a group has so many."""
    group.desired_capacity = wanted
    surplus = group.active_instances()[wanted:]
    if surplus:
        gone = {id(state) for state in surplus}
        group.instance_states = [one for one in group.instance_states if id(one) not in gone]
        terminate(backend, [state.instance for state in surplus])
    missing = wanted - len(group.active_instances())
    if missing > 0:
        launch(backend, group, missing)
    backend.update_attached_elbs(group.name)
    backend.update_attached_target_groups(group.name)


def launch(
    backend: Any, group: Any, count: int, *, zones: Sequence[str] | None = None
) -> list[Any]:
    """Launch members, spread over zones, on demand or spot as the group's policy says."""
    from moto.autoscaling.models import InstanceState

    from deployments.embedded.aws.price_list import on_demand_types

    known = len(group.active_instances())
    wanted = _members(group, known + count)[known:]
    places = list(zones or itertools.islice(itertools.cycle(group.availability_zones), count))
    made = []
    for (kind, spot), zone in zip(wanted, places, strict=True):
        reservation = backend.ec2_backend.run_instances(
            group.image_id,
            1,
            group.user_data,
            group.security_groups,
            instance_type=kind,
            # Types that are retired still run where they are.
            is_instance_type_default=True,
            placement=zone,
            region_name=group.region,
            lifecycle="spot" if spot else None,
            tags={"instance": _member_tags(group)},
            subnet_id=None,
        )
        (one,) = reservation.instances
        one.lifecycle = "spot" if spot else None
        one.autoscaling_group = group
        if kind in on_demand_types():
            one.architecture = on_demand_types()[kind].architecture
        protected = group.new_instances_protected_from_scale_in
        group.instance_states.append(InstanceState(one, protected_from_scale_in=protected))
        made.append(one)
    return made


def _member_tags(group: Any) -> dict[str, str]:
    own = {
        tag["Key"]: tag.get("Value", "")
        for tag in group.tags
        if str(tag.get("PropagateAtLaunch")).lower() == "true"
    }
    return {**group.instance_tags, **own, "aws:autoscaling:groupName": group.name}


def _members(group: Any, count: int) -> list[tuple[str, bool]]:
    """Return type and whether it is spot for each of a number of members, in order of launch."""
    policy = group.mixed_instances_policy
    if not policy:
        return [(group.instance_type, False)] * count
    overrides = policy["LaunchTemplate"].get("Overrides", [])
    kinds = [one["InstanceType"] for one in overrides if "InstanceType" in one]
    kinds = kinds or [group.instance_type]
    said = policy["InstancesDistribution"]
    base = int(said["OnDemandBaseCapacity"])
    share = int(said["OnDemandPercentageAboveBaseCapacity"]) / 100.0
    on_demand = min(count, base + math.ceil(max(count - base, 0) * share))
    spot = itertools.islice(itertools.cycle(kinds), count - on_demand)
    return [(kinds[0], False)] * on_demand + [(kind, True) for kind in spot]


def terminate(backend: Any, instances: Sequence[Any]) -> None:
    """Terminate members; none is fine."""
    if instances:
        backend.ec2_backend.terminate_instances([one.id for one in instances])
