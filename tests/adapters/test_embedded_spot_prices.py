from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError

from deployments.embedded.aws.calls import Call, Protocol
from deployments.embedded.aws.server import EmbeddedAws, EmbeddedAwsConfig, serve_aws
from deployments.embedded.aws.spot_api import SpotPriceHistory
from deployments.embedded.aws.spot_history import SHIPPED_HISTORY
from deployments.embedded.aws.spot_index import RegionHistory
from tasks.domain.spot.pools import Pool
from tests.support.embedded_aws import Clock, aws_client, history_file

pytestmark = pytest.mark.embedded("aws")

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROWS = (
    ("2026-03-01T06:00:00Z", "m5.large", "us-east-1a", 0.0400),
    ("2026-03-01T09:30:07Z", "m5.large", "us-east-1a", 0.0384),
    ("2026-03-01T10:00:00Z", "m5.large", "us-east-1b", 0.0500),
    ("2026-03-01T11:00:00Z", "c5.large", "us-east-1a", 0.0360),
    ("2026-03-01T13:00:00Z", "m5.large", "us-east-1a", 0.0999),
    ("2026-03-01T08:00:00Z", "m5.large", "eu-west-1a", 0.0450),
    ("2026-03-01T08:00:00Z", "m5.large", "ap-south-1", 0.0410),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAws]:
    path = history_file(tmp_path_factory.mktemp("history"), ROWS)
    config = EmbeddedAwsConfig(spot_history=path, replay_ends="recorded", clock=Clock(NOON))
    with serve_aws(config) as running:
        yield running


@pytest.fixture(scope="module")
def ec2(server: EmbeddedAws) -> Any:
    return aws_client(server, "ec2")


def prices(client: Any, **arguments: Any) -> list[str]:
    pages = client.get_paginator("describe_spot_price_history").paginate(**arguments)
    return [item["SpotPrice"] for page in pages for item in page["SpotPriceHistory"]]


def refusal(client: Any, operation: str, **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        getattr(client, operation)(**arguments)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_prices_come_newest_first_and_none_of_the_future(ec2: Any) -> None:
    answer = ec2.describe_spot_price_history()

    assert answer["NextToken"] == ""
    assert [item["SpotPrice"] for item in answer["SpotPriceHistory"]] == [
        "0.036000",
        "0.050000",
        "0.038400",
        "0.040000",
    ]
    assert answer["SpotPriceHistory"][2] == {
        "AvailabilityZone": "us-east-1a",
        "InstanceType": "m5.large",
        "ProductDescription": "Linux/UNIX",
        "SpotPrice": "0.038400",
        "Timestamp": datetime(2026, 3, 1, 9, 30, 7, tzinfo=UTC),
    }


def test_the_price_in_effect_at_the_start_is_told_though_it_is_older(ec2: Any) -> None:
    found = prices(
        ec2,
        StartTime=NOON - timedelta(hours=1, minutes=30),
        EndTime=NOON,
        InstanceTypes=["m5.large"],
    )

    assert found == ["0.050000", "0.038400"]


def test_a_row_at_the_start_replaces_the_older_one(ec2: Any) -> None:
    found = prices(
        ec2, StartTime=datetime(2026, 3, 1, 9, 30, 7, tzinfo=UTC), AvailabilityZone="us-east-1a"
    )

    assert found == ["0.036000", "0.038400"]


def test_a_start_of_now_gives_the_prices_of_now(ec2: Any) -> None:
    assert prices(ec2, StartTime=NOON) == ["0.036000", "0.050000", "0.038400"]


def test_the_end_is_included(ec2: Any) -> None:
    found = prices(ec2, EndTime=datetime(2026, 3, 1, 9, 30, 7, tzinfo=UTC))

    assert found == ["0.038400", "0.040000"]


def test_an_end_in_the_future_reveals_nothing_of_it(ec2: Any) -> None:
    assert prices(ec2, EndTime=NOON + timedelta(days=1))[0] == "0.036000"


def test_prices_older_than_90_days_are_told_only_while_in_effect(tmp_path: Path) -> None:
    rows = (
        ("2025-10-01T00:00:00Z", "m5.large", "us-east-1a", 0.01),
        ("2025-11-01T00:00:00Z", "m5.large", "us-east-1a", 0.02),
        ("2026-02-01T00:00:00Z", "m5.large", "us-east-1a", 0.03),
    )
    config = EmbeddedAwsConfig(
        spot_history=history_file(tmp_path, rows), replay_ends="recorded", clock=Clock(NOON)
    )
    with serve_aws(config) as running:
        found = prices(aws_client(running, "ec2"), StartTime=datetime(2020, 1, 1, tzinfo=UTC))

    assert found == ["0.030000", "0.020000"]


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("availability-zone", ["us-east-1b"], ["0.050000"]),
        ("availability-zone", ["*a"], ["0.036000", "0.038400", "0.040000"]),
        ("instance-type", ["c5.*", "x1.*"], ["0.036000"]),
        ("instance-type", ["?5.large"], ["0.036000", "0.050000", "0.038400", "0.040000"]),
        ("instance-type", ["[mc]5.large"], []),
        ("product-description", ["Windows"], []),
        ("spot-price", ["0.038400"], ["0.038400"]),
        ("spot-price", ["0.03*"], ["0.036000", "0.038400"]),
        ("timestamp", ["2026-03-01T1*"], ["0.036000", "0.050000"]),
    ],
)
def test_filters_select_with_wildcards(
    ec2: Any, name: str, values: list[str], expected: list[str]
) -> None:
    assert prices(ec2, Filters=[{"Name": name, "Values": values}]) == expected


