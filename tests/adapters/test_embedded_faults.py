from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from deployments.embedded.aws.server import EmbeddedAws, EmbeddedAwsConfig, serve_aws
from tests.support.embedded_aws import aws_client

pytestmark = pytest.mark.embedded("aws")

HISTORY = "ec2:DescribeSpotPriceHistory"


@pytest.fixture(scope="module")
def pauses() -> list[float]:
    return []


@pytest.fixture(scope="module")
def running(pauses: list[float]) -> Iterator[EmbeddedAws]:
    with serve_aws(EmbeddedAwsConfig(pause=pauses.append)) as server:
        yield server


@pytest.fixture
def server(running: EmbeddedAws) -> Iterator[EmbeddedAws]:
    yield running
    running.faults.replace(())


def put_faults(server: EmbeddedAws, *rules: dict[str, Any]) -> httpx.Response:
    return httpx.put(f"{server.endpoint_url}/_homeostat/faults", json=list(rules))


def fired(server: EmbeddedAws) -> list[int]:
    rules = httpx.get(f"{server.endpoint_url}/_homeostat/faults").json()["rules"]
    return [rule["fired"] for rule in rules]


def refusal(call: Any, **arguments: Any) -> tuple[str, int]:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    response = refused.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_each_service_throttles_in_its_words(server: EmbeddedAws) -> None:
    put_faults(server, {"operation": "*", "kind": "throttle"})

    found = [
        refusal(aws_client(server, "ec2").describe_spot_price_history),
        refusal(aws_client(server, "pricing").describe_services),
        refusal(aws_client(server, "sts").get_caller_identity),
        refusal(aws_client(server, "s3").get_object, Bucket="homeostat-x", Key="y"),
    ]

    assert found == [
        ("RequestLimitExceeded", 503),
        ("ThrottlingException", 400),
        ("Throttling", 400),
        ("SlowDown", 503),
    ]


def test_a_server_error_is_a_500(server: EmbeddedAws) -> None:
    put_faults(server, {"operation": HISTORY, "kind": "error"})

    assert refusal(aws_client(server, "ec2").describe_spot_price_history) == ("InternalError", 500)


def test_a_dropped_connection_is_one_for_the_client(server: EmbeddedAws) -> None:
    put_faults(server, {"operation": HISTORY, "kind": "drop", "count": 1})
    client = aws_client(server, "ec2")

    with pytest.raises(ConnectionClosedError):
        client.describe_spot_price_history(MaxResults=1)
    assert client.describe_spot_price_history(MaxResults=1)["SpotPriceHistory"]


def test_a_delay_comes_before_the_answer(server: EmbeddedAws, pauses: list[float]) -> None:
    put_faults(server, {"operation": HISTORY, "kind": "delay", "seconds": 7.5, "count": 1})

    aws_client(server, "ec2").describe_spot_price_history(MaxResults=1)

    assert pauses == [7.5]


def test_unmodified_retries_get_through_faults_that_rest(server: EmbeddedAws) -> None:
    put_faults(
        server,
        {"operation": "ec2:Describe*", "kind": "throttle", "count": 1},
        {"operation": "ec2:Describe*", "kind": "drop", "count": 1},
    )

    page = aws_client(server, "ec2", attempts=4).describe_spot_price_history(MaxResults=1)

    assert page["ResponseMetadata"]["RetryAttempts"] == 2
    assert fired(server) == [1, 1]


def test_faults_are_cleared_at_run_time(server: EmbeddedAws) -> None:
    put_faults(server, {"operation": "*", "kind": "error"})

    cleared = httpx.delete(f"{server.endpoint_url}/_homeostat/faults")

    assert cleared.json() == {"rules": []}
    assert aws_client(server, "sts").get_caller_identity()


def test_a_malformed_rule_is_refused_and_the_old_ones_stay(server: EmbeddedAws) -> None:
    put_faults(server, {"operation": HISTORY, "kind": "error"})

    answer = put_faults(server, {"operation": HISTORY, "kind": "error", "probability": 2})

    assert answer.status_code == 400
    assert answer.json()["error"] == "fault rule 1: probability 2 is not above 0 and at most 1"
    assert fired(server) == [0]


def test_rules_that_were_read_can_be_put_back(server: EmbeddedAws) -> None:
    first = put_faults(server, {"operation": HISTORY, "kind": "error", "probability": 0.5}).json()

    again = httpx.put(f"{server.endpoint_url}/_homeostat/faults", json=first)

    assert again.json() == first


@pytest.mark.parametrize(("method", "path"), [("GET", "other"), ("POST", "health")])
def test_other_addresses_of_ours_do_not_exist(server: EmbeddedAws, method: str, path: str) -> None:
    answer = httpx.request(method, f"{server.endpoint_url}/_homeostat/{path}")

    assert answer.status_code == 404
