"""An embedded account and its blocks, for tests of whole flows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectAlreadyExists
from prefect.filesystems import LocalFileSystem
from prefect_aws import AwsClientParameters
from pydantic import SecretStr

from blocks import AwsAccount
from deployments.embedded.aws.server import EmbeddedAws, EmbeddedAwsConfig, serve_aws
from deployments.register import REPORT_BUCKET, create_bucket
from tasks.adapters.state import STATE_LOCK
from tasks.stacks.updates import UPDATES_LOCK
from tests.support.embedded_aws import Clock

RECORDED_NOW = datetime(2021, 4, 20, 12, tzinfo=UTC)
"""Within the shipped recording: seven weeks before it, five days after."""


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """A running embedded account."""

    aws: EmbeddedAws
    clock: Clock
    account: AwsAccount


@contextmanager
def embedded_cloud() -> Iterator[Cloud]:
    """Run an embedded account with the shipped recording at its own time."""
    with _served(EmbeddedAwsConfig(replay_ends="recorded", clock=Clock(RECORDED_NOW))) as cloud:
        yield cloud


@contextmanager
def embedded_fleet() -> Iterator[Cloud]:
    """Run an embedded account with the shipped fleet now: what it lists carries today's date."""
    with _served(EmbeddedAwsConfig(fleet="shipped", clock=Clock(datetime.now(UTC)))) as cloud:
        yield cloud


@contextmanager
def _served(config: EmbeddedAwsConfig) -> Iterator[Cloud]:
    with serve_aws(config) as aws:
        account = AwsAccount(
            aws_access_key_id="homeostat",
            aws_secret_access_key=SecretStr("embedded"),
            region_name="us-east-1",
            report_bucket=REPORT_BUCKET,
            aws_client_parameters=AwsClientParameters(endpoint_url=aws.endpoint_url),
        )
        create_bucket(account)
        yield Cloud(aws=aws, clock=cast("Clock", config.clock), account=account)


def save_blocks(cloud: Cloud, name: str, folder: Path) -> dict[str, str]:
    """Save the blocks of one test under a name of its own; return the flow's parameters."""
    cloud.account.save(name, overwrite=True)
    LocalFileSystem(basepath=str(folder)).save(name, overwrite=True)
    make_state_lock()
    make_lock(UPDATES_LOCK)
    return {"account": name, "storage": f"local-file-system/{name}", "outlook": name}


def make_state_lock() -> None:
    """Create the lock of all state."""
    make_lock(STATE_LOCK)


def make_lock(name: str) -> None:
    """Create a lock; another process of the test run may do so at the same time."""
    with get_client(sync_client=True) as client, suppress(ObjectAlreadyExists):
        client.upsert_global_concurrency_limit_by_name(name, limit=1)
