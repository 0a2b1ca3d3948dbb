"""Auto scaling groups: mixed instances, changed templates, and instance refreshes.

Simplified, and everything at once: what the service does over minutes has happened when it answers.
A change of template or policy leaves the members as they are, as at AWS; a refresh replaces them, each
in its zone. On-demand members have the first type of a policy, spot members its types in turn, and
capacity is counted in instances: weights are kept and not applied.
"""

from __future__ import annotations

import itertools
import math
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from deployments.embedded.aws.calls import Call
from deployments.embedded.aws.changes.measured import hand_over
from deployments.embedded.aws.errors import AwsError
from deployments.embedded.aws.metric_store import MetricStore
from deployments.embedded.aws.policy import ACCOUNT

_DISTRIBUTION = {
    "OnDemandAllocationStrategy": "prioritized",
    "OnDemandBaseCapacity": 0,
    "OnDemandPercentageAboveBaseCapacity": 100,
    "SpotAllocationStrategy": "lowest-price",
}
"""What AWS takes where a policy does not say."""


class GroupChanges:
    """Answers what creates, changes and refreshes groups.

    Args:
        metrics: What is measured: a member that replaces another goes on where that stopped.
        clock: Now, aware.
    """

    def __init__(self, metrics: MetricStore, *, clock: Callable[[], datetime]) -> None:
        self._metrics = metrics
        self._clock = clock
        self._refreshes: dict[tuple[str, str], list[dict[str, Any]]] = {}

    def create(self, call: Call, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Answer CreateAutoScalingGroup.

        Raises:
            AwsError: Sizes do not fit, or there is a group of that name.
        """
        backend, name = _backend(call.region), parameters["AutoScalingGroupName"]
        if name in backend.autoscaling_groups:
            message = f"AutoScalingGroup by this name already exists - {name} already exists"
            raise AwsError(code="AlreadyExists", message=message)
        least, most = parameters["MinSize"], parameters["MaxSize"]
        wanted = parameters.get("DesiredCapacity", least)
        _check_sizes(least, wanted, most)
        group = backend.create_auto_scaling_group(
            name=name,
            availability_zones=parameters.get("AvailabilityZones"),
            desired_capacity=0,
            max_size=most,
            min_size=0,
            launch_config_name=parameters.get("LaunchConfigurationName", ""),
            launch_template=parameters.get("LaunchTemplate", {}),
            vpc_zone_identifier=parameters.get("VPCZoneIdentifier"),
            default_cooldown=parameters.get("DefaultCooldown"),
            health_check_period=parameters.get("HealthCheckGracePeriod"),
            health_check_type=parameters.get("HealthCheckType"),
            load_balancers=parameters.get("LoadBalancerNames", []),
            target_group_arns=parameters.get("TargetGroupARNs", []),
            placement_group=parameters.get("PlacementGroup"),
            termination_policies=parameters.get("TerminationPolicies", []),
            tags=[dict(tag) for tag in parameters.get("Tags", ())],
            capacity_rebalance=parameters.get("CapacityRebalance", False),
            new_instances_protected_from_scale_in=parameters.get(
                "NewInstancesProtectedFromScaleIn", False
            ),
            mixed_instances_policy=_completed(parameters.get("MixedInstancesPolicy")),
        )
        group.min_size = least
        _scale(backend, group, wanted)
        return {}

    def update(self, call: Call, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Answer UpdateAutoScalingGroup: what is not said stays, which moto forgets.

        Raises:
            AwsError: Sizes do not fit, or there is no such group.
        """
        backend = _backend(call.region)
        group = group_named(call.region, parameters["AutoScalingGroupName"])
        least = parameters.get("MinSize", group.min_size)
        most = parameters.get("MaxSize", group.max_size)
        # AWS moves the wanted capacity into new bounds unless it is given as well.
        within = min(max(group.desired_capacity, least), most)
        wanted = parameters.get("DesiredCapacity", within)
        _check_sizes(least, wanted, most)
        group.min_size, group.max_size = least, most
        _place(group, parameters)
        _set_template(group, parameters)
        for name, attribute in _ATTRIBUTES.items():
            if name in parameters:
                setattr(group, attribute, parameters[name])
        _scale(backend, group, wanted)
        return {}

    def set_desired(self, call: Call, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Answer SetDesiredCapacity.

        Raises:
            AwsError: It is out of the group's bounds, or there is no such group.
        """
        group = group_named(call.region, parameters["AutoScalingGroupName"])
        wanted = parameters["DesiredCapacity"]
        _check_sizes(group.min_size, wanted, group.max_size)
        _scale(_backend(call.region), group, wanted)
        return {}

    def start_refresh(self, call: Call, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Answer StartInstanceRefresh: every member is replaced by one of the template as it is now.

        Raises:
            AwsError: There is no such group.
        """
        backend = _backend(call.region)
        group = group_named(call.region, parameters["AutoScalingGroupName"])
        _set_template(group, parameters.get("DesiredConfiguration", {}))
        old = list(group.instance_states)
        group.instance_states = []
        zones = [state.instance.placement.zone for state in old]
        new = _launch(backend, group, len(old), zones=zones)
        now = int(self._clock().timestamp())
        for gone, come in zip(old, new, strict=True):
            hand_over(self._metrics, call.region, old=gone.instance.id, new=come.id, now=now)
        _terminate(backend, [state.instance for state in old])
        backend.update_attached_elbs(group.name)
        identity = str(uuid.uuid4())
        self._refreshes.setdefault((call.region, group.name), []).insert(
            0, self._refresh(identity, group.name)
        )
        return {"InstanceRefreshId": identity}

    def _refresh(self, identity: str, group: str) -> dict[str, Any]:
        now = self._clock()
        return {
            "InstanceRefreshId": identity,
            "AutoScalingGroupName": group,
            "Status": "Successful",
            "StartTime": now,
            "EndTime": now,
            "PercentageComplete": 100,
            "InstancesToUpdate": 0,
        }

    def describe_refreshes(self, call: Call, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Answer DescribeInstanceRefreshes, the last one first.

        Raises:
            AwsError: There is no such group.
        """
        group = group_named(call.region, parameters["AutoScalingGroupName"])
        found = self._refreshes.get((call.region, group.name), [])
        ids = parameters.get("InstanceRefreshIds")
        return {
            "InstanceRefreshes": [
                one for one in found if not ids or one["InstanceRefreshId"] in ids
            ]
        }


_ATTRIBUTES = {
    "CapacityRebalance": "capacity_rebalance",
    "DefaultCooldown": "default_cooldown",
    "HealthCheckGracePeriod": "health_check_grace_period",
    "HealthCheckType": "health_check_type",
    "NewInstancesProtectedFromScaleIn": "new_instances_protected_from_scale_in",
    "PlacementGroup": "placement_group",
    "TerminationPolicies": "termination_policies",
}


def group_named(region: str, name: str) -> Any:
    """Return moto's group of a name.

    Raises:
        AwsError: There is none.
    """
    group = _backend(region).autoscaling_groups.get(name)
    if group is None:
        message = f"AutoScalingGroup name not found - AutoScalingGroup {name} not found"
        raise AwsError(code="ValidationError", message=message)
    return group


def _backend(region: str) -> Any:
    # Loads moto's models: only when somebody asks.
    from moto.autoscaling.models import autoscaling_backends

    return autoscaling_backends[ACCOUNT][region]


def _check_sizes(least: int, wanted: int, most: int) -> None:
    if least > most:
        message = f"Max bound, {most}, must be greater than or equal to min bound, {least}"
        raise AwsError(code="ValidationError", message=message)
    if not least <= wanted <= most:
        message = (
            f"Desired capacity:{wanted} must be between the specified min size:{least} and "
            f"max size:{most}"
        )
        raise AwsError(code="ValidationError", message=message)


def _place(group: Any, parameters: Mapping[str, Any]) -> None:
    zones, subnets = parameters.get("AvailabilityZones"), parameters.get("VPCZoneIdentifier")
    if zones or subnets:
        group._set_azs_and_vpcs(zones or [], subnets, update=True)  # noqa: SLF001 - moto's only way


def _set_template(group: Any, parameters: Mapping[str, Any]) -> None:
    template, policy = parameters.get("LaunchTemplate"), parameters.get("MixedInstancesPolicy")
    configuration = parameters.get("LaunchConfigurationName")
    if not (template or policy or configuration):
        return
    group.mixed_instances_policy = _completed(policy)
    group._set_launch_configuration(  # noqa: SLF001 - moto's only way
        configuration or "", template or {}, mixed_instances_policy=group.mixed_instances_policy
    )


def _completed(policy: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if policy is None:
        return None
    template = {"Overrides": [], **policy["LaunchTemplate"]}
    specification = dict(template["LaunchTemplateSpecification"])
    if "LaunchTemplateId" in specification:
        # AWS takes both when they agree; moto does not.
        specification.pop("LaunchTemplateName", None)
    template["LaunchTemplateSpecification"] = specification
    distribution = {**_DISTRIBUTION, **policy.get("InstancesDistribution", {})}
    return {"LaunchTemplate": template, "InstancesDistribution": distribution}


def _scale(backend: Any, group: Any, wanted: int) -> None:
    group.desired_capacity = wanted
    surplus = group.active_instances()[wanted:]
    if surplus:
        gone = {id(state) for state in surplus}
        group.instance_states = [one for one in group.instance_states if id(one) not in gone]
        _terminate(backend, [state.instance for state in surplus])
    missing = wanted - len(group.active_instances())
    if missing > 0:
        _launch(backend, group, missing)
    backend.update_attached_elbs(group.name)
    backend.update_attached_target_groups(group.name)


def _launch(
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


def _terminate(backend: Any, instances: Sequence[Any]) -> None:
    if instances:
        backend.ec2_backend.terminate_instances([one.id for one in instances])
