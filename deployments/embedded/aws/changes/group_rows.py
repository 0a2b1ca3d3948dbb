"""Auto Scaling DescribeAutoScalingGroups, from what moto holds.

moto tells a template beside a policy that has it already, which AWS does not, and leaves out whether
capacity is rebalanced.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deployments.embedded.aws.calls import Call
from deployments.embedded.aws.errors import AwsError
from deployments.embedded.aws.pages import page_of
from deployments.embedded.aws.policy import ACCOUNT
from deployments.embedded.aws.spot_filters import matches, wildcard

MOST_RECORDS = 100
_FEWEST = 50
_TAGS = {"tag-key": "Key", "tag-value": "Value"}


def describe_groups(call: Call, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Answer DescribeAutoScalingGroups: a page, in the order in which they were made.

    Raises:
        AwsError: A filter or a page size is not what the service allows.
    """
    # Loads moto's models: only when somebody asks.
    from moto.autoscaling.models import autoscaling_backends

    limit = parameters.get("MaxRecords", _FEWEST)
    if not 1 <= limit <= MOST_RECORDS:
        message = f"MaxRecords {limit} must be between 1 and {MOST_RECORDS}"
        raise AwsError(code="ValidationError", message=message)
    groups = list(autoscaling_backends[ACCOUNT][call.region].autoscaling_groups.values())
    if names := parameters.get("AutoScalingGroupNames"):
        groups = [one for one in groups if one.name in names]
    for item in parameters.get("Filters", ()):
        groups = [one for one in groups if _passes(one, item)]
    query = {
        key: each for key, each in parameters.items() if key not in {"MaxRecords", "NextToken"}
    }
    page, token = page_of(
        groups,
        query=query,
        token=parameters.get("NextToken"),
        limit=limit,
        code="InvalidNextToken",
    )
    answer: dict[str, Any] = {"AutoScalingGroups": [_row(one) for one in page]}
    return {**answer, "NextToken": token} if token else answer


def _passes(group: Any, item: Mapping[str, Any]) -> bool:
    name, patterns = item["Name"], [wildcard(value) for value in item.get("Values", ())]
    if name.startswith("tag:"):
        texts = [tag.get("Value", "") for tag in group.tags if tag["Key"] == name[4:]]
    elif name in _TAGS:
        texts = [tag.get(_TAGS[name], "") for tag in group.tags]
    else:
        message = f"Filter type {name} is not supported"
        raise AwsError(code="ValidationError", message=message)
    return any(matches(text, patterns) for text in texts)


def _row(group: Any) -> dict[str, Any]:
    policy = group.mixed_instances_policy
    row = {
        "AutoScalingGroupName": group.name,
        "AutoScalingGroupARN": group.arn,
        "MinSize": group.min_size,
        "MaxSize": group.max_size,
        "DesiredCapacity": group.desired_capacity,
        "DefaultCooldown": group.default_cooldown,
        "AvailabilityZones": list(group.availability_zones),
        "LoadBalancerNames": list(group.load_balancer_names or ()),
        "TargetGroupARNs": list(group.target_group_arns or ()),
        "HealthCheckType": group.health_check_type,
        "HealthCheckGracePeriod": group.health_check_grace_period,
        "Instances": [_member(state, mixed=bool(policy)) for state in group.instance_states],
        "CreatedTime": group.created_time,
        "SuspendedProcesses": list(group.suspended_processes),
        "VPCZoneIdentifier": group.vpc_zone_identifier or "",
        "EnabledMetrics": list(group.enabled_metrics),
        "Tags": [_tag(tag) for tag in group.tags],
        "TerminationPolicies": list(group.termination_policies),
        "NewInstancesProtectedFromScaleIn": bool(group.new_instances_protected_from_scale_in),
        "ServiceLinkedRoleARN": group.service_linked_role_arn,
        "CapacityRebalance": bool(group.capacity_rebalance),
    }
    optional = {
        "LaunchConfigurationName": group.launch_config.name if group.launch_config else None,
        "LaunchTemplate": None if policy else _stated(group.launch_template),
        "MixedInstancesPolicy": policy,
        "PlacementGroup": group.placement_group or None,
    }
    return {**row, **{key: value for key, value in optional.items() if value is not None}}


def _stated(template: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return a template as it was given: no version where none was said."""
    if template is None:
        return None
    return {key: value for key, value in template.items() if value is not None}


def _member(state: Any, *, mixed: bool) -> dict[str, Any]:
    row = {
        "InstanceId": state.instance.id,
        "InstanceType": state.instance.instance_type,
        "AvailabilityZone": state.instance.placement.zone,
        "LifecycleState": state.lifecycle_state,
        "HealthStatus": state.health_status,
        "ProtectedFromScaleIn": bool(state.protected_from_scale_in),
    }
    template = None if mixed else _stated(state.launch_template)
    return row if template is None else {**row, "LaunchTemplate": template}


def _tag(tag: Mapping[str, Any]) -> dict[str, Any]:
    said = str(tag.get("PropagateAtLaunch", False)).lower() == "true"
    return {
        "ResourceId": tag["ResourceId"],
        "ResourceType": tag["ResourceType"],
        "Key": tag["Key"],
        "Value": tag.get("Value", ""),
        "PropagateAtLaunch": said,
    }
