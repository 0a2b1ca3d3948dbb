from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from prefect.filesystems import LocalFileSystem

from tasks.adapters.objects import (
    CorruptObjectError,
    MissingObjectError,
    frame_from_parquet,
    frame_to_parquet,
    load_object,
    store_object,
)
from tasks.domain.errors import TransientError


@pytest.fixture
def storage(tmp_path: Path) -> LocalFileSystem:
    return LocalFileSystem(basepath=str(tmp_path))


class FullDisk:
    """Storage that can be told nothing: every write fails."""

    def read_path(self, path: str) -> bytes:
        raise TimeoutError(path)

    def write_path(self, path: str, content: bytes) -> str:
        raise OSError(28, "No space left on device", path)


def test_what_was_stored_is_loaded(storage: LocalFileSystem) -> None:
    pointer = store_object(storage, b"prices", prefix="spot", suffix=".bin")

    assert load_object(storage, pointer) == b"prices"


def test_the_same_content_has_the_same_key(storage: LocalFileSystem) -> None:
    first = store_object(storage, b"prices", prefix="spot", suffix=".bin")

    assert store_object(storage, b"prices", prefix="spot", suffix=".bin") == first


def test_a_deleted_object_is_missing(storage: LocalFileSystem, tmp_path: Path) -> None:
    pointer = store_object(storage, b"prices", prefix="spot", suffix=".bin")
    (tmp_path / pointer.key).unlink()

    with pytest.raises(MissingObjectError, match=pointer.key):
        load_object(storage, pointer)


def test_an_overwritten_object_is_refused(storage: LocalFileSystem, tmp_path: Path) -> None:
    pointer = store_object(storage, b"prices", prefix="spot", suffix=".bin")
    (tmp_path / pointer.key).write_bytes(b"other")

    with pytest.raises(CorruptObjectError, match="overwritten or truncated"):
        load_object(storage, pointer)


def test_a_full_disk_is_worth_another_try() -> None:
    with pytest.raises(TransientError, match="No space left"):
        store_object(FullDisk(), b"prices", prefix="spot", suffix=".bin")


def test_a_silent_storage_is_worth_another_try(storage: LocalFileSystem) -> None:
    pointer = store_object(storage, b"prices", prefix="spot", suffix=".bin")

    with pytest.raises(TransientError):
        load_object(FullDisk(), replace(pointer, key="spot/elsewhere"))


def test_a_frame_survives_the_round_trip() -> None:
    frame = pd.DataFrame({"at": pd.to_datetime(["2026-01-01"], utc=True), "price": [0.5]})

    pd.testing.assert_frame_equal(frame_from_parquet(frame_to_parquet(frame)), frame)
