from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from deployments.embedded.aws.server import EmbeddedAws, EmbeddedAwsConfig, serve_aws
from tests.support.embedded_aws import Clock, aws_client, seeding_client

pytestmark = pytest.mark.embedded("aws")


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock(datetime.now(UTC))


@pytest.fixture(scope="module")
def server(clock: Clock) -> Iterator[EmbeddedAws]:
    with serve_aws(EmbeddedAwsConfig(clock=clock)) as running:
        yield running


@pytest.fixture(scope="module")
def s3(server: EmbeddedAws) -> Any:
    client = aws_client(server, "s3")
    client.create_bucket(Bucket="homeostat-reports")
    client.put_object(
        Bucket="homeostat-reports", Key="runs/ü 1.png", Body=b"\x89PNG", ContentType="image/png"
    )
    return client


def refused(client: Any, operation: str, **arguments: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as error:
        getattr(client, operation)(**arguments)
    response: dict[str, Any] = error.value.response  # type: ignore[assignment]
    return response


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "code", "action"),
    [
        (
            "ec2",
            "run_instances",
            {"MinCount": 1, "MaxCount": 1},
            "UnauthorizedOperation",
            "ec2:RunInstances",
        ),
        (
            "ec2",
            "terminate_instances",
            {"InstanceIds": ["i-1"], "DryRun": True},
            "UnauthorizedOperation",
            "ec2:TerminateInstances",
        ),
        (
            "pricing",
            "get_attribute_values",
            {"ServiceCode": "AmazonEC2", "AttributeName": "vcpu"},
            "AccessDeniedException",
            "pricing:GetAttributeValues",
        ),
        (
            "cloudwatch",
            "put_metric_data",
            {"Namespace": "N", "MetricData": [{"MetricName": "m", "Value": 1}]},
            "AccessDenied",
            "cloudwatch:PutMetricData",
        ),
        (
            "sts",
            "assume_role",
            {"RoleArn": "arn:aws:iam::123456789012:role/x", "RoleSessionName": "me"},
            "AccessDenied",
            "sts:AssumeRole",
        ),
        ("lambda", "list_layers", {}, "AccessDeniedException", "lambda:ListLayers"),
        ("s3", "list_buckets", {}, "AccessDenied", "s3:ListAllMyBuckets"),
        ("s3", "create_bucket", {"Bucket": "other"}, "AccessDenied", "s3:CreateBucket"),
    ],
)
def test_what_our_policy_does_not_allow_is_refused_as_aws_does(
    server: EmbeddedAws, service: str, operation: str, arguments: Any, code: str, action: str
) -> None:
    error = refused(aws_client(server, service), operation, **arguments)["Error"]

    # boto3 names the exception's class after the code where the service's model has one.
    assert error["Code"].startswith(code)
    assert (
        "User: arn:aws:iam::123456789012:user/homeostat is not authorized to perform: "
        f"{action}" in error["Message"]
    )
    assert error["Message"].endswith(f"because no identity-based policy allows the {action} action")


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "code", "name"),
    [
        (
            "ec2",
            "describe_capacity_reservations",
            {},
            "InvalidAction",
            "ec2:DescribeCapacityReservations",
        ),
        (
            "compute-optimizer",
            "get_ec2_instance_recommendations",
            {},
            "UnknownOperationException",
            "compute-optimizer:GetEC2InstanceRecommendations",
        ),
        (
            "savingsplans",
            "return_savings_plan",
            {"savingsPlanId": "sp-1"},
            "UnknownOperationException",
            "savingsplans:ReturnSavingsPlan",
        ),
        (
            "lambda",
            "get_account_settings",
            {},
            "UnknownOperationException",
            "lambda:GetAccountSettings",
        ),
        ("cloudformation", "describe_type", {}, "InvalidAction", "cloudformation:DescribeType"),
    ],
)
def test_what_nobody_answers_is_a_clean_client_error(
    server: EmbeddedAws, service: str, operation: str, arguments: Any, code: str, name: str
) -> None:
    response = refused(seeding_client(server, service), operation, **arguments)

    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert response["Error"]["Code"] == code
    assert f"{name} is not embedded" in response["Error"]["Message"]


def test_the_seeding_credential_may_do_anything_moto_can(server: EmbeddedAws) -> None:
    ec2 = seeding_client(server, "ec2")
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]

    started = ec2.run_instances(ImageId=image, MinCount=2, MaxCount=2, InstanceType="m5.large")

    assert len(started["Instances"]) == 2


