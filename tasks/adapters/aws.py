"""AWS clients: one configuration, one translation of errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import boto3
import botocore.exceptions as boto_errors
from botocore.config import Config

from tasks.domain.errors import InfraError, PermanentError, TransientError

THROTTLING_CODES = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)

# At a third of all calls refused, one call in 6,000 is given up; an address where nobody answers
# is given up after half a minute.
CLIENT_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 8},
    connect_timeout=5,
    read_timeout=60,
    max_pool_connections=16,
    user_agent_appid="homeostat",  # type: ignore[call-arg]  # newer than its stubs
)


# Addresses for browsers would be signed the old way otherwise, which newer regions refuse, and name the
# host of all regions, which redirects to another than was signed.
S3_CONFIG = CLIENT_CONFIG.merge(
    Config(signature_version="s3v4", s3={"addressing_style": "virtual"})
)
# A private endpoint need not know a host for every bucket.
S3_CONFIG_ELSEWHERE = CLIENT_CONFIG.merge(
    Config(signature_version="s3v4", s3={"addressing_style": "path"})
)


def regional_client(
    session: boto3.Session, service: str, *, region: str, endpoint_url: str | None
) -> Any:
    """Return a client of one service in one region.

    Args:
        session: Where credentials come from; made by the `AwsAccount` block.
        service: Name as boto3 spells it, for example "ec2".
        region: For example "us-east-1".
        endpoint_url: None for AWS itself; the embedded cloud's address otherwise.
    """
    _use_fast_timestamps(session)
    return session.client(
        service,  # type: ignore[call-overload]
        region_name=region,
        endpoint_url=endpoint_url,
        config=_config(service, endpoint_url),
    )


def _config(service: str, endpoint_url: str | None) -> Config:
    if service != "s3":
        return CLIENT_CONFIG
    return S3_CONFIG if endpoint_url is None else S3_CONFIG_ELSEWHERE


def _use_fast_timestamps(session: boto3.Session) -> None:
    # botocore's default parser tries dateutil: a third of the speed on a page of 1,000 prices.
    factory = session._session.get_component("response_parser_factory")  # noqa: SLF001 - boto3 has no public way in
    factory.set_parser_defaults(timestamp_parser=parse_timestamp)


def parse_timestamp(value: Any) -> datetime:
    """Return an aware datetime from ISO 8601 text or seconds since 1970, else as botocore does."""
    from botocore.utils import parse_timestamp as botocore_parse

    if isinstance(value, (int, float)):
        return datetime.fromtimestamp(value, UTC)
    if isinstance(value, str):
        try:
            parsed = datetime.fromisoformat(value)
        except ValueError:
            return botocore_parse(value)
        if parsed.tzinfo is not None:
            return parsed
    return botocore_parse(value)


@contextmanager
def translated(operation: str, *, region: str) -> Iterator[None]:
    """Turn boto3's exceptions into ours, so that callers know whether to retry.

    Args:
        operation: As in an IAM policy, for example "ec2:DescribeSpotPriceHistory".
        region: Where it was sent.

    Raises:
        TransientError: Throttled, a server fault or a lost connection: try again later.
        PermanentError: Refused for what was asked or who asked.
    """
    try:
        yield
    except boto_errors.ClientError as error:
        raise client_error(error, operation=operation, region=region) from error
    except (
        boto_errors.ConnectionError,
        boto_errors.HTTPClientError,
        boto_errors.ResponseStreamingError,
    ) as error:
        message = f"{operation} in {region} got no answer: {error}"
        raise TransientError(message) from error
    except boto_errors.BotoCoreError as error:
        message = (
            f"{operation} in {region} could not be sent: {error}; "
            "check the AwsAccount block's credentials and region"
        )
        raise PermanentError(message) from error


def client_error(error: boto_errors.ClientError, *, operation: str, region: str) -> InfraError:
    """Return our error for an answer that AWS marked as an error."""
    code = error.response["Error"].get("Code", "Unknown")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    attempts = error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0) + 1
    if code in THROTTLING_CODES:
        return TransientError(f"{operation} in {region} was throttled {attempts} times ({code})")
    if status >= 500:
        return TransientError(f"{operation} in {region} failed {attempts} times: {error}")
    return PermanentError(f"{operation} in {region} was refused: {error}")
