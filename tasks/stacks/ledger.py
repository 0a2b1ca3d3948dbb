"""The ledger of stacks: read, and changed under one lock."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from prefect.logging import get_run_logger

from blocks import ChangeAttempt, ObjectPointer, StackEntry, StackLedger
from tasks.adapters.documents import from_json, to_json
from tasks.adapters.objects import Storage, load_object, store_object
from tasks.adapters.state import load_state, object_pointer, publish_state, stored_object
from tasks.domain.errors import PermanentError
from tasks.domain.stacks.record import StackRecord

MANAGING = frozenset(
    {"adopting", "adopted", "waiting", "applying", "applied", "verified", "undoing", "undo-failed"}
)
"""While a stack stands like this, its resources are its own."""
OPEN = frozenset({"adopting", "applying", "undoing"})
"""An update was begun and its end is not recorded: the run that began it may have been killed."""
MOST_REQUESTS = 2000
MOST_ATTEMPTS = 2000
KEPT_FOR = timedelta(days=400)


class NoSuchStackError(PermanentError):
    """A run names a stack that the ledger does not have."""

    def __init__(self, stack: str, *, known: list[str]) -> None:
        said = ", ".join(sorted(known)[-8:]) or "none"
        super().__init__(f"the ledger has no stack {stack!r}; it has: {said}")


class SupersededError(PermanentError):
    """A stack no longer stands as this run left it."""

    def __init__(self, stack: str, status: str) -> None:
        self.status = status
        super().__init__(
            f"stack {stack} is {status} meanwhile: this run leaves it to whoever did that"
        )


def _is_kept(entry: StackEntry, now: datetime) -> bool:
    return entry.status in MANAGING or now - entry.updated_at < KEPT_FOR


def entry_of(ledger: StackLedger, stack: str) -> StackEntry:
    """Return a stack's entry.

    Raises:
        NoSuchStackError: There is none.
    """
    if stack not in ledger.stacks:
        raise NoSuchStackError(stack, known=list(ledger.stacks))
    return ledger.stacks[stack]


def stack_of_run(ledger: StackLedger, run_id: str, *, status: str) -> str | None:
    """Return the stack that a run works on and that stands like this; None for none."""
    found = (n for n, one in ledger.stacks.items() if one.run_id == run_id and one.status == status)
    return next(found, None)


def managed(ledger: StackLedger) -> dict[tuple[str, str], str]:
    """Return the stack that manages a resource, by the resource's region and id."""
    return {
        (entry.region, resource): name
        for name, entry in ledger.stacks.items()
        if entry.status in MANAGING
        for resource in entry.resources
    }


def interrupted(ledger: StackLedger, *, run_id: str) -> tuple[str, ...]:
    """Return the stacks in which another run began an update whose end is not recorded.

    Whoever asks holds the lock of updates, so that run is no longer at work.
    """
    return tuple(
        name
        for name, entry in ledger.stacks.items()
        if entry.status in OPEN and entry.run_id != run_id
    )


def record(
    name: str,
    stack: str,
    *,
    now: datetime,
    run_id: str,
    expect: frozenset[str] | None = None,
    used_request: str | None = None,
    attempts: tuple[ChangeAttempt, ...] = (),
    **changed: Any,
) -> StackEntry:
    """Change a stack's entry, or make it, and return it.

    Args:
        name: Of the ledger.
        stack: Of the stack.
        now: Aware UTC.
        run_id: Of this run.
        expect: How the stack has to stand, and in this run; None for any way.
        used_request: An approval request that is answered now.
        attempts: To remember for the back-off.
        changed: Fields of the entry.

    Raises:
        SupersededError: It stands otherwise: another run, or a person, was faster.
    """

    def change(ledger: StackLedger) -> StackLedger:
        old = ledger.stacks.get(stack)
        if expect is not None and (old is None or old.status not in expect):
            raise SupersededError(stack, "unknown" if old is None else old.status)
        kept = {name: one for name, one in ledger.stacks.items() if _is_kept(one, now)}
        before = {} if old is None else old.model_dump()
        entry = StackEntry.model_validate(
            {**before, **changed, "updated_at": now, "run_id": run_id}
        )
        requests = [*ledger.used_requests, *filter(None, [used_request])]
        tried = [one for one in ledger.attempts if now - one.at < KEPT_FOR]
        return ledger.model_copy(
            update={
                "observed_at": now,
                "stacks": {**kept, stack: entry},
                "used_requests": requests[-MOST_REQUESTS:],
                "attempts": [*tried, *attempts][-MOST_ATTEMPTS:],
            }
        )

    entry = publish_state(StackLedger, name, change).stacks[stack]
    get_run_logger().info(
        "stacks.recorded stack=%s status=%s message=%s", stack, entry.status, entry.message
    )
    return entry


def store_document(storage: Storage, kind: type[Any], value: Any, *, prefix: str) -> ObjectPointer:
    """Store a value as JSON and return its pointer."""
    stored = store_object(storage, to_json(kind, value), prefix=f"stacks/{prefix}", suffix=".json")
    return object_pointer(stored)


def stored_record(storage: Storage, entry: StackEntry, stack: str) -> StackRecord:
    """Return what was kept of a stack.

    Raises:
        PermanentError: Nothing was, or it is lost.
    """
    if entry.plan is None:
        message = f"stack {stack} has no stored programs; run apply-savings anew"
        raise PermanentError(message)
    return from_json(StackRecord, load_object(storage, stored_object(entry.plan)))


def ledger_of(name: str) -> StackLedger:
    """Return the ledger as it stands."""
    return load_state(StackLedger, name)
