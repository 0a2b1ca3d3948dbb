"""What changes the size of a group: aws:autoscaling/policy:Policy and aws:autoscaling/schedule:Schedule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deployments.embedded.pulumi_aws.account import Cloud
from deployments.embedded.pulumi_aws.kinds import Kind, Simple
from deployments.embedded.pulumi_aws.resources.shared import (
    capitals,
    found_or_none,
    smalls,
    whole,
)
from deployments.embedded.pulumi_aws.resources.tags import given
from deployments.embedded.pulumi_aws.values import Properties

OPERATIONS = (
    "autoscaling:DeletePolicy",
    "autoscaling:DeleteScheduledAction",
    "autoscaling:DescribePolicies",
    "autoscaling:DescribeScheduledActions",
    "autoscaling:PutScalingPolicy",
    "autoscaling:PutScheduledUpdateGroupAction",
)
_UNCHANGED = -1
"""A schedule's size that stays as it is."""


class ScalingPolicies(Simple):
    """Carries out what is asked of scaling policies."""

    def create(self, cloud: Cloud, new: Properties) -> str:
        """Put a policy."""
        cloud.client("autoscaling").put_scaling_policy(**_policy_arguments(new))
        return str(new["name"])

    def read(self, cloud: Cloud, identity: str, known: Properties) -> Properties | None:
        """Return a policy; an import names it as group/policy."""
        group, name = _group_and_name(identity, known)
        client = cloud.client("autoscaling")
        found = client.describe_policies(AutoScalingGroupName=group, PolicyNames=[name])
        if not found["ScalingPolicies"]:
            return None
        return {"id": name, **_policy(cloud, found["ScalingPolicies"][0])}

    def update(
        self, cloud: Cloud, identity: str, old: Properties, new: Properties, changed: set[str]
    ) -> None:
        """Put a policy in the place of the one of its name."""
        del old, changed
        arguments = _policy_arguments({**new, "name": identity})
        cloud.client("autoscaling").put_scaling_policy(**arguments)

    def delete(self, cloud: Cloud, identity: str, old: Properties) -> None:
        """Delete a policy."""
        client = cloud.client("autoscaling")
        found_or_none(
            lambda: client.delete_policy(
                AutoScalingGroupName=old["autoscalingGroupName"], PolicyName=identity
            ),
            "ValidationError",
        )


def _group_and_name(identity: str, known: Properties) -> tuple[str, str]:
    if "autoscalingGroupName" in known:
        return str(known["autoscalingGroupName"]), identity
    group, _, name = identity.partition("/")
    return group, name


def _policy_arguments(new: Properties) -> dict[str, Any]:
    forecast = new.get("predictiveScalingConfiguration")
    return given(
        AdjustmentType=new.get("adjustmentType"),
        AutoScalingGroupName=new["autoscalingGroupName"],
        Cooldown=new.get("cooldown"),
        Enabled=new.get("enabled"),
        EstimatedInstanceWarmup=new.get("estimatedInstanceWarmup"),
        MetricAggregationType=new.get("metricAggregationType"),
        MinAdjustmentMagnitude=new.get("minAdjustmentMagnitude"),
        PolicyName=new["name"],
        PolicyType=new.get("policyType", "SimpleScaling"),
        PredictiveScalingConfiguration=None if forecast is None else _forecast(forecast),
        ScalingAdjustment=new.get("scalingAdjustment"),
        StepAdjustments=capitals(new.get("stepAdjustments")),
        TargetTrackingConfiguration=capitals(new.get("targetTrackingConfiguration")),
    )


