"""Predictive scaling of auto scaling groups: policies of ours, their forecasts, what happened."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from tasks.adapters.aws import parse_timestamp, translated
from tasks.adapters.metrics import MetricQuery, Window, hourly_metrics
from tasks.adapters.pages import items
from tasks.domain.arrays import FloatArray
from tasks.domain.errors import PermanentError
from tasks.domain.stacks.predictive.configuration import PREFIX, Configuration, policy_name
from tasks.domain.stacks.predictive.hours import GroupHours
from tasks.domain.stacks.predictive.steps import AheadGroup

OPERATIONS = (
    "autoscaling:DeletePolicy",
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribePolicies",
    "autoscaling:GetPredictiveScalingForecast",
    "autoscaling:PutScalingPolicy",
)

AHEAD_TAG = "homeostat/scale-ahead"
"""Of a group that asks for a forecast, with the value "true"."""
PREDICTIVE = "PredictiveScaling"
MOST_RECORDS = 100
LONGEST = timedelta(days=30)
"""Of one request for a forecast."""
_HOUR = timedelta(hours=1)


def ahead_groups(client: Any, *, region: str) -> tuple[AheadGroup, ...]:
    """Return the groups with a predictive policy of ours, and those that ask for one, by name.

    A group with somebody else's predictive policy is left alone, even where it asks.

    Args:
        client: A boto3 client of Auto Scaling.
        region: The client's.

    Raises:
        TransientError: Auto Scaling did not answer.
        PermanentError: It refused.
    """
    policies: dict[str, dict[str, Configuration]] = {}
    for row in _policies(client, region=region, PolicyTypes=[PREDICTIVE]):
        of_group = policies.setdefault(row["AutoScalingGroupName"], {})
        of_group[row["PolicyName"]] = row["PredictiveScalingConfiguration"]
    rows = items(
        client.describe_auto_scaling_groups,
        "AutoScalingGroups",
        operation="autoscaling:DescribeAutoScalingGroups",
        region=region,
        arguments={"MaxRecords": MOST_RECORDS},
    )
    found = [one for row in rows if (one := _group(row, policies, region=region)) is not None]
    return tuple(sorted(found, key=lambda one: one.group))


def _group(
    row: Mapping[str, Any], policies: Mapping[str, Mapping[str, Configuration]], *, region: str
) -> AheadGroup | None:
    name = row["AutoScalingGroupName"]
    held = policies.get(name, {})
    ours = sorted(policy for policy in held if policy.startswith(PREFIX))
    asks = any(
        tag["Key"] == AHEAD_TAG and tag.get("Value", "").lower() == "true"
        for tag in row.get("Tags", ())
    )
    if not ours and (held or not asks):
        return None
    policy = ours[0] if ours else policy_name(name)
    return AheadGroup(
        region=region,
        group=name,
        policy=policy,
        configuration=held.get(policy),
        min_size=int(row["MinSize"]),
        max_size=int(row["MaxSize"]),
        asks=asks,
    )


def live_configuration(
    client: Any, *, region: str, group: str, policy: str
) -> Configuration | None:
    """Return a predictive policy's configuration; None where there is no such policy.

    Raises:
        TransientError: Auto Scaling did not answer.
        PermanentError: It refused, or the policy is of another kind.
    """
    rows = _policies(client, region=region, AutoScalingGroupName=group, PolicyNames=[policy])
    for row in rows:
        if row["PolicyType"] != PREDICTIVE:
            message = f"policy {policy} of {group} is {row['PolicyType']}: it is not ours to change"
            raise PermanentError(message)
        found: Configuration = row["PredictiveScalingConfiguration"]
        return found
    return None


def _policies(client: Any, *, region: str, **arguments: Any) -> list[dict[str, Any]]:
    return list(
        items(
            client.describe_policies,
            "ScalingPolicies",
            operation="autoscaling:DescribePolicies",
            region=region,
            arguments={**arguments, "MaxRecords": MOST_RECORDS},
        )
    )


def put_configuration(
    client: Any, *, region: str, group: str, policy: str, wanted: Configuration | None
) -> None:
    """Make a policy's configuration as wanted; None removes the policy.

    Raises:
        TransientError: Auto Scaling did not answer: whether it was done has to be looked at.
        PermanentError: It refused.
    """
    if wanted is None:
        with translated("autoscaling:DeletePolicy", region=region):
            client.delete_policy(AutoScalingGroupName=group, PolicyName=policy)
        return
    with translated("autoscaling:PutScalingPolicy", region=region):
        client.put_scaling_policy(
            AutoScalingGroupName=group,
            PolicyName=policy,
            PolicyType=PREDICTIVE,
            PredictiveScalingConfiguration=wanted,
        )


def capacity_forecast(client: Any, group: AheadGroup, *, window: Window) -> FloatArray:
    """Return (hours,) capacity that was forecast; NaN in hours without a forecast.

    Args:
        client: A boto3 client of Auto Scaling.
        group: With a policy.
        window: Which hours; what passed is answered as it was forecast then.

    Raises:
        TransientError: Auto Scaling did not answer.
        PermanentError: It refused, for example since the policy is gone.
    """
    found = np.full(window.hours, np.nan)
    start = window.start
    while start < window.end:
        end = min(start + LONGEST, window.end)
        with translated("autoscaling:GetPredictiveScalingForecast", region=group.region):
            answer = client.get_predictive_scaling_forecast(
                AutoScalingGroupName=group.group,
                PolicyName=group.policy,
                StartTime=start,
                EndTime=end,
            )
        capacity = answer["CapacityForecast"]
        for at, value in zip(capacity["Timestamps"], capacity["Values"], strict=True):
            hour = (_aware(at) - window.start) // _HOUR
            if 0 <= hour < window.hours:
                found[hour] = value
        start = end
    return found


def group_hours(
    scaling: Any, cloudwatch: Any, group: AheadGroup, *, window: Window, target: float
) -> GroupHours:
    """Return what was forecast of a group, and what happened, by the hour.

    Args:
        scaling: A boto3 client of Auto Scaling.
        cloudwatch: One of CloudWatch.
        group: With a policy. Without group metrics nobody knows how many instances served.
        window: Which hours.
        target: Use that the policy plans for.

    Raises:
        TransientError: A service did not answer.
        PermanentError: One refused.
    """
    of_group = (("AutoScalingGroupName", group.group),)
    names = (("AWS/AutoScaling", "GroupInServiceInstances"), ("AWS/EC2", "CPUUtilization"))
    queries = [
        MetricQuery(namespace=namespace, name=name, dimensions=of_group)
        for namespace, name in names
    ]
    serving, percent = hourly_metrics(
        cloudwatch, queries, region=group.region, window=window
    ).astype(np.float64)
    return GroupHours(
        start=window.start,
        serving=serving,
        busy=serving * percent / 100.0,
        forecast=capacity_forecast(scaling, group, window=window),
        min_size=group.min_size,
        max_size=group.max_size,
        target=target,
    )


def _aware(value: Any) -> datetime:
    found = value if isinstance(value, datetime) else parse_timestamp(value)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
