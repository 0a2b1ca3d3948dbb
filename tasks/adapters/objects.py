"""Bulk data in a storage block, under keys that name the content."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from typing import Any, Protocol

import botocore.exceptions as boto_errors
import pandas as pd

from tasks.adapters.aws import client_error
from tasks.domain.errors import PermanentError, TransientError

OPERATIONS = ("s3:GetObject", "s3:PutObject")
"""Where the storage block is a bucket."""


class Storage(Protocol):
    """What a Prefect filesystem block offers: `LocalFileSystem`, `S3Bucket` and others.

    Their methods answer at once here; only inside a running event loop they give awaitables,
    which is why Prefect's types promise no more than this.
    """

    def read_path(self, path: str) -> Any:
        """Return an object's bytes."""
        ...

    def write_path(self, path: str, content: bytes) -> Any:
        """Store an object."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """Where an object lies and what it must contain."""

    key: str
    sha256: str
    size_bytes: int


class MissingObjectError(PermanentError):
    """A pointer names an object that the storage does not have."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(
            f"storage has no object {key!r}; it was deleted, or the storage block points to "
            "another place than when it was written"
        )


class CorruptObjectError(PermanentError):
    """An object's bytes are not those that the pointer names."""

    def __init__(self, key: str, *, expected: str, found: str) -> None:
        self.key = key
        super().__init__(
            f"object {key!r} has SHA-256 {found[:12]}…, its pointer says {expected[:12]}…; "
            "it was overwritten or truncated"
        )


def store_object(storage: Storage, content: bytes, *, prefix: str, suffix: str) -> StoredObject:
    """Store bytes under a key made from their hash, and return the pointer.

    The same bytes have the same key, so a repeated write changes nothing and two writers
    cannot overwrite each other's data.

    Raises:
        TransientError: The storage did not answer.
    """
    digest = hashlib.sha256(content).hexdigest()
    key = f"{prefix}/{digest[:32]}{suffix}"
    try:
        storage.write_path(key, content)
    except boto_errors.ClientError as error:
        raise client_error(error, operation="s3:PutObject", region="storage") from error
    except (OSError, boto_errors.BotoCoreError) as error:
        message = f"storage could not write {key!r}: {error}"
        raise TransientError(message) from error
    return StoredObject(key=key, sha256=digest, size_bytes=len(content))


def load_object(storage: Storage, pointer: StoredObject) -> bytes:
    """Return an object's bytes after checking them against the pointer.

    Raises:
        MissingObjectError: Nothing lies under that key.
        CorruptObjectError: Something else does.
        TransientError: The storage did not answer.
    """
    try:
        content: bytes = storage.read_path(pointer.key)
    except (ValueError, FileNotFoundError) as error:
        raise MissingObjectError(pointer.key) from error
    except boto_errors.ClientError as error:
        if error.response["Error"].get("Code") in {"404", "NoSuchKey", "NoSuchBucket"}:
            raise MissingObjectError(pointer.key) from error
        raise client_error(error, operation="s3:GetObject", region="storage") from error
    except (OSError, boto_errors.BotoCoreError) as error:
        message = f"storage could not read {pointer.key!r}: {error}"
        raise TransientError(message) from error
    found = hashlib.sha256(content).hexdigest()
    if found != pointer.sha256:
        raise CorruptObjectError(pointer.key, expected=pointer.sha256, found=found)
    return content


def frame_to_parquet(frame: pd.DataFrame) -> bytes:
    """Return a frame as Parquet; equal frames give equal bytes."""
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False, compression="zstd")
    return buffer.getvalue()


def frame_from_parquet(content: bytes) -> pd.DataFrame:
    """Return the frame that `frame_to_parquet` stored."""
    return pd.read_parquet(io.BytesIO(content))
