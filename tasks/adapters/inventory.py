"""What runs in one region, listed through boto3: each kind once, page by page.

Commitments, which are not in a region, are read by `savings_plans.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from tasks.adapters.pages import items
from tasks.domain.instances import Architecture
from tasks.domain.inventory import (
    Function,
    Instance,
    InstanceState,
    Inventory,
    Lifecycle,
    ScalingGroup,
    Service,
    Volume,
)

OPERATIONS = (
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribePolicies",
    "ec2:DescribeInstances",
    "ec2:DescribeVolumes",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetHealth",
    "lambda:ListFunctions",
)

GROUP_TAG = "aws:autoscaling:groupName"
_LISTED_STATES = ("pending", "running", "stopping", "stopped")
_MARKERS = ("Marker", "NextMarker")
# The largest pages that each service gives.
_INSTANCES, _VOLUMES, _GROUPS, _TARGET_GROUPS, _FUNCTIONS = 1000, 500, 100, 400, 50


def region_inventory(
    client_for: Callable[[str], Any], *, region: str, observed_at: datetime
) -> Inventory:
    """Return everything that is listed in one region, without commitments.

    Args:
        client_for: Gives the region's client of a service, by boto3's name of it.
        region: For example "us-east-1".
        observed_at: Now, aware UTC.

    Raises:
        TransientError: A service was throttled or failed more often than its client retries.
        PermanentError: A service refused.
    """
    ec2 = client_for("ec2")
    return Inventory(
        observed_at=observed_at,
        regions=(region,),
        instances=instances(ec2, region=region),
        groups=scaling_groups(client_for("autoscaling"), region=region),
        volumes=volumes(ec2, region=region),
        functions=functions(client_for("lambda"), region=region),
        services=services(client_for("elbv2"), region=region),
    )


def merged_inventory(parts: Iterable[Inventory]) -> Inventory:
    """Return the inventory of several regions as one, observed when the first of them was.

    Args:
        parts: At least one; no region twice.
    """
    found = list(parts)
    return Inventory(
        observed_at=min(one.observed_at for one in found),
        regions=tuple(region for one in found for region in one.regions),
        instances=tuple(each for one in found for each in one.instances),
        groups=tuple(each for one in found for each in one.groups),
        volumes=tuple(each for one in found for each in one.volumes),
        functions=tuple(each for one in found for each in one.functions),
        services=tuple(each for one in found for each in one.services),
        commitments=tuple(each for one in found for each in one.commitments),
    )


def instances(client: Any, *, region: str) -> tuple[Instance, ...]:
    """Return a region's instances that are not terminated, by id.

    Args:
        client: A boto3 client of EC2.
        region: The client's.
    """
    arguments = {
        "MaxResults": _INSTANCES,
        "Filters": [{"Name": "instance-state-name", "Values": list(_LISTED_STATES)}],
    }
    reservations = items(
        client.describe_instances,
        "Reservations",
        operation="ec2:DescribeInstances",
        region=region,
        arguments=arguments,
    )
    found = (_instance(item, region) for each in reservations for item in each["Instances"])
    return tuple(sorted(found, key=lambda one: one.instance_id))


def _instance(item: Mapping[str, Any], region: str) -> Instance:
    tags = _tags(item.get("Tags", ()))
    return Instance(
        instance_id=item["InstanceId"],
        region=region,
        availability_zone=item["Placement"]["AvailabilityZone"],
        instance_type=item["InstanceType"],
        product=item["PlatformDetails"],
        architecture=architecture(item.get("Architecture")),
        # Whatever else EC2 sells, capacity blocks for instance, is not for us to change.
        lifecycle=_LIFECYCLES.get(item.get("InstanceLifecycle"), Lifecycle.SCHEDULED),
        state=InstanceState(item["State"]["Name"]),
        launched_at=item["LaunchTime"],
        group=tags.get(GROUP_TAG),
        tenancy=item["Placement"].get("Tenancy", "default"),
        root_device=item.get("RootDeviceType", "ebs"),
        tags=tags,
    )


_LIFECYCLES = {None: Lifecycle.ON_DEMAND, "spot": Lifecycle.SPOT, "scheduled": Lifecycle.SCHEDULED}


def architecture(name: str | None) -> Architecture:
    """Return an architecture by EC2's name of it; ANY for those of other systems and ages."""
    known = {Architecture.X86_64.value, Architecture.ARM64.value}
    return Architecture(name) if name in known else Architecture.ANY


def _tags(pairs: Iterable[Mapping[str, str]]) -> dict[str, str]:
    return {pair["Key"]: pair["Value"] for pair in pairs}


def volumes(client: Any, *, region: str) -> tuple[Volume, ...]:
    """Return a region's volumes by id, attached or not.

    Args:
        client: A boto3 client of EC2.
        region: The client's.
    """
    rows = items(
        client.describe_volumes,
        "Volumes",
        operation="ec2:DescribeVolumes",
        region=region,
        arguments={"MaxResults": _VOLUMES},
    )
    return tuple(sorted((_volume(row, region) for row in rows), key=lambda one: one.volume_id))