def test_one_knows_oneself(server: EmbeddedAws) -> None:
    identity = aws_client(server, "sts").get_caller_identity()

    assert identity["Account"] == "123456789012"
    assert identity["Arn"] == "arn:aws:iam::123456789012:user/homeostat"


def test_regions_and_zones_are_listed(server: EmbeddedAws) -> None:
    ec2 = seeding_client(server, "ec2", region="eu-west-1")

    assert "us-east-1" in {region["RegionName"] for region in ec2.describe_regions()["Regions"]}
    assert {
        zone["RegionName"] for zone in ec2.describe_availability_zones()["AvailabilityZones"]
    } == {"eu-west-1"}


def test_objects_of_our_buckets_come_and_go(s3: Any) -> None:
    where = {"Bucket": "homeostat-reports", "Key": "data/large.bin"}
    s3.put_object(**where, Body=b"0" * 3_000_000)

    assert len(s3.get_object(**where)["Body"].read()) == 3_000_000
    assert s3.head_object(**where)["ContentLength"] == 3_000_000
    s3.delete_object(**where)
    assert refused(s3, "get_object", **where)["Error"]["Code"] == "NoSuchKey"
    listed = s3.list_objects_v2(Bucket="homeostat-reports")["Contents"]
    assert [entry["Key"] for entry in listed] == ["runs/ü 1.png"]


def test_a_browser_loads_a_presigned_image_until_it_expires(s3: Any, clock: Clock) -> None:
    address = s3.generate_presigned_url(
        "get_object", Params={"Bucket": "homeostat-reports", "Key": "runs/ü 1.png"}, ExpiresIn=60
    )
    loaded = httpx.get(address)
    started, clock.now = clock.now, clock.now + timedelta(minutes=5)
    expired = httpx.get(address)
    clock.now = started

    assert (loaded.status_code, loaded.content) == (200, b"\x89PNG")
    assert loaded.headers["content-type"] == "image/png"
    assert expired.status_code == 403
    assert "<Message>Request has expired</Message>" in expired.text


def test_a_public_object_is_read_without_a_signature(server: EmbeddedAws, s3: Any) -> None:
    owner = seeding_client(server, "s3")
    owner.put_object(Bucket="homeostat-reports", Key="open", Body=b"1", ACL="public-read")
    address = f"{server.endpoint_url}/homeostat-reports/open"
    found = httpx.get(address)
    owner.delete_object(Bucket="homeostat-reports", Key="open")

    assert (found.status_code, found.content) == (200, b"1")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/homeostat-reports"),
        ("GET", "/homeostat-reports/runs/%C3%BC%201.png"),
        ("PUT", "/homeostat-reports/mine"),
        ("POST", "/moto-api/reset"),
    ],
)
def test_nothing_else_is_done_without_a_signature(
    server: EmbeddedAws, s3: Any, method: str, path: str
) -> None:
    answer = httpx.request(method, f"{server.endpoint_url}{path}")

    assert answer.status_code == 403
    assert "AccessDenied" in answer.text


def test_one_connection_serves_many_requests(server: EmbeddedAws) -> None:
    with httpx.Client() as client:
        answers = [client.get(f"{server.endpoint_url}/_homeostat/health") for _ in range(3)]
        streams = {
            answer.extensions["network_stream"].get_extra_info("client_addr") for answer in answers
        }

    assert len(streams) == 1
    assert answers[0].json()["history"]["source"] == "recorded, spot_us-east-1_2021.parquet"
    assert answers[0].json()["history"]["pools"] == 59


def test_both_ways_of_presigning_expire(server: EmbeddedAws, s3: Any, clock: Clock) -> None:
    newer = boto3.client(
        "s3",
        endpoint_url=server.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="us",
        aws_secret_access_key="not checked",
        config=Config(signature_version="s3v4"),
    )
    where = {"Bucket": "homeostat-reports", "Key": "runs/ü 1.png"}
    address = newer.generate_presigned_url("get_object", Params=where, ExpiresIn=60)
    loaded = httpx.get(address)
    started, clock.now = clock.now, clock.now + timedelta(minutes=5)
    expired = httpx.get(address)
    clock.now = started

    assert (loaded.status_code, expired.status_code) == (200, 403)


def test_a_presigned_address_gives_no_more_than_its_signer_may(
    server: EmbeddedAws, s3: Any
) -> None:
    address = s3.generate_presigned_url("get_object", Params={"Bucket": "other", "Key": "x"})

    assert httpx.get(address).status_code == 403