def _forecast(said: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = capitals(
        {key: value for key, value in said.items() if key != "metricSpecification"}
    )
    for name in ("MaxCapacityBuffer", "SchedulingBufferTime"):
        if name in found:
            found[name] = whole(found[name])
    return {**found, "MetricSpecifications": [capitals(said["metricSpecification"])]}


def _policy(cloud: Cloud, one: Mapping[str, Any]) -> Properties:
    forecast = one.get("PredictiveScalingConfiguration")
    return {
        "adjustmentType": one.get("AdjustmentType"),
        "arn": one["PolicyARN"],
        "autoscalingGroupName": one["AutoScalingGroupName"],
        "cooldown": one.get("Cooldown"),
        "enabled": one.get("Enabled", True),
        "estimatedInstanceWarmup": one.get("EstimatedInstanceWarmup"),
        "metricAggregationType": one.get("MetricAggregationType"),
        "minAdjustmentMagnitude": one.get("MinAdjustmentMagnitude"),
        "name": one["PolicyName"],
        "policyType": one["PolicyType"],
        "predictiveScalingConfiguration": None if not forecast else _told_forecast(forecast),
        "region": cloud.region,
        "scalingAdjustment": one.get("ScalingAdjustment"),
        "stepAdjustments": smalls(one.get("StepAdjustments") or None),
        "targetTrackingConfiguration": smalls(one.get("TargetTrackingConfiguration") or None),
    }


def _told_forecast(forecast: Mapping[str, Any]) -> Properties:
    rest = {key: value for key, value in forecast.items() if key != "MetricSpecifications"}
    found: Properties = smalls(rest)
    for name in ("maxCapacityBuffer", "schedulingBufferTime"):
        if name in found:
            found[name] = str(found[name])
    (metric,) = forecast["MetricSpecifications"]
    return {**found, "metricSpecification": smalls(metric)}


class ScalingSchedules(Simple):
    """Carries out what is asked of scheduled actions."""

    def create(self, cloud: Cloud, new: Properties) -> str:
        """Put a scheduled action."""
        client = cloud.client("autoscaling")
        client.put_scheduled_update_group_action(**_schedule_arguments(new))
        return str(new["scheduledActionName"])

    def read(self, cloud: Cloud, identity: str, known: Properties) -> Properties | None:
        """Return a scheduled action; an import names it as group/action."""
        group, name = _group_and_name(identity, known)
        client = cloud.client("autoscaling")
        found = client.describe_scheduled_actions(
            AutoScalingGroupName=group, ScheduledActionNames=[name]
        )
        actions = found["ScheduledUpdateGroupActions"]
        return {"id": name, **_schedule(cloud, actions[0])} if actions else None

    def update(
        self, cloud: Cloud, identity: str, old: Properties, new: Properties, changed: set[str]
    ) -> None:
        """Put a scheduled action in the place of the one of its name."""
        del identity, old, changed
        client = cloud.client("autoscaling")
        client.put_scheduled_update_group_action(**_schedule_arguments(new))

    def delete(self, cloud: Cloud, identity: str, old: Properties) -> None:
        """Delete a scheduled action."""
        client = cloud.client("autoscaling")
        found_or_none(
            lambda: client.delete_scheduled_action(
                AutoScalingGroupName=old["autoscalingGroupName"], ScheduledActionName=identity
            ),
            "ValidationError",
        )


def _schedule_arguments(new: Properties) -> dict[str, Any]:
    sizes = {
        argument: new[name]
        for argument, name in (
            ("DesiredCapacity", "desiredCapacity"),
            ("MaxSize", "maxSize"),
            ("MinSize", "minSize"),
        )
        if new.get(name, _UNCHANGED) != _UNCHANGED
    }
    return sizes | given(
        AutoScalingGroupName=new["autoscalingGroupName"],
        EndTime=new.get("endTime"),
        Recurrence=new.get("recurrence"),
        ScheduledActionName=new["scheduledActionName"],
        StartTime=new.get("startTime"),
        TimeZone=new.get("timeZone"),
    )


def _schedule(cloud: Cloud, one: Mapping[str, Any]) -> Properties:
    return {
        "arn": one.get("ScheduledActionARN"),
        "autoscalingGroupName": one["AutoScalingGroupName"],
        "desiredCapacity": _size(one, "DesiredCapacity"),
        "endTime": _instant(one.get("EndTime")),
        "maxSize": _size(one, "MaxSize"),
        "minSize": _size(one, "MinSize"),
        "recurrence": one.get("Recurrence") or None,
        "region": cloud.region,
        "scheduledActionName": one["ScheduledActionName"],
        "startTime": _instant(one.get("StartTime")),
        "timeZone": one.get("TimeZone") or None,
    }


def _size(one: Mapping[str, Any], name: str) -> int:
    found = one.get(name)
    return _UNCHANGED if found is None else int(found)


def _instant(at: Any) -> str | None:
    return None if at is None else f"{at:%Y-%m-%dT%H:%M:%SZ}"


POLICY = Kind(
    token="aws:autoscaling/policy:Policy",  # noqa: S106 - a type's name
    module="autoscaling",
    name="Policy",
    actions=ScalingPolicies(),
    # Terraform registry, aws_autoscaling_policy: a policy is put anew in place under its name,
    # https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/autoscaling_policy
    replaces=frozenset({"autoscalingGroupName", "name", "policyType", "region"}),
    absent={
        "cooldown": None,
        "enabled": True,
        "estimatedInstanceWarmup": None,
        "minAdjustmentMagnitude": None,
        "policyType": "SimpleScaling",
        "predictiveScalingConfiguration": None,
        "scalingAdjustment": None,
        "stepAdjustments": [],
        "targetTrackingConfiguration": None,
    },
    sets=frozenset({"stepAdjustments"}),
    named=True,
)

SCHEDULE = Kind(
    token="aws:autoscaling/schedule:Schedule",  # noqa: S106 - a type's name
    module="autoscaling",
    name="Schedule",
    actions=ScalingSchedules(),
    # Terraform registry, aws_autoscaling_schedule, "Argument Reference",
    # https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/autoscaling_schedule
    replaces=frozenset({"autoscalingGroupName", "region", "scheduledActionName"}),
)
