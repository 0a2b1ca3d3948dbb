"""From a plan to a proposal: programs, adoption, preview, and the question to people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from blocks import ObjectPointer
from tasks.adapters.documents import from_json
from tasks.adapters.objects import load_object, store_object
from tasks.adapters.pulumi.environment import engine_version
from tasks.adapters.state import stored_object
from tasks.chunks import Sealed
from tasks.domain.errors import PermanentError
from tasks.domain.guardrails.previews import check_preview
from tasks.domain.guardrails.signers import too_few_signers
from tasks.domain.stacks.applied import is_adoption_only
from tasks.domain.stacks.approval import ApprovalRequest, ask, demanded
from tasks.domain.stacks.approval_text import approval_text
from tasks.domain.stacks.changes import Phase
from tasks.domain.stacks.judgement import Approved, auto_approved
from tasks.domain.stacks.preview import Preview
from tasks.domain.stacks.record import StackRecord
from tasks.domain.stacks.stack_prices import StackPrices
from tasks.stacks.guarding import release
from tasks.stacks.ledger import (
    entry_of,
    ledger_of,
    managed,
    record,
    store_document,
    stored_record,
)
from tasks.stacks.outcome import StackReport
from tasks.stacks.planning import Planned
from tasks.stacks.previews import estimate_stack, preview_stack, show_preview
from tasks.stacks.programs import generate_programs, write_programs
from tasks.stacks.site import Site
from tasks.stacks.telling import show_refused, tell_of_approval
from tasks.stacks.updates import only_update, update_stack

NO_ENGINE = (
    "there is no `pulumi` here, so this is an estimate, which nobody can approve: install Pulumi 3 "
    "(https://www.pulumi.com/docs/install/) or run `make tools`, then run apply-savings again"
)
NOT_ALLOWED = (
    "the guardrails let nothing here be applied, so this is an estimate to read: set mode or a scope "
    "to approve or auto in the Guardrails block to have it applied"
)


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A previewed stack that can be decided about.

    Attributes:
        request: The question to people; None where the guardrails let it be applied unasked.
        text: Above the form, in Markdown.
    """

    record: StackRecord
    preview: Preview
    request: ApprovalRequest | None
    text: str = ""


def propose(
    site: Site,
    planned: Planned,
    prices: StackPrices,
    *,
    names: Mapping[str, str],
    now: datetime,
) -> Proposal | StackReport:
    """Return what can be decided about; a report where it ends here. Call it in a flow."""
    try:
        return _proposed(site, planned, prices, names=names, now=now)
    finally:
        # Last: what is in the stack is read first.
        show_refused(Sealed(planned.checked.refused))


def _proposed(
    site: Site,
    planned: Planned,
    prices: StackPrices,
    *,
    names: Mapping[str, str],
    now: datetime,
) -> Proposal | StackReport:
    if planned.plan is None:
        why = planned.checked.refused[0].why if planned.checked.refused else "nothing to change"
        return StackReport(status="nothing", message=f"no change may be made: {why}")
    record_ = generate_programs(Sealed(planned.plan), Sealed(prices), now=now)
    changed = {one.resource for one in record_.changes}
    record_ = replace(record_, names={k: v for k, v in names.items() if k in changed})
    folder = write_programs(record_, site.folder(record_.stack))
    engine = engine_version(site.engine(record_.region))
    if engine is None or not planned.applying:
        why = NOT_ALLOWED if engine is not None else NO_ENGINE
        return _estimated(site, record_, folder, prices, why=why, now=now)
    return _previewed(site, record_, folder, prices, now=now)


def _estimated(
    site: Site,
    record_: StackRecord,
    folder: Path,
    prices: StackPrices,
    *,
    why: str,
    now: datetime,
) -> StackReport:
    preview = estimate_stack(
        site.engine(record_.region), folder, Sealed(record_), Sealed(prices), pack=site.pack
    )
    show_preview(Sealed(preview), Sealed(record_))
    _keep(site, record_, preview, status="proposed", message=why, now=now)
    return StackReport(
        status="proposed",
        stack=record_.stack,
        changes=len(record_.changes),
        delta_usd_per_month=preview.delta_usd,
        message=why,
    )


def _previewed(
    site: Site, record_: StackRecord, folder: Path, prices: StackPrices, *, now: datetime
) -> Proposal | StackReport:
    with only_update():
        taken = managed(ledger_of(site.ledger))
        held = [one for one in record_.managed if taken.get((record_.region, one))]
        if held:
            other = taken[record_.region, held[0]]
            message = f"{held[0]} is managed by the stack {other}: finish or undo that first"
            return StackReport(status="nothing", stack=record_.stack, message=message)
        adopt(site, record_, folder, prices, now=now)
        preview = preview_stack(
            site.engine(record_.region),
            folder,
            Sealed(record_),
            Phase.CHANGE,
            Sealed(prices),
            pack=site.pack,
        )
        return _decidable(site, record_, preview, now=now)


