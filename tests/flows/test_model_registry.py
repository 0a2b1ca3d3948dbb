"""The registry of models under two trainers, kills, poisoned files and rollbacks."""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
import skops.io
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import BlockDocumentUpdate
from prefect.filesystems import LocalFileSystem

from blocks.models import ModelRegistry
from deployments import models as commands
from deployments.prefect_api import PrefectApi
from tasks.adapters.models import ModelNameError, store_model
from tasks.adapters.objects import StoredObject, store_object
from tasks.adapters.state import load_state
from tasks.domain.errors import PermanentError, TransientError
from tasks.domain.models.registry import (
    ModelVersion,
    NoPreviousModelError,
    Registry,
    promoted,
    with_challenger,
)
from tasks.models.documents import registry_of, with_registry
from tasks.models.registry import (
    Served,
    Trained,
    promote,
    publish_challenger,
    roll_back,
    served,
    shadowed,
    turn_down,
)
from tests.flows.builders import make_state_lock
from tests.support.shared_server import PrefectServer

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DATA = "d" * 64

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("prefect_server")]


@pytest.fixture(autouse=True, scope="module")
def lock(prefect_server: object) -> None:
    make_state_lock()
    ModelRegistry.register_type_and_schema()


@pytest.fixture(scope="module")
def processes(lock: None) -> Iterator[Executor]:
    """Two processes, as runs are: Prefect shares one lock service among a process's threads."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        yield pool


@pytest.fixture
def storage(tmp_path: Path) -> LocalFileSystem:
    return LocalFileSystem(basepath=str(tmp_path))


def trained(level: float, *, day: int = 0, kind: str = "load/1") -> Trained:
    return Trained(
        state={"level": level},
        kind=kind,
        trained_at=NOON + timedelta(days=day),
        trained_by=f"run of day {day}",
        data_sha256=DATA,
        metrics={"mase": level, "undefined": float("nan")},
    )


def published(
    storage: LocalFileSystem, name: str, level: float, *, day: int = 0, kind: str = "load/1"
) -> ModelVersion:
    model = trained(level, day=day, kind=kind)
    return publish_challenger(storage, name, model, now=model.trained_at).version


def after_two_promotions(storage: LocalFileSystem, name: str) -> list[ModelVersion]:
    """Levels 1, 2 and 3, of which the last one serves; in one write, because each takes a second."""
    versions = []
    registry = Registry()
    for day in range(3):
        model = trained(float(1 + day), day=day)
        pointer = store_model(storage, model.state, name=name, kind=model.kind)
        versions.append(version_of(pointer, model))
        registry = with_challenger(registry, versions[-1], now=model.trained_at)
        registry = promoted(registry, versions[-1].sha256)
    write(name, registry)
    return versions


def version_of(pointer: StoredObject, model: Trained) -> ModelVersion:
    return ModelVersion(
        key=pointer.key,
        sha256=pointer.sha256,
        size_bytes=pointer.size_bytes,
        kind=model.kind,
        trained_at=model.trained_at,
        trained_by=model.trained_by,
        data_sha256=model.data_sha256,
        code_version="0.1.0",
    )


def write(name: str, registry: Registry) -> None:
    """Write a registry without the interface under test."""
    with_registry(ModelRegistry(), registry, now=NOON, message="").save(name, overwrite=True)


def level_of(state: Mapping[str, Any]) -> float:
    return float(state["level"])


def level(storage: LocalFileSystem, name: str) -> Served[float] | None:
    return served(storage, name, read=level_of, kinds=["load/1"])


def stored(name: str) -> Registry:
    return registry_of(load_state(ModelRegistry, name))


def test_there_is_no_model_before_the_first(storage: LocalFileSystem) -> None:
    assert level(storage, "never-trained") is None


def test_the_first_model_serves_with_all_that_is_known_of_it(storage: LocalFileSystem) -> None:
    version = published(storage, "first", 1.0)

    found = level(storage, "first")

    assert found == Served(model=1.0, version=version, degraded_reason=None)
    assert version.metrics == {"mase": 1.0}
    assert (version.trained_by, version.data_sha256) == ("run of day 0", DATA)
    assert version.code_version


def test_the_next_one_waits_and_is_read_beside_the_champion(storage: LocalFileSystem) -> None:
    published(storage, "waits", 1.0)
    assert shadowed(storage, "waits", read=level_of, kinds=["load/1"]) is None
    published(storage, "waits", 2.0, day=1)

    waiting = shadowed(storage, "waits", read=level_of, kinds=["load/1"])

    assert waiting is not None
    assert waiting.model == 2.0
    now = level(storage, "waits")
    assert now is not None
    assert now.model == 1.0
    assert stored("waits").shadow_since == NOON + timedelta(days=1)


def test_publishing_twice_leaves_what_publishing_once_does(storage: LocalFileSystem) -> None:
    published(storage, "twice", 1.0)
    published(storage, "twice", 2.0, day=1)
    once = stored("twice")

    published(storage, "twice", 2.0, day=1)

    assert stored("twice") == once


def test_promoting_twice_keeps_one_earlier_champion(storage: LocalFileSystem) -> None:
    first = published(storage, "promoted", 1.0)
    second = published(storage, "promoted", 2.0, day=1)

    promote("promoted", second.sha256, reason="better", now=NOON)
    promote("promoted", second.sha256, reason="better", now=NOON)

    assert stored("promoted") == Registry(champion=second, previous=(first,))


def test_a_challenger_that_was_turned_down_does_not_come_back(storage: LocalFileSystem) -> None:
    first = published(storage, "turned-down", 1.0)
    worse = published(storage, "turned-down", 2.0, day=1)
    turn_down("turned-down", worse.sha256, reason="w" * 999, now=NOON)

    published(storage, "turned-down", 2.0, day=2)

    assert stored("turned-down") == Registry(champion=first, refused={worse.sha256: "w" * 500})


def test_a_rollback_serves_the_earlier_one_and_says_why(storage: LocalFileSystem) -> None:
    first, second, third = after_two_promotions(storage, "back")

    roll_back("back", reason="coverage fell to 61 %", now=NOON)

    assert stored("back") == Registry(
        champion=second, previous=(first,), refused={third.sha256: "coverage fell to 61 %"}
    )
    document = load_state(ModelRegistry, "back")
    assert document.message == "rolled back: coverage fell to 61 %"
    assert document.observed_at == NOON


def test_a_challenger_is_judged_from_the_rollback_on(storage: LocalFileSystem) -> None:
    after_two_promotions(storage, "anew")
    waiting = published(storage, "anew", 4.0, day=4)
    later = NOON + timedelta(days=9)

    roll_back("anew", reason="worse", now=later)

    assert (stored("anew").challenger, stored("anew").shadow_since) == (waiting, later)


def test_two_rollbacks_of_one_champion_go_back_once(storage: LocalFileSystem) -> None:
    _, second, third = after_two_promotions(storage, "back-once")

    for _ in range(2):
        roll_back("back-once", reason="worse", serving=third.sha256, now=NOON)

    assert stored("back-once").champion == second


def test_where_nothing_served_before_a_rollback_changes_nothing(storage: LocalFileSystem) -> None:
    version = published(storage, "only-one", 1.0)

    with pytest.raises(NoPreviousModelError, match=r"'only-one' has no earlier champion"):
        roll_back("only-one", reason="worse", now=NOON)

    assert stored("only-one") == Registry(champion=version)


def test_a_name_that_no_document_can_have_is_refused(storage: LocalFileSystem) -> None:
    with pytest.raises(ModelNameError):
        level(storage, "load/cpu")
    with pytest.raises(ModelNameError):
        roll_back("load/cpu", reason="worse", now=NOON)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


def poison(path: Path) -> None:
    path.write_bytes(skops.io.dumps(functools.partial(os.system, "true")))


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (Path.unlink, "storage has no object"),
        (truncate, "overwritten or truncated"),
        (poison, "overwritten or truncated"),
    ],
)
def test_a_refused_champion_is_kept_while_the_earlier_one_serves(
    storage: LocalFileSystem,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    harm: Any,
    said: str,
) -> None:
    name = f"harmed-{harm.__name__}"
    _, second, third = after_two_promotions(storage, name)
    before = stored(name)
    harm(tmp_path / third.key)

    with caplog.at_level(logging.ERROR):
        found = level(storage, name)

    assert found is not None
    assert (found.model, found.version) == (2.0, second)
    assert found.degraded_reason is not None
    assert found.degraded_reason.startswith(f"{second.sha256[:12]} of 2026-03-02 serves for")
    assert said in found.degraded_reason
    assert f"models.refused name={name} version={third.sha256[:12]} reason=" in caplog.text
    assert stored(name) == before


def test_a_poisoned_file_whose_entry_was_poisoned_too_is_named(
    storage: LocalFileSystem, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first, *_ = after_two_promotions(storage, "poisoned")
    call = functools.partial(os.system, f"touch {tmp_path}/ran")
    hostile = skops.io.dumps({"kind": "load/1", "state": call})
    pointer = store_object(storage, hostile, prefix="models/poisoned", suffix=".skops")
    poisoned = version_of(pointer, trained(9.0, day=9))
    write("poisoned", Registry(champion=poisoned, previous=(first,)))

    found = level(storage, "poisoned")

    assert found is not None
    assert found.model == 1.0
    assert "holds functools.partial, posix.system" in str(found.degraded_reason)
    assert not (tmp_path / "ran").exists()


def test_a_challenger_that_cannot_be_read_leaves_the_champion_alone(
    storage: LocalFileSystem, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    published(storage, "bad-challenger", 1.0)
    truncate(tmp_path / published(storage, "bad-challenger", 2.0, day=1).key)

    assert shadowed(storage, "bad-challenger", read=level_of, kinds=["load/1"]) is None

    assert "models.refused name=bad-challenger" in caplog.text
    found = level(storage, "bad-challenger")
    assert found is not None
    assert (found.model, found.degraded_reason) == (1.0, None)


def test_a_champion_of_a_newer_release_is_told_from_a_damaged_one(
    storage: LocalFileSystem,
) -> None:
    published(storage, "newer-kind", 1.0)
    newer = published(storage, "newer-kind", 2.0, day=1, kind="load/2")
    promote("newer-kind", newer.sha256, reason="better", now=NOON)

    found = level(storage, "newer-kind")

    assert found is not None
    assert found.model == 1.0
    assert "is of kind 'load/2', this release reads load/1" in str(found.degraded_reason)


def test_a_state_that_its_reader_cannot_use_is_a_refusal(storage: LocalFileSystem) -> None:
    after_two_promotions(storage, "odd-state")

    def reads_old_ones(state: Mapping[str, Any]) -> float:
        return {2.0: 2.0}[state["level"]]

    found = served(storage, "odd-state", read=reads_old_ones, kinds=["load/1"])

    assert found is not None
    assert found.model == 2.0
    assert "its reader says KeyError: 3.0" in str(found.degraded_reason)


def test_where_no_version_can_be_read_callers_do_without_one(
    storage: LocalFileSystem, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for version in after_two_promotions(storage, "all-lost"):
        (tmp_path / version.key).unlink()

    assert level(storage, "all-lost") is None
    assert "models.none_readable name=all-lost" in caplog.text


class Silent:
    """Storage that does not answer."""

    def read_path(self, path: str) -> bytes:
        raise TimeoutError(path)

    def write_path(self, path: str, content: bytes) -> str:
        raise OSError(28, "No space left on device", path)


def test_a_storage_that_does_not_answer_is_no_reason_to_serve_another_model(
    storage: LocalFileSystem,
) -> None:
    after_two_promotions(storage, "silent")

    with pytest.raises(TransientError, match="could not read"):
        served(Silent(), "silent", read=level_of, kinds=["load/1"])


def test_a_trainer_whose_bytes_were_not_stored_moves_no_pointer(storage: LocalFileSystem) -> None:
    version = published(storage, "full-disk", 1.0)

    with pytest.raises(TransientError):
        publish_challenger(Silent(), "full-disk", trained(2.0, day=1), now=NOON)

    assert stored("full-disk") == Registry(champion=version)


def test_a_registry_of_a_newer_release_is_refused_not_trimmed(storage: LocalFileSystem) -> None:
    published(storage, "newer", 1.0)
    with get_client(sync_client=True) as client:
        document = client.read_block_document_by_name("newer", "model-registry")
        newer = BlockDocumentUpdate(data={"schema_version": 99})
        client.update_block_document(document.id, newer)

    with pytest.raises(PermanentError, match=r"schema version 99.*upgrade Homeostat"):
        level(storage, "newer")


def test_a_flow_that_reads_a_refused_model_has_it_in_its_log(
    storage: LocalFileSystem, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    name = "in-a-flow"
    truncate(tmp_path / published(storage, name, 1.0).key)

    @flow
    def forecasts() -> bool:
        return level(storage, name) is None

    assert forecasts()
    refused = [one for one in caplog.records if "models.refused" in one.getMessage()]
    assert [one.name for one in refused] == ["prefect.flow_runs"]


def train_as_a_process(work: tuple[str, str, int]) -> None:
    folder, name, day = work
    storage = LocalFileSystem(basepath=folder)
    published(storage, name, float(day), day=day)


def test_of_trainers_at_once_the_latest_model_waits_and_no_bytes_are_lost(
    storage: LocalFileSystem, tmp_path: Path, processes: Executor
) -> None:
    champion = published(storage, "raced", 0.0)

    work = [(str(tmp_path), "raced", day) for day in (4, 1, 3, 2)]
    list(processes.map(train_as_a_process, work))

    now = stored("raced")
    assert now.champion == champion
    assert now.challenger is not None
    assert now.challenger.trained_by == "run of day 4"
    waiting = shadowed(storage, "raced", read=level_of, kinds=["load/1"])
    assert waiting is not None
    assert waiting.model == 4.0
    assert len(list((tmp_path / "models" / "raced").iterdir())) == 5


def roll_back_as_a_process(work: tuple[str, str]) -> None:
    name, sha256 = work
    roll_back(name, reason="worse", serving=sha256, now=NOON)


def test_of_two_who_roll_back_at_once_one_does(
    storage: LocalFileSystem, processes: Executor
) -> None:
    _, second, third = after_two_promotions(storage, "raced-back")

    list(processes.map(roll_back_as_a_process, [("raced-back", third.sha256)] * 2))

    assert stored("raced-back").champion == second


def test_the_command_brings_the_earlier_model_back(
    storage: LocalFileSystem, prefect_server: PrefectServer
) -> None:
    _, second, third = after_two_promotions(storage, "by-command")

    with PrefectApi(prefect_server.api_url) as api:
        model = commands.roll_back(api, "by-command", reason="alarms at night")

    assert stored("by-command").champion == second
    assert [one.role for one in model.versions] == ["champion", "previous"]
    assert model.versions[0].sha256 == second.sha256
    assert model.refused == {third.sha256: "alarms at night"}
    assert model.message == "rolled back: alarms at night"
    found = level(storage, "by-command")
    assert found is not None
    assert (found.model, found.degraded_reason) == (2.0, None)


def test_the_command_says_when_there_is_nothing_to_go_back_to(
    storage: LocalFileSystem, prefect_server: PrefectServer
) -> None:
    published(storage, "no-way-back", 1.0)

    with (
        PrefectApi(prefect_server.api_url) as api,
        pytest.raises(commands.ModelCommandError, match="'no-way-back' has no earlier champion"),
    ):
        commands.roll_back(api, "no-way-back", reason="worse")