def _volume(item: Mapping[str, Any], region: str) -> Volume:
    throughput = item.get("Throughput")
    attached = [one["InstanceId"] for one in item.get("Attachments", ()) if "InstanceId" in one]
    return Volume(
        volume_id=item["VolumeId"],
        region=region,
        availability_zone=item["AvailabilityZone"],
        kind=item["VolumeType"],
        size_gib=float(item["Size"]),
        iops=item.get("Iops"),
        throughput_mib_per_second=None if throughput is None else float(throughput),
        # One that several share is named with the first of them.
        attached_to=min(attached, default=None),
        multi_attach=bool(item.get("MultiAttachEnabled", False)),
        created_at=item["CreateTime"],
        tags=_tags(item.get("Tags", ())),
    )


def scaling_groups(client: Any, *, region: str) -> tuple[ScalingGroup, ...]:
    """Return a region's auto scaling groups by name, with their scaling policies.

    Args:
        client: A boto3 client of Auto Scaling.
        region: The client's.
    """
    policies: dict[tuple[str, bool], list[str]] = defaultdict(list)
    for policy in items(
        client.describe_policies,
        "ScalingPolicies",
        operation="autoscaling:DescribePolicies",
        region=region,
        arguments={"MaxRecords": _GROUPS},
    ):
        predictive = policy["PolicyType"] == "PredictiveScaling"
        if predictive or policy.get("Enabled", True):
            policies[policy["AutoScalingGroupName"], predictive].append(policy["PolicyName"])
    rows = items(
        client.describe_auto_scaling_groups,
        "AutoScalingGroups",
        operation="autoscaling:DescribeAutoScalingGroups",
        region=region,
        arguments={"MaxRecords": _GROUPS},
    )
    found = (_group(row, region, policies) for row in rows)
    return tuple(sorted(found, key=lambda one: one.name))


def _group(
    item: Mapping[str, Any], region: str, policies: Mapping[tuple[str, bool], Iterable[str]]
) -> ScalingGroup:
    name = item["AutoScalingGroupName"]
    return ScalingGroup(
        name=name,
        region=region,
        min_size=item["MinSize"],
        max_size=item["MaxSize"],
        desired=item["DesiredCapacity"],
        instance_ids=tuple(sorted(one["InstanceId"] for one in item.get("Instances", ()))),
        predictive_policies=tuple(sorted(policies.get((name, True), ()))),
        dynamic_policies=tuple(sorted(policies.get((name, False), ()))),
        tags=_tags(item.get("Tags", ())),
    )


def functions(client: Any, *, region: str) -> tuple[Function, ...]:
    """Return a region's Lambda functions by name; without tags, which take a call for each.

    Args:
        client: A boto3 client of Lambda.
        region: The client's.
    """
    rows = items(
        client.list_functions,
        "Functions",
        operation="lambda:ListFunctions",
        region=region,
        arguments={"MaxItems": _FUNCTIONS},
        token=_MARKERS,
    )
    return tuple(sorted((_function(row, region) for row in rows), key=lambda one: one.name))


def _function(item: Mapping[str, Any], region: str) -> Function:
    return Function(
        name=item["FunctionName"],
        region=region,
        memory_mib=item["MemorySize"],
        architecture=architecture(next(iter(item.get("Architectures", ())), None)),
        # A function in a container image names none.
        runtime=item.get("Runtime", "container"),
    )


def services(client: Any, *, region: str) -> tuple[Service, ...]:
    """Return a region's target groups of instances by id, whatever they speak.

    Targets that are addresses or functions are not told from each other here and left out.

    Args:
        client: A boto3 client of Elastic Load Balancing, version 2.
        region: The client's.
    """
    rows = items(
        client.describe_target_groups,
        "TargetGroups",
        operation="elasticloadbalancing:DescribeTargetGroups",
        region=region,
        arguments={"PageSize": _TARGET_GROUPS},
        token=_MARKERS,
    )
    found = (
        _service(row, region, _targets(client, row["TargetGroupArn"], region=region))
        for row in rows
        if row.get("TargetType") == "instance"
    )
    return tuple(sorted(found, key=lambda one: one.service_id))


def _targets(client: Any, arn: str, *, region: str) -> tuple[str, ...]:
    health = items(
        client.describe_target_health,
        "TargetHealthDescriptions",
        operation="elasticloadbalancing:DescribeTargetHealth",
        region=region,
        arguments={"TargetGroupArn": arn},
    )
    # An instance that listens on several ports is registered with each.
    return tuple(sorted({one["Target"]["Id"] for one in health}))


def _service(item: Mapping[str, Any], region: str, instance_ids: tuple[str, ...]) -> Service:
    balancers = sorted(item.get("LoadBalancerArns", ()))
    return Service(
        service_id=item["TargetGroupArn"].rpartition(":")[2],
        region=region,
        load_balancer=balancers[0].partition("loadbalancer/")[2] if balancers else None,
        instance_ids=instance_ids,
        protocol=item.get("Protocol", "HTTP"),
    )
