from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
from botocore.exceptions import ClientError

from deployments.embedded.aws import cbor
from deployments.embedded.aws.calls import Call, Protocol
from deployments.embedded.aws.errors import InvalidFileError
from deployments.embedded.aws.metric_reads import MetricReads
from deployments.embedded.aws.metric_store import MetricKey, MetricStore
from deployments.embedded.aws.server import EmbeddedAws, EmbeddedAwsConfig, serve_aws
from deployments.embedded.aws.wire import result_reply
from tests.support.embedded_aws import Clock, aws_client, seeding_client

pytestmark = pytest.mark.embedded("aws")

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
START = NOW - timedelta(hours=6)
SIGNED = "AWS4-HMAC-SHA256 Credential=seed/20260301/us-east-1/monitoring/aws4_request, Signature=x"


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedAws]:
    with serve_aws(EmbeddedAwsConfig(clock=Clock(NOW))) as running:
        yield running


@pytest.fixture(scope="module")
def cloudwatch(server: EmbeddedAws) -> Any:
    writer = seeding_client(server, "cloudwatch")
    dimensions = [{"Name": "InstanceId", "Value": "i-1"}]
    writer.put_metric_data(
        Namespace="AWS/EC2",
        MetricData=[
            {
                "MetricName": "CPUUtilization",
                "Dimensions": dimensions,
                "Timestamp": START + timedelta(minutes=30 * step),
                "Value": float(step),
            }
            for step in range(24)  # half of them in the future
        ],
    )
    return seeding_client(server, "cloudwatch")


def query(identity: str = "cpu", *, stat: str = "Average", instance: str = "i-1") -> dict[str, Any]:
    metric = {
        "Namespace": "AWS/EC2",
        "MetricName": "CPUUtilization",
        "Dimensions": [{"Name": "InstanceId", "Value": instance}],
    }
    return {"Id": identity, "MetricStat": {"Metric": metric, "Period": 3600, "Stat": stat}}


def values(client: Any, *queries: dict[str, Any], **arguments: Any) -> dict[str, list[float]]:
    window = {"StartTime": START, "EndTime": NOW + timedelta(days=1), **arguments}
    pages = client.get_paginator("get_metric_data").paginate(
        MetricDataQueries=list(queries), **window
    )
    found: dict[str, list[float]] = {}
    for page in pages:
        for result in page["MetricDataResults"]:
            found.setdefault(result["Id"], []).extend(result["Values"])
    return found


def code_of(client: Any, operation: str, **arguments: Any) -> str:
    with pytest.raises(ClientError) as refused:
        getattr(client, operation)(**arguments)
    return str(refused.value.response["Error"]["Code"])


def test_series_come_newest_first_and_end_now(cloudwatch: Any) -> None:
    # The sample of this very instant is the thirteenth; later ones are not known yet.
    assert values(cloudwatch, query()) == {"cpu": [12.0, 10.5, 8.5, 6.5, 4.5, 2.5, 0.5]}


def test_series_come_oldest_first_when_asked(cloudwatch: Any) -> None:
    found = values(cloudwatch, query(), ScanBy="TimestampAscending", EndTime=NOW)

    assert found == {"cpu": [0.5, 2.5, 4.5, 6.5, 8.5, 10.5]}


@pytest.mark.parametrize(
    ("stat", "newest"), [("Sum", 21.0), ("Maximum", 11.0), ("SampleCount", 2.0), ("p75", 10.75)]
)
def test_other_statistics(cloudwatch: Any, stat: str, newest: float) -> None:
    assert values(cloudwatch, query(stat=stat), EndTime=NOW)["cpu"][0] == newest


def test_pages_of_any_size_hold_the_same(cloudwatch: Any) -> None:
    queries = [query("a"), query("b", stat="Sum"), query("none", instance="i-9")]

    assert values(cloudwatch, *queries, MaxDatapoints=4) == values(cloudwatch, *queries)


def test_a_page_that_is_cut_says_so(cloudwatch: Any) -> None:
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=[query()], StartTime=START, EndTime=NOW, MaxDatapoints=4
    )

    assert answer["MetricDataResults"][0]["StatusCode"] == "PartialData"
    assert answer["NextToken"]


def test_statistics_of_one_series(cloudwatch: Any) -> None:
    answer = cloudwatch.get_metric_statistics(
        Namespace="AWS/EC2",
        MetricName="CPUUtilization",
        Dimensions=[{"Name": "InstanceId", "Value": "i-1"}],
        StartTime=START,
        EndTime=START + timedelta(hours=2),
        Period=3600,
        Statistics=["Average", "Sum"],
        ExtendedStatistics=["p100"],
    )

    assert answer["Label"] == "CPUUtilization"
    assert [
        (p["Average"], p["Sum"], p["ExtendedStatistics"]["p100"]) for p in answer["Datapoints"]
    ] == [
        (0.5, 1.0, 1.0),
        (2.5, 5.0, 3.0),
    ]
    assert answer["Datapoints"][0]["Timestamp"] == START