def _decidable(
    site: Site, record_: StackRecord, preview: Preview, *, now: datetime
) -> Proposal | StackReport:
    show_preview(Sealed(preview), Sealed(record_))
    against = check_preview(preview, site.policy)
    unsigned = too_few_signers(site.policy.allowed_signers, needed=signers_needed(site, preview))
    if unsigned is not None:
        against = (*against, unsigned)
    if not preview.acting:
        against = ("everything is as the stack wants it already",)
    if against:
        _keep(site, record_, preview, status="refused", message="; ".join(against), now=now)
        release(site, record_.stack, record_.region)
        return StackReport(
            status="refused",
            stack=record_.stack,
            changes=len(record_.changes),
            delta_usd_per_month=preview.delta_usd,
            message="; ".join(against),
        )
    verdict = auto_approved(preview, site.policy, changes=record_.changes, now=now)
    if isinstance(verdict, Approved):
        _keep(site, record_, preview, status="adopted", message="may be applied unasked", now=now)
        return Proposal(record=record_, preview=preview, request=None)
    return _asking(site, record_, preview, now=now)


def _asking(site: Site, record_: StackRecord, preview: Preview, *, now: datetime) -> Proposal:
    request = ask(
        preview,
        request_id=str(uuid4()),
        requested_at=now,
        expires_at=now + site.policy.approval_valid,
        record_sha256=record_.record_sha256,
    )
    _keep(
        site,
        record_,
        preview,
        status="waiting",
        message=f"waits for approval: {demanded(preview)}",
        now=now,
        request=request,
    )
    tell_of_approval(site, preview, request)
    return Proposal(
        record=record_,
        preview=preview,
        request=request,
        text=_text(site, request, preview, record_),
    )


def signers_needed(site: Site, preview: Preview) -> int:
    """Return how many have to sign; 0 where the form is enough."""
    least = demanded(preview).signers
    return max(least, site.policy.signers_needed) if least else 0


def _text(site: Site, request: ApprovalRequest, preview: Preview, record_: StackRecord) -> str:
    return approval_text(
        request, preview, changes=record_.changes, signers_needed=site.policy.signers_needed
    )


def adopt(
    site: Site, record_: StackRecord, folder: Path, prices: StackPrices, *, now: datetime
) -> None:
    """Bring what exists under the stack, with no change to the account.

    Raises:
        PermanentError: It would change something, or the engine failed.
    """
    settings = site.engine(record_.region)
    plan = folder / ".adopt.plan"
    seen = preview_stack(
        settings, folder, Sealed(record_), Phase.ADOPT, Sealed(prices), pack=site.pack, plan=plan
    )
    if not seen.acting:
        return
    if not is_adoption_only(seen):
        others = ", ".join(f"{one.operation} {one.name}" for one in seen.acting)
        message = (
            f"{record_.stack}: the adoption would change something ({others}); nothing was done"
        )
        raise PermanentError(message)
    pointer = store_document(site.store, StackRecord, record_, prefix="programs")
    record(
        site.ledger,
        record_.stack,
        now=now,
        run_id=site.run_id,
        region=record_.region,
        status="adopting",
        plan=pointer,
        change_ids=[one.change_id for one in record_.changes],
        resources=list(record_.managed),
        message="what exists comes under the stack",
    )
    applied = update_stack(settings, folder, seen, plan=plan)
    if not applied.complete:
        message = f"{record_.stack}: the adoption failed: {applied.error}"
        raise PermanentError(message)


def _keep(
    site: Site,
    record_: StackRecord,
    preview: Preview,
    *,
    status: str,
    message: str,
    now: datetime,
    request: ApprovalRequest | None = None,
) -> None:
    asked: ObjectPointer | None = None
    if request is not None:
        # As it is hashed: `sha256sum` of this file gives the hash that is approved.
        store_object(
            site.store, request.document.encode(), prefix="stacks/documents", suffix=".json"
        )
        asked = store_document(site.store, ApprovalRequest, request, prefix="requests")
    record(
        site.ledger,
        record_.stack,
        now=now,
        run_id=site.run_id,
        region=record_.region,
        status=status,
        change_ids=[one.change_id for one in record_.changes],
        resources=list(record_.managed),
        plan=store_document(site.store, StackRecord, record_, prefix="programs"),
        preview=store_document(site.store, Preview, preview, prefix="previews"),
        approval=asked,
        answer=None,
        applied=None,
        applied_at=None,
        approval_hash=None if request is None else request.hash,
        expires_at=None if request is None else request.expires_at,
        delta_usd_per_month=preview.delta_usd,
        message=message,
    )


def waiting_proposal(site: Site, stack: str) -> Proposal:
    """Return what was asked before the run was suspended.

    Raises:
        PermanentError: What was stored is gone.
    """
    entry = entry_of(ledger_of(site.ledger), stack)
    if entry.preview is None or entry.approval is None:
        message = f"stack {stack} waits, and what was asked is not stored; run apply-savings anew"
        raise PermanentError(message)
    record_ = stored_record(site.store, entry, stack)
    preview = from_json(Preview, load_object(site.store, stored_object(entry.preview)))
    request = from_json(ApprovalRequest, load_object(site.store, stored_object(entry.approval)))
    write_programs(record_, site.folder(stack))
    return Proposal(
        record=record_,
        preview=preview,
        request=request,
        text=_text(site, request, preview, record_),
    )
