"""Auto scaling groups in the words of the service, and in Pulumi's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deployments.embedded.pulumi_aws.account import Cloud
from deployments.embedded.pulumi_aws.resources.shared import capitals, smalls, whole
from deployments.embedded.pulumi_aws.resources.tags import given
from deployments.embedded.pulumi_aws.values import Properties

# Overrides are one by one in the API's list, and so is the name of it.
_RENAMED = {"overrides": "Overrides"}


def group_arguments(new: Properties, *, only_changed: bool = False) -> dict[str, Any]:
    """Return a group as the service takes it.

    Args:
        new: As the program has it.
        only_changed: For an update: what is left out stays.
    """
    subnets, template = new.get("vpcZoneIdentifiers"), new.get("launchTemplate")
    return given(
        AutoScalingGroupName=None if only_changed else new["name"],
        AvailabilityZones=new.get("availabilityZones"),
        CapacityRebalance=new.get("capacityRebalance"),
        DefaultCooldown=new.get("defaultCooldown"),
        DefaultInstanceWarmup=new.get("defaultInstanceWarmup"),
        DesiredCapacity=new.get("desiredCapacity"),
        DesiredCapacityType=new.get("desiredCapacityType"),
        HealthCheckGracePeriod=new.get("healthCheckGracePeriod", None if only_changed else 300),
        HealthCheckType=new.get("healthCheckType"),
        LaunchConfigurationName=new.get("launchConfiguration"),
        LaunchTemplate=None if template is None else _template(template),
        MaxInstanceLifetime=new.get("maxInstanceLifetime"),
        MaxSize=new.get("maxSize"),
        MinSize=new.get("minSize"),
        MixedInstancesPolicy=_mixed(new.get("mixedInstancesPolicy")),
        NewInstancesProtectedFromScaleIn=new.get("protectFromScaleIn"),
        PlacementGroup=new.get("placementGroup"),
        ServiceLinkedRoleARN=new.get("serviceLinkedRoleArn"),
        TerminationPolicies=new.get("terminationPolicies"),
        VPCZoneIdentifier=None if subnets is None else ",".join(subnets),
    )


def _template(one: Mapping[str, Any]) -> dict[str, Any]:
    # By its id where it has both: the API takes one of them.
    name = None if one.get("id") else one.get("name")
    return given(
        LaunchTemplateId=one.get("id"), LaunchTemplateName=name, Version=one.get("version")
    )


def _mixed(policy: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if policy is None:
        return None
    found: dict[str, Any] = capitals(policy, _RENAMED)
    specification = found["LaunchTemplate"]["LaunchTemplateSpecification"]
    if specification.get("LaunchTemplateId"):
        specification.pop("LaunchTemplateName", None)
    return found


def refresh_preferences(said: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return how a refresh goes about it as the service takes it; None for as it likes."""
    if not said:
        return None
    found: dict[str, Any] = capitals(said)
    for name in ("CheckpointDelay", "InstanceWarmup"):
        if name in found:
            found[name] = whole(found[name])
    return found


def described_group(cloud: Cloud, one: Mapping[str, Any]) -> Properties:
    """Return what the service tells of a group as Pulumi has it."""
    template, subnets = one.get("LaunchTemplate"), one.get("VPCZoneIdentifier")
    metrics = one.get("EnabledMetrics", ())
    return {
        "arn": one["AutoScalingGroupARN"],
        "availabilityZones": list(one.get("AvailabilityZones", ())),
        "capacityRebalance": one.get("CapacityRebalance", False),
        "defaultCooldown": one.get("DefaultCooldown"),
        "defaultInstanceWarmup": one.get("DefaultInstanceWarmup"),
        "desiredCapacity": one["DesiredCapacity"],
        "enabledMetrics": [each["Metric"] for each in metrics],
        "healthCheckGracePeriod": one.get("HealthCheckGracePeriod", 0),
        "healthCheckType": one.get("HealthCheckType"),
        "launchConfiguration": one.get("LaunchConfigurationName") or None,
        "launchTemplate": None
        if template is None
        else given(
            id=template.get("LaunchTemplateId"),
            name=template.get("LaunchTemplateName"),
            version=template.get("Version"),
        ),
        "loadBalancers": list(one.get("LoadBalancerNames", ())),
        "maxInstanceLifetime": one.get("MaxInstanceLifetime") or 0,
        "maxSize": one["MaxSize"],
        "metricsGranularity": "1Minute",
        "minSize": one["MinSize"],
        "mixedInstancesPolicy": smalls(one["MixedInstancesPolicy"], _RENAMED)
        if "MixedInstancesPolicy" in one
        else None,
        "name": one["AutoScalingGroupName"],
        "placementGroup": one.get("PlacementGroup") or None,
        "predictedCapacity": one.get("PredictedCapacity", 0),
        "protectFromScaleIn": one.get("NewInstancesProtectedFromScaleIn", False),
        "region": cloud.region,
        "serviceLinkedRoleArn": one.get("ServiceLinkedRoleARN"),
        "suspendedProcesses": [each["ProcessName"] for each in one.get("SuspendedProcesses", ())],
        "tags": [
            {
                "key": tag["Key"],
                "value": tag.get("Value", ""),
                "propagateAtLaunch": tag.get("PropagateAtLaunch", False),
            }
            for tag in one.get("Tags", ())
            if not tag["Key"].startswith("aws:")
        ],
        "targetGroupArns": list(one.get("TargetGroupARNs", ())),
        "terminationPolicies": list(one.get("TerminationPolicies", ())),
        "vpcZoneIdentifiers": subnets.split(",") if subnets else [],
    }