def test_metrics_are_listed_by_dimension_over_pages(server: EmbeddedAws, cloudwatch: Any) -> None:
    writer = seeding_client(server, "cloudwatch")
    writer.put_metric_data(
        Namespace="Many",
        MetricData=[
            {"MetricName": "m", "Dimensions": [{"Name": "N", "Value": f"{i}"}], "Value": 1.0}
            for i in range(700)
        ],
    )
    pages = cloudwatch.get_paginator("list_metrics").paginate(Namespace="Many", MetricName="m")
    one = cloudwatch.list_metrics(Dimensions=[{"Name": "N", "Value": "5"}])["Metrics"]

    assert [len(page["Metrics"]) for page in pages] == [500, 200]
    assert [metric["Dimensions"] for metric in one] == [[{"Name": "N", "Value": "5"}]]


def test_regions_do_not_share_metrics(server: EmbeddedAws, cloudwatch: Any) -> None:
    other = seeding_client(server, "cloudwatch", region="eu-west-1")

    assert other.list_metrics()["Metrics"] == []


def test_statistic_sets_and_value_counts_are_stored(server: EmbeddedAws) -> None:
    writer = seeding_client(server, "cloudwatch")
    stamp = {"MetricName": "set", "Timestamp": NOW - timedelta(minutes=5)}
    sets = {"SampleCount": 2, "Sum": 6, "Minimum": 1, "Maximum": 5}
    writer.put_metric_data(
        Namespace="Sets",
        MetricData=[
            {**stamp, "StatisticValues": sets},
            {**stamp, "Values": [2.0, 4.0], "Counts": [3.0, 1.0]},
        ],
    )
    (point,) = writer.get_metric_statistics(
        Namespace="Sets",
        MetricName="set",
        StartTime=NOW - timedelta(hours=1),
        EndTime=NOW,
        Period=3600,
        Statistics=["Sum", "SampleCount", "Minimum", "Maximum"],
    )["Datapoints"]

    assert (point["Sum"], point["SampleCount"]) == (16.0, 6.0)
    assert (point["Minimum"], point["Maximum"]) == (1.0, 5.0)


@pytest.mark.parametrize(
    ("operation", "change", "code"),
    [
        ("get_metric_data", {"MetricDataQueries": [query("x")] * 2}, "ValidationError"),
        ("get_metric_data", {"MetricDataQueries": [query("Upper")]}, "ValidationError"),
        ("get_metric_data", {"MetricDataQueries": [query("x", stat="tm99")]}, "ValidationError"),
        (
            "get_metric_data",
            {"MetricDataQueries": [query(f"q{i}") for i in range(501)]},
            "ValidationError",
        ),
        (
            "get_metric_data",
            {"MetricDataQueries": [{"Id": "e", "Expression": "SUM(METRICS())"}]},
            "ValidationError",
        ),
        ("get_metric_data", {"EndTime": START}, "ValidationError"),
        ("get_metric_data", {"NextToken": "made up"}, "InvalidNextToken"),
        ("get_metric_data", {"MaxDatapoints": 100_801}, "ValidationError"),
    ],
)
def test_what_cloudwatch_does_not_allow_is_refused(
    cloudwatch: Any, operation: str, change: dict[str, Any], code: str
) -> None:
    good = {"MetricDataQueries": [query()], "StartTime": START, "EndTime": NOW}

    assert code_of(cloudwatch, operation, **{**good, **change}) == code


def test_too_many_statistics_are_refused_with_the_limit(cloudwatch: Any) -> None:
    code = code_of(
        cloudwatch,
        "get_metric_statistics",
        Namespace="N",
        MetricName="m",
        StartTime=NOW - timedelta(days=30),
        EndTime=NOW,
        Period=60,
        Statistics=["Sum"],
    )

    assert code == "InvalidParameterCombination"


