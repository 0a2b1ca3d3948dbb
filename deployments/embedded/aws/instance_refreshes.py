"""Auto Scaling DescribeInstanceRefreshes, which moto lacks: embedded groups are never refreshed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deployments.embedded.aws.calls import Call
from deployments.embedded.aws.errors import AwsError
from deployments.embedded.aws.policy import ACCOUNT


def describe_instance_refreshes(call: Call, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Answer DescribeInstanceRefreshes: none of any group.

    Raises:
        AwsError: There is no such group.
    """
    check_group(call.region, str(parameters.get("AutoScalingGroupName", "")))
    return {"InstanceRefreshes": []}


def check_group(region: str, name: str) -> Any:
    """Return moto's group of a name.

    Raises:
        AwsError: There is none.
    """
    # Reads moto's models: only when somebody asks.
    from moto.autoscaling.models import autoscaling_backends

    group = autoscaling_backends[ACCOUNT][region].autoscaling_groups.get(name)
    if group is None:
        message = f"AutoScalingGroup name not found - AutoScalingGroup {name} not found"
        raise AwsError(code="ValidationError", message=message)
    return group
