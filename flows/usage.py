"""See how an account's resources are used, and sort them into named archetypes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, cast

from prefect import flow
from prefect.blocks.core import Block
from prefect.logging import get_run_logger
from pydantic import Field

from blocks import AwsAccount, UsageProfile
from flows.blocks import block_of
from flows.due import reason_to_skip
from flows.parameters import BlockName, Region, StorageName
from flows.runners import chosen_runner
from tasks.adapters.objects import Storage
from tasks.adapters.state import load_state
from tasks.chunks import Sealed
from tasks.usage.archetypes import Observed, find_archetypes, held_memberships, publish_usage
from tasks.usage.observe import list_account, observe_use
from tasks.usage.report import show_usage

STALE_AFTER = timedelta(hours=12)
"""A scheduled run that starts later than this is skipped: the next one is due."""


@dataclass(frozen=True, kw_only=True)
class UsageReport:
    """What a run found, in short; the rest is in artifacts and in the UsageProfile block.

    Attributes:
        observed_at: When the account was listed; None when the run was skipped.
        archetypes: Resources by archetype.
        stability: Agreement of names when resources are drawn again; None without clusters.
        moved: Resources whose archetype changed against earlier runs.
        skipped: Why nothing was done; None otherwise.
    """

    observed_at: datetime | None
    archetypes: dict[str, int] = field(default_factory=dict)
    stability: float | None = None
    moved: int = 0
    skipped: str | None = None


def run_name() -> str:
    """Return a name that tells runs apart in a list."""
    return f"usage-{datetime.now(UTC):%d%b-%H%M}".lower()


@flow(
    name="cluster-usage",
    flow_run_name=run_name,
    task_runner=chosen_runner(),
    timeout_seconds=3600,
)
def cluster_usage(
    regions: Annotated[list[Region], Field(max_length=40)] = [],  # noqa: B006 - Prefect copies it
    window_days: Annotated[int, Field(ge=14, le=63)] = 28,
    account: BlockName = "homeostat",
    storage: StorageName = "local-file-system/homeostat",
    profile: BlockName = "homeostat",
    instances_per_chunk: Annotated[int, Field(ge=10, le=5000)] = 250,
    seed: Annotated[int, Field(ge=0)] = 20,
) -> UsageReport:
    """List what an account runs, read its metrics, and say how each instance is used.

    Lists instances, groups, volumes, functions and services once, reads hourly metrics in parallel
    chunks, and finds archetypes (idle, steady, business hours, ...) whose number is chosen by their
    stability. Changes nothing in AWS but one chart in the report bucket. CloudWatch charges for
    metrics that are read, some eight for each instance.

    Args:
        regions: For example us-east-1; empty for the regions of the account block.
        window_days: Days of use to look at; whole weeks count.
        account: Name of the AwsAccount block.
        storage: Storage block for what was observed, as type/name.
        profile: Name of the UsageProfile block to read and write.
        instances_per_chunk: Instances a task reads; the chunks run in parallel.
        seed: Same seed and metrics, same archetypes.
    """
    if (reason := reason_to_skip(STALE_AFTER)) is not None:
        get_run_logger().warning("usage.run.skipped reason=%s", reason)
        return UsageReport(observed_at=None, skipped=reason)
    aws = block_of(AwsAccount, account)
    store = cast("Storage", Block.load(storage))
    known = load_state(UsageProfile, profile)

    inventory = list_account(aws, regions or aws.regions)
    panel = observe_use(aws, inventory, window_days=window_days, per_chunk=instances_per_chunk)
    observed = Sealed(Observed(inventory=inventory, panel=panel))
    found = find_archetypes(observed, Sealed(held_memberships(store, known)), seed=seed)
    publish_usage(store, profile, observed, Sealed(found))
    show_usage(aws, observed, Sealed(found))
    return UsageReport(
        observed_at=inventory.observed_at,
        archetypes={str(one.archetype): one.resources for one in found.archetypes.profiles},
        stability=found.archetypes.stability,
        moved=len(found.archetypes.moved),
    )


if __name__ == "__main__":
    cluster_usage()
