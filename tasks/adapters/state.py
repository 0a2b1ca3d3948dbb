"""State documents: read, and changed under a lock."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from prefect.concurrency.asyncio import ConcurrencySlotAcquisitionError
from prefect.concurrency.sync import concurrency
from prefect.exceptions import ObjectNotFound
from pydantic import ValidationError

from blocks import ObjectPointer, StateBlock
from tasks.adapters.objects import StoredObject
from tasks.domain.errors import PermanentError, TransientError

STATE_LOCK = "homeostat-state"
"""Global concurrency limit of one: Prefect blocks have no compare-and-set of their own."""

LOCK_TIMEOUT_SECONDS = 120
LEASE_SECONDS = 60.0  # the shortest Prefect allows: how long a killed writer blocks the others

S = TypeVar("S", bound=StateBlock)


def load_state(kind: type[S], name: str) -> S:
    """Return the stored document, or an empty one where there is none yet.

    Raises:
        PermanentError: The document was written by a newer release or is damaged.
    """
    try:
        return kind.load(name)  # type: ignore[return-value]
    except RuntimeError as error:
        # Prefect's word for a document that its class refuses.
        if not isinstance(error.__cause__, ValidationError):
            raise
        reason = error.__cause__.errors()[0]["msg"]
        message = f"block {kind.get_block_type_slug()}/{name} cannot be read: {reason}"
        raise PermanentError(message) from error
    except ValueError as error:
        if not isinstance(error.__cause__, ObjectNotFound):
            raise
        return kind()


def publish_state(
    kind: type[S], name: str, change: Callable[[S], S], *, lock: str = STATE_LOCK
) -> S:
    """Apply a change to the stored document and save it, one writer at a time.

    Args:
        kind: Class of the document.
        name: Document name.
        change: Gets what is stored now, which may be newer than what the caller loaded, and
            returns what to store; returning its argument stores nothing.
        lock: Global concurrency limit of one that every writer of the document holds.

    Raises:
        TransientError: Another writer held the lock for longer than two minutes.
        PermanentError: The lock does not exist.
    """
    try:
        with concurrency(
            lock,
            occupy=1,
            strict=True,
            timeout_seconds=LOCK_TIMEOUT_SECONDS,
            lease_duration=LEASE_SECONDS,
        ):
            current = load_state(kind, name)
            changed = change(current)
            if changed is not current:
                changed.save(name, overwrite=True)
            return changed
    except TimeoutError as error:
        message = f"another run held {lock!r} for {LOCK_TIMEOUT_SECONDS} s; try again"
        raise TransientError(message) from error
    except ConcurrencySlotAcquisitionError as error:
        message = (
            f"global concurrency limit {lock!r} does not exist; "
            "`homeostat up` or `python -m deployments.register` creates it"
        )
        raise PermanentError(message) from error


def stored_object(pointer: ObjectPointer) -> StoredObject:
    """Return a block's pointer as the storage adapter knows it."""
    return StoredObject(key=pointer.key, sha256=pointer.sha256, size_bytes=pointer.size_bytes)


def object_pointer(stored: StoredObject) -> ObjectPointer:
    """Return a stored object as a block keeps it."""
    return ObjectPointer(key=stored.key, sha256=stored.sha256, size_bytes=stored.size_bytes)
