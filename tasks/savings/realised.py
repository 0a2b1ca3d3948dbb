"""What applied changes really saved: measured in one task, published under the lock, shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from prefect import task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

from blocks import ObjectPointer, SavingsRealised
from tasks.adapters.documents import UnreadableDocumentError, from_json, to_json
from tasks.adapters.objects import (
    CorruptObjectError,
    MissingObjectError,
    Storage,
    load_object,
    store_object,
)
from tasks.adapters.state import object_pointer, publish_state, stored_object
from tasks.chunks import Sealed
from tasks.domain.savings.money import PriceBook
from tasks.domain.savings.realised.report import (
    RealisedDocument,
    realised_document,
    realised_markdown,
    realised_rows,
    total_of,
)
from tasks.domain.savings.realised.values import Realised, Verdict
from tasks.domain.stacks.dated import Dated
from tasks.domain.stacks.realised import Observed, realised_changes
from tasks.domain.stacks.realised_text import lost_markdown, undone_markdown
from tasks.retries import remote_task
from tasks.savings.opportunities import ObservedUse, names_of

SUMMARY_KEY = "realised-summary"
CHANGES_KEY = "realised-changes"


@remote_task("load-realised", run_name="load {name}")
def load_realised(storage: Storage, name: str, state: SavingsRealised) -> tuple[Realised, ...]:
    """Return what the last run said of each change; nothing where that is not known.

    Args:
        storage: Where it lies.
        name: Of the block, for messages.
        state: Its pointer.
    """
    if state.details is None:
        return ()
    try:
        content = load_object(storage, stored_object(state.details))
        return from_json(RealisedDocument, content).changes
    except (MissingObjectError, CorruptObjectError, UnreadableDocumentError) as error:
        get_run_logger().warning("realised.earlier.lost block=%s reason=%s", name, error)
        return ()


@task(name="measure-savings", timeout_seconds=900, cache_policy=NO_CACHE)
def measure_savings(
    dated: Sealed[Sequence[Dated]],
    use: Sealed[ObservedUse],
    prices: Sealed[PriceBook],
    earlier: Sealed[Sequence[Realised]],
    *,
    touched: Mapping[str, tuple[datetime, ...]],
) -> RealisedDocument:
    """Return what each applied change saved, compared with what nobody touched.

    Args:
        dated: Every change that was applied.
        use: What `cluster-usage` observed last.
        prices: Of everywhere that something runs.
        earlier: What the last run said.
        touched: When series were changed besides.
    """
    seen = use.value
    observed = Observed(
        inventory=seen.inventory,
        panel=seen.panel,
        prices=prices.value,
        peers={one: str(archetype) for one, archetype in seen.archetypes.items()},
        touched=touched,
    )
    found = realised_changes(dated.value, observed, earlier.value)
    for one in found:
        get_run_logger().info(
            "realised.change id=%s resource=%s verdict=%s expected_usd=%.2f saved_usd=%s days=%d",
            one.change.change_id,
            one.change.resource,
            one.verdict,
            one.change.expected.expected,
            "unknown" if one.saving is None else f"{one.saving.expected:.2f}",
            one.days_after,
        )
    return realised_document(found, observed_at=seen.panel.end, names=names_of(seen.inventory))


@remote_task("publish-realised", run_name="publish {name}")
def publish_realised(
    storage: Storage, name: str, found: Sealed[RealisedDocument | None]
) -> SavingsRealised:
    """Store what was found, then point the block at it; a newer observation's stays.

    Repeating it changes nothing: the same bytes have the same key.

    Args:
        storage: Where to.
        name: Of the block.
        found: None where nothing stands in the ledger: what the block said of it is over.
    """
    document = found.value
    if document is None:
        return publish_state(SavingsRealised, name, _emptied)
    content = to_json(RealisedDocument, document)
    stored = store_object(storage, content, prefix="savings/realised", suffix=".json")
    ours = summary_of(document, details=object_pointer(stored))

    def change(current: SavingsRealised) -> SavingsRealised:
        if current.observed_at is not None and current.observed_at > document.observed_at:
            get_run_logger().info("realised.kept newer=%s", current.observed_at)
            return current
        return ours

    return publish_state(SavingsRealised, name, change)


def _emptied(current: SavingsRealised) -> SavingsRealised:
    return current if current.details is None else SavingsRealised()


def summary_of(found: RealisedDocument, *, details: ObjectPointer | None = None) -> SavingsRealised:
    """Return a document in short, not saved.

    Args:
        found: What was measured.
        details: Where it lies.
    """
    total = total_of(found.changes)
    standing = [one for one in found.changes if one.verdict is not Verdict.UNDONE]
    told = total.realised if total.count else None
    return SavingsRealised(
        observed_at=found.observed_at,
        expected_usd_per_month=sum(one.change.expected.expected for one in standing),
        told_expected_usd_per_month=None if told is None else total.expected_usd,
        realised_usd_per_month=None if told is None else told.expected,
        realised_low_usd_per_month=None if told is None else told.low,
        realised_high_usd_per_month=None if told is None else told.high,
        realised=len(found.of(Verdict.REALISED)),
        partly=len(found.of(Verdict.PARTLY)),
        not_realised=len(found.of(Verdict.NOT)),
        too_early=len(found.of(Verdict.TOO_EARLY)),
        not_measured=len(found.of(Verdict.NOT_MEASURED)),
        undone=len(found.of(Verdict.UNDONE)),
        next_look_at=min((at for one in found.changes if (at := one.known_at)), default=None),
        details=details,
    )


@task(name="show-realised", timeout_seconds=300, cache_policy=NO_CACHE)
def show_realised(found: Sealed[RealisedDocument], lost: Mapping[str, str]) -> None:
    """Create the run's artifacts.

    Args:
        found: What was measured.
        lost: Why nothing can be told of a stack, by its name.
    """
    parts = [realised_markdown(found.value), undone_markdown(found.value), lost_markdown(lost)]
    create_markdown_artifact(
        "\n\n".join(part for part in parts if part),
        key=SUMMARY_KEY,
        description="What applied changes really saved, against what was expected.",
    )
    if rows := realised_rows(found.value):
        create_table_artifact(rows, key=CHANGES_KEY, description="Each applied change, measured")
