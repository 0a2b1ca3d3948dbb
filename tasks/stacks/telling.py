"""What people see and are told of: refusals, outcomes, approvals wanted, undos that failed."""

from __future__ import annotations

from collections.abc import Sequence

from prefect import task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

from tasks.adapters.notifications import notify
from tasks.chunks import Sealed
from tasks.domain.stacks.approval import ApprovalRequest
from tasks.domain.stacks.approval_text import NEEDED
from tasks.domain.stacks.changes import Refused
from tasks.domain.stacks.health import HealthReport
from tasks.domain.stacks.messages import (
    Message,
    approval_message,
    escalation_message,
    failed_undo_message,
)
from tasks.domain.stacks.preview import Preview
from tasks.domain.stacks.shown import code, plain
from tasks.stacks.site import Site

REFUSED_KEY = "stack-refused"
OUTCOME_KEY = "stack-outcome"
MOST_REFUSED = 200


@task(name="show-refused", timeout_seconds=60, cache_policy=NO_CACHE)
def show_refused(refused: Sealed[Sequence[Refused]]) -> None:
    """Create the table of opportunities that no stack holds, and why."""
    rows = [
        {
            "resource": plain(one.resource),
            "kind": str(one.kind),
            "why not": plain(one.why, most=500),
            "region": one.region or "all",
        }
        for one in refused.value[:MOST_REFUSED]
    ]
    if rows:
        create_table_artifact(rows, key=REFUSED_KEY, description="Not changed now, and why")


@task(name="show-outcome", timeout_seconds=60, cache_policy=NO_CACHE)
def show_outcome(
    stack: str, status: str, why: str, health: Sealed[HealthReport] | None = None
) -> None:
    """Create the artifact that says how a stack ended up."""
    lines = [f"# {code(stack)}: {status}", plain(why, most=2000)]
    if health is not None:
        lines += ["| resource | health | why |\n| :-- | :-- | :-- |"]
        lines[-1] += "".join(
            f"\n| {code(one.name)} | {one.health} | {plain(one.why, most=200)} |"
            for one in health.value.resources
        )
        lines += [f"- {plain(note, most=300)}" for note in health.value.notes]
    create_markdown_artifact(
        "\n\n".join(lines), key=OUTCOME_KEY, description=f"What became of {stack}."
    )


def tell_of_approval(site: Site, preview: Preview, request: ApprovalRequest) -> None:
    """Tell people that something waits for them."""
    message = approval_message(
        preview,
        approval_hash=request.hash,
        demand=NEEDED[request.demand],
        expires_at=request.expires_at,
        address=site.address,
    )
    tell(site.notify, message)


def tell_of_trouble(site: Site, stack: str, *, why: str) -> None:
    """Tell people that a change did not prove itself."""
    message = escalation_message(
        stack=stack,
        happened="a change did not prove itself",
        why=why,
        next_steps=["nothing, if the run says that it was undone", "otherwise look at the run"],
        address=site.address,
    )
    tell(site.notify, message)


def tell_of_failed_undo(site: Site, stack: str, *, why: str, left: Sequence[str]) -> None:
    """Tell people that an undo failed."""
    tell(site.notify, failed_undo_message(stack=stack, why=why, left=left, address=site.address))


@task(name="tell-people", timeout_seconds=300, cache_policy=NO_CACHE)
def tell(blocks: tuple[str, ...], message: Message) -> None:
    """Send a message by every notification block; what does not arrive is logged."""
    logger = get_run_logger()
    if not blocks:
        logger.info("stacks.told nobody subject=%r: notify in Guardrails is empty", message.subject)
        return
    for one in notify(blocks, subject=message.subject, body=message.body):
        level = logger.info if one.delivered else logger.error
        level("stacks.told block=%s delivered=%s reason=%s", one.block, one.delivered, one.reason)
