from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlparse

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from tasks.adapters.aws import client_error, parse_timestamp, regional_client, translated
from tasks.adapters.report_bucket import LONGEST_VALIDITY_SECONDS
from tasks.domain.errors import PermanentError, TransientError


def refused(code: str, status: int) -> ClientError:
    answer: Any = {
        "Error": {"Code": code, "Message": "no"},
        "ResponseMetadata": {"HTTPStatusCode": status, "RetryAttempts": 7},
    }
    return ClientError(answer, "DescribeSpotPriceHistory")


@pytest.mark.parametrize(
    ("raised", "meant"),
    [
        (refused("RequestLimitExceeded", 503), TransientError),
        (refused("ThrottlingException", 400), TransientError),
        (refused("InternalError", 500), TransientError),
        (refused("UnauthorizedOperation", 403), PermanentError),
        (refused("InvalidParameterValue", 400), PermanentError),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), TransientError),
        (NoCredentialsError(), PermanentError),
    ],
)
def test_an_error_says_whether_to_try_again(raised: Exception, meant: type[Exception]) -> None:
    with (
        pytest.raises(meant, match="ec2:X in us-east-1") as caught,
        translated("ec2:X", region="us-east-1"),
    ):
        raise raised

    assert caught.value.__cause__ is raised


def test_the_number_of_attempts_is_told() -> None:
    throttled = client_error(
        refused("RequestLimitExceeded", 503), operation="ec2:X", region="us-east-1"
    )

    assert "throttled 8 times" in str(throttled)


@pytest.mark.parametrize("text", ["2026-03-01T12:00:00.000Z", "2026-03-01T12:00:00+00:00"])
def test_timestamps_are_read_as_aware_utc(text: str) -> None:
    assert parse_timestamp(text) == datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("value", [1772366400, "Sun, 01 Mar 2026 12:00:00 GMT"])
def test_other_forms_are_left_to_botocore(value: object) -> None:
    assert parse_timestamp(value) == datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_addresses_for_browsers_are_signed_the_way_every_region_takes() -> None:
    session = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b")
    client = regional_client(session, "s3", region="eu-central-1", endpoint_url=None)

    address = client.generate_presigned_url(
        "get_object",
        Params={"Bucket": "homeostat-reports", "Key": "spot/a.png"},
        ExpiresIn=LONGEST_VALIDITY_SECONDS,
    )

    asked = parse_qs(urlparse(address).query)
    assert urlparse(address).hostname == "homeostat-reports.s3.eu-central-1.amazonaws.com"
    assert asked["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert asked["X-Amz-Expires"] == ["604800"]


def test_an_endpoint_on_loopback_is_addressed_by_path() -> None:
    session = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b")
    client = regional_client(
        session, "s3", region="us-east-1", endpoint_url="http://127.0.0.1:4290"
    )

    address = client.generate_presigned_url(
        "get_object", Params={"Bucket": "homeostat-reports", "Key": "a.png"}
    )

    assert address.startswith("http://127.0.0.1:4290/homeostat-reports/a.png?")
