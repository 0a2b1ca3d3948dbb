"""What an account runs and how it was used: listed once, then read in chunks, in parallel."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, cast
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.futures import as_completed
from prefect.logging import get_run_logger

from blocks import AwsAccount
from tasks.adapters.aws import regional_client
from tasks.adapters.inventory import merged_inventory, region_inventory
from tasks.adapters.metrics import Window
from tasks.adapters.pace import Pace
from tasks.adapters.savings_plans import active_commitments
from tasks.adapters.usage_metrics import (
    Reader,
    Reported,
    group_panel,
    instance_panel,
    joined_panel,
    reported_metrics,
    service_panel,
)
from tasks.chunks import Sealed
from tasks.domain.errors import InfraError, PermanentError
from tasks.domain.inventory import Commitment, Inventory
from tasks.domain.usage.panel import UsagePanel
from tasks.retries import remote_task

COMMITMENTS_REGION = "us-east-1"
"""Savings Plans are an account's, and asked for in one place."""


class NothingRunsError(PermanentError):
    """There is no instance to look at."""

    def __init__(self, inventory: Inventory, *, source: str) -> None:
        super().__init__(
            f"{source} lists no instances in {', '.join(inventory.regions)}; check the regions of "
            "the AwsAccount block or of this run"
        )


@cache
def pace_of(region: str) -> Pace:
    """Return this process's pace in a region: its chunks share the service's quota."""
    del region
    return Pace()


def _client(account: AwsAccount, service: str, region: str) -> Any:
    return regional_client(
        account.session(), service, region=region, endpoint_url=account.endpoint_url
    )


@remote_task("list-region", run_name="list {region}")
def list_region(account: AwsAccount, region: str) -> Inventory:
    """Return everything that one region runs."""
    found = region_inventory(
        lambda service: _client(account, service, region),
        region=region,
        observed_at=datetime.now(UTC),
    )
    get_run_logger().info(
        "usage.region.listed region=%s instances=%d groups=%d volumes=%d functions=%d services=%d",
        region,
        len(found.instances),
        len(found.groups),
        len(found.volumes),
        len(found.functions),
        len(found.services),
    )
    return found


@remote_task("list-commitments")
def list_commitments(account: AwsAccount, regions: Sequence[str]) -> tuple[Commitment, ...]:
    """Return the commitments that are paid for now."""
    return active_commitments(
        _client(account, "savingsplans", COMMITMENTS_REGION),
        ec2={region: _client(account, "ec2", region) for region in regions},
    )


@remote_task("list-metrics", run_name="list metrics in {region}")
def list_metrics(account: AwsAccount, region: str) -> Reported:
    """Return which metrics a region's instances report."""
    return reported_metrics(_client(account, "cloudwatch", region), region=region)


@remote_task("read-use", run_name="read {what} in {region}")
def read_use(
    account: AwsAccount,
    region: str,
    what: str,
    chunk: Sealed[Inventory],
    reported: Sealed[Reported],
    window: Window,
) -> UsagePanel:
    """Return the hourly use of one chunk: its instances, or its groups and services.

    Args:
        account: Where to read.
        region: Of everything in the chunk.
        what: For people.
        chunk: What to read; parts that are empty are not read.
        reported: Metrics that the chunk's instances report.
        window: Which hours.
    """
    part = chunk.value
    reader = Reader(
        client=_client(account, "cloudwatch", region),
        region=region,
        window=window,
        pace=pace_of(region),
        workers=2,
    )
    panels = []
    if part.instances:
        ids = [one.instance_id for one in part.instances]
        panels.append(instance_panel(reader, ids, reported.value))
    if part.groups:
        panels.append(group_panel(reader, part.groups))
    if part.services:
        panels.append(service_panel(reader, part.services))
    found = joined_panel(panels)
    get_run_logger().info(
        "usage.read region=%s what=%s hours=%d metrics=%s",
        region,
        what,
        found.hours,
        ",".join(found.values),
    )
    return found


def list_account(account: AwsAccount, regions: Sequence[str]) -> Inventory:
    """Return everything that an account runs in some regions; call it in a flow.

    Raises:
        NothingRunsError: No instance in any of them.
    """
    committed = list_commitments.submit(account, list(regions))
    futures = [list_region.submit(account, region) for region in regions]
    found = merged_inventory(future.result() for future in futures)
    if not found.instances:
        raise NothingRunsError(found, source=account.endpoint_url or "AWS")
    try:
        commitments = committed.result()
    except InfraError as error:
        # Without them savings would be counted twice, so this is said, and not passed over.
        get_run_logger().error("usage.commitments.unknown reason=%s", error)
        raise
    return Inventory(
        observed_at=found.observed_at,
        regions=found.regions,
        instances=found.instances,
        groups=found.groups,
        volumes=found.volumes,
        functions=found.functions,
        services=found.services,
        commitments=commitments,
    )


def observe_use(
    account: AwsAccount, inventory: Inventory, *, window_days: int, per_chunk: int
) -> UsagePanel:
    """Return the hourly use of everything in an inventory, up to its last whole hour; in a flow.

    Args:
        account: Where to read.
        inventory: What to read.
        window_days: How far back.
        per_chunk: Instances a task reads.
    """
    end = inventory.observed_at.replace(minute=0, second=0, microsecond=0)
    window = Window(start=end - timedelta(days=window_days), end=end)
    reported = {region: list_metrics.submit(account, region) for region in inventory.regions}
    futures = [
        read_use.submit(account, region, what, Sealed(part), Sealed(_only(found, part)), window)
        for region, future in reported.items()
        for found in [future.result()]
        for what, part in chunks_of(inventory, region, per_chunk=per_chunk)
    ]
    progress = cast(
        "UUID", create_progress_artifact(0.0, key="usage-read", description="Metrics read")
    )
    for done, _ in enumerate(as_completed(futures), start=1):
        update_progress_artifact(progress, progress=100.0 * done / len(futures))
    return joined_panel([future.result() for future in futures])


def chunks_of(inventory: Inventory, region: str, *, per_chunk: int) -> list[tuple[str, Inventory]]:
    """Return a region's inventory in parts to read, each with a name for people."""
    instances = [one for one in inventory.instances if one.region == region]
    parts = [
        (
            f"instances {first + 1} to {min(first + per_chunk, len(instances))}",
            _part(inventory, instances=tuple(instances[first : first + per_chunk])),
        )
        for first in range(0, len(instances), per_chunk)
    ]
    groups = tuple(one for one in inventory.groups if one.region == region)
    services = tuple(one for one in inventory.services if one.region == region)
    if groups or services:
        parts.append(("groups and services", _part(inventory, groups=groups, services=services)))
    return parts


def _part(inventory: Inventory, **kinds: Any) -> Inventory:
    return Inventory(observed_at=inventory.observed_at, regions=inventory.regions, **kinds)


def _only(reported: Reported, part: Inventory) -> Reported:
    wanted = [one.instance_id for one in part.instances]
    return Reported(
        series={
            metric: {one: found[one] for one in wanted if one in found}
            for metric, found in reported.series.items()
        }
    )
