"""The embedded account's instances and volumes over the wire: pages, filters, refusals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from deployments.embedded.aws.server import EmbeddedAws, EmbeddedAwsConfig, serve_aws
from tests.support.embedded_aws import Clock, aws_client

pytestmark = pytest.mark.embedded("aws")

NOW = datetime(2026, 3, 4, 15, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedAws]:
    with serve_aws(EmbeddedAwsConfig(clock=Clock(NOW), fleet="shipped")) as running:
        yield running


@pytest.fixture(scope="module")
def ec2(server: EmbeddedAws) -> Any:
    return aws_client(server, "ec2")


def names(client: Any, **arguments: Any) -> list[str]:
    pages = client.get_paginator("describe_instances").paginate(**arguments)
    return [
        next(tag["Value"] for tag in one["Tags"] if tag["Key"] == "Name")
        for page in pages
        for reservation in page["Reservations"]
        for one in reservation["Instances"]
    ]


def code_of(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    return str(refused.value.response["Error"]["Code"])


def test_pages_of_any_size_hold_the_same(ec2: Any) -> None:
    by_seven = names(ec2, PaginationConfig={"PageSize": 7})

    assert by_seven == names(ec2)
    assert len(ec2.describe_instances(MaxResults=7)["Reservations"]) == 7


def test_volumes_come_in_pages_too(ec2: Any) -> None:
    pages = list(ec2.get_paginator("describe_volumes").paginate(PaginationConfig={"PageSize": 50}))
    ids = [volume["VolumeId"] for page in pages for volume in page["Volumes"]]

    assert len(pages) == 2
    assert len(set(ids)) == len(ids) == len(ec2.describe_volumes()["Volumes"])


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("instance-state-name", ["stopped"], ["old-build"]),
        ("instance-lifecycle", ["spot"], ["indexer-1", "indexer-2"]),
        ("tag:Name", ["on-graviton-?"], ["on-graviton-1", "on-graviton-2"]),
        ("platform", ["windows"], ["training-room"]),
        ("tag:homeostat/schedule", ["never"], ["license-server", "database"]),
        ("instance-type", ["m9.none"], []),
    ],
)
def test_filters_choose(ec2: Any, name: str, values: list[str], expected: list[str]) -> None:
    found = names(ec2, Filters=[{"Name": name, "Values": values}])

    assert [one for one in found if not one.startswith("thumbnails")] == expected


def test_volumes_are_filtered_by_what_they_are_attached_to(ec2: Any) -> None:
    (reservation,) = ec2.describe_instances(Filters=[{"Name": "tag:Name", "Values": ["database"]}])[
        "Reservations"
    ]
    instance = reservation["Instances"][0]["InstanceId"]
    found = ec2.describe_volumes(
        Filters=[{"Name": "attachment.instance-id", "Values": [instance]}]
    )["Volumes"]
    loose = ec2.describe_volumes(Filters=[{"Name": "status", "Values": ["available"]}])["Volumes"]

    assert sorted(one["VolumeType"] for one in found) == ["gp2", "gp3", "io1"]
    assert len(loose) == 2
    assert ec2.describe_volumes(VolumeIds=[loose[0]["VolumeId"]])["Volumes"] == loose[:1]


def test_what_ec2_does_not_allow_is_refused(ec2: Any) -> None:
    both = {"InstanceIds": ["i-1"], "MaxResults": 5}
    invented = [{"Name": "colour", "Values": ["red"]}]

    assert code_of(ec2.describe_instances, **both) == "InvalidParameterCombination"
    assert code_of(ec2.describe_instances, MaxResults=4) == "InvalidParameterValue"
    assert code_of(ec2.describe_instances, NextToken="made up") == "InvalidParameterValue"
    assert code_of(ec2.describe_instances, Filters=invented) == "InvalidParameterValue"
    assert code_of(ec2.describe_instances, InstanceIds=["i-1"]) == "InvalidInstanceID.NotFound"
    assert code_of(ec2.describe_volumes, VolumeIds=["vol-1"]) == "InvalidVolume.NotFound"


def test_metrics_in_single_precision_have_no_digits_that_mean_nothing(
    server: EmbeddedAws, ec2: Any
) -> None:
    (reservation,) = ec2.describe_instances(Filters=[{"Name": "tag:Name", "Values": ["vm-7438"]}])[
        "Reservations"
    ]
    metric = {
        "Namespace": "AWS/EC2",
        "MetricName": "CPUUtilization",
        "Dimensions": [{"Name": "InstanceId", "Value": reservation["Instances"][0]["InstanceId"]}],
    }
    (found,) = aws_client(server, "cloudwatch").get_metric_data(
        MetricDataQueries=[
            {"Id": "m", "MetricStat": {"Metric": metric, "Period": 3600, "Stat": "Maximum"}}
        ],
        StartTime=NOW - timedelta(days=2),
        EndTime=NOW,
    )["MetricDataResults"]

    assert len(found["Values"]) == 49
    assert all(value == round(value, 2) for value in found["Values"])  # as it was recorded


def test_health_says_what_runs(server: EmbeddedAws) -> None:
    facts = httpx.get(f"{server.endpoint_url}/_homeostat/health", trust_env=False).json()

    assert facts["fleet"] == "shipped: 40 recorded machines (Azure V1) and a generated part"
