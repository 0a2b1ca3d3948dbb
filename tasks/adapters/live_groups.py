"""Auto scaling groups with their policies and launch templates, read as they are now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from tasks.adapters.live_inputs import group_resource, policy_resource
from tasks.adapters.live_templates import template_resource
from tasks.adapters.pages import items
from tasks.domain.stacks.live import LiveGroup, LivePolicy, LiveTemplate

OPERATIONS = (
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribePolicies",
    "ec2:DescribeLaunchTemplateVersions",
    "ec2:DescribeLaunchTemplates",
)

_GROUPS, _TEMPLATES = 100, 200
_LATEST, _DEFAULT = "$Latest", "$Default"


def live_groups(
    client: Any, names: Collection[str], *, region: str
) -> tuple[dict[str, LiveGroup], dict[str, dict[str, str]]]:
    """Return some groups by name, and of all groups which version they name of which launch template.

    Args:
        client: A boto3 client of Auto Scaling.
        names: Of the groups that are wanted.
        region: The client's.

    Raises:
        TransientError: A page was throttled or failed more often than the client retries.
        PermanentError: Auto Scaling refused.
    """
    policies: dict[str, list[LivePolicy]] = defaultdict(list)
    for item in items(
        client.describe_policies,
        "ScalingPolicies",
        operation="autoscaling:DescribePolicies",
        region=region,
        arguments={"MaxRecords": _GROUPS},
    ):
        policies[item["AutoScalingGroupName"]].append(_policy(item))
    found: dict[str, LiveGroup] = {}
    users: dict[str, dict[str, str]] = defaultdict(dict)
    for item in items(
        client.describe_auto_scaling_groups,
        "AutoScalingGroups",
        operation="autoscaling:DescribeAutoScalingGroups",
        region=region,
        arguments={"MaxRecords": _GROUPS},
    ):
        name = item["AutoScalingGroupName"]
        used = _used(item)
        if used:
            users[used["LaunchTemplateId"]][name] = used.get("Version") or _DEFAULT
        if name in names:
            found[name] = _group(item, used, tuple(policies[name]))
    return found, dict(users)


def _used(item: Mapping[str, Any]) -> Mapping[str, Any]:
    mixed = item.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
    used: Mapping[str, Any] = item.get("LaunchTemplate") or mixed.get(
        "LaunchTemplateSpecification", {}
    )
    return used


def _group(
    item: Mapping[str, Any], used: Mapping[str, Any], policies: tuple[LivePolicy, ...]
) -> LiveGroup:
    mixed = item.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
    return LiveGroup(
        resource=group_resource(item),
        min_size=item["MinSize"],
        max_size=item["MaxSize"],
        desired=item["DesiredCapacity"],
        template_id=used.get("LaunchTemplateId"),
        version=(used.get("Version") or _DEFAULT) if used else None,
        mixed=bool(item.get("MixedInstancesPolicy")),
        overridden=tuple(one.get("InstanceType", "") for one in mixed.get("Overrides", ())),
        suspended=tuple(sorted(one["ProcessName"] for one in item.get("SuspendedProcesses", ()))),
        policies=tuple(sorted(policies, key=lambda one: one.name)),
    )


def _policy(item: Mapping[str, Any]) -> LivePolicy:
    tracking = item.get("TargetTrackingConfiguration", {})
    return LivePolicy(
        resource=policy_resource(item),
        name=item["PolicyName"],
        policy_type=item["PolicyType"],
        metric=tracking.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType"),
        target=tracking.get("TargetValue"),
    )


def live_templates(
    ec2: Any, groups: Mapping[str, LiveGroup], *, region: str
) -> dict[str, LiveTemplate]:
    """Return the launch templates of some groups by id.

    Args:
        ec2: A boto3 client of EC2.
        groups: By name.
        region: The client's.

    Raises:
        TransientError: A page was throttled or failed more often than the client retries.
        PermanentError: EC2 refused.
    """
    versions: dict[str, dict[str, str]] = defaultdict(dict)
    for name, group in groups.items():
        if group.template_id is not None and group.version is not None:
            versions[group.template_id][name] = group.version
    if not versions:
        return {}
    rows = items(
        ec2.describe_launch_templates,
        "LaunchTemplates",
        operation="ec2:DescribeLaunchTemplates",
        region=region,
        arguments={"MaxResults": _TEMPLATES},
    )
    return {
        row["LaunchTemplateId"]: _template(ec2, row, versions[row["LaunchTemplateId"]], region)
        for row in rows
        if row["LaunchTemplateId"] in versions
    }


def _template(
    ec2: Any, row: Mapping[str, Any], named: Mapping[str, str], region: str
) -> LiveTemplate:
    latest = int(row["LatestVersionNumber"])
    number = {_LATEST: latest, _DEFAULT: int(row["DefaultVersionNumber"])}
    used = {name: number.get(text) or int(text) for name, text in named.items()}
    by_number = {
        int(one["VersionNumber"]): one
        for one in items(
            ec2.describe_launch_template_versions,
            "LaunchTemplateVersions",
            operation="ec2:DescribeLaunchTemplateVersions",
            region=region,
            arguments={
                "LaunchTemplateId": row["LaunchTemplateId"],
                "Versions": [str(one) for one in sorted({latest, *used.values()})],
            },
        )
    }
    data = by_number[latest]["LaunchTemplateData"]
    return LiveTemplate(
        resource=template_resource(row, by_number[latest]),
        latest=latest,
        used=used,
        same_as_latest={
            version: one["LaunchTemplateData"] == data for version, one in by_number.items()
        },
    )
