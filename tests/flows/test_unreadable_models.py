"""A model that is trained while none of those that are registered can be read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prefect import flow
from prefect.filesystems import LocalFileSystem

from blocks.models import ModelRegistry
from tasks.adapters.state import load_state
from tasks.chunks import Sealed
from tasks.domain.models.registry import Registry
from tasks.models.documents import registry_of
from tasks.models.registry import Published, Trained, publish_challenger
from tasks.models.training import publish_model
from tests.flows.builders import make_state_lock

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("prefect_server")]


@pytest.fixture(autouse=True, scope="module")
def lock(prefect_server: object) -> None:
    make_state_lock()
    ModelRegistry.register_type_and_schema()


def trained(level: float, *, day: int) -> Trained:
    return Trained(
        state={"level": level},
        kind="load/1",
        trained_at=NOON + timedelta(days=day),
        trained_by="a run",
        data_sha256="d" * 64,
        metrics={},
    )


@flow
def publish(storage: LocalFileSystem, name: str, level: float, *, serve: bool) -> Published:
    return publish_model(storage, name, Sealed(trained(level, day=1)), NOON, serve=serve)


@pytest.mark.parametrize("serve", [True, False])
def test_it_serves_at_once_where_it_is_told_to_and_waits_otherwise(
    tmp_path: Path, serve: bool
) -> None:
    storage, name = LocalFileSystem(basepath=str(tmp_path)), f"unreadable-{serve}".lower()
    old = publish_challenger(storage, name, trained(1.0, day=0), now=NOON).version
    new = publish(storage, name, 2.0, serve=serve)
    if serve:
        expected = Registry(champion=new.version, previous=(old,))
    else:
        expected = Registry(champion=old, challenger=new.version, shadow_since=NOON)
    assert new.registry == expected
    assert registry_of(load_state(ModelRegistry, name)) == expected