def test_the_older_query_protocol_is_answered_in_xml(server: EmbeddedAws, cloudwatch: Any) -> None:
    form = {
        "Action": "GetMetricStatistics",
        "Version": "2010-08-01",
        "Namespace": "AWS/EC2",
        "MetricName": "CPUUtilization",
        "Dimensions.member.1.Name": "InstanceId",
        "Dimensions.member.1.Value": "i-1",
        "StartTime": "2026-03-01T06:00:00Z",
        "EndTime": "2026-03-01T07:00:00Z",
        "Period": "3600",
        "Statistics.member.1": "Sum",
    }
    answer = httpx.post(server.endpoint_url, data=form, headers={"Authorization": SIGNED})

    assert answer.status_code == 200
    assert "<Timestamp>2026-03-01T06:00:00Z</Timestamp>" in answer.text
    assert "<Sum>1.0</Sum>" in answer.text


def test_the_newer_cbor_protocol_is_answered_too(server: EmbeddedAws, cloudwatch: Any) -> None:
    request = {"MetricDataQueries": [query()], "StartTime": START, "EndTime": NOW}
    path = "/service/GraniteServiceVersion20100801/operation/GetMetricData"
    headers = {
        "Authorization": SIGNED,
        "smithy-protocol": "rpc-v2-cbor",
        "Content-Type": "application/cbor",
        "Content-Encoding": "gzip",
    }
    url = f"{server.endpoint_url}{path}"
    answer = httpx.post(url, content=gzip.compress(cbor.encode(request)), headers=headers)
    refused = httpx.post(url, content=b"\x9f", headers={**headers, "Content-Encoding": "identity"})

    result = cbor.decode(answer.content)["MetricDataResults"][0]
    assert result["Timestamps"][0] == datetime(2026, 3, 1, 11, tzinfo=UTC)
    assert result["Values"][0] == 10.5
    assert (refused.status_code, cbor.decode(refused.content)["__type"]) == (
        400,
        "SerializationException",
    )


def test_a_broken_gzip_body_is_refused(server: EmbeddedAws) -> None:
    headers = {
        "Authorization": SIGNED,
        "X-Amz-Target": "GraniteServiceVersion20100801.PutMetricData",
        "Content-Encoding": "gzip",
    }
    answer = httpx.post(server.endpoint_url, content=b"no gzip", headers=headers)

    assert answer.status_code == 400
    assert answer.json()["__type"] == "SerializationException"


def test_recorded_utilisation_is_loaded_and_ends_when_told(tmp_path: Path) -> None:
    path = tmp_path / "cpu.csv"
    times = pd.date_range("2013-07-01", periods=48, freq="h").strftime("%Y-%m-%d %H:%M:%S")
    frame = pd.DataFrame({"timestamp": times, "resource_id": 7, "cpu_percent": np.arange(48.0)})
    frame.to_csv(path, index=False)
    with serve_aws(EmbeddedAwsConfig(metrics=path, clock=Clock(NOW))) as running:
        found = values(
            aws_client(running, "cloudwatch"),
            query(instance="i-00000000000000007"),
            StartTime=START,
        )

    assert found == {"cpu": [47.0, 46.0, 45.0, 44.0, 43.0, 42.0, 41.0]}


def test_a_malformed_metrics_file_is_refused_by_row(tmp_path: Path) -> None:
    path = tmp_path / "cpu.csv"
    path.write_text("timestamp,resource_id,cpu_percent\n2013-07-01,1,5\n2013-07-01,1,hot\n")

    with (
        pytest.raises(InvalidFileError, match="row 2: cpu_percent 'hot'"),
        serve_aws(EmbeddedAwsConfig(metrics=path)),
    ):
        pytest.fail("it started")


def test_200_instances_over_30_days_take_well_under_two_seconds() -> None:
    store, hours = MetricStore(), 720
    seconds = int(NOW.timestamp()) - 3600 * np.arange(hours)
    for number in range(200):
        dimensions = (("InstanceId", f"i-{number}"),)
        key = MetricKey(
            region="us-east-1", namespace="AWS/EC2", name="CPUUtilization", dimensions=dimensions
        )
        store.load(key, seconds=seconds, values=np.linspace(0, 100, hours))
    call = Call(
        service="cloudwatch",
        operation="GetMetricData",
        protocol=Protocol.JSON,
        region="us-east-1",
        access_key="us",
    )
    request = {
        "MetricDataQueries": [query(f"q{i}", instance=f"i-{i}") for i in range(200)],
        "StartTime": NOW - timedelta(days=31),
        "EndTime": NOW + timedelta(hours=1),
    }
    reads, points, token = MetricReads(store, clock=Clock(NOW)), 0, ""
    started = time.thread_time()
    while points < 200 * hours:
        answer = reads.get_metric_data(call, {**request, "NextToken": token})
        result_reply(call, answer)
        points += sum(len(result["Values"]) for result in answer["MetricDataResults"])
        token = answer.get("NextToken", "")

    assert (points, token) == (200 * hours, "")
    assert time.thread_time() - started < 2.0
