"""How resources are, as the account says: state, checks, sizes; and which alarms ring."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from tasks.adapters.aws import parse_timestamp, translated
from tasks.adapters.pages import items
from tasks.domain.errors import PermanentError
from tasks.domain.stacks.cost_links import GROUP, INSTANCE, INSTANCE_STATE
from tasks.domain.stacks.health import Alarm, Facts, Observation
from tasks.domain.stacks.health_rules import (
    FUNCTION,
    SAVINGS_PLAN,
    SCALING_POLICY,
    SCHEDULE,
    VOLUME,
)

OPERATIONS = (
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribeInstanceRefreshes",
    "autoscaling:DescribePolicies",
    "cloudwatch:DescribeAlarms",
    "ec2:DescribeInstanceStatus",
    "ec2:DescribeInstances",
    "ec2:DescribeVolumes",
    "ec2:DescribeVolumesModifications",
    "lambda:GetFunctionConfiguration",
    "savingsplans:DescribeSavingsPlans",
    "scheduler:GetSchedule",
)

MOST_FILTER_VALUES = 200
MOST_STATUSES = 100
MOST_GROUPS = 50
SCALING_ALARM = "TargetTracking-"
"""Alarms that drive target tracking ring whenever a group is small: that is their work."""
_NOT_THERE = frozenset({"ResourceNotFoundException"})

Found = Mapping[str, Facts]
"""What exists, by id."""


def resource_health(
    client_for: Callable[[str], Any],
    resources: Sequence[tuple[str, str]],
    *,
    region: str,
    since: datetime,
) -> tuple[Observation, ...]:
    """Return how resources are, in the order asked for; kinds without a health are left out.

    What a service refuses to tell is unknown and says why; it keeps nothing else from being told.

    Args:
        client_for: Gives the region's client of a service, by boto3's name of it; that of
            `savingsplans` for us-east-1.
        resources: Pulumi's type and id in the account of each.
        region: Where they are.
        since: End of the update: instance refreshes that began earlier say nothing about it.

    Raises:
        TransientError: A service did not answer; look again later.
    """
    wanted: dict[str, list[str]] = defaultdict(list)
    for token, resource_id in resources:
        wanted[token].append(resource_id)
    readers = _readers(client_for, region=region, since=since)
    answers = {
        token: _answer(readers[token], ids) for token, ids in wanted.items() if token in readers
    }
    return tuple(
        _observation(token, resource_id, answers[token])
        for token, resource_id in resources
        if token in answers
    )


def _readers(
    client_for: Callable[[str], Any], *, region: str, since: datetime
) -> dict[str, Callable[[Sequence[str]], Found]]:
    return {
        INSTANCE: lambda ids: _instances(client_for("ec2"), ids, region=region),
        INSTANCE_STATE: lambda ids: _instances(client_for("ec2"), ids, region=region),
        VOLUME: lambda ids: _volumes(client_for("ec2"), ids, region=region),
        GROUP: lambda ids: _groups(client_for("autoscaling"), ids, region=region, since=since),
        SCALING_POLICY: lambda ids: _policies(client_for("autoscaling"), ids, region=region),
        FUNCTION: lambda ids: _functions(client_for("lambda"), ids, region=region),
        SCHEDULE: lambda ids: _schedules(client_for("scheduler"), ids, region=region),
        SAVINGS_PLAN: lambda ids: _plans(client_for("savingsplans"), ids),
    }


def _answer(read: Callable[[Sequence[str]], Found], ids: Sequence[str]) -> Found | str:
    try:
        return read(ids)
    except PermanentError as error:
        return str(error)


def _observation(token: str, resource_id: str, answer: Found | str) -> Observation:
    if isinstance(answer, str):
        return Observation(token=token, resource_id=resource_id, found=None, problem=answer)
    facts = answer.get(resource_id)
    return Observation(
        token=token, resource_id=resource_id, found=facts is not None, facts=facts or {}
    )


def _chunks(ids: Iterable[str], size: int) -> Iterator[list[str]]:
    unique = sorted(set(ids))
    for first in range(0, len(unique), size):
        yield unique[first : first + size]


def _instances(client: Any, ids: Sequence[str], *, region: str) -> Found:
    found: dict[str, dict[str, Any]] = {}
    for part in _chunks(ids, MOST_FILTER_VALUES):
        # By filter: an id that is gone would make EC2 refuse all of them.
        arguments = {"Filters": [{"Name": "instance-id", "Values": part}]}
        reservations = items(
            client.describe_instances,
            "Reservations",
            operation="ec2:DescribeInstances",
            region=region,
            arguments=arguments,
        )
        for one in (each for row in reservations for each in row["Instances"]):
            if one["State"]["Name"] != "terminated":
                facts = {"state": one["State"]["Name"], "instanceType": one["InstanceType"]}
                found[one["InstanceId"]] = facts
    running = [name for name, facts in found.items() if facts["state"] == "running"]
    for part in _chunks(running, MOST_STATUSES):
        with translated("ec2:DescribeInstanceStatus", region=region):
            answer = client.describe_instance_status(InstanceIds=part, IncludeAllInstances=True)
        for row in answer["InstanceStatuses"]:
            found[row["InstanceId"]] |= {
                "systemStatus": row["SystemStatus"]["Status"],
                "instanceStatus": row["InstanceStatus"]["Status"],
            }
    return found


def _volumes(client: Any, ids: Sequence[str], *, region: str) -> Found:
    found: dict[str, dict[str, Any]] = {}
    for part in _chunks(ids, MOST_FILTER_VALUES):
        arguments = {"Filters": [{"Name": "volume-id", "Values": part}]}
        for row in items(
            client.describe_volumes,
            "Volumes",
            operation="ec2:DescribeVolumes",
            region=region,
            arguments=arguments,
        ):
            named = {"type": "VolumeType", "size": "Size", "iops": "Iops"}
            named |= {"throughput": "Throughput", "state": "State"}
            found[row["VolumeId"]] = {
                ours: row[name] for ours, name in named.items() if name in row
            }
        for row in items(
            client.describe_volumes_modifications,
            "VolumesModifications",
            operation="ec2:DescribeVolumesModifications",
            region=region,
            arguments=arguments,
        ):
            if row["VolumeId"] in found:
                found[row["VolumeId"]]["modification"] = row["ModificationState"]
    return found


def _groups(client: Any, ids: Sequence[str], *, region: str, since: datetime) -> Found:
    found: dict[str, dict[str, Any]] = {}
    for part in _chunks(ids, MOST_GROUPS):
        for row in items(
            client.describe_auto_scaling_groups,
            "AutoScalingGroups",
            operation="autoscaling:DescribeAutoScalingGroups",
            region=region,
            arguments={"AutoScalingGroupNames": part},
        ):
            name = row["AutoScalingGroupName"]
            serving = [one for one in row["Instances"] if one["LifecycleState"] == "InService"]
            healthy = [one for one in serving if one["HealthStatus"].upper() == "HEALTHY"]
            refresh = _refresh(client, name, region=region, since=since)
            found[name] = {
                "inService": len(healthy),
                "minSize": row["MinSize"],
                "mixed": bool(row.get("MixedInstancesPolicy")),
            } | ({} if refresh is None else {"refresh": refresh})
    return found


def _refresh(client: Any, group: str, *, region: str, since: datetime) -> str | None:
    """Return the state of the newest refresh that began after an instant; None without one."""
    with translated("autoscaling:DescribeInstanceRefreshes", region=region):
        answer = client.describe_instance_refreshes(AutoScalingGroupName=group, MaxRecords=1)
    for row in answer["InstanceRefreshes"]:
        # One that has not begun has no start: it is newer than anything.
        if "StartTime" not in row or _aware(row["StartTime"]) >= since:
            return str(row["Status"])
    return None


def _policies(client: Any, ids: Sequence[str], *, region: str) -> Found:
    found: dict[str, Facts] = {}
    for part in _chunks(ids, MOST_GROUPS):
        for row in items(
            client.describe_policies,
            "ScalingPolicies",
            operation="autoscaling:DescribePolicies",
            region=region,
            arguments={"PolicyNames": part},
        ):
            found[row["PolicyName"]] = {"policyType": row["PolicyType"]}
    return found


def _functions(client: Any, ids: Sequence[str], *, region: str) -> Found:
    found: dict[str, Facts] = {}
    for name in sorted(set(ids)):
        with translated("lambda:GetFunctionConfiguration", region=region):
            row = _unless_missing(client.get_function_configuration, FunctionName=name)
        if row is not None:
            # Older functions tell no state: they are active.
            facts = {"state": row.get("State", "Active")}
            found[name] = {**facts, "lastUpdate": row.get("LastUpdateStatus", "Successful")}
    return found


def _schedules(client: Any, ids: Sequence[str], *, region: str) -> Found:
    found: dict[str, Facts] = {}
    for identity in sorted(set(ids)):
        group, _, name = identity.rpartition("/")
        with translated("scheduler:GetSchedule", region=region):
            row = _unless_missing(client.get_schedule, GroupName=group or "default", Name=name)
        if row is not None:
            found[identity] = {"state": row["State"]}
    return found


def _plans(client: Any, ids: Sequence[str]) -> Found:
    found: dict[str, Facts] = {}
    for part in _chunks((_plan_id(one) for one in ids), MOST_STATUSES):
        for row in items(
            client.describe_savings_plans,
            "savingsPlans",
            operation="savingsplans:DescribeSavingsPlans",
            region="every region",
            arguments={"savingsPlanIds": part},
            token=("nextToken", "nextToken"),
        ):
            found[row["savingsPlanId"]] = {"state": row["state"]}
    return {one: found[_plan_id(one)] for one in ids if _plan_id(one) in found}


def _plan_id(identity: str) -> str:
    """Return a plan's id; Pulumi may know it by its ARN."""
    return identity.rpartition("/")[2]


