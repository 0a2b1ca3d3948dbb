"""Stored models: what comes back, and what is refused before anything is built from it."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import json
import os
import pickle
import random
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from prefect.filesystems import LocalFileSystem

from tasks.adapters.model_files import (
    OversizedModelError,
    RefusedModelError,
    UnreadableModelError,
    UnstorableStateError,
    UntrustedModelError,
    model_file,
)
from tasks.adapters.models import (
    ModelNameError,
    UnknownModelKindError,
    load_model_state,
    store_model,
)
from tasks.adapters.objects import (
    CorruptObjectError,
    MissingObjectError,
    StoredObject,
    store_object,
)
from tasks.domain.models.registry import ModelVersion

STATE: dict[str, Any] = {
    "weights": np.linspace(0.0, 1.0, 7).reshape(7, 1),
    "names": np.array(["cpu", "memory"]),
    "since": np.array(["2026-01-01"], dtype="M8[s]"),
    "booster": "tree\nversion=v4\n",
    "levels": (0.1, 0.5, 0.9),
    "scale": {"mean": 0.1 + 0.2, "undefined": float("nan"), "rows": 2**60},
    "groups": [None, True, "steady", {}],
}


@pytest.fixture
def storage(tmp_path: Path) -> LocalFileSystem:
    return LocalFileSystem(basepath=str(tmp_path / "storage"))


def version_of(stored: StoredObject, *, kind: str = "load/1") -> ModelVersion:
    return ModelVersion(
        key=stored.key,
        sha256=stored.sha256,
        size_bytes=stored.size_bytes,
        kind=kind,
        trained_at=datetime(2026, 3, 1, tzinfo=UTC),
        trained_by="run",
        data_sha256="0" * 64,
        code_version="0.1.0",
    )


def stored(storage: LocalFileSystem, state: Mapping[str, Any] = STATE) -> ModelVersion:
    return version_of(store_model(storage, state, name="load-cpu", kind="load/1"))


def planted(storage: LocalFileSystem, content: bytes) -> ModelVersion:
    """A version whose entry was written by the hand that wrote the bytes: its hash is right."""
    return version_of(store_object(storage, content, prefix="models/load-cpu", suffix=".skops"))


def loaded(storage: LocalFileSystem, version: ModelVersion, **given: int) -> dict[str, Any]:
    return load_model_state(storage, version, kinds=["load/1"], **given)


def bent(change: Callable[[dict[str, Any], dict[str, bytes]], object]) -> bytes:
    """A model's file whose schema and parts somebody changed."""
    with zipfile.ZipFile(io.BytesIO(model_file(STATE, kind="load/1"))) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(parts["schema.json"])
    change(schema, parts)
    parts["schema.json"] = json.dumps(schema).encode()
    return zipped(parts)


