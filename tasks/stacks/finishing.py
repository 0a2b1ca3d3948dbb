"""The end of a change: verified, or taken back."""

from __future__ import annotations

from dataclasses import replace

from blocks import StackEntry
from tasks.adapters.documents import from_json
from tasks.adapters.objects import load_object
from tasks.adapters.state import stored_object
from tasks.chunks import Sealed
from tasks.domain.errors import PermanentError
from tasks.domain.guardrails.cooldown import Outcome
from tasks.domain.stacks.applied import Applied
from tasks.domain.stacks.health import Health, HealthReport
from tasks.domain.stacks.preview import Preview
from tasks.domain.stacks.record import StackRecord
from tasks.domain.stacks.stack_prices import StackPrices
from tasks.stacks.ledger import SupersededError, entry_of, ledger_of, record, stored_record
from tasks.stacks.outcome import StackReport
from tasks.stacks.site import Site
from tasks.stacks.telling import show_outcome, tell_of_trouble
from tasks.stacks.undoing import undo
from tasks.stacks.updates import only_update
from tasks.stacks.verifying import attempts, now_utc, verify_stack


def finish(site: Site, report: StackReport, prices: StackPrices) -> StackReport:
    """Verify what was applied, and take it back where it does not prove itself."""
    if report.status != "applied":
        return report
    entry = entry_of(ledger_of(site.ledger), report.stack)
    record_ = stored_record(site.store, entry, report.stack)
    applied, preview = _documents(site, entry)
    if applied.complete:
        try:
            health = verify_stack(site, record_, preview, applied_at=entry.applied_at or now_utc())
            if health.health is Health.HEALTHY:
                return _verified(site, record_, report, health)
        except SupersededError as error:
            return replace(report, status=error.status, message=str(error))
        why = health.why
    else:
        why = applied.error
    tell_of_trouble(site, report.stack, why=why)
    with only_update():
        now = entry_of(ledger_of(site.ledger), report.stack).status
        if now != "applied":
            return replace(report, status=now, message=f"it is {now} meanwhile")
        return undo(site, report.stack, prices, why=why, failed=True)


def _documents(site: Site, entry: StackEntry) -> tuple[Applied, Preview]:
    if entry.applied is None or entry.preview is None:
        message = "what was applied is not stored; look at the account, then run undo-stack"
        raise PermanentError(message)
    applied = from_json(Applied, load_object(site.store, stored_object(entry.applied)))
    return applied, from_json(Preview, load_object(site.store, stored_object(entry.preview)))


def _verified(
    site: Site, record_: StackRecord, report: StackReport, health: HealthReport
) -> StackReport:
    count = len(health.resources)
    said = f"{count} resources are as they should be, and alarms are quiet" if count else health.why
    record(
        site.ledger,
        record_.stack,
        now=now_utc(),
        run_id=site.run_id,
        expect=frozenset({"applied"}),
        status="verified",
        message=said,
        attempts=attempts(record_, Outcome.VERIFIED),
    )
    show_outcome(record_.stack, "verified", said, health=Sealed(health))
    return StackReport(
        status="verified",
        stack=record_.stack,
        changes=report.changes,
        delta_usd_per_month=report.delta_usd_per_month,
        message=said,
    )
