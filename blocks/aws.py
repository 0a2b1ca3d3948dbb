"""The AWS account that Homeostat looks after."""

from __future__ import annotations

from typing import Any

import boto3
from prefect_aws import AwsCredentials
from pydantic import ConfigDict, Field


class AwsAccount(AwsCredentials):
    """An AWS account: who to be, where, and at which address.

    Leave the keys empty to use the machine's own credentials, a profile or a role. An endpoint
    in `aws_client_parameters` sends every call there: the embedded cloud, or a private one.
    """

    _block_type_name = "AWS Account"
    _block_type_slug = "aws-account"
    _description = "Credentials, regions and endpoint of the AWS account to look after."

    # Prefect keeps boto3 types on this block, and does not validate assignments by itself.
    model_config = ConfigDict(arbitrary_types_allowed=True, validate_assignment=True)

    regions: list[str] = Field(
        default=["us-east-1"],
        min_length=1,
        max_length=40,
        description="Regions that flows look at unless a run names others, for example us-east-1.",
    )
    report_bucket: str | None = Field(
        default=None,
        description="S3 bucket for charts that the Prefect UI shows; None keeps charts off.",
    )

    report_region: str | None = Field(
        default=None, description="Region of that bucket; None for the first of the regions."
    )

    @property
    def endpoint_url(self) -> str | None:
        """Address of every service; None for AWS itself."""
        return self.aws_client_parameters.endpoint_url

    def session(self) -> boto3.Session:
        """Return a boto3 session with this account's credentials."""
        session: Any = self.get_boto3_session()
        return session  # type: ignore[no-any-return]
