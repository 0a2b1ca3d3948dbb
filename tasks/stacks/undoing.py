"""Back to how it was before: by the program that was generated, and approved, with the change."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from blocks import StackEntry
from tasks.adapters.documents import from_json
from tasks.adapters.objects import load_object
from tasks.adapters.state import stored_object
from tasks.chunks import Sealed
from tasks.domain.errors import InfraError, PermanentError
from tasks.domain.guardrails.cooldown import Outcome
from tasks.domain.guardrails.policy import KILLED
from tasks.domain.guardrails.previews import check_undo, never_made
from tasks.domain.stacks.changes import Phase
from tasks.domain.stacks.foreign import foreign_changes
from tasks.domain.stacks.health import Health
from tasks.domain.stacks.preview import Preview
from tasks.domain.stacks.record import StackRecord
from tasks.domain.stacks.stack_prices import StackPrices
from tasks.stacks.guarding import release
from tasks.stacks.ledger import entry_of, ledger_of, record, stored_record
from tasks.stacks.outcome import StackReport
from tasks.stacks.previews import preview_stack, show_preview
from tasks.stacks.programs import write_programs
from tasks.stacks.site import Site
from tasks.stacks.telling import show_outcome, tell_of_failed_undo
from tasks.stacks.updates import recover_stack, update_stack
from tasks.stacks.verifying import attempts, now_utc, verify_stack

UNDOABLE = frozenset({"applied", "verified", "applying", "undoing", "undo-failed"})
HOW_TO_INSIST = (
    "take those changes back, or run undo-stack with insist=true, which overwrites them with what was "
    "there before"
)


class NotUndoneError(PermanentError):
    """An undo was refused before anything was done: the stack stands as it did."""


def undo(
    site: Site,
    stack: str,
    prices: StackPrices,
    *,
    why: str,
    failed: bool = False,
    insist: bool = False,
) -> StackReport:
    """Run a stack's undo program, verify it, and let go of what was adopted.

    Only called under the lock of updates.

    Args:
        site: Where.
        stack: Its name.
        prices: Of its region, for what is shown.
        why: It is undone.
        failed: The change did not prove itself: people are called where it cannot be taken back.
        insist: Also over what somebody else changed since.

    Raises:
        NotUndoneError: It was refused before anything was done, and nobody has to be called.
    """
    entry = entry_of(ledger_of(site.ledger), stack)
    if entry.status not in UNDOABLE:
        message = f"stack {stack} is {entry.status}: there is nothing of it in the account to undo"
        raise NotUndoneError(message)
    record_ = stored_record(site.store, entry, stack)
    try:
        seen, plan, unmade = _previewed(site, record_, entry, prices, insist=insist)
    except NotUndoneError as error:
        if not failed:
            raise
        return _undo_failed(site, record_, None, str(error))
    record(site.ledger, stack, now=now_utc(), run_id=site.run_id, status="undoing", message=why)
    try:
        problem = _undone(site, record_, seen, plan, unmade)
    except InfraError as error:
        problem = str(error)
    if problem:
        return _undo_failed(site, record_, seen, problem)
    record(
        site.ledger,
        stack,
        now=now_utc(),
        run_id=site.run_id,
        status="undone",
        message=f"as it was before; undone because {why}",
        attempts=attempts(record_, Outcome.INEFFECTIVE if failed else Outcome.INCONCLUSIVE),
    )
    release(site, stack, record_.region)
    show_outcome(stack, "undone", why)
    return StackReport(
        status="undone",
        stack=stack,
        changes=len(record_.changes),
        delta_usd_per_month=seen.delta_usd,
        message=why,
    )


def _previewed(
    site: Site, record_: StackRecord, entry: StackEntry, prices: StackPrices, *, insist: bool
) -> tuple[Preview, Path, tuple[str, ...]]:
    """Return the undo's preview with its plan, and what it leaves out.

    Raises:
        NotUndoneError: It must not be done.
    """
    if site.policy.kill_switch:
        raise NotUndoneError(KILLED)
    approved = _approved(site, entry)
    settings, folder = site.engine(record_.region), site.folder(record_.stack)
    write_programs(record_, folder)
    plan = folder / ".undo.plan"
    # An update that failed half-way may have left something that the engine does not know of.
    recover_stack(site, record_.stack, record_.region)

    def look(exclude: tuple[str, ...]) -> Preview:
        return preview_stack(
            settings,
            folder,
            Sealed(record_),
            Phase.UNDO,
            Sealed(prices),
            pack=site.pack,
            plan=plan,
            exclude=exclude,
        )

    seen = look(())
    unmade = never_made(seen, approved)
    if unmade:
        seen = look(unmade)
    show_preview(Sealed(seen), Sealed(record_))
    foreign = () if insist else foreign_changes(seen, approved)
    if foreign:
        message = f"somebody else changed {'; '.join(foreign[:5])} since: {HOW_TO_INSIST}"
        raise NotUndoneError(message)
    against = check_undo(seen, site.policy, applied=approved, over_drift=True)
    if against:
        raise NotUndoneError("; ".join(against))
    return seen, plan, unmade


def _undone(
    site: Site, record_: StackRecord, seen: Preview, plan: Path, unmade: tuple[str, ...]
) -> str:
    """Return what went wrong; empty where everything is as it was."""
    if seen.acting:
        applied = update_stack(
            site.engine(record_.region),
            site.folder(record_.stack),
            seen,
            plan=plan,
            exclude=unmade,
        )
        if not applied.complete:
            return applied.error
    health = verify_stack(site, record_, seen, applied_at=now_utc(), quiet=timedelta(0))
    return "" if health.health is Health.HEALTHY else health.why


def _approved(site: Site, entry: StackEntry) -> Preview:
    """Return the preview of the change: the undo may act on nothing else."""
    if entry.preview is None:
        message = "the preview of the change is not stored; undo it by hand with its undo program"
        raise NotUndoneError(message)
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
    left = list(record_.resources) if seen is None else [one.name for one in seen.acting]
    tell_of_failed_undo(site, record_.stack, why=problem, left=left)
    show_outcome(record_.stack, "undo-failed", problem)
    return StackReport(
        status="undo-failed",
        stack=record_.stack,
        changes=len(record_.changes),
        message=problem,
    )
