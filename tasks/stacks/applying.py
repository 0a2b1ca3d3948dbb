"""From an answer to the account: compared with what was asked, and applied if it is still that."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from prefect.logging import get_run_logger

from blocks import ObjectPointer
from tasks.adapters.signatures import verified_signers
from tasks.chunks import Sealed
from tasks.domain.stacks.applied import Applied
from tasks.domain.stacks.approval import ApprovalRequest, Given, signed_text
from tasks.domain.stacks.changes import Phase
from tasks.domain.stacks.judgement import Denied, auto_approved, judge
from tasks.domain.stacks.preview import Preview
from tasks.domain.stacks.record import StackRecord
from tasks.domain.stacks.stack_prices import StackPrices
from tasks.stacks.guarding import guarded, release
from tasks.stacks.ledger import ledger_of, record, store_document
from tasks.stacks.outcome import StackReport
from tasks.stacks.previews import preview_stack
from tasks.stacks.programs import write_programs
from tasks.stacks.proposing import Proposal, signers_needed
from tasks.stacks.site import Site
from tasks.stacks.telling import show_outcome
from tasks.stacks.updates import update_stack
from tasks.stacks.verifying import now_utc


def apply_unasked(
    site: Site, proposal: Proposal, prices: StackPrices, *, population: int | None
) -> StackReport:
    """Apply what the guardrails let be applied without a question, previewed anew."""
    now = now_utc()
    seen, plan = _again(site, proposal, prices)
    verdict = auto_approved(seen, site.policy, changes=proposal.record.changes, now=now)
    why = (
        verdict.why
        if isinstance(verdict, Denied)
        else guarded(site, proposal.record, seen, population=population)
    )
    if why:
        return _refused(site, proposal.record, "; ".join(why))
    return carry_out(site, proposal.record, seen, plan, request_id=None)


def apply_answered(
    site: Site,
    proposal: Proposal,
    given: Given,
    prices: StackPrices,
    *,
    population: int | None,
    last: bool,
) -> StackReport:
    """Apply what was approved, if it is still exactly that and still allowed.

    Returns:
        Status "waiting" where signatures are missing and the request may be answered again.
    """
    assert proposal.request is not None  # noqa: S101 - for the type checker
    request, now = proposal.request, now_utc()
    signers = verified_signers(
        signed_text(request.hash),
        given.signatures,
        allowed_signers=site.policy.allowed_signers,
        at=now,
    )
    if not last and _may_be_mended(site, request, given, proposal.preview, len(signers), now=now):
        get_run_logger().warning("stacks.answer.short stack=%s signers=%s", request.stack, signers)
        return StackReport(status="waiting", stack=request.stack, message="signatures are missing")
    answer = store_document(site.store, Given, given, prefix="answers")
    record(
        site.ledger,
        request.stack,
        now=now,
        run_id=site.run_id,
        expect=frozenset({"waiting"}),
        answer=answer,
    )
    if not given.approved:
        no = f"{given.approver or 'somebody'} rejected it: {given.reason or 'no reason given'}"
        return _refused(site, proposal.record, no, request=request, answer=answer)
    seen, plan = _again(site, proposal, prices)
    verdict = judge(
        request,
        given,
        preview_now=seen,
        now=now_utc(),
        verified_signers=signers,
        used=frozenset(ledger_of(site.ledger).used_requests),
        signers_needed=site.policy.signers_needed,
        record_sha256=proposal.record.record_sha256,
    )
    why = (
        verdict.why
        if isinstance(verdict, Denied)
        else guarded(site, proposal.record, seen, population=population)
    )
    if why:
        return _refused(site, proposal.record, "; ".join(why), request=request, answer=answer)
    return carry_out(
        site, proposal.record, seen, plan, request_id=request.request_id, answer=answer
    )


def _may_be_mended(
    site: Site,
    request: ApprovalRequest,
    given: Given,
    preview: Preview,
    signers: int,
    *,
    now: datetime,
) -> bool:
    needed = signers_needed(site, preview)
    in_time = now < request.expires_at
    return given.approved and given.hash == request.hash and in_time and signers < needed


def _again(site: Site, proposal: Proposal, prices: StackPrices) -> tuple[Preview, Path]:
    """Return a fresh preview with the engine's plan of it, from the programs as they were stored."""
    record_ = proposal.record
    folder = write_programs(record_, site.folder(record_.stack))
    plan = folder / ".change.plan"
    seen = preview_stack(
        site.engine(record_.region),
        folder,
        Sealed(record_),
        Phase.CHANGE,
        Sealed(prices),
        pack=site.pack,
        plan=plan,
    )
    return seen, plan


def _refused(
    site: Site,
    record_: StackRecord,
    why: str,
    *,
    request: ApprovalRequest | None = None,
    answer: ObjectPointer | None = None,
) -> StackReport:
    record(
        site.ledger,
        record_.stack,
        now=now_utc(),
        run_id=site.run_id,
        used_request=None if request is None else request.request_id,
        status="refused",
        message=why,
        answer=answer,
    )
    release(site, record_.stack, record_.region)
    get_run_logger().warning("stacks.refused stack=%s why=%s", record_.stack, why)
    show_outcome(record_.stack, "refused", why)
    return StackReport(
        status="refused", stack=record_.stack, changes=len(record_.changes), message=why
    )


def carry_out(
    site: Site,
    record_: StackRecord,
    seen: Preview,
    plan: Path,
    *,
    request_id: str | None,
    approved: Preview | None = None,
    answer: ObjectPointer | None = None,
) -> StackReport:
    """Apply a preview that may be applied; the ledger knows before and after.

    Only called under the lock of updates.

    Args:
        site: Where.
        record_: The stack.
        seen: Previewed a moment ago.
        plan: The engine's plan of it.
        request_id: Of the request that is used up by it; None without one.
        approved: What was approved, where `seen` is only what is left of it; None for the same.
        answer: What was answered; None where nobody was asked, or it is kept already.
    """
    whole = seen if approved is None else approved
    answered: dict[str, Any] = {} if answer is None else {"answer": answer}
    record(
        site.ledger,
        record_.stack,
        now=now_utc(),
        run_id=site.run_id,
        status="applying",
        preview=store_document(site.store, Preview, whole, prefix="previews"),
        delta_usd_per_month=whole.delta_usd,
        used_request=request_id,
        message="the engine applies it",
        **answered,
    )
    applied = update_stack(site.engine(record_.region), site.folder(record_.stack), seen, plan=plan)
    return keep_applied(site, record_, whole, applied)


def keep_applied(site: Site, record_: StackRecord, seen: Preview, applied: Applied) -> StackReport:
    """Record what an update did, complete or not."""
    now = now_utc()
    message = "applied, not verified yet" if applied.complete else f"half done: {applied.error}"
    record(
        site.ledger,
        record_.stack,
        now=now,
        run_id=site.run_id,
        status="applied",
        applied=store_document(site.store, Applied, applied, prefix="applied"),
        applied_at=now,
        message=message,
    )
    return StackReport(
        status="applied",
        stack=record_.stack,
        changes=len(record_.changes),
        delta_usd_per_month=seen.delta_usd,
        message=message,
    )