def _unless_missing(call: Callable[..., Any], **arguments: Any) -> Any | None:
    try:
        return call(**arguments)
    except ClientError as error:
        if error.response["Error"].get("Code") in _NOT_THERE:
            return None
        raise


def watching_alarms(client: Any, ids: Iterable[str], *, region: str) -> tuple[Alarm, ...]:
    """Return the alarms that watch some resources, by name; without those that drive scaling.

    Args:
        client: A boto3 client of CloudWatch.
        ids: Ids and names as they stand in dimensions, for example of an instance or a group.
        region: The client's.

    Raises:
        TransientError: CloudWatch did not answer.
        PermanentError: It refused.
    """
    wanted = frozenset(ids)
    rows = items(
        client.describe_alarms,
        "MetricAlarms",
        operation="cloudwatch:DescribeAlarms",
        region=region,
        arguments={"MaxRecords": MOST_STATUSES},
    )
    found = [
        _alarm(row, watches)
        for row in rows
        if (watches := wanted & _watched(row)) and not row["AlarmName"].startswith(SCALING_ALARM)
    ]
    return tuple(sorted(found, key=lambda one: one.name))


def _watched(row: Mapping[str, Any]) -> frozenset[str]:
    metrics = [one["MetricStat"]["Metric"] for one in row.get("Metrics", ()) if "MetricStat" in one]
    return frozenset(
        pair["Value"] for metric in (row, *metrics) for pair in metric.get("Dimensions", ())
    )


def _alarm(row: Mapping[str, Any], watches: Iterable[str]) -> Alarm:
    changed_at = row.get("StateTransitionedTimestamp") or row["StateUpdatedTimestamp"]
    return Alarm(
        name=row["AlarmName"],
        ringing=row["StateValue"] == "ALARM",
        ok=row["StateValue"] == "OK",
        changed_at=_aware(changed_at),
        watches=tuple(sorted(watches)),
    )


def _aware(value: Any) -> datetime:
    found = value if isinstance(value, datetime) else parse_timestamp(value)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
