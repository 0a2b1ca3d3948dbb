"""What earlier runs left: updates that were cut off, requests that nobody answered in time."""

from __future__ import annotations

from datetime import timedelta

from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from prefect.logging import get_run_logger

from blocks import StackEntry
from tasks.adapters.documents import from_json
from tasks.adapters.objects import load_object
from tasks.adapters.pulumi import engine as pulumi_engine
from tasks.adapters.pulumi.environment import engine_version
from tasks.adapters.state import stored_object
from tasks.domain.guardrails.policy import closed
from tasks.domain.stacks.applied import Applied, Done
from tasks.domain.stacks.changes import Phase
from tasks.domain.stacks.preview import Preview
from tasks.domain.stacks.recovery import remaining
from tasks.domain.stacks.stack_prices import StackPrices
from tasks.stacks.applying import carry_out, keep_applied
from tasks.stacks.ledger import interrupted, ledger_of, record, stored_record
from tasks.stacks.outcome import StackReport
from tasks.stacks.programs import write_programs
from tasks.stacks.site import Site
from tasks.stacks.telling import tell_of_trouble
from tasks.stacks.undoing import undo
from tasks.stacks.updates import recover_stack
from tasks.stacks.verifying import now_utc

ABANDONED_AFTER = timedelta(hours=1)
"""For as long after it expired, the run of a request may still be on its way to refusing it."""


def settle(site: Site, prices: StackPrices) -> tuple[StackReport, ...]:
    """Bring every stack that another run left half-way to a known state.

    Only called under the lock of updates: whoever began those updates is not at work any more.

    Args:
        site: Where.
        prices: Of this run's region, for what an undo shows.

    Returns:
        Stacks that are applied now and have to be verified.
    """
    _expire(site)
    ledger = ledger_of(site.ledger)
    left = interrupted(ledger, run_id=site.run_id)
    if not left:
        return _unverified(site)
    reports = [_settled(site, name, ledger.stacks[name], prices) for name in left]
    done = tuple(one for one in reports if one is not None and one.status == "applied")
    return (*done, *_unverified(site, besides=[one.stack for one in done]))


def _settled(site: Site, stack: str, entry: StackEntry, prices: StackPrices) -> StackReport | None:
    logger = get_run_logger()
    logger.warning(
        "stacks.interrupted stack=%s status=%s run=%s", stack, entry.status, entry.run_id
    )
    if engine_version(site.engine(entry.region)) is None:
        tell_of_trouble(site, stack, why="its update was cut off, and there is no engine here")
        return None
    recover_stack(site, stack, entry.region)
    if entry.status == "adopting":
        message = "the run was killed while it adopted: nothing in the account was changed"
        record(
            site.ledger, stack, now=now_utc(), run_id=site.run_id, status="refused", message=message
        )
        return None
    if entry.status == "undoing":
        return undo(site, stack, prices, why="its undo was cut off", over_drift=True)
    return _forward(site, stack, entry, prices)


def _forward(site: Site, stack: str, entry: StackEntry, prices: StackPrices) -> StackReport | None:
    """Finish an approved update that was cut off; undo it where more would be done than approved."""
    record_ = stored_record(site.store, entry, stack)
    folder = write_programs(record_, site.folder(stack))
    plan = folder / ".change.plan"
    seen = pulumi_engine.preview(
        site.engine(entry.region),
        folder,
        stack=stack,
        phase=Phase.CHANGE,
        region=entry.region,
        plan=plan,
    )
    assert entry.preview is not None  # noqa: S101 - kept before anything is applied
    approved = from_json(Preview, load_object(site.store, stored_object(entry.preview)))
    left = remaining(approved, seen)
    if left is None:
        why = "its update was cut off, and what is left is not what was approved"
        return undo(site, stack, prices, why=why, over_drift=True)
    if not left:
        done = tuple(
            Done(
                name=one.name,
                token=one.token,
                urn=one.urn,
                operation=one.operation,
                resource_id=one.resource_id,
            )
            for one in approved.acting
        )
        serial = seen.state_serial
        whole = Applied(
            stack=stack, phase=Phase.CHANGE, done=done, serial_before=serial, serial_after=serial
        )
        return keep_applied(site, record_, approved, whole)
    shut = closed(site.policy, now_utc())
    if shut is not None:
        get_run_logger().warning("stacks.left stack=%s why=%s", stack, shut)
        return None
    return carry_out(site, record_, seen, plan, request_id=None, approved=approved)


def _unverified(site: Site, besides: list[str] | None = None) -> tuple[StackReport, ...]:
    """Return stacks that were applied by a run that ended before it had verified them."""
    found = ledger_of(site.ledger).stacks.items()
    return tuple(
        StackReport(
            status="applied",
            stack=name,
            changes=len(entry.change_ids),
            delta_usd_per_month=entry.delta_usd_per_month,
        )
        for name, entry in found
        if entry.status == "applied"
        and name not in (besides or [])
        and entry.run_id != site.run_id
        and run_has_ended(entry.run_id)
    )


def _expire(site: Site) -> None:
    now = now_utc()
    for name, entry in ledger_of(site.ledger).stacks.items():
        late = entry.expires_at is not None and now > entry.expires_at + ABANDONED_AFTER
        abandoned = entry.status == "waiting" and entry.run_id != site.run_id
        if abandoned and (late or run_has_ended(entry.run_id)):
            record(
                site.ledger,
                name,
                now=now,
                run_id=site.run_id,
                status="refused",
                message="nobody answered in time; nothing in the account was changed",
            )


def run_has_ended(run_id: str) -> bool:
    """Return whether a flow run is over, or no longer known to the server."""
    with get_client(sync_client=True) as client:
        try:
            state = client.read_flow_run(run_id).state  # type: ignore[arg-type]  # it takes text
        except ObjectNotFound:
            return True
    return state is None or state.is_final()
