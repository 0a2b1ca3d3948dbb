"""What AWS tells of a resource, as the inputs with which Pulumi takes it over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tasks.domain.stacks.kinds.tags import group_tag, own
from tasks.domain.stacks.live import LiveResource
from tasks.domain.stacks.program import Args, Input

_MIXED = "GroupMixedInstancesPolicy"
_WITH_IOPS = frozenset({"gp3", "io1", "io2"})
_DEFAULT_TERMINATION = ("Default",)


def tag_map(pairs: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return tags by key, without those of AWS itself."""
    return own({one["Key"]: one["Value"] for one in pairs})


def set_only(values: Mapping[str, Input | None]) -> dict[str, Input]:
    """Return what is set; an empty text, list or mapping counts as not set."""
    return {key: value for key, value in values.items() if value not in (None, "", (), {})}


def instance_resource(item: Mapping[str, Any]) -> LiveResource:
    """Return an instance of `DescribeInstances`."""
    tags = tag_map(item.get("Tags", ()))
    placement = item["Placement"]
    profile = item.get("IamInstanceProfile", {}).get("Arn", "")
    tenancy = placement.get("Tenancy", "default")
    given: dict[str, Input | None] = {
        "ami": item["ImageId"],
        "instance_type": item["InstanceType"],
        "availability_zone": placement["AvailabilityZone"],
        "subnet_id": item.get("SubnetId"),
        "vpc_security_group_ids": tuple(
            sorted(one["GroupId"] for one in item.get("SecurityGroups", ()))
        ),
        "key_name": item.get("KeyName"),
        "iam_instance_profile": profile.rpartition("/")[2],
        "placement_group": placement.get("GroupName"),
        "tenancy": None if tenancy == "default" else tenancy,
        # What is off is not said: a type that always has it would have it said otherwise.
        "ebs_optimized": True if item.get("EbsOptimized") else None,
        "monitoring": True if item.get("Monitoring", {}).get("State") == "enabled" else None,
        "source_dest_check": None if item.get("SourceDestCheck", True) else False,
        "tags": tags,
    }
    return LiveResource(
        token="aws:ec2/instance:Instance",  # noqa: S106 - a type's name
        import_id=item["InstanceId"],
        inputs=set_only(given),
        tags=tags,
    )


def volume_resource(item: Mapping[str, Any]) -> LiveResource:
    """Return a volume of `DescribeVolumes`."""
    tags, kind = tag_map(item.get("Tags", ())), item["VolumeType"]
    given: dict[str, Input | None] = {
        "availability_zone": item["AvailabilityZone"],
        "size": int(item["Size"]),
        "type": kind,
        # Of other kinds they follow from the size, and are refused.
        "iops": item.get("Iops") if kind in _WITH_IOPS else None,
        "throughput": item.get("Throughput") if kind == "gp3" else None,
        "encrypted": bool(item.get("Encrypted", False)),
        "kms_key_id": item.get("KmsKeyId"),
        "snapshot_id": item.get("SnapshotId"),
        "multi_attach_enabled": True if item.get("MultiAttachEnabled") else None,
        "outpost_arn": item.get("OutpostArn"),
        "tags": tags,
    }
    return LiveResource(
        token="aws:ebs/volume:Volume",  # noqa: S106 - a type's name
        import_id=item["VolumeId"],
        inputs=set_only(given),
        tags=tags,
    )


_GROUP_KNOWN = frozenset(
    {"AutoScalingGroupARN", "AutoScalingGroupName", "AvailabilityZones", "CapacityRebalance",
     "CreatedTime", "DefaultCooldown", "DefaultInstanceWarmup", "DesiredCapacity",
     "EnabledMetrics", "HealthCheckGracePeriod", "HealthCheckType", "Instances",
     "LaunchConfigurationName", "LaunchTemplate", "LoadBalancerNames", "MaxInstanceLifetime",
     "MaxSize", "MinSize", "MixedInstancesPolicy", "NewInstancesProtectedFromScaleIn",
     "PlacementGroup", "PredictedCapacity", "ServiceLinkedRoleARN", "Status", "SuspendedProcesses",
     "Tags", "TargetGroupARNs", "TerminationPolicies", "TrafficSources", "VPCZoneIdentifier",
     "WarmPoolSize", "DeletionProtection", "AvailabilityZoneDistribution", "AvailabilityZoneIds",
     "AvailabilityZoneImpairmentPolicy", "CapacityReservationSpecification"}
)  # fmt: skip


