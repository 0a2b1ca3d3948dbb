"""Verify savings: what applied changes really saved, against what nobody touched."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import cast

from prefect import flow
from prefect.blocks.core import Block
from prefect.logging import get_run_logger

from blocks import AwsAccount, SavingsRealised, SpotOutlook, UsageProfile
from flows.blocks import block_of
from flows.due import reason_to_skip
from flows.parameters import BlockName, StorageName
from flows.runners import chosen_runner
from tasks.adapters.objects import Storage
from tasks.adapters.state import load_state
from tasks.chunks import Sealed
from tasks.domain.savings.realised.report import RealisedDocument
from tasks.domain.savings.realised.values import Verdict
from tasks.savings.opportunities import load_spot_quotes, load_use
from tasks.savings.prices import price_book
from tasks.savings.realised import (
    load_realised,
    measure_savings,
    publish_realised,
    show_realised,
    summary_of,
)
from tasks.stacks.ledger import ledger_of
from tasks.stacks.realised import History, load_history

STALE_AFTER = timedelta(hours=12)
"""A scheduled run that starts later than this is skipped: the next one is due."""
NOTHING = "nothing has been applied yet, so there is nothing to measure"


@dataclass(frozen=True, kw_only=True)
class RealisedReport:
    """What a run found, in short; the rest is in artifacts and in the SavingsRealised block.

    Attributes:
        changes: That were applied, whatever became of them.
        verdicts: How many of them have each verdict; those that none has are left out.
        expected_usd_per_month: Of those that stand, with or without a verdict.
        told_expected_usd_per_month: Of those with a verdict; None without any.
        realised_usd_per_month: What they saved; None without any.
        realised_low_usd_per_month: All of them wrong the same way; None without any.
        realised_high_usd_per_month: The same.
        next_look_at: When more can be said of the first that it is too early for; None for none.
        message: Why it ended so.
        skipped: Why nothing was done; None otherwise.
    """

    changes: int = 0
    verdicts: dict[str, int] = field(default_factory=dict)
    expected_usd_per_month: float | None = None
    told_expected_usd_per_month: float | None = None
    realised_usd_per_month: float | None = None
    realised_low_usd_per_month: float | None = None
    realised_high_usd_per_month: float | None = None
    next_look_at: datetime | None = None
    message: str = ""
    skipped: str | None = None


def run_name() -> str:
    """Return a name that tells runs apart in a list."""
    return f"realised-{datetime.now(UTC):%d%b-%H%M}".lower()


@flow(
    name="verify-savings",
    flow_run_name=run_name,
    task_runner=chosen_runner(),
    timeout_seconds=3600,
)
def verify_savings(
    account: BlockName = "homeostat",
    storage: StorageName = "local-file-system/homeostat",
    profile: BlockName = "homeostat",
    outlook: BlockName = "homeostat",
    ledger: BlockName = "homeostat",
    realised: BlockName = "homeostat",
) -> RealisedReport:
    """Measure what each applied change really saved, with an interval, and what it should have.

    The cost of what was changed, before and after, is compared with what happened meanwhile to
    resources like it that nobody touched, by what `cluster-usage` observed. A change needs seven
    whole days on either side; until then the run says when it will be known. What was measured stays
    when the days before are no longer observed, and a change that was undone counts until then.
    Reads prices, and changes nothing.

    Args:
        account: Name of the AwsAccount block.
        storage: Storage block for what was observed, applied and found, as type/name.
        profile: Name of the UsageProfile block to read.
        outlook: Name of the SpotOutlook block to read, for prices.
        ledger: Name of the StackLedger block to read.
        realised: Name of the SavingsRealised block to write.
    """
    if (reason := reason_to_skip(STALE_AFTER)) is not None:
        get_run_logger().warning("realised.run.skipped reason=%s", reason)
        return RealisedReport(message=reason, skipped=reason)
    store = cast("Storage", Block.load(storage))
    history = load_history(store, ledger, ledger_of(ledger))
    if not history.dated:
        return nothing_applied(store, history, realised=realised)
    aws, now = block_of(AwsAccount, account), datetime.now(UTC)
    quotes = load_spot_quotes.submit(store, outlook, load_state(SpotOutlook, outlook), now)
    earlier = load_realised.submit(store, realised, load_state(SavingsRealised, realised))
    use = load_use(store, profile, load_state(UsageProfile, profile), now)
    prices = price_book(aws, use.inventory, quotes.result())
    found = measure_savings(
        Sealed(history.dated),
        Sealed(use),
        Sealed(prices),
        Sealed(earlier.result()),
        touched=history.touched,
    )
    publish_realised(store, realised, Sealed(found))
    show_realised(Sealed(found), history.lost)
    return report_of(found)


def nothing_applied(store: Storage, history: History, *, realised: str) -> RealisedReport:
    """Say that there is nothing to measure, and end well."""
    get_run_logger().info("realised.run.nothing lost=%d", len(history.lost))
    publish_realised(store, realised, Sealed(None))
    empty = RealisedDocument(observed_at=datetime.now(UTC), changes=())
    show_realised(Sealed(empty), history.lost)
    return RealisedReport(message=NOTHING)


def report_of(found: RealisedDocument) -> RealisedReport:
    """Return a run in short."""
    short = summary_of(found)
    verdicts = {str(one): len(found.of(one)) for one in Verdict if found.of(one)}
    return RealisedReport(
        changes=len(found.changes),
        verdicts=verdicts,
        expected_usd_per_month=short.expected_usd_per_month,
        told_expected_usd_per_month=short.told_expected_usd_per_month,
        realised_usd_per_month=short.realised_usd_per_month,
        realised_low_usd_per_month=short.realised_low_usd_per_month,
        realised_high_usd_per_month=short.realised_high_usd_per_month,
        next_look_at=short.next_look_at,
        message=", ".join(f"{count} {verdict}" for verdict, count in verdicts.items()),
    )


if __name__ == "__main__":
    verify_savings()