def test_filters_of_several_kinds_narrow_each_other(ec2: Any) -> None:
    found = prices(
        ec2,
        Filters=[
            {"Name": "instance-type", "Values": ["m5.large"]},
            {"Name": "spot-price", "Values": ["0.04*", "0.05*"]},
        ],
        AvailabilityZone="us-east-1a",
        ProductDescriptions=["Linux/UNIX (Amazon VPC)"],
    )

    assert found == ["0.040000"]


def test_regions_are_told_apart(server: EmbeddedAws) -> None:
    found = {
        region: prices(aws_client(server, "ec2", region=region))
        for region in ("eu-west-1", "ap-south-1", "us-west-2")
    }

    assert found == {"eu-west-1": ["0.045000"], "ap-south-1": ["0.041000"], "us-west-2": []}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ({"DryRun": True}, "DryRunOperation", "Request would have succeeded"),
        ({"MaxResults": 1001}, "InvalidParameterValue", "Value ( 1001 ) for parameter maxResults"),
        ({"NextToken": "made up"}, "InvalidParameterValue", "pagination token"),
        ({"AvailabilityZone": "eu-west-1a"}, "InvalidParameterValue", "zone: [eu-west-1a]"),
        ({"ProductDescriptions": ["Plan 9"]}, "InvalidParameterValue", "Plan 9"),
        ({"InstanceTypes": ["large"]}, "InvalidParameterValue", "instance type: large"),
        (
            {"Filters": [{"Name": "color", "Values": ["red"]}]},
            "InvalidParameterValue",
            "The filter 'color' is invalid",
        ),
        (
            {"StartTime": NOON, "EndTime": NOON - timedelta(days=1)},
            "InvalidParameterCombination",
            "end time",
        ),
    ],
)
def test_what_ec2_does_not_allow_is_refused_in_its_words(
    ec2: Any, arguments: dict[str, Any], code: str, words: str
) -> None:
    found = refusal(ec2, "describe_spot_price_history", **arguments)

    assert found[0] == code
    assert words in found[1]


