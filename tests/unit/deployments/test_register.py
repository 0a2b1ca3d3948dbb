from __future__ import annotations

import pytest
from prefect_aws import AwsClientParameters
from pydantic import SecretStr

from blocks import AwsAccount
from deployments.register import EMBEDDED_SECRET, is_embedded


@pytest.mark.parametrize(
    ("endpoint", "secret", "embedded"),
    [
        ("http://127.0.0.1:4290", EMBEDDED_SECRET, True),
        ("http://127.0.0.1:4290", "of a real account, through a tunnel", False),
        (None, EMBEDDED_SECRET, False),
        ("https://vpce-1.ec2.us-east-1.vpce.amazonaws.com", EMBEDDED_SECRET, False),
    ],
)
def test_only_our_own_account_on_loopback_is_the_embedded_one(
    endpoint: str | None, secret: str, embedded: bool
) -> None:
    account = AwsAccount(
        aws_access_key_id="homeostat",
        aws_secret_access_key=SecretStr(secret),
        aws_client_parameters=AwsClientParameters(endpoint_url=endpoint),
    )

    assert is_embedded(account) is embedded
