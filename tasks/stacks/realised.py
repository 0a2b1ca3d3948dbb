"""What was applied and undone so far, as the ledger has it: for what it really saved."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from prefect.logging import get_run_logger

from blocks import StackEntry, StackLedger
from tasks.adapters.documents import UnreadableDocumentError, from_json
from tasks.adapters.objects import (
    CorruptObjectError,
    MissingObjectError,
    Storage,
    load_object,
)
from tasks.adapters.state import stored_object
from tasks.domain.errors import PermanentError
from tasks.domain.stacks.applied import Applied
from tasks.domain.stacks.dated import Dated, dated_changes, other_touches
from tasks.retries import remote_task
from tasks.stacks.ledger import stored_record

STANDING = frozenset({"applied", "verified", "released"})
"""While a stack stands like this, the account is as its change program says."""
UNDONE = "undone"


@dataclass(frozen=True, kw_only=True)
class History:
    """What stacks did to an account.

    Attributes:
        dated: Every change that was applied.
        touched: When series were changed besides, by series.
        lost: Why nothing can be told of a stack that was applied, by its name.
    """

    dated: tuple[Dated, ...] = ()
    touched: dict[str, tuple[datetime, ...]] = field(default_factory=dict)
    lost: dict[str, str] = field(default_factory=dict)


@remote_task("load-history", run_name="load {name}")
def load_history(storage: Storage, name: str, ledger: StackLedger) -> History:
    """Return every change that a stack of the ledger applied, whatever became of it.

    Args:
        storage: Where programs and results lie.
        name: Of the ledger, for messages.
        ledger: As it stands.
    """
    dated: list[Dated] = []
    lost: dict[str, str] = {}
    for stack, entry in sorted(ledger.stacks.items()):
        if entry.applied_at is None:
            continue
        try:
            dated += _dated(storage, stack, entry, applied_at=entry.applied_at)
        except PermanentError as error:
            # One stack whose documents are gone must not hide what the others saved.
            get_run_logger().warning("stacks.history.lost stack=%s reason=%s", stack, error)
            lost[stack] = str(error)
    touched = other_touches(dated, ((one.target, one.at) for one in ledger.attempts))
    get_run_logger().info(
        "stacks.history ledger=%s changes=%d undone=%d lost=%d",
        name,
        len(dated),
        sum(one.undone_at is not None for one in dated),
        len(lost),
    )
    return History(dated=tuple(dated), touched=touched, lost=lost)


def _dated(
    storage: Storage, stack: str, entry: StackEntry, *, applied_at: datetime
) -> tuple[Dated, ...]:
    stands = entry.status in STANDING
    doubt = "" if stands or entry.status == UNDONE else f"its stack is {entry.status}"
    return dated_changes(
        stored_record(storage, entry, stack),
        applied=_applied(storage, entry),
        applied_at=applied_at,
        undone_at=None if stands else entry.updated_at,
        doubt=doubt,
    )


def _applied(storage: Storage, entry: StackEntry) -> Applied | None:
    """Return what the update did; None where that is lost: most kinds do without."""
    if entry.applied is None:
        return None
    try:
        return from_json(Applied, load_object(storage, stored_object(entry.applied)))
    except (MissingObjectError, CorruptObjectError, UnreadableDocumentError) as error:
        get_run_logger().warning("stacks.history.result_lost reason=%s", error)
        return None
