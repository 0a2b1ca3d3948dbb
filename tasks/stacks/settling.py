"""What earlier runs left: updates that were cut off, requests that nobody answered in time.

| how a stack stands | what is done |
|---|---|
| adopting | recovered and forgotten: nothing in the account was changed |
| applying, and nothing was done yet | the same: whoever wants it asks anew |
| applying, done in part, still allowed, not cancelled | recovered, and what is left of what was approved is done |
| applying, done in part, otherwise | recovered, and taken back |
| undoing | recovered, and the undo is run again |
| applied, by a run that has ended | verified by this one |
| waiting or adopted, by a run that has ended | forgotten |
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.exceptions import ObjectNotFound
from prefect.logging import get_run_logger

from blocks import StackEntry
from tasks.adapters.documents import from_json
from tasks.adapters.objects import load_object
from tasks.adapters.pulumi import engine as pulumi_engine
from tasks.adapters.pulumi.environment import engine_version
from tasks.adapters.state import stored_object
from tasks.domain.errors import InfraError, PermanentError
from tasks.domain.stacks.applied import Applied, Done
from tasks.domain.stacks.approval import ApprovalRequest, is_what_was_asked
from tasks.domain.stacks.changes import Phase
from tasks.domain.stacks.preview import Preview
from tasks.domain.stacks.record import StackRecord
from tasks.domain.stacks.recovery import remaining
from tasks.domain.stacks.stack_prices import StackPrices
from tasks.stacks.applying import carry_out, keep_applied
from tasks.stacks.finishing import finish
from tasks.stacks.guarding import guarded, release
from tasks.stacks.ledger import OPEN, interrupted, ledger_of, record, stored_record
from tasks.stacks.outcome import StackReport
from tasks.stacks.programs import write_programs
from tasks.stacks.site import Site
from tasks.stacks.telling import tell_of_trouble
from tasks.stacks.undoing import undo
from tasks.stacks.updates import only_update, recover_stack
from tasks.stacks.verifying import now_utc

ABANDONED_AFTER = timedelta(hours=1)
"""For as long after it expired, the run of a request may still be on its way to refusing it."""
UNANSWERED = "nobody answered in time; nothing in the account was changed"
NOT_ASKED = "what is stored of it is not what was approved"
CUT_OFF = "the run was cut off before it changed anything in the account"


def settle(site: Site, prices: StackPrices) -> tuple[StackReport, ...]:
    """Bring every stack that another run left half-way to a known state, and verify what it applied.

    One that cannot be brought there is told to people, and keeps no other from it.

    Args:
        site: Where.
        prices: For what an undo shows.
    """
    with only_update():
        _forget_abandoned(site)
        ledger = ledger_of(site.ledger)
        for name in interrupted(ledger, run_id=site.run_id):
            _settled_or_told(site, name, ledger.stacks[name], prices)
    return tuple(_finished(site, _unverified(site), prices))


def _settled_or_told(site: Site, stack: str, entry: StackEntry, prices: StackPrices) -> None:
    logger = get_run_logger()
    logger.warning(
        "stacks.interrupted stack=%s status=%s run=%s", stack, entry.status, entry.run_id
    )
    tell_of_trouble(
        site, stack, why=f"its run ended while it was {entry.status}; it is settled now"
    )
    try:
        _settled(site, stack, entry, prices)
    except InfraError as error:
        _cannot(site, stack, error)


def _cannot(site: Site, stack: str, error: InfraError) -> None:
    get_run_logger().error("stacks.not_settled stack=%s reason=%s", stack, error)
    message = f"could not be settled: {error}"
    known = ledger_of(site.ledger).stacks[stack]
    if known.message != message:
        # The run stays the one that left it: the next run tries again.
        record(site.ledger, stack, now=now_utc(), run_id=known.run_id, message=message)
        tell_of_trouble(site, stack, why=message)


def _settled(site: Site, stack: str, entry: StackEntry, prices: StackPrices) -> None:
    if engine_version(site.engine(entry.region)) is None:
        message = (
            "there is no `pulumi` here to settle it with; `homeostat doctor` says how to get it"
        )
        raise PermanentError(message)
    recover_stack(site, stack, entry.region)
    if entry.status == "adopting":
        _forget(site, stack, entry, CUT_OFF)
    elif entry.status == "undoing":
        undo(site, stack, prices, why="its undo was cut off", failed=True)
    else:
        _forward_or_back(site, stack, entry, prices)


def _forget(site: Site, stack: str, entry: StackEntry, message: str) -> None:
    record(site.ledger, stack, now=now_utc(), run_id=site.run_id, status="refused", message=message)
    release(site, stack, entry.region)


def _forward_or_back(site: Site, stack: str, entry: StackEntry, prices: StackPrices) -> None:
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
    if left is not None and len(left) == len(approved.acting):
        _forget(site, stack, entry, CUT_OFF)
    elif left is not None and not left:
        keep_applied(site, record_, approved, _whole(approved, seen))
    else:
        late = entry.expires_at is not None and now_utc() >= entry.expires_at
        against = (
            *(() if _is_what_was_asked(site, entry, record_, approved) else (NOT_ASKED,)),
            *(() if left is not None else ("what is left is not what was approved",)),
            *(("its approval has expired",) if late else ()),
            *(("it was cancelled",) if run_was_cancelled(entry.run_id) else ()),
            *guarded(site, record_, seen, population=None),
        )
        if against:
            why = f"its update was cut off, and {'; '.join(against)}"
            undo(site, stack, prices, why=why, failed=True)
        else:
            carry_out(site, record_, seen, plan, request_id=None, approved=approved)


def _is_what_was_asked(
    site: Site, entry: StackEntry, record_: StackRecord, approved: Preview
) -> bool:
    """Return whether the stored preview is the one whose hash was approved."""
    if entry.approval is None:
        return True  # Nobody had to be asked; the guardrails are asked again.
    request = from_json(ApprovalRequest, load_object(site.store, stored_object(entry.approval)))
    same = is_what_was_asked(request, approved, record_sha256=record_.record_sha256)
    return same and request.hash == entry.approval_hash


def _whole(approved: Preview, seen: Preview) -> Applied:
    """Return the record of an update of which only its end was not written down."""
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
    return Applied(
        stack=approved.stack,
        phase=Phase.CHANGE,
        done=done,
        serial_before=approved.state_serial,
        serial_after=seen.state_serial,
    )


def _finished(
    site: Site, left: Iterable[StackReport], prices: StackPrices
) -> Iterable[StackReport]:
    for one in left:
        try:
            yield finish(site, one, prices)
        except InfraError as error:
            _cannot(site, one.stack, error)


def _unverified(site: Site) -> tuple[StackReport, ...]:
    """Return stacks that were applied, by this settling or by a run that has ended."""
    return tuple(
        StackReport(
            status="applied",
            stack=name,
            changes=len(entry.change_ids),
            delta_usd_per_month=entry.delta_usd_per_month,
        )
        for name, entry in ledger_of(site.ledger).stacks.items()
        if entry.status == "applied"
        and (entry.run_id == site.run_id or run_has_ended(entry.run_id))
    )


def _forget_abandoned(site: Site) -> None:
    now = now_utc()
    for name, entry in ledger_of(site.ledger).stacks.items():
        if entry.status not in {"waiting", "adopted"} or entry.run_id == site.run_id:
            continue
        late = entry.expires_at is not None and now > entry.expires_at + ABANDONED_AFTER
        if late or run_has_ended(entry.run_id):
            _forget(site, name, entry, UNANSWERED if entry.status == "waiting" else CUT_OFF)


def is_unsettled(name: str) -> bool:
    """Return whether a ledger has a stack that a run left half-way.

    Args:
        name: Of the ledger.
    """
    return any(
        run_has_ended(one.run_id)
        for one in ledger_of(name).stacks.values()
        if one.status in {*OPEN, "applied", "waiting", "adopted"}
    )


def run_has_ended(run_id: str) -> bool:
    """Return whether a flow run is over, or no longer known to the server."""
    state = _state_of(run_id)
    return state is None or state.is_final()


def run_was_cancelled(run_id: str) -> bool:
    """Return whether somebody cancelled a flow run."""
    state = _state_of(run_id)
    return state is not None and (state.is_cancelled() or state.is_cancelling())


def _state_of(run_id: str) -> State[Any] | None:
    with get_client(sync_client=True) as client:
        try:
            return client.read_flow_run(run_id).state  # type: ignore[arg-type]  # it takes text
        except ObjectNotFound:
            return None
