"""Auto Scaling GetPredictiveScalingForecast, from the group's own metrics.

The forecast is a stated rule and not AWS's model: every six hours, for the next 48, an hour is
foretold as the mean of the same hour of the week in the two weeks before; where that is not known,
as the mean of the same hour of the day in them; where that is not either, as their mean. Nothing
from the issue on is looked at, and 24 known hours are needed. Hours that have passed are answered
as they were foretold last before they began, whether or not the policy was there then.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from deployments.embedded.aws.calls import Call
from deployments.embedded.aws.changes.groups import group_named
from deployments.embedded.aws.errors import AwsError
from deployments.embedded.aws.metric_statistics import statistic_by_period
from deployments.embedded.aws.metric_store import MetricKey, MetricStore
from deployments.embedded.aws.policy import ACCOUNT
from tasks.domain.arrays import FloatArray

HISTORY_HOURS = 14 * 24
HORIZON_HOURS = 48
ISSUE_HOURS = 6
LEAST_HOURS = 24
LONGEST = timedelta(days=30)
OLDEST = timedelta(days=365)
HOUR_SECONDS = 3600
DAY_HOURS, WEEK_HOURS = 24, 168
CPU = frozenset({"ASGCPUUtilization", "ASGAverageCPUUtilization"})


class ScalingForecasts:
    """Answers GetPredictiveScalingForecast.

    Args:
        store: What was measured.
        clock: Now, aware.
    """

    def __init__(self, store: MetricStore, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def describe(self, call: Call, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return load, in percent of one instance, and capacity, by the hour.

        Raises:
            AwsError: There is no such group or policy, or the times are not what AWS allows.
        """
        name = str(parameters.get("AutoScalingGroupName", ""))
        group = group_named(call.region, name)
        metric, target = _metric(call.region, name, str(parameters.get("PolicyName", "")))
        now = self._clock()
        first, end = _hours(parameters, now=now)
        load = self._load(call.region, name, first=first - HISTORY_HOURS - ISSUE_HOURS, end=end)
        present = int(now.timestamp()) // HOUR_SECONDS
        issues = [min(hour, present) // ISSUE_HOURS * ISSUE_HOURS for hour in range(first, end)]
        offset = first - HISTORY_HOURS - ISSUE_HOURS
        foretold = {
            hour: value
            for hour, issue in zip(range(first, end), issues, strict=True)
            if (value := hour_forecast(load, hour=hour - offset, issue=issue - offset)) is not None
        }
        at = [datetime.fromtimestamp(hour * HOUR_SECONDS, UTC) for hour in foretold]
        capacity = [
            float(max(math.ceil(value / target - 1e-9), group.min_size))
            for value in foretold.values()
        ]
        loads = {"Timestamps": at, "Values": list(foretold.values()), "MetricSpecification": metric}
        updated = present // ISSUE_HOURS * ISSUE_HOURS * HOUR_SECONDS
        return {
            "LoadForecast": [loads],
            "CapacityForecast": {"Timestamps": at, "Values": capacity},
            "UpdateTime": datetime.fromtimestamp(updated, UTC),
        }

    def _load(self, region: str, group: str, *, first: int, end: int) -> FloatArray:
        """Return instances times processor use by the hour, from `first`; NaN where unknown."""
        size = self._hourly(region, ("AWS/AutoScaling", "GroupInServiceInstances"), group)
        use = self._hourly(region, ("AWS/EC2", "CPUUtilization"), group)
        found = [size[h] * use[h] if h in size and h in use else np.nan for h in range(first, end)]
        return np.array(found, dtype=np.float64)

    def _hourly(self, region: str, metric: tuple[str, str], group: str) -> dict[int, float]:
        namespace, name = metric
        dimensions = (("AutoScalingGroupName", group),)
        key = MetricKey(region=region, namespace=namespace, name=name, dimensions=dimensions)
        # What is not over yet is not known: the hour that runs is left out.
        present = int(self._clock().timestamp()) // HOUR_SECONDS * HOUR_SECONDS
        points = self._store.read(key).between(0, present)
        seconds, values = statistic_by_period(points, name="Average", period=HOUR_SECONDS)
        return dict(zip((seconds // HOUR_SECONDS).tolist(), values.tolist(), strict=True))


def hour_forecast(load: FloatArray, *, hour: int, issue: int) -> float | None:
    """Return what is foretold of an hour; None too far ahead, or where too little is known.

    Args:
        load: By the hour.
        hour: Place of the hour in it; it may lie after its end.
        issue: Place of the hour in which the forecast is made: nothing from there on is looked at.
    """
    begin = max(issue - HISTORY_HOURS, 0)
    known = load[begin:issue]
    if hour >= issue + HORIZON_HOURS or np.isfinite(known).sum() < LEAST_HOURS:
        return None
    for season in (WEEK_HOURS, DAY_HOURS, 1):
        same = known[(hour - begin) % season :: season]
        same = same[np.isfinite(same)]
        if len(same):
            return float(same.mean())
    return None


def _metric(region: str, group: str, name: str) -> tuple[Mapping[str, Any], float]:
    """Return what a policy follows, and its target in percent."""
    from moto.autoscaling.models import autoscaling_backends

    policy: Any = autoscaling_backends[ACCOUNT][region].policies.get(name)
    ours = policy is not None and policy.auto_scaling_group_name == group
    if policy is None or not ours or policy.policy_type != "PredictiveScaling":
        message = f"No predictive scaling policy named {name} found for Auto Scaling group {group}"
        raise _validation(message)
    metrics: Sequence[Mapping[str, Any]] = policy.predictive_scaling_configuration.get(
        "MetricSpecifications", ()
    )
    for metric in metrics[:1]:
        kinds = {
            metric.get(part, {}).get("PredefinedMetricType")
            for part in (
                "PredefinedMetricPairSpecification",
                "PredefinedScalingMetricSpecification",
            )
        }
        if kinds & CPU:
            return metric, float(metric["TargetValue"])
    message = f"Policy {name} does not follow the processor; other metrics are not embedded."
    raise _validation(message)


def _hours(parameters: Mapping[str, Any], *, now: datetime) -> tuple[int, int]:
    """Return the first hour, and the one after the last, since the epoch."""
    start, end = parameters.get("StartTime"), parameters.get("EndTime")
    if start is None or end is None:
        message = "StartTime and EndTime are required."
        raise _validation(message)
    if start >= end:
        message = "The start time must be before the end time."
        raise _validation(message)
    if end - start > LONGEST:
        message = "The time between the start time and the end time must be at most 30 days."
        raise _validation(message)
    if start < now - OLDEST:
        message = "The start time must be at most one year before the current time."
        raise _validation(message)
    first = math.ceil(start.timestamp() / HOUR_SECONDS)
    return first, math.ceil(end.timestamp() / HOUR_SECONDS)


def _validation(message: str) -> AwsError:
    return AwsError(code="ValidationError", message=message)
