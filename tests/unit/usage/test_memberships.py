"""Memberships of an earlier run."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from prefect.filesystems import LocalFileSystem

import tasks.usage.archetypes
from blocks import UsageProfile
from tasks.adapters.documents import to_json
from tasks.adapters.objects import store_object
from tasks.adapters.state import object_pointer
from tasks.domain.usage.archetypes import Archetype
from tasks.domain.usage.membership import Membership, Memberships
from tasks.usage.archetypes import held_memberships

KEPT = Memberships(by_resource={"i-1": Membership(archetype=Archetype.STEADY, margin=0.8)})


@pytest.fixture(autouse=True)
def plain_logger(monkeypatch: pytest.MonkeyPatch) -> None:
    # Outside of a run Prefect has no logger to give.
    monkeypatch.setattr(tasks.usage.archetypes, "get_run_logger", logging.getLogger)


def profile(storage: LocalFileSystem, content: bytes) -> UsageProfile:
    stored = store_object(storage, content, prefix="usage/membership", suffix=".json")
    return UsageProfile(membership=object_pointer(stored))


def test_memberships_come_back_from_storage(tmp_path: Path) -> None:
    storage = LocalFileSystem(basepath=str(tmp_path))
    known = profile(storage, to_json(Memberships, KEPT))

    assert held_memberships(storage, known) == KEPT.by_resource


def test_memberships_of_another_release_are_begun_afresh(tmp_path: Path) -> None:
    storage = LocalFileSystem(basepath=str(tmp_path))
    renamed = to_json(Memberships, KEPT).replace(b"steady", b"calm")

    assert held_memberships(storage, profile(storage, renamed)) == {}


def test_memberships_that_are_lost_are_begun_afresh(tmp_path: Path) -> None:
    storage = LocalFileSystem(basepath=str(tmp_path))
    known = profile(storage, to_json(Memberships, KEPT))
    for file in tmp_path.rglob("*.json"):
        file.unlink()

    assert held_memberships(storage, known) == {}
