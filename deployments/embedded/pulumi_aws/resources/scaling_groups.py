"""Auto scaling groups: aws:autoscaling/group:Group."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from deployments.embedded.pulumi_aws.account import Cloud, wait_for
from deployments.embedded.pulumi_aws.errors import is_code
from deployments.embedded.pulumi_aws.kinds import Kind, Simple
from deployments.embedded.pulumi_aws.resources.group_shapes import (
    described_group,
    group_arguments,
    refresh_preferences,
)
from deployments.embedded.pulumi_aws.resources.shared import found_or_none
from deployments.embedded.pulumi_aws.resources.tags import given
from deployments.embedded.pulumi_aws.values import Properties

OPERATIONS = (
    "autoscaling:CancelInstanceRefresh",
    "autoscaling:CreateAutoScalingGroup",
    "autoscaling:CreateOrUpdateTags",
    "autoscaling:DeleteAutoScalingGroup",
    "autoscaling:DeleteTags",
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DisableMetricsCollection",
    "autoscaling:EnableMetricsCollection",
    "autoscaling:ResumeProcesses",
    "autoscaling:StartInstanceRefresh",
    "autoscaling:SuspendProcesses",
    "autoscaling:UpdateAutoScalingGroup",
)
_TEMPLATES = frozenset({"launchConfiguration", "launchTemplate", "mixedInstancesPolicy"})


class ScalingGroups(Simple):
    """Carries out what is asked of auto scaling groups."""

    def create(self, cloud: Cloud, new: Properties) -> str:
        """Create a group; its instances are launched by the service."""
        cloud.client("autoscaling").create_auto_scaling_group(
            Tags=_tags(new["name"], new.get("tags")),
            **group_arguments(new),
            **given(
                LoadBalancerNames=new.get("loadBalancers"),
                TargetGroupARNs=new.get("targetGroupArns"),
            ),
        )
        return str(new["name"])

    def settle(self, cloud: Cloud, identity: str, new: Properties) -> None:
        """Set what a group is not made with."""
        _processes(cloud, identity, {}, new)
        _metrics(cloud, identity, {}, new)

    def read(self, cloud: Cloud, identity: str, known: Properties) -> Properties | None:
        """Return a group."""
        del known
        one = group_of(cloud, identity)
        if one is None or one.get("Status"):
            return None
        return described_group(cloud, one)

    def update(
        self, cloud: Cloud, identity: str, old: Properties, new: Properties, changed: set[str]
    ) -> None:
        """Change a group in place; a refresh, where the program has one, replaces its instances."""
        client = cloud.client("autoscaling")
        wanted = {name: value for name, value in new.items() if name in changed}
        if arguments := group_arguments({**wanted, "name": identity}, only_changed=True):
            client.update_auto_scaling_group(AutoScalingGroupName=identity, **arguments)
        if "tags" in changed:
            _retag(cloud, identity, old, new)
        _processes(cloud, identity, old, new)
        _metrics(cloud, identity, old, new)
        refresh = new.get("instanceRefresh")
        triggers = _TEMPLATES | set((refresh or {}).get("triggers") or ())
        if refresh and changed & triggers:
            _refresh(cloud, identity, refresh)

    def delete(self, cloud: Cloud, identity: str, old: Properties) -> None:
        """Empty a group and delete it."""
        client = cloud.client("autoscaling")
        if group_of(cloud, identity) is None:
            return
        force = bool(old.get("forceDelete"))
        if not force:
            client.update_auto_scaling_group(
                AutoScalingGroupName=identity, MinSize=0, MaxSize=0, DesiredCapacity=0
            )
            wait_for(
                lambda: not (group_of(cloud, identity) or {}).get("Instances"),
                what=f"{identity} to be empty",
            )
        found_or_none(
            lambda: client.delete_auto_scaling_group(
                AutoScalingGroupName=identity, ForceDelete=force
            ),
            "ValidationError",
        )


def _refresh(cloud: Cloud, identity: str, said: Mapping[str, Any]) -> None:
    """Start a refresh, in the place of one that is under way, as the official provider does."""
    client = cloud.client("autoscaling")
    start = partial(
        client.start_instance_refresh,
        AutoScalingGroupName=identity,
        Strategy=said["strategy"],
        **given(Preferences=refresh_preferences(said.get("preferences"))),
    )
    try:
        start()
    except ClientError as error:
        if not is_code(error, "InstanceRefreshInProgress"):
            raise
        found_or_none(
            lambda: client.cancel_instance_refresh(AutoScalingGroupName=identity),
            "ActiveInstanceRefreshNotFound",
        )
        start()


def group_of(cloud: Cloud, name: str) -> dict[str, Any] | None:
    """Return what the service tells of a group; None where there is none."""
    client = cloud.client("autoscaling")
    found = client.describe_auto_scaling_groups(AutoScalingGroupNames=[name])
    groups = found["AutoScalingGroups"]
    return groups[0] if groups else None


def _tags(name: str, tags: Any) -> list[dict[str, Any]]:
    return [
        {
            "ResourceId": name,
            "ResourceType": "auto-scaling-group",
            "Key": tag["key"],
            "Value": tag["value"],
            "PropagateAtLaunch": bool(tag["propagateAtLaunch"]),
        }
        for tag in tags or ()
    ]


def _retag(cloud: Cloud, identity: str, old: Properties, new: Properties) -> None:
    client = cloud.client("autoscaling")
    wanted = {tag["key"] for tag in new.get("tags") or ()}
    gone = [tag for tag in old.get("tags") or () if tag["key"] not in wanted]
    if gone:
        client.delete_tags(Tags=_tags(identity, gone))
    if new.get("tags"):
        client.create_or_update_tags(Tags=_tags(identity, new["tags"]))


def _processes(cloud: Cloud, identity: str, old: Properties, new: Properties) -> None:
    client = cloud.client("autoscaling")
    before, after = (set(each.get("suspendedProcesses") or ()) for each in (old, new))
    if before - after:
        client.resume_processes(
            AutoScalingGroupName=identity, ScalingProcesses=sorted(before - after)
        )
    if after - before:
        client.suspend_processes(
            AutoScalingGroupName=identity, ScalingProcesses=sorted(after - before)
        )


def _metrics(cloud: Cloud, identity: str, old: Properties, new: Properties) -> None:
    client = cloud.client("autoscaling")
    before, after = (set(each.get("enabledMetrics") or ()) for each in (old, new))
    if before - after:
        client.disable_metrics_collection(
            AutoScalingGroupName=identity, Metrics=sorted(before - after)
        )
    if after - before:
        client.enable_metrics_collection(
            AutoScalingGroupName=identity, Metrics=sorted(after - before), Granularity="1Minute"
        )


GROUP = Kind(
    token="aws:autoscaling/group:Group",  # noqa: S106 - a type's name
    module="autoscaling",
    name="Group",
    actions=ScalingGroups(),
    # Terraform registry, aws_autoscaling_group, "Argument Reference": only its name and its first
    # lifecycle hooks make a new group; zones, sizes and templates are changed in place.
    # https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/autoscaling_group
    replaces=frozenset({"initialLifecycleHooks", "name", "namePrefix", "region"}),
    absent={
        "capacityRebalance": False,
        "enabledMetrics": [],
        "forceDelete": False,
        "forceDeleteWarmPool": False,
        "healthCheckGracePeriod": 300,
        "ignoreFailedScalingActivities": False,
        "maxInstanceLifetime": 0,
        "metricsGranularity": "1Minute",
        "protectFromScaleIn": False,
        "suspendedProcesses": [],
        "tags": [],
        "waitForCapacityTimeout": "10m",
    },
    unread=frozenset(
        {"availabilityZoneDistribution", "capacityReservationSpecification", "context",
         "desiredCapacityType", "forceDelete", "forceDeleteWarmPool", "initialLifecycleHooks",
         "ignoreFailedScalingActivities", "instanceLifecyclePolicy", "instanceMaintenancePolicy",
         "instanceRefresh", "minElbCapacity", "namePrefix", "trafficSources",
         "waitForCapacityTimeout", "waitForElbCapacity", "warmPool"}
    ),
    sets=frozenset(
        {"availabilityZones", "enabledMetrics", "loadBalancers", "suspendedProcesses", "tags",
         "targetGroupArns", "vpcZoneIdentifiers"}
    ),
    moves=frozenset({"predictedCapacity"}),
    named=True,
)  # fmt: skip
