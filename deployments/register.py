"""Blocks, limits and work pool that the flows expect: created once, kept as people edit them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import botocore.exceptions
import cyclopts
from prefect.blocks.core import Block
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import ObjectAlreadyExists
from prefect.filesystems import LocalFileSystem
from prefect_aws import AwsClientParameters
from pydantic import SecretStr

from blocks import AwsAccount, SavingsOutlook, SavingsSettings, SpotOutlook, UsageProfile
from deployments.local import LOOPBACK, default_home
from tasks.adapters.state import STATE_LOCK

BLOCK_NAME = "homeostat"
WORK_POOL = "homeostat"
REPORT_BUCKET = "homeostat-reports"

BLOCKS = (AwsAccount, SavingsOutlook, SavingsSettings, SpotOutlook, UsageProfile)

app = cyclopts.App(help=__doc__)


def save_blocks(*, aws_url: str, objects_folder: str) -> None:
    """Save the connection blocks of a local installation.

    An endpoint on loopback is written anew, since it names the port of this start. What people
    set stays: an account of their own is not sent back to the embedded cloud.
    """
    for block in BLOCKS:
        block.register_type_and_schema()
    account = _existing_account() or AwsAccount(
        aws_access_key_id="homeostat",
        aws_secret_access_key=SecretStr("embedded"),
        region_name="us-east-1",
        report_bucket=REPORT_BUCKET,
        aws_client_parameters=AwsClientParameters(endpoint_url=aws_url),
    )
    if is_embedded(account):
        account.aws_client_parameters = AwsClientParameters(endpoint_url=aws_url)
        account.save(BLOCK_NAME, overwrite=True)
        create_bucket(account)
    LocalFileSystem(basepath=objects_folder).save(BLOCK_NAME, overwrite=True)
    if not _exists(SavingsSettings):
        SavingsSettings().save(BLOCK_NAME)


def is_embedded(account: AwsAccount) -> bool:
    """Return whether an account's calls go to this machine."""
    return urlsplit(account.endpoint_url or "").hostname == LOOPBACK


def _exists(kind: type[Block]) -> bool:
    try:
        kind.load(BLOCK_NAME)
    except ValueError:
        return False
    return True


def _existing_account() -> AwsAccount | None:
    try:
        return AwsAccount.load(BLOCK_NAME)  # type: ignore[return-value]
    except ValueError:
        return None


def create_bucket(account: AwsAccount) -> None:
    """Create the bucket for charts where it is missing."""
    if account.report_bucket is None:
        return
    session = account.session()
    s3: Any = session.client("s3", endpoint_url=account.endpoint_url)
    try:
        s3.create_bucket(Bucket=account.report_bucket, **_bucket_place(session.region_name))
    except botocore.exceptions.ClientError as error:
        # "BucketAlreadyExists" would be somebody else's: charts must not go there.
        if error.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
            raise


def _bucket_place(region: str | None) -> dict[str, Any]:
    """Return where a bucket goes; S3 refuses to be told of us-east-1, its default."""
    if region in (None, "us-east-1"):
        return {}
    return {"CreateBucketConfiguration": {"LocationConstraint": region}}


def create_limits_and_pool() -> None:
    """Create the state lock and the work pool where they are missing."""
    with get_client(sync_client=True) as client:
        client.upsert_global_concurrency_limit_by_name(STATE_LOCK, limit=1)
        try:
            client.create_work_pool(WorkPoolCreate(name=WORK_POOL, type="process"))
        except ObjectAlreadyExists:
            return


@app.default
def register(*, aws_url: str, objects_folder: str | None = None) -> None:
    """Create what the flows expect on the server that PREFECT_API_URL names.

    Args:
        aws_url: Endpoint of the embedded AWS.
        objects_folder: Base folder of the storage block; `objects` in the home by default.
    """
    create_limits_and_pool()
    save_blocks(aws_url=aws_url, objects_folder=objects_folder or str(default_home() / "objects"))


if __name__ == "__main__":
    app()
