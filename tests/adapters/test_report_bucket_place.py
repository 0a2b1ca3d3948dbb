from __future__ import annotations

from collections.abc import Iterator

import pytest
from prefect_aws import AwsClientParameters
from pydantic import SecretStr

from blocks import AwsAccount
from deployments.embedded.aws.server import EmbeddedAws, EmbeddedAwsConfig, serve_aws
from deployments.register import REPORT_BUCKET, create_bucket
from tests.support.embedded_aws import seeding_client

pytestmark = pytest.mark.embedded("aws")


@pytest.fixture
def server() -> Iterator[EmbeddedAws]:
    with serve_aws(EmbeddedAwsConfig()) as running:
        yield running


def _account(server: EmbeddedAws, region: str, *, bucket: str | None) -> AwsAccount:
    return AwsAccount(
        aws_access_key_id="homeostat",
        aws_secret_access_key=SecretStr("embedded"),
        region_name=region,
        report_bucket=bucket,
        aws_client_parameters=AwsClientParameters(endpoint_url=server.endpoint_url),
    )


@pytest.mark.parametrize(("region", "place"), [("us-east-1", None), ("eu-west-1", "eu-west-1")])
def test_the_bucket_for_charts_is_made_where_the_account_is_and_kept(
    server: EmbeddedAws, region: str, place: str | None
) -> None:
    account = _account(server, region, bucket=REPORT_BUCKET)

    create_bucket(account)
    create_bucket(account)

    location = seeding_client(server, "s3").get_bucket_location(Bucket=REPORT_BUCKET)
    assert location["LocationConstraint"] == place


def test_an_account_without_a_bucket_gets_none(server: EmbeddedAws) -> None:
    create_bucket(_account(server, "us-east-1", bucket=None))

    assert seeding_client(server, "s3").list_buckets()["Buckets"] == []
