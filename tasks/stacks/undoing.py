"""Back to how it was before: by the program that was generated, and approved, with the change."""

from __future__ import annotations

from datetime import timedelta

from blocks import StackEntry
from tasks.adapters.documents import from_json
from tasks.adapters.objects import load_object
from tasks.adapters.pulumi.engine import forget
from tasks.adapters.state import stored_object
from tasks.chunks import Sealed
from tasks.domain.errors import InfraError, PermanentError
from tasks.domain.guardrails.cooldown import Outcome
from tasks.domain.guardrails.previews import check_undo, never_made
from tasks.domain.stacks.changes import Phase
from tasks.domain.stacks.health import Health
from tasks.domain.stacks.preview import Preview
from tasks.domain.stacks.record import StackRecord
from tasks.domain.stacks.stack_prices import StackPrices
from tasks.stacks.ledger import entry_of, ledger_of, record, stored_record
from tasks.stacks.outcome import StackReport
from tasks.stacks.previews import preview_stack, show_preview
from tasks.stacks.programs import write_programs
from tasks.stacks.site import Site
from tasks.stacks.telling import show_outcome, tell_of_failed_undo
from tasks.stacks.updates import recover_stack, update_stack
from tasks.stacks.verifying import attempts, now_utc, verify_stack

UNDOABLE = frozenset({"applied", "verified", "applying", "undoing", "undo-failed"})


def undo(
    site: Site, stack: str, prices: StackPrices, *, why: str, over_drift: bool = False
) -> StackReport:
    """Run a stack's undo program, verify it, and let go of what was adopted.

    Only called under the lock of updates.

    Args:
        site: Where.
        stack: Its name.
        prices: Of its region.
        why: It is undone.
        over_drift: Also where the account is not as the state says, as after a change that failed
            half-way; False leaves alone what somebody else changed since.

    Raises:
        PermanentError: The stack stands like something that cannot be undone.
    """
    entry = entry_of(ledger_of(site.ledger), stack)
    if entry.status not in UNDOABLE:
        message = f"stack {stack} is {entry.status}: there is nothing of it in the account to undo"
        raise PermanentError(message)
    record_ = stored_record(site.store, entry, stack)
    record(site.ledger, stack, now=now_utc(), run_id=site.run_id, status="undoing", message=why)
    try:
        # An update that failed half-way may have left something that the engine does not know of.
        recover_stack(site, stack, entry.region)
        seen, problem = _undone(site, record_, entry, prices, over_drift=over_drift)
    except InfraError as error:
        seen, problem = None, str(error)
    if problem:
        return _undo_failed(site, record_, seen, problem)
    forget(site.engine(record_.region), stack=stack)
    record(
        site.ledger,
        stack,
        now=now_utc(),
        run_id=site.run_id,
        status="undone",
        message=f"as it was before; undone because {why}",
        attempts=attempts(record_, Outcome.INCONCLUSIVE if not over_drift else Outcome.INEFFECTIVE),
    )
    show_outcome(stack, "undone", why)
    return StackReport(
        status="undone",
        stack=stack,
        changes=len(record_.changes),
        delta_usd_per_month=None if seen is None else seen.delta_usd,
        message=why,
    )


def _undone(
    site: Site,
    record_: StackRecord,
    entry: StackEntry,
    prices: StackPrices,
    *,
    over_drift: bool,
) -> tuple[Preview, str]:
    """Return the undo's preview, and what went wrong; empty for nothing."""
    folder = write_programs(record_, site.folder(record_.stack))
    settings, plan = site.engine(record_.region), folder / ".undo.plan"
    seen = preview_stack(
        settings, folder, Sealed(record_), Phase.UNDO, Sealed(prices), pack=site.pack, plan=plan
    )
    approved = _approved(site, entry)
    unmade = never_made(seen, approved)
    if unmade:
        seen = preview_stack(
            settings,
            folder,
            Sealed(record_),
            Phase.UNDO,
            Sealed(prices),
            pack=site.pack,
            plan=plan,
            exclude=unmade,
        )
    show_preview(Sealed(seen), Sealed(record_))
    against = check_undo(seen, site.policy, applied=approved, over_drift=over_drift)
    if against:
        return seen, "; ".join(against)
    if seen.acting:
        applied = update_stack(settings, folder, seen, plan=plan, exclude=unmade)
        if not applied.complete:
            return seen, applied.error
    health = verify_stack(site, record_, seen, applied_at=now_utc(), quiet=timedelta(0))
    return seen, "" if health.health is Health.HEALTHY else health.why


def _approved(site: Site, entry: StackEntry) -> Preview:
    """Return the preview of the change: the undo may act on nothing else."""
    if entry.preview is None:
        message = "the preview of the change is not stored; undo it by hand with its undo program"
        raise PermanentError(message)
    return from_json(Preview, load_object(site.store, stored_object(entry.preview)))


def _undo_failed(
    site: Site, record_: StackRecord, seen: Preview | None, problem: str
) -> StackReport:
    record(
        site.ledger,
        record_.stack,
        now=now_utc(),
        run_id=site.run_id,
        status="undo-failed",
        message=problem,
        attempts=attempts(record_, Outcome.INEFFECTIVE),
    )
    left = [] if seen is None else [one.name for one in seen.acting]
    tell_of_failed_undo(site, record_.stack, why=problem, left=left)
    show_outcome(record_.stack, "undo-failed", problem)
    return StackReport(
        status="undo-failed",
        stack=record_.stack,
        changes=len(record_.changes),
        message=problem,
    )
