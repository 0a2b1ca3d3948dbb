"""Auto scaling groups: mixed instances and changed templates.

Simplified, and everything at once: what the service does over minutes has happened when it answers.
A change of template or policy leaves the members as they are, as at AWS; a refresh replaces them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deployments.embedded.aws.calls import Call
from deployments.embedded.aws.changes.members import scale
from deployments.embedded.aws.errors import AwsError
from deployments.embedded.aws.policy import ACCOUNT

_DISTRIBUTION = {
    "OnDemandAllocationStrategy": "prioritized",
    "OnDemandBaseCapacity": 0,
    "OnDemandPercentageAboveBaseCapacity": 100,
    "SpotAllocationStrategy": "lowest-price",
}
"""What AWS takes where a policy does not say."""


class GroupChanges:
    """Answers what creates and changes groups."""

    def create(self, call: Call, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Answer CreateAutoScalingGroup.

        Raises:
            AwsError: Sizes do not fit, or there is a group of that name.
        """
        backend, name = backend_of(call.region), parameters["AutoScalingGroupName"]
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
        scale(backend, group, wanted)
        return {}

    def update(self, call: Call, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Answer UpdateAutoScalingGroup: what is not said stays, which moto forgets.

        Raises:
            AwsError: Sizes do not fit, or there is no such group.
        """
        backend = backend_of(call.region)
        group = group_named(call.region, parameters["AutoScalingGroupName"])
        least = parameters.get("MinSize", group.min_size)
        most = parameters.get("MaxSize", group.max_size)
        # AWS moves the wanted capacity into new bounds unless it is given as well.
        within = min(max(group.desired_capacity, least), most)
        wanted = parameters.get("DesiredCapacity", within)
        _check_sizes(least, wanted, most)
        group.min_size, group.max_size = least, most
        _place(group, parameters)
        set_template(group, parameters)
        for name, attribute in _ATTRIBUTES.items():
            if name in parameters:
                setattr(group, attribute, parameters[name])
        scale(backend, group, wanted)
        return {}

    def set_desired(self, call: Call, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Answer SetDesiredCapacity.

        Raises:
            AwsError: It is out of the group's bounds, or there is no such group.
        """
        group = group_named(call.region, parameters["AutoScalingGroupName"])
        wanted = parameters["DesiredCapacity"]
        _check_sizes(group.min_size, wanted, group.max_size)
        scale(backend_of(call.region), group, wanted)
        return {}


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
    group = backend_of(region).autoscaling_groups.get(name)
    if group is None:
        message = f"AutoScalingGroup name not found - AutoScalingGroup {name} not found"
        raise AwsError(code="ValidationError", message=message)
    return group


def backend_of(region: str) -> Any:
    """Return moto's groups of a region."""
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


def set_template(group: Any, parameters: Mapping[str, Any]) -> None:
    """Let a group launch from another template or policy, where parameters say so."""
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
