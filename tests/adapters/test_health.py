"""How resources are, read through unmodified boto3 from the embedded account."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deployments.embedded.aws.faults import FaultKind, FaultRule
from deployments.embedded.aws.server import EmbeddedAws, EmbeddedAwsConfig, serve_aws
from tasks.adapters.health import resource_health, watching_alarms
from tasks.domain.errors import TransientError
from tasks.domain.stacks.cost_links import GROUP, INSTANCE, INSTANCE_STATE
from tasks.domain.stacks.health import Expected, Health, Observation
from tasks.domain.stacks.health_rules import (
    FUNCTION,
    SAVINGS_PLAN,
    SCALING_POLICY,
    SCHEDULE,
    VOLUME,
    judge_health,
)
from tests.support.embedded_aws import aws_client, seeding_client

pytestmark = pytest.mark.embedded("aws")

REGION = "us-east-1"
SINCE = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def server() -> Iterator[EmbeddedAws]:
    with serve_aws(EmbeddedAwsConfig()) as running:
        yield running


@pytest.fixture
def ec2(server: EmbeddedAws) -> Any:
    return seeding_client(server, "ec2")


@pytest.fixture
def instance(ec2: Any) -> str:
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    answer = ec2.run_instances(ImageId=image, InstanceType="m5.large", MinCount=1, MaxCount=1)
    return str(answer["Instances"][0]["InstanceId"])


def observed(server: EmbeddedAws, *resources: tuple[str, str]) -> tuple[Observation, ...]:
    # With the user's key: the policy has to allow every call.
    return resource_health(
        lambda service: aws_client(server, service), resources, region=REGION, since=SINCE
    )


def test_a_running_instance_tells_its_type_and_both_checks(
    server: EmbeddedAws, instance: str
) -> None:
    (found,) = observed(server, (INSTANCE, instance))
    assert found.found
    assert found.facts == {
        "state": "running",
        "instanceType": "m5.large",
        "systemStatus": "ok",
        "instanceStatus": "ok",
    }


def test_a_stopped_instance_tells_its_state_and_no_checks(
    server: EmbeddedAws, ec2: Any, instance: str
) -> None:
    ec2.stop_instances(InstanceIds=[instance])
    found = observed(server, (INSTANCE, instance), (INSTANCE_STATE, instance))
    assert [one.facts["state"] for one in found] == ["stopped", "stopped"]
    assert all("systemStatus" not in one.facts for one in found)


def test_one_that_is_gone_keeps_nobody_else_from_being_told(
    server: EmbeddedAws, ec2: Any, instance: str
) -> None:
    ec2.terminate_instances(InstanceIds=[instance])
    found = observed(server, (INSTANCE, instance), (INSTANCE, "i-0123456789abcdef0"))
    assert [one.found for one in found] == [False, False]


def test_a_volume_tells_its_kind_and_how_its_change_goes(server: EmbeddedAws, ec2: Any) -> None:
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=8, VolumeType="gp2")["VolumeId"]
    (before,) = observed(server, (VOLUME, volume))
    assert "modification" not in before.facts
    ec2.modify_volume(VolumeId=volume, VolumeType="gp3")
    (after,) = observed(server, (VOLUME, volume))
    assert (after.facts["type"], after.facts["size"]) == ("gp3", 8)
    assert after.facts["modification"] in {"modifying", "optimizing", "completed"}


@pytest.fixture
def group(server: EmbeddedAws, ec2: Any) -> str:
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    ec2.create_launch_template(
        LaunchTemplateName="web",
        LaunchTemplateData={"ImageId": image, "InstanceType": "m5.large"},
    )
    seeding_client(server, "autoscaling").create_auto_scaling_group(
        AutoScalingGroupName="web",
        MinSize=1,
        MaxSize=4,
        DesiredCapacity=2,
        LaunchTemplate={"LaunchTemplateName": "web"},
        AvailabilityZones=["us-east-1a"],
    )
    return "web"


def test_a_group_tells_how_many_serve(server: EmbeddedAws, group: str) -> None:
    (found,) = observed(server, (GROUP, group))
    assert found.facts == {"inService": 2, "minSize": 1, "mixed": False}


def test_a_scaling_policy_tells_its_type(server: EmbeddedAws, group: str) -> None:
    seeding_client(server, "autoscaling").put_scaling_policy(
        AutoScalingGroupName=group,
        PolicyName="track",
        PolicyType="TargetTrackingScaling",
        TargetTrackingConfiguration={
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"},
            "TargetValue": 70.0,
        },
    )
    found = observed(server, (SCALING_POLICY, "track"), (SCALING_POLICY, "other"))
    assert found[0].facts == {"policyType": "TargetTrackingScaling"}
    assert found[1].found is False


def test_a_function_tells_whether_it_is_active(server: EmbeddedAws) -> None:
    iam = seeding_client(server, "iam")
    trust = {"Version": "2012-10-17", "Statement": []}
    role = iam.create_role(RoleName="fn", AssumeRolePolicyDocument=json.dumps(trust))
    seeding_client(server, "lambda").create_function(
        FunctionName="fn",
        Runtime="python3.12",
        Role=role["Role"]["Arn"],
        Handler="main.handler",
        Code={"ZipFile": b"none"},
    )
    found = observed(server, (FUNCTION, "fn"), (FUNCTION, "missing"))
    assert found[0].facts == {"state": "Active", "lastUpdate": "Successful"}
    assert found[1].found is False


def test_a_schedule_tells_whether_it_is_enabled(server: EmbeddedAws) -> None:
    seeding_client(server, "scheduler").create_schedule(
        Name="stop-web",
        ScheduleExpression="cron(0 20 ? * MON-FRI *)",
        FlexibleTimeWindow={"Mode": "OFF"},
        State="DISABLED",
        Target={
            "Arn": "arn:aws:scheduler:::aws-sdk:ec2:stopInstances",
            "RoleArn": "arn:aws:iam::1:role/r",
        },
    )
    found = observed(server, (SCHEDULE, "default/stop-web"), (SCHEDULE, "default/missing"))
    assert found[0].facts == {"state": "DISABLED"}
    assert found[1].found is False


def test_a_savings_plan_that_nobody_holds_is_not_there(server: EmbeddedAws) -> None:
    (found,) = observed(server, (SAVINGS_PLAN, "00000000-0000-0000-0000-000000000000"))
    assert found.found is False


def test_kinds_without_a_health_are_left_out(server: EmbeddedAws) -> None:
    assert observed(server, ("aws:iam/role:Role", "fn")) == ()


def test_what_is_refused_is_unknown_and_says_why(server: EmbeddedAws, instance: str) -> None:
    # boto3 itself refuses a schedule without a name.
    found = observed(server, (INSTANCE, instance), (SCHEDULE, ""))
    assert [one.found for one in found] == [True, None]
    assert "scheduler:GetSchedule" in found[1].problem


def test_what_is_throttled_is_to_be_looked_at_again(server: EmbeddedAws, instance: str) -> None:
    server.faults.replace([FaultRule(operation="ec2:DescribeInstances", kind=FaultKind.THROTTLE)])
    with pytest.raises(TransientError):
        observed(server, (INSTANCE, instance))


def ring(server: EmbeddedAws, name: str, instance: str, state: str) -> None:
    cloudwatch = seeding_client(server, "cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/EC2",
        MetricName="StatusCheckFailed",
        Dimensions=[{"Name": "InstanceId", "Value": instance}],
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0.5,
        ComparisonOperator="GreaterThanThreshold",
    )
    cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="a test")


def test_alarms_of_what_was_touched_are_told_and_those_that_scale_are_not(
    server: EmbeddedAws,
) -> None:
    ring(server, "failed-checks", "i-1", "ALARM")
    ring(server, "elsewhere", "i-2", "ALARM")
    ring(server, "TargetTracking-web-AlarmLow-1", "i-1", "ALARM")
    (found,) = watching_alarms(aws_client(server, "cloudwatch"), ["i-1"], region=REGION)
    assert (found.name, found.ringing, found.watches) == ("failed-checks", True, ("i-1",))
    assert found.changed_at.tzinfo is not None


def test_an_instance_proves_healthy_until_its_alarm_rings(
    server: EmbeddedAws, instance: str
) -> None:
    expected = [
        Expected(
            name="web",
            token=INSTANCE,
            resource_id=instance,
            inputs={"instanceType": "m5.large"},
        )
    ]
    now = datetime.now(UTC)

    def judged() -> Health:
        alarms = watching_alarms(aws_client(server, "cloudwatch"), [instance], region=REGION)
        return judge_health(
            observed(server, (INSTANCE, instance)),
            expected,
            alarms,
            applied_at=now - timedelta(minutes=10),
            now=now,
            window=timedelta(minutes=5),
        ).health

    assert judged() is Health.HEALTHY
    ring(server, "failed-checks", instance, "ALARM")
    assert judged() is Health.UNHEALTHY