def test_a_token_does_not_serve_another_query(ec2: Any) -> None:
    token = ec2.describe_spot_price_history(MaxResults=1)["NextToken"]

    code, _ = refusal(
        ec2, "describe_spot_price_history", NextToken=token, InstanceTypes=["m5.large"]
    )

    assert code == "InvalidParameterValue"


def test_new_prices_are_revealed_as_time_goes_on_and_do_not_disturb_paging(tmp_path: Path) -> None:
    clock = Clock(NOON)
    config = EmbeddedAwsConfig(
        spot_history=history_file(tmp_path, ROWS), replay_ends="recorded", clock=clock
    )
    with serve_aws(config) as running:
        client = aws_client(running, "ec2")
        first = client.describe_spot_price_history(MaxResults=3)
        clock.now = NOON + timedelta(hours=2)
        rest = client.describe_spot_price_history(MaxResults=3, NextToken=first["NextToken"])
        newest = client.describe_spot_price_history(MaxResults=1)["SpotPriceHistory"]

    assert [item["SpotPrice"] for item in rest["SpotPriceHistory"]] == ["0.040000"]
    assert newest[0]["SpotPrice"] == "0.099900"


def test_a_recording_plays_as_if_it_ended_at_a_stated_time(tmp_path: Path) -> None:
    config = EmbeddedAwsConfig(
        spot_history=history_file(tmp_path, ROWS), replay_ends="-2h", clock=Clock(NOON)
    )
    with serve_aws(config) as running:
        newest = aws_client(running, "ec2").describe_spot_price_history(MaxResults=1)

    assert newest["SpotPriceHistory"][0]["Timestamp"] == NOON - timedelta(hours=2)
    assert newest["SpotPriceHistory"][0]["SpotPrice"] == "0.099900"


def test_every_row_of_the_shipped_recording_comes_once() -> None:
    with serve_aws(EmbeddedAwsConfig(spot_history=SHIPPED_HISTORY, clock=Clock(NOON))) as running:
        pages = aws_client(running, "ec2").get_paginator("describe_spot_price_history").paginate()
        rows = [
            (item["Timestamp"], item["InstanceType"], item["AvailabilityZone"])
            for page in pages
            for item in page["SpotPriceHistory"]
        ]

    assert len(set(rows)) == len(rows) == 10_704
    assert [row[0] for row in rows] == sorted((row[0] for row in rows), reverse=True)


def test_a_simulated_market_has_several_regions_and_follows_its_seed() -> None:
    def newest(seed: int) -> list[str]:
        config = EmbeddedAwsConfig(spot_history="simulated", seed=seed, clock=Clock(NOON))
        with serve_aws(config) as running:
            return [
                item["SpotPrice"]
                for region in ("us-east-1", "us-west-2")
                for item in aws_client(running, "ec2", region=region).describe_spot_price_history(
                    StartTime=NOON
                )["SpotPriceHistory"]
            ]

    first = newest(1)

    assert len(first) == 120
    assert first == newest(1) != newest(2)


def test_a_server_thread_gives_50_000_rows_a_second() -> None:
    rows, pools = 60_000, 200
    rng = np.random.default_rng(0)
    history = RegionHistory(
        pools=[
            Pool(availability_zone="us-east-1a", instance_type=f"m{i}.large") for i in range(pools)
        ],
        pool=rng.integers(0, pools, rows),
        seconds=int(NOON.timestamp()) - rows + np.arange(rows),
        price=rng.random(rows) + 0.01,
    )
    handler = SpotPriceHistory({"us-east-1": history}, clock=Clock(NOON))
    call = Call(
        service="ec2",
        operation="DescribeSpotPriceHistory",
        protocol=Protocol.EC2,
        region="us-east-1",
        access_key="us",
    )
    started, served, token = time.thread_time(), 0, ""
    while served < rows:
        body = handler.describe(call, {"NextToken": token}).body
        served += body.count(b"<item>")
        token = body.partition(b"<nextToken>")[2].partition(b"</")[0].decode()

    assert rows / (time.thread_time() - started) > 50_000
