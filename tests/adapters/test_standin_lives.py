"""Every resource type from its making to its end, on the embedded account."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import grpc
import pytest

from deployments.embedded.aws.plan_offerings import sold_offerings
from deployments.embedded.aws.reservations import reserved_offerings
from deployments.embedded.aws.server import EmbeddedAws, serve_aws
from deployments.embedded.pulumi_aws.catalogue import KINDS
from deployments.embedded.pulumi_aws.values import ARCHIVE, ASSET, MARK
from tests.support.standin import Driver, Made, driving, environment

IMAGE = "ami-03c3da4cfa8e8943a"
TAGS = {"homeostat/change-id": "hs-000000000001", "team": "search"}
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    },
    indent=1,
)
READING = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
CODE = {
    MARK: ARCHIVE,
    "hash": "one",
    "assets": {"main.py": {MARK: ASSET, "hash": "one", "text": "def handler(e, c): return 1"}},
}
pytestmark = pytest.mark.embedded("aws")


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedAws]:
    with serve_aws() as running:
        yield running


@pytest.fixture(scope="module")
def driver(server: EmbeddedAws) -> Iterator[Driver]:
    with driving(environment(server)) as made:
        made.configure(region="us-east-1")
        yield made


def documents(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def made_role(driver: Driver, name: str) -> Made:
    inputs = {"name": f"homeostat-{name}", "assumeRolePolicy": TRUST}
    return driver.create("aws:iam/role:Role", name, inputs)


def lived(
    driver: Driver,
    token: str,
    inputs: Mapping[str, Any],
    change: Mapping[str, Any] | None = None,
) -> Made:
    """Make, refresh and change one; nothing differs but what was changed."""
    one = driver.create(token, "one", inputs)
    again = driver.refreshed(one)
    assert again is not None
    assert again.inputs == one.inputs
    assert driver.diff(one, one.inputs) == {}
    assert driver.diff(again, one.inputs) == {}
    if change is None:
        return one
    wanted = {key: each for key, each in {**one.inputs, **change}.items() if each is not None}
    found = driver.diff(one, wanted)
    assert {path.split(".")[0].split("[")[0] for path in found} <= set(change)
    assert found
    assert not any(kind.endswith("_REPLACE") for kind in found.values())
    changed = driver.update(one, wanted)
    there = driver.refreshed(changed)
    assert there is not None
    assert driver.diff(there, wanted) == {}
    return changed


def ended(driver: Driver, one: Made) -> None:
    driver.delete(one)
    assert driver.refreshed(one) is None
    driver.delete(one)  # whoever is too late has nothing left to do


def test_a_volume_lives(driver: Driver) -> None:
    one = lived(
        driver,
        "aws:ebs/volume:Volume",
        {"availabilityZone": "us-east-1a", "size": 10, "type": "gp2", "tags": TAGS},
        {"type": "gp3", "iops": 3500, "throughput": 150, "size": 12, "tags": {"team": "b"}},
    )

    assert one.state["arn"].endswith(f":volume/{one.identity}")
    ended(driver, one)


def test_an_instance_lives_and_keeps_its_id_when_its_type_changes(driver: Driver) -> None:
    one = lived(
        driver,
        "aws:ec2/instance:Instance",
        {
            "ami": IMAGE,
            "instanceType": "m5.xlarge",
            "availabilityZone": "us-east-1b",
            "rootBlockDevice": {"volumeSize": 20, "volumeType": "gp2"},
            "tags": TAGS,
        },
        {
            "instanceType": "m5.large",
            "monitoring": True,
            "rootBlockDevice": {"volumeSize": 30, "volumeType": "gp3"},
        },
    )

    assert one.state["instanceState"] == "running"
    assert one.state["rootBlockDevice"]["volumeType"] == "gp3"
    ended(driver, one)


def test_a_spot_instance_lives(driver: Driver) -> None:
    options = {"marketType": "spot", "spotOptions": {"spotInstanceType": "persistent"}}
    one = lived(
        driver,
        "aws:ec2/instance:Instance",
        {"ami": IMAGE, "instanceType": "m5.large", "instanceMarketOptions": options},
    )

    assert one.state["instanceLifecycle"] == "spot"
    ended(driver, one)


def test_the_state_of_an_instance_is_switched_and_left_at_the_end(driver: Driver) -> None:
    instance = driver.create(
        "aws:ec2/instance:Instance", "machine", {"ami": IMAGE, "instanceType": "m5.large"}
    )
    one = lived(
        driver,
        "aws:ec2transitgateway/instanceState:InstanceState",
        {"instanceId": instance.identity, "state": "stopped"},
        {"state": "running"},
    )
    driver.delete(one)

    there = driver.refreshed(instance)
    assert there is not None
    assert there.state["instanceState"] == "running"


def test_a_group_lives_with_its_template_and_its_rules(driver: Driver) -> None:
    template = lived(
        driver,
        "aws:ec2/launchTemplate:LaunchTemplate",
        {
            "imageId": IMAGE,
            "instanceType": "m5.large",
            "ebsOptimized": "true",
            "blockDeviceMappings": [
                {"deviceName": "/dev/xvda", "ebs": {"volumeSize": 20, "encrypted": "true"}}
            ],
            "tagSpecifications": [{"resourceType": "instance", "tags": TAGS}],
            "tags": TAGS,
        },
        {"instanceType": "m5.xlarge", "updateDefaultVersion": True, "tags": {"a": "b"}},
    )
    assert (template.state["latestVersion"], template.state["defaultVersion"]) == (2, 2)
    group = lived(
        driver,
        "aws:autoscaling/group:Group",
        {
            "name": "shop",
            "minSize": 1,
            "maxSize": 4,
            "desiredCapacity": 3,
            "availabilityZones": ["us-east-1b", "us-east-1a"],
            "launchTemplate": {"id": template.identity, "version": "$Latest"},
            "tags": [{"key": "team", "value": "search", "propagateAtLaunch": True}],
        },
        {
            "maxSize": 6,
            "enabledMetrics": ["GroupMinSize"],
            "suspendedProcesses": ["AZRebalance"],
            "tags": [{"key": "env", "value": "prod", "propagateAtLaunch": False}],
        },
    )
    rules = [
        lived(
            driver,
            "aws:autoscaling/policy:Policy",
            {
                "name": "homeostat-ahead",
                "autoscalingGroupName": "shop",
                "policyType": "PredictiveScaling",
                "predictiveScalingConfiguration": _forecast("ForecastOnly"),
            },
            {"predictiveScalingConfiguration": _forecast("ForecastAndScale")},
        ),
        lived(
            driver,
            "aws:autoscaling/schedule:Schedule",
            {
                "scheduledActionName": "evening",
                "autoscalingGroupName": "shop",
                "minSize": 0,
                "maxSize": 0,
                "desiredCapacity": 0,
                "recurrence": "0 19 * * 1-5",
                "timeZone": "Europe/Berlin",
            },
            {"recurrence": "0 20 * * 1-5"},
        ),
    ]
    for one in (*rules, group, template):
        ended(driver, one)


def _forecast(mode: str) -> dict[str, Any]:
    pair = {"predefinedMetricType": "ASGCPUUtilization"}
    return {
        "mode": mode,
        "schedulingBufferTime": "300",
        "metricSpecification": {"targetValue": 50, "predefinedMetricPairSpecification": pair},
    }


def test_a_queued_savings_plan_lives_until_it_is_taken_back(driver: Driver) -> None:
    one = lived(
        driver,
        "aws:savingsplans/savingsPlan:SavingsPlan",
        {
            "savingsPlanOfferingId": next(iter(sold_offerings())),
            "commitment": "1.5",
            "purchaseTime": "2099-01-01T00:00:00Z",
            "tags": TAGS,
        },
        {"tags": {"team": "b"}},
    )

    assert one.state["state"] == "queued"
    ended(driver, one)


def test_an_active_savings_plan_cannot_be_deleted(driver: Driver) -> None:
    one = driver.create(
        "aws:savingsplans/savingsPlan:SavingsPlan",
        "now",
        {"savingsPlanOfferingId": next(iter(sold_offerings())), "commitment": "0.5"},
    )

    with pytest.raises(grpc.RpcError, match="only a queued one can be deleted"):
        driver.delete(one)


@pytest.mark.parametrize(
    ("token", "inputs"),
    [
        (
            "aws:rds/reservedInstance:ReservedInstance",
            {"offeringId": next(iter(reserved_offerings("rds"))), "instanceCount": 2},
        ),
        (
            "aws:elasticache/reservedCacheNode:ReservedCacheNode",
            {
                "reservedCacheNodesOfferingId": next(iter(reserved_offerings("elasticache"))),
                "cacheNodeCount": 2,
            },
        ),
    ],
)
def test_a_reservation_lives_and_stays_after_it(
    driver: Driver, token: str, inputs: dict[str, Any]
) -> None:
    one = lived(driver, token, {**inputs, "tags": TAGS}, {"tags": {"team": "b"}})
    driver.delete(one)

    assert one.state["state"] == "active"
    assert driver.refreshed(one) is not None


def test_a_role_and_its_policy_live(driver: Driver) -> None:
    role = lived(
        driver,
        "aws:iam/role:Role",
        {"name": "homeostat-role", "assumeRolePolicy": TRUST, "tags": TAGS},
        {"description": "For a test.", "maxSessionDuration": 7200, "tags": {"team": "b"}},
    )
    policy = lived(
        driver,
        "aws:iam/rolePolicy:RolePolicy",
        {"name": "logs", "role": "homeostat-role", "policy": documents(READING)},
        {"policy": documents({**READING, "Action": "s3:PutObject"})},
    )

    assert policy.identity == "homeostat-role:logs"
    ended(driver, policy)
    ended(driver, role)


def test_a_function_and_who_may_call_it_live(driver: Driver) -> None:
    role = made_role(driver, "function")
    function = lived(
        driver,
        "aws:lambda/function:Function",
        {
            "name": "homeostat-function",
            "role": role.state["arn"],
            "runtime": "python3.13",
            "handler": "main.handler",
            "architectures": ["arm64"],
            "memorySize": 256,
            "code": CODE,
            "environment": {"variables": {"a_b": "c"}},
            "reservedConcurrentExecutions": 5,
            "tags": TAGS,
        },
        {"memorySize": 512, "description": "x", "code": {**CODE, "hash": "two"}},
    )
    permission = lived(
        driver,
        "aws:lambda/permission:Permission",
        {
            "action": "lambda:InvokeFunction",
            "function": "homeostat-function",
            "principal": "apigateway.amazonaws.com",
            "sourceArn": "arn:aws:execute-api:us-east-1:123456789012:a/*/*",
            "statementId": "allow-api",
        },
    )

    assert function.state["invokeArn"].endswith(f"{function.state['arn']}/invocations")
    ended(driver, permission)
    ended(driver, function)


def test_an_api_lives_with_all_that_is_in_it(driver: Driver) -> None:
    api = lived(
        driver,
        "aws:apigatewayv2/api:Api",
        {"name": "homeostat-api", "protocolType": "HTTP", "tags": TAGS},
        {"description": "For a test.", "tags": {"team": "b"}},
    )
    integration = lived(
        driver,
        "aws:apigatewayv2/integration:Integration",
        {
            "apiId": api.identity,
            "integrationType": "AWS_PROXY",
            "integrationUri": "arn:aws:lambda:us-east-1:123456789012:function:homeostat-f",
            "payloadFormatVersion": "2.0",
        },
        {"timeoutMilliseconds": 5000},
    )
    route = lived(
        driver,
        "aws:apigatewayv2/route:Route",
        {
            "apiId": api.identity,
            "routeKey": "ANY /",
            "target": f"integrations/{integration.identity}",
        },
        {"routeKey": "$default"},
    )
    stage = lived(
        driver,
        "aws:apigatewayv2/stage:Stage",
        {"apiId": api.identity, "name": "$default", "autoDeploy": True},
        {"description": "x", "stageVariables": {"a_b": "c"}},
    )

    assert stage.state["invokeUrl"].startswith(f"https://{api.identity}.execute-api.")
    for one in (stage, route, integration, api):
        ended(driver, one)


def test_a_log_group_lives(driver: Driver) -> None:
    one = lived(
        driver,
        "aws:cloudwatch/logGroup:LogGroup",
        {"name": "/aws/lambda/homeostat-f", "retentionInDays": 14, "tags": TAGS},
        {"retentionInDays": 30, "tags": {"team": "b"}},
    )
    ended(driver, one)


def test_a_timetable_lives(driver: Driver) -> None:
    role = made_role(driver, "clock")
    target = {"arn": "arn:aws:scheduler:::aws-sdk:ec2:stopInstances", "roleArn": role.state["arn"]}
    one = lived(
        driver,
        "aws:scheduler/schedule:Schedule",
        {
            "name": "homeostat-evening",
            "scheduleExpression": "cron(0 19 ? * MON-FRI *)",
            "scheduleExpressionTimezone": "Europe/Berlin",
            "flexibleTimeWindow": {"mode": "OFF"},
            "target": {**target, "input": '{"InstanceIds": ["i-1"]}'},
        },
        {"state": "DISABLED"},
    )

    assert one.identity == "default/homeostat-evening"
    ended(driver, one)


def test_every_type_is_known_to_pulumi_aws() -> None:
    for kind in KINDS.values():
        named = {path.split(".")[0] for path in kind.replaces}
        named |= {*kind.absent, *kind.unread, *kind.sets, *kind.documents, *kind.numbers}

        assert named <= kind.inputs.shapes.keys()
        assert kind.moves <= kind.outputs