def zipped(parts: Mapping[str, bytes], *, compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return buffer.getvalue()


def weights(schema: dict[str, Any]) -> dict[str, Any]:
    node: dict[str, Any] = schema["content"]["state"]["content"]["weights"]
    return node


class TestWhatIsStored:
    def test_comes_back_as_it_was(self, storage: LocalFileSystem) -> None:
        np.testing.assert_equal(loaded(storage, stored(storage)), STATE)

    def test_numpy_numbers_come_back_as_python_numbers(self, storage: LocalFileSystem) -> None:
        version = stored(storage, {"mae": np.float64(0.25), "rows": np.int32(3)})

        state = loaded(storage, version)

        assert [type(one) for one in state.values()] == [float, int]

    def test_names_of_the_format_are_names_like_others(self, storage: LocalFileSystem) -> None:
        state = {"__id__": 1, "file": "x", "content": {"__loader__": 2}}

        assert loaded(storage, stored(storage, state)) == state

    def test_equal_states_are_one_object(self, storage: LocalFileSystem) -> None:
        again = {
            name: value.copy() if isinstance(value, np.ndarray) else value
            for name, value in STATE.items()
        }
        again["weights"] = np.asfortranarray(again["weights"])

        assert stored(storage, again) == stored(storage)

    @pytest.mark.slow
    def test_the_bytes_are_the_same_in_another_process(self) -> None:
        plain = {"booster": "tree", "scale": [0.1, {"b": 1, "a": None}]}
        program = (
            "import hashlib, json, sys; import numpy as np\n"
            "from tasks.adapters.model_files import model_file\n"
            "state = json.load(sys.stdin) | {'weights': np.arange(3.0)}\n"
            "print(hashlib.sha256(model_file(state, kind='load/1')).hexdigest())"
        )
        elsewhere = subprocess.run(
            [sys.executable, "-c", program],
            input=json.dumps(plain),
            env=os.environ | {"PYTHONHASHSEED": "7"},
            capture_output=True,
            text=True,
            check=True,
        )

        here = model_file(plain | {"weights": np.arange(3.0)}, kind="load/1")
        assert elsewhere.stdout.strip() == hashlib.sha256(here).hexdigest()

    def test_stored_again_is_not_written_again(
        self, storage: LocalFileSystem, tmp_path: Path
    ) -> None:
        path = tmp_path / "storage" / stored(storage).key
        os.utime(path, (0, 0))

        stored(storage)

        assert path.stat().st_mtime == 0

    def test_stored_again_heals_what_was_damaged(
        self, storage: LocalFileSystem, tmp_path: Path
    ) -> None:
        version = stored(storage)
        (tmp_path / "storage" / version.key).write_bytes(b"damaged")

        assert stored(storage) == version
        np.testing.assert_equal(loaded(storage, version), STATE)

    @pytest.mark.parametrize(
        ("state", "said"),
        [
            ({"rng": random.Random(1)}, r"the state\['rng'\].*random\.Random"),
            ({"parts": [1, {2}]}, r"the state\['parts'\]\[1\] of a model is builtins\.set"),
            ({"by": {1: "a"}}, r"the state\['by'\] of a model is builtins\.dict"),
            ({"rows": np.array([object()])}, r"the state\['rows'\] of a model is numpy\.ndarray"),
        ],
    )
    def test_is_plain_values_only(
        self, storage: LocalFileSystem, state: dict[str, Any], said: str
    ) -> None:
        with pytest.raises(UnstorableStateError, match=said):
            stored(storage, state)

    @pytest.mark.parametrize("name", ["Load", "load/../../etc", "", "-load", "load_cpu"])
    def test_has_a_name_that_a_document_can_have(self, storage: LocalFileSystem, name: str) -> None:
        with pytest.raises(ModelNameError, match="for example load-cpu"):
            store_model(storage, STATE, name=name, kind="load/1")


class TestBytesThatAreNotThoseOfTheEntry:
    def test_lost(self, storage: LocalFileSystem, tmp_path: Path) -> None:
        version = stored(storage)
        (tmp_path / "storage" / version.key).unlink()

        with pytest.raises(MissingObjectError, match=version.key):
            loaded(storage, version)

    def test_truncated(self, storage: LocalFileSystem, tmp_path: Path) -> None:
        version = stored(storage)
        path = tmp_path / "storage" / version.key
        path.write_bytes(path.read_bytes()[:-1])

        with pytest.raises(CorruptObjectError, match="overwritten or truncated"):
            loaded(storage, version)

    def test_another_hash(self, storage: LocalFileSystem) -> None:
        version = replace(stored(storage), sha256="a" * 64)

        with pytest.raises(CorruptObjectError, match=r"its pointer says aaaaaaaaaaaa…"):
            loaded(storage, version)

    def test_another_size(self, storage: LocalFileSystem) -> None:
        version = stored(storage)

        with pytest.raises(UnreadableModelError, match=r"bytes, its entry says 12; `homeostat"):
            loaded(storage, replace(version, size_bytes=12))

    def test_nothing_is_parsed_before_the_hash_is_right(
        self, storage: LocalFileSystem, tmp_path: Path
    ) -> None:
        version = stored(storage)
        hostile = skops.io.dumps(functools.partial(os.system, "true"))
        (tmp_path / "storage" / version.key).write_bytes(hostile)

        with pytest.raises(CorruptObjectError):
            loaded(storage, version)


class TestAnotherKind:
    def test_of_a_newer_release(self, storage: LocalFileSystem) -> None:
        version = replace(stored(storage), kind="load/2")

        with pytest.raises(UnknownModelKindError, match=r"kind 'load/2'.*reads load/1: upgrade"):
            loaded(storage, version)

    def test_than_its_entry_says(self, storage: LocalFileSystem) -> None:
        version = version_of(store_model(storage, STATE, name="spot-prices", kind="spot/1"))

        with pytest.raises(UnknownModelKindError, match=r"kind 'spot/1'.*reads load/1"):
            loaded(storage, version)


class Hostile:
    """What a pickle would run."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {self.mark}",)


class TestHostileTypes:
    def test_a_call_hidden_in_a_skops_file_is_named_and_not_made(
        self, storage: LocalFileSystem, tmp_path: Path
    ) -> None:
        call = functools.partial(os.system, f"touch {tmp_path / 'ran'}")
        content = skops.io.dumps({"kind": "load/1", "state": {"model": [call]}})
        version = planted(storage, content)

        with pytest.raises(UntrustedModelError, match="find out who can write") as caught:
            loaded(storage, version)

        assert caught.value.types == ["functools.partial", "posix.system"]
        assert version.key in str(caught.value)
        assert not (tmp_path / "ran").exists()

    def test_what_skops_trusts_and_a_model_does_not_have_is_refused(
        self, storage: LocalFileSystem
    ) -> None:
        # Its state is bent into reads outside of memory; skops calls it safe.
        content = skops.io.dumps({"kind": "load/1", "state": {"rng": np.random.RandomState(1)}})
        assert skops.io.get_untrusted_types(data=content) == []

        with pytest.raises(UntrustedModelError, match=r"numpy\.random\.mtrand\.RandomState"):
            loaded(storage, planted(storage, content))

    def test_a_type_in_the_place_of_a_string_is_refused(self, storage: LocalFileSystem) -> None:
        def change(schema: dict[str, Any], parts: dict[str, bytes]) -> None:
            key_type = schema["key_types"]["content"][0]
            key_type.update({"__class__": "system", "__module__": "os"})

        with pytest.raises(UntrustedModelError, match=r"holds os\.system"):
            loaded(storage, planted(storage, bent(change)))

    def test_a_pickle_is_no_model(self, storage: LocalFileSystem, tmp_path: Path) -> None:
        version = planted(storage, pickle.dumps(Hostile(tmp_path / "ran")))

        with pytest.raises(UnreadableModelError, match="not a zip file"):
            loaded(storage, version)

        assert not (tmp_path / "ran").exists()

    def test_a_pickle_in_an_array_is_refused(
        self, storage: LocalFileSystem, tmp_path: Path
    ) -> None:
        array = np.empty(1, dtype=object)
        array[0] = Hostile(tmp_path / "ran")
        buffer = io.BytesIO()
        np.save(buffer, array, allow_pickle=True)

        def change(schema: dict[str, Any], parts: dict[str, bytes]) -> None:
            parts[weights(schema)["file"]] = buffer.getvalue()

        with pytest.raises(UntrustedModelError, match=r"holds numpy\.ndarray of object"):
            loaded(storage, planted(storage, bent(change)))

        assert not (tmp_path / "ran").exists()


class TestBombs:
    def test_more_than_a_model_may_have_is_not_even_read(self, storage: LocalFileSystem) -> None:
        with pytest.raises(OversizedModelError, match=r"at least .* allowed are 1,000; "):
            loaded(storage, stored(storage), limit_bytes=1_000)

    def test_zeros_that_unpack_to_more_than_is_allowed(self, storage: LocalFileSystem) -> None:
        bomb = zipped({"schema.json": b"0" * 2**22}, compression=zipfile.ZIP_DEFLATED)
        assert len(bomb) < 2**14

        with pytest.raises(OversizedModelError, match=r"least 4,194,304 bytes.*are 1,048,576"):
            loaded(storage, planted(storage, bomb), limit_bytes=2**20)

    def test_a_part_that_lies_about_its_size(self, storage: LocalFileSystem) -> None:
        bomb = zipped({"schema.json": b"0" * 2**22}, compression=zipfile.ZIP_DEFLATED)
        lying = bomb.replace((2**22).to_bytes(4, "little"), (9).to_bytes(4, "little"))

        with pytest.raises(UnreadableModelError, match=r"'schema\.json' is compressed"):
            loaded(storage, planted(storage, lying), limit_bytes=2**20)

    def test_one_array_named_very_often(self, storage: LocalFileSystem) -> None:
        array = io.BytesIO()
        np.save(array, np.zeros(4_000))

        def change(schema: dict[str, Any], parts: dict[str, bytes]) -> None:
            parts[weights(schema)["file"]] = array.getvalue()
            schema["content"]["state"]["content"]["groups"]["content"] = [weights(schema)] * 100

        bomb = bent(change)
        assert len(bomb) < 2**16

        with pytest.raises(OversizedModelError, match=r"are 65,536; "):
            loaded(storage, planted(storage, bomb), limit_bytes=2**16)

    def test_an_array_that_asks_for_more_memory_than_it_has_bytes(
        self, storage: LocalFileSystem
    ) -> None:
        def change(schema: dict[str, Any], parts: dict[str, bytes]) -> None:
            name = weights(schema)["file"]
            honest = b"(7, 1), }" + b" " * 9
            assert honest in parts[name]
            parts[name] = parts[name].replace(honest, b"(7777777777, 1), }")

        with pytest.raises(UnreadableModelError, match=r"claims .* bytes and holds 56"):
            loaded(storage, planted(storage, bent(change)))


class TestDamagedFiles:
    def test_a_node_that_is_its_own_child(self, storage: LocalFileSystem) -> None:
        def change(schema: dict[str, Any], parts: dict[str, bytes]) -> None:
            schema["__id__"] = schema["content"]["state"]["__id__"] = 1

        with pytest.raises(UnreadableModelError, match="__id__"):
            loaded(storage, planted(storage, bent(change)))

    def test_a_schema_of_endless_depth(self, storage: LocalFileSystem) -> None:
        content = zipped({"schema.json": b"[" * 100_000})

        with pytest.raises(UnreadableModelError, match="RecursionError"):
            loaded(storage, planted(storage, content))

    def test_an_array_of_another_form(self, storage: LocalFileSystem) -> None:
        def change(schema: dict[str, Any], parts: dict[str, bytes]) -> None:
            weights(schema)["type"] = "json"

        with pytest.raises(UnreadableModelError, match="another form than ours"):
            loaded(storage, planted(storage, bent(change)))

    def test_an_array_whose_header_is_cut(self, storage: LocalFileSystem) -> None:
        def change(schema: dict[str, Any], parts: dict[str, bytes]) -> None:
            name = weights(schema)["file"]
            parts[name] = parts[name].replace(b"}", b" ")

        with pytest.raises(UnreadableModelError, match="cannot be read: TokenError"):
            loaded(storage, planted(storage, bent(change)))

    def test_a_file_without_kind_and_state(self, storage: LocalFileSystem) -> None:
        def change(schema: dict[str, Any], parts: dict[str, bytes]) -> None:
            schema["content"]["state"] = schema["content"]["kind"]

        with pytest.raises(UnreadableModelError, match="holds no kind and state"):
            loaded(storage, planted(storage, bent(change)))

    @pytest.mark.parametrize("seed", range(40))
    def test_any_damage_gives_a_state_or_a_refusal(
        self, storage: LocalFileSystem, seed: int
    ) -> None:
        rng = random.Random(seed)
        content = bytearray(model_file(STATE, kind="load/1"))
        for _ in range(rng.randint(1, 20)):
            content[rng.randrange(len(content))] = rng.randrange(256)
        version = planted(storage, bytes(content))

        with contextlib.suppress(RefusedModelError):
            assert isinstance(loaded(storage, version), dict)