def group_resource(item: Mapping[str, Any]) -> LiveResource:
    """Return a group of `DescribeAutoScalingGroups`."""
    subnets = tuple(sorted(one for one in item.get("VPCZoneIdentifier", "").split(",") if one))
    termination = tuple(item.get("TerminationPolicies", ()))
    rows = sorted(item.get("Tags", ()), key=lambda one: str(one["Key"]))
    tags = tag_map(rows)
    mixed, lost = mixed_policy(item.get("MixedInstancesPolicy"))
    given: dict[str, Input | None] = {
        "name": item["AutoScalingGroupName"],
        "min_size": item["MinSize"],
        "max_size": item["MaxSize"],
        "desired_capacity": item["DesiredCapacity"],
        "vpc_zone_identifiers": subnets,
        "availability_zones": () if subnets else tuple(sorted(item.get("AvailabilityZones", ()))),
        "health_check_type": item.get("HealthCheckType"),
        "health_check_grace_period": item.get("HealthCheckGracePeriod"),
        "default_cooldown": item.get("DefaultCooldown"),
        "default_instance_warmup": item.get("DefaultInstanceWarmup"),
        "launch_configuration": item.get("LaunchConfigurationName"),
        "launch_template": used_template(item.get("LaunchTemplate"), "GroupLaunchTemplateArgs"),
        "mixed_instances_policy": mixed,
        "load_balancers": tuple(sorted(item.get("LoadBalancerNames", ()))),
        "target_group_arns": tuple(sorted(item.get("TargetGroupARNs", ()))),
        "termination_policies": () if termination == _DEFAULT_TERMINATION else termination,
        "suspended_processes": tuple(
            sorted(one["ProcessName"] for one in item.get("SuspendedProcesses", ()))
        ),
        "enabled_metrics": tuple(sorted(one["Metric"] for one in item.get("EnabledMetrics", ()))),
        "placement_group": item.get("PlacementGroup"),
        "max_instance_lifetime": item.get("MaxInstanceLifetime") or None,
        "protect_from_scale_in": True if item.get("NewInstancesProtectedFromScaleIn") else None,
        "capacity_rebalance": True if item.get("CapacityRebalance") else None,
        "tags": tuple(
            group_tag(one["Key"], one["Value"], propagate=bool(one.get("PropagateAtLaunch")))
            for one in rows
            if one["Key"] in tags
        ),
    }
    return LiveResource(
        token="aws:autoscaling/group:Group",  # noqa: S106 - a type's name
        import_id=item["AutoScalingGroupName"],
        inputs=set_only(given),
        tags=tags,
        unknown=tuple(sorted({*(key for key in item if key not in _GROUP_KNOWN), *lost})),
    )


def used_template(item: Mapping[str, Any] | None, of: str) -> Args | None:
    """Return which launch template a group uses, by id and version; None where it uses none."""
    if not item:
        return None
    version = item.get("Version") or "$Default"
    if of == "GroupLaunchTemplateArgs":
        return Args(of=of, fields={"id": item["LaunchTemplateId"], "version": version})
    fields: dict[str, Input] = {
        "launch_template_id": item["LaunchTemplateId"],
        "version": version,
    }
    return Args(of=of, fields=fields)


