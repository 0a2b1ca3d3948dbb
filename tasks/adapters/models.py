"""Trained models in a storage block: under a key that names the content, read with suspicion."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from typing import Any

from tasks.adapters.model_files import (
    OversizedModelError,
    RefusedModelError,
    UnreadableModelError,
    model_file,
    read_model_file,
)
from tasks.adapters.objects import (
    CorruptObjectError,
    MissingObjectError,
    Storage,
    StoredObject,
    load_object,
    store_object,
)
from tasks.domain.errors import PermanentError
from tasks.domain.models.registry import ModelVersion

MAX_UNPACKED_BYTES = 256 * 2**20
"""Far above the largest model; a worker has this much to spare."""

SUFFIX = ".skops"
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
REFUSALS = (RefusedModelError, MissingObjectError, CorruptObjectError)
"""Why a stored model is not used; trying again would not change it."""


class ModelNameError(PermanentError):
    """A model's name cannot be a document's name and part of a key."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name!r} cannot be a model's name; use lower-case letters, digits and single dashes "
            "between them, for example load-cpu"
        )


class UnknownModelKindError(RefusedModelError):
    """A stored model is of a kind that the reader does not know."""

    def __init__(self, key: str, *, kind: str, known: Collection[str]) -> None:
        super().__init__(
            key,
            f"is of kind {kind!r}, this release reads {', '.join(sorted(known))}: upgrade "
            "Homeostat on this worker if a newer release stored it",
        )


def check_name(name: str) -> None:
    """Refuse what cannot be a model's name.

    Raises:
        ModelNameError: It has other characters than a document's name may.
    """
    if not NAME.fullmatch(name):
        raise ModelNameError(name)


def store_model(
    storage: Storage, state: Mapping[str, Any], *, name: str, kind: str
) -> StoredObject:
    """Store a model's state and return the pointer; a state that is stored already is left alone.

    Args:
        storage: Where.
        state: Plain values with string keys; boosters as LightGBM's own text.
        name: Of the model, for example "load-cpu".
        kind: What can read it, for example "load/1".

    Raises:
        ModelNameError: The name has other characters than a document's may.
        UnstorableStateError: The state holds something else than plain values.
        TransientError: The storage did not answer.
    """
    check_name(name)
    content, prefix = model_file(state, kind=kind), f"models/{name}"
    sha256 = hashlib.sha256(content).hexdigest()
    wanted = StoredObject(
        key=f"{prefix}/{sha256[:32]}{SUFFIX}", sha256=sha256, size_bytes=len(content)
    )
    try:
        load_object(storage, wanted)
    except (MissingObjectError, CorruptObjectError):
        return store_object(storage, content, prefix=prefix, suffix=SUFFIX)
    # Written again, it would be truncated for a moment, under readers of the model that serves.
    return wanted


def load_model_state(
    storage: Storage,
    version: ModelVersion,
    *,
    kinds: Collection[str],
    limit_bytes: int = MAX_UNPACKED_BYTES,
) -> dict[str, Any]:
    """Return a stored model's state, after everything about its bytes was checked.

    Args:
        storage: Where it lies.
        version: Which one.
        kinds: What the caller can read.
        limit_bytes: The most that it may unpack to.

    Raises:
        UnknownModelKindError: It is of another kind, or says so itself.
        MissingObjectError: Nothing lies under its key.
        CorruptObjectError: Something else does: truncated, or overwritten.
        UntrustedModelError: It names types that no model has.
        OversizedModelError: It would unpack to more than is allowed.
        UnreadableModelError: Its bytes are those that were stored, and no model.
        TransientError: The storage did not answer.
    """
    if version.kind not in kinds:
        raise UnknownModelKindError(version.key, kind=version.kind, known=kinds)
    if version.size_bytes > limit_bytes:
        raise OversizedModelError(
            version.key, found_bytes=version.size_bytes, limit_bytes=limit_bytes
        )
    content = load_object(storage, _pointer(version))
    if len(content) != version.size_bytes:
        reason = f"it has {len(content):,} bytes, its entry says {version.size_bytes:,}"
        raise UnreadableModelError(version.key, reason=reason)
    kind, state = read_model_file(content, key=version.key, limit_bytes=limit_bytes)
    if kind != version.kind:
        raise UnknownModelKindError(version.key, kind=kind, known=[version.kind])
    return state


def _pointer(version: ModelVersion) -> StoredObject:
    return StoredObject(key=version.key, sha256=version.sha256, size_bytes=version.size_bytes)
