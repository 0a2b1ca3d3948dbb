from __future__ import annotations

import pytest
from prefect_aws import AwsClientParameters

from blocks import AwsAccount
from deployments.register import is_embedded


@pytest.mark.parametrize(
    ("endpoint", "embedded"),
    [
        ("http://127.0.0.1:4290", True),
        (None, False),
        ("https://vpce-1.ec2.us-east-1.vpce.amazonaws.com", False),
    ],
)
def test_only_an_account_on_loopback_is_the_embedded_one(
    endpoint: str | None, embedded: bool
) -> None:
    account = AwsAccount(aws_client_parameters=AwsClientParameters(endpoint_url=endpoint))

    assert is_embedded(account) is embedded
