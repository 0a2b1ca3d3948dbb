"""The embedded forecast of a group: from its own past, and from nothing later."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError

from deployments.embedded.aws.metric_store import MetricKey
from deployments.embedded.aws.scaling_forecast import hour_forecast
from deployments.embedded.aws.server import EmbeddedAws, EmbeddedAwsConfig, serve_aws
from tasks.domain.arrays import FloatArray
from tests.support.embedded_aws import Clock, seeding_client

pytestmark = pytest.mark.embedded("aws")

NOW = datetime(2026, 3, 29, 13, 30, tzinfo=UTC)
START = datetime(2026, 3, 2, tzinfo=UTC)
HOURS = 28 * 24
HOUR = timedelta(hours=1)
ONLY = {
    "MetricSpecifications": [
        {
            "TargetValue": 50.0,
            "PredefinedMetricPairSpecification": {"PredefinedMetricType": "ASGCPUUtilization"},
        }
    ],
    "Mode": "ForecastOnly",
}


def weekly(hours: int) -> FloatArray:
    """Percent that differ in every hour of the week."""
    found: FloatArray = 20.0 + (np.arange(hours) % 168) / 4.0
    return found


@pytest.fixture
def server() -> Iterator[EmbeddedAws]:
    with serve_aws(EmbeddedAwsConfig(clock=Clock(NOW))) as running:
        yield running


def load(server: EmbeddedAws, values: FloatArray, *, group: str = "web") -> None:
    seconds = int(START.timestamp()) + 3600 * np.arange(len(values), dtype=np.int64)
    dimensions = (("AutoScalingGroupName", group),)
    for (namespace, name), each in (
        (("AWS/EC2", "CPUUtilization"), values),
        (("AWS/AutoScaling", "GroupInServiceInstances"), np.full(len(values), 4.0)),
    ):
        key = MetricKey(region="us-east-1", namespace=namespace, name=name, dimensions=dimensions)
        server.metrics.load(key, seconds=seconds, values=each)


@pytest.fixture
def client(server: EmbeddedAws) -> Any:
    found = seeding_client(server, "autoscaling")
    found.create_launch_configuration(
        LaunchConfigurationName="web", ImageId="ami-12c6146b", InstanceType="m5.large"
    )
    found.create_auto_scaling_group(
        AutoScalingGroupName="web",
        MinSize=1,
        MaxSize=10,
        DesiredCapacity=1,
        LaunchConfigurationName="web",
        AvailabilityZones=["us-east-1a"],
    )
    found.put_scaling_policy(
        AutoScalingGroupName="web",
        PolicyName="ahead",
        PolicyType="PredictiveScaling",
        PredictiveScalingConfiguration=ONLY,
    )
    return found


def forecast(client: Any, start: datetime, end: datetime, **more: str) -> dict[str, Any]:
    names = {"AutoScalingGroupName": "web", "PolicyName": "ahead", **more}
    answer: dict[str, Any] = client.get_predictive_scaling_forecast(
        **names, StartTime=start, EndTime=end
    )
    return answer


def test_an_hour_ahead_is_the_mean_of_that_hour_of_the_last_two_weeks(
    server: EmbeddedAws, client: Any
) -> None:
    values = weekly(HOURS)
    values[HOURS - 168 :] += 10.0
    load(server, values)
    at = datetime(2026, 3, 30, 6, tzinfo=UTC)
    found = forecast(client, at, at + HOUR)
    hour = (at - START) // HOUR
    # Four instances; the last known week was 10 percent points busier than the one before.
    expected = 4.0 * (20.0 + (hour % 168) / 4.0 + 5.0)
    assert found["LoadForecast"][0]["Values"] == pytest.approx([expected])
    assert found["CapacityForecast"]["Values"] == [np.ceil(expected / 50.0)]
    assert found["CapacityForecast"]["Timestamps"] == [at]
    assert found["LoadForecast"][0]["MetricSpecification"]["TargetValue"] == 50.0


def test_two_days_are_foretold_and_no_more(server: EmbeddedAws, client: Any) -> None:
    load(server, weekly(HOURS))
    found = forecast(client, NOW, NOW + timedelta(days=5))
    times = found["CapacityForecast"]["Timestamps"]
    issued = NOW.replace(hour=12, minute=0)
    assert found["UpdateTime"] == issued
    assert times[0] == NOW.replace(minute=0) + HOUR
    assert times[-1] == issued + timedelta(hours=47)


def test_what_came_later_changes_no_forecast_of_the_past(server: EmbeddedAws, client: Any) -> None:
    values = weekly(HOURS)
    values[20 * 24 :] *= 3.0
    load(server, values)
    at = START + timedelta(days=20)
    found = forecast(client, at, at + timedelta(hours=6))
    hours = np.arange(20 * 24, 20 * 24 + 6) % 168
    assert found["LoadForecast"][0]["Values"] == pytest.approx(4.0 * (20.0 + hours / 4.0))


def test_less_than_a_day_of_history_foretells_nothing(server: EmbeddedAws, client: Any) -> None:
    load(server, weekly(23))
    found = forecast(client, START, START + timedelta(days=1))
    assert found["CapacityForecast"]["Values"] == []


def test_a_group_never_gets_less_than_its_smallest_size(server: EmbeddedAws, client: Any) -> None:
    load(server, np.zeros(HOURS))
    found = forecast(client, NOW, NOW + timedelta(hours=3))
    assert set(found["CapacityForecast"]["Values"]) == {1.0}


@pytest.mark.parametrize(
    ("changed", "start", "end", "says"),
    [
        ({"AutoScalingGroupName": "none"}, NOW, NOW + HOUR, "not found"),
        ({"PolicyName": "none"}, NOW, NOW + HOUR, "No predictive scaling policy named none"),
        ({}, NOW, NOW, "before the end time"),
        ({}, NOW, NOW + timedelta(days=31), "at most 30 days"),
        ({}, NOW - timedelta(days=366), NOW - timedelta(days=350), "one year"),
    ],
)
def test_what_aws_refuses_is_refused(
    client: Any, changed: dict[str, str], start: datetime, end: datetime, says: str
) -> None:
    with pytest.raises(ClientError, match=says) as refused:
        forecast(client, start, end, **changed)
    assert refused.value.response["Error"]["Code"] == "ValidationError"


def test_a_policy_of_another_kind_has_no_forecast(client: Any) -> None:
    client.put_scaling_policy(
        AutoScalingGroupName="web",
        PolicyName="step",
        PolicyType="SimpleScaling",
        AdjustmentType="ChangeInCapacity",
        ScalingAdjustment=1,
    )
    with pytest.raises(ClientError, match="No predictive scaling policy"):
        forecast(client, NOW, NOW + HOUR, PolicyName="step")


def test_without_a_week_the_hour_of_the_day_stands_in() -> None:
    day = np.tile(np.arange(24.0), 2)
    assert hour_forecast(day, hour=48 + 5, issue=48) == 5.0
    day[5] = day[29] = np.nan
    assert hour_forecast(day, hour=48 + 5, issue=48) == pytest.approx(np.nanmean(day))


def test_nothing_from_the_issue_on_is_looked_at() -> None:
    known = np.tile(np.arange(168.0), 3)
    changed = known.copy()
    changed[336:] = 1e9
    for hour in range(336, 336 + 48):
        assert hour_forecast(known, hour=hour, issue=336) == hour_forecast(
            changed, hour=hour, issue=336
        )