def mixed_policy(item: Mapping[str, Any] | None) -> tuple[Args | None, list[str]]:
    """Return a mixed instances policy, and what of it has no input here."""
    if not item:
        return None, []
    template, spread = item["LaunchTemplate"], item.get("InstancesDistribution", {})
    lost = sorted(
        {key for one in template.get("Overrides", ()) for key in one}
        - {"InstanceType", "WeightedCapacity"}
    )
    overrides = tuple(
        Args(
            of=f"{_MIXED}LaunchTemplateOverrideArgs",
            fields=set_only(
                {
                    "instance_type": one.get("InstanceType"),
                    "weighted_capacity": one.get("WeightedCapacity"),
                }
            ),
        )
        for one in template.get("Overrides", ())
    )
    specification = used_template(
        template.get("LaunchTemplateSpecification"),
        f"{_MIXED}LaunchTemplateLaunchTemplateSpecificationArgs",
    )
    distribution = Args(
        of=f"{_MIXED}InstancesDistributionArgs",
        fields=set_only(
            {
                "on_demand_allocation_strategy": spread.get("OnDemandAllocationStrategy"),
                "on_demand_base_capacity": spread.get("OnDemandBaseCapacity"),
                "on_demand_percentage_above_base_capacity": spread.get(
                    "OnDemandPercentageAboveBaseCapacity"
                ),
                "spot_allocation_strategy": spread.get("SpotAllocationStrategy"),
                "spot_instance_pools": spread.get("SpotInstancePools"),
                "spot_max_price": spread.get("SpotMaxPrice"),
            }
        ),
    )
    launch = Args(
        of=f"{_MIXED}LaunchTemplateArgs",
        fields=set_only({"launch_template_specification": specification, "overrides": overrides}),
    )
    fields: dict[str, Input] = {"launch_template": launch, "instances_distribution": distribution}
    return Args(of=f"{_MIXED}Args", fields=fields), lost


_POLICY_KNOWN = frozenset(
    {"Alarms", "AutoScalingGroupARN", "AutoScalingGroupName", "Enabled", "EstimatedInstanceWarmup",
     "PolicyARN", "PolicyName", "PolicyType", "StepAdjustments", "TargetTrackingConfiguration"}
)  # fmt: skip
_TRACKING_KNOWN = frozenset({"DisableScaleIn", "PredefinedMetricSpecification", "TargetValue"})


def policy_resource(item: Mapping[str, Any]) -> LiveResource:
    """Return a policy of `DescribePolicies`; what is not target tracking is not taken over."""
    group, name = item["AutoScalingGroupName"], item["PolicyName"]
    tracking = item.get("TargetTrackingConfiguration", {})
    metric = tracking.get("PredefinedMetricSpecification", {})
    predefined = Args(
        of="PolicyTargetTrackingConfigurationPredefinedMetricSpecificationArgs",
        fields=set_only(
            {
                "predefined_metric_type": metric.get("PredefinedMetricType"),
                "resource_label": metric.get("ResourceLabel"),
            }
        ),
    )
    configuration = Args(
        of="PolicyTargetTrackingConfigurationArgs",
        fields=set_only(
            {
                "target_value": tracking.get("TargetValue"),
                "disable_scale_in": True if tracking.get("DisableScaleIn") else None,
                "predefined_metric_specification": predefined if metric else None,
            }
        ),
    )
    given: dict[str, Input | None] = {
        "name": name,
        "autoscaling_group_name": group,
        "policy_type": item["PolicyType"],
        "estimated_instance_warmup": item.get("EstimatedInstanceWarmup"),
        "enabled": None if item.get("Enabled", True) else False,
        "target_tracking_configuration": configuration if tracking else None,
    }
    lost = {key for key in item if key not in _POLICY_KNOWN and item[key] not in (None, [], {})}
    lost |= {key for key in tracking if key not in _TRACKING_KNOWN}
    return LiveResource(
        token="aws:autoscaling/policy:Policy",  # noqa: S106 - a type's name
        import_id=f"{group}/{name}",
        inputs=set_only(given),
        unknown=tuple(sorted(lost)),
    )
