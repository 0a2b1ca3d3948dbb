"""Versions, watches and pages of what is stored."""

from __future__ import annotations

from typing import Any

import pytest

from deployments.embedded.kubernetes.errors import ApiError
from deployments.embedded.kubernetes.kinds import Kinds
from deployments.embedded.kubernetes.objects import Deletion, Objects, Writer
from deployments.embedded.kubernetes.paging import Pages
from deployments.embedded.kubernetes.selectors import Selector, label_selector
from deployments.embedded.kubernetes.store import REMEMBERED, Change, Store

WRITER = Writer(manager="tests")


@pytest.fixture
def objects() -> Objects:
    found = Objects(Store(), Kinds())
    spaces = found.kinds.built_in("", "v1", "namespaces")
    found.create(spaces, "", {"metadata": {"name": "default"}}, WRITER)
    return found


def config_map(name: str, **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": labels}, "data": {"a": "b"}}


def maps(objects: Objects) -> Any:
    return objects.kinds.built_in("", "v1", "configmaps")


def test_every_write_has_a_newer_version_and_the_same_object_none(objects: Objects) -> None:
    kind = maps(objects)
    first = objects.create(kind, "default", config_map("a"), WRITER)
    same = objects.patch(kind, "default", "a", lambda body: body, WRITER)
    other = objects.patch(kind, "default", "a", lambda body: body | {"data": {"a": "c"}}, WRITER)
    assert same.version == first.version < other.version
    assert other.uid == first.uid


def test_a_write_that_rests_on_an_old_version_is_refused(objects: Objects) -> None:
    kind = maps(objects)
    old = objects.create(kind, "default", config_map("a"), WRITER).body()
    objects.patch(kind, "default", "a", lambda body: body | {"data": {}}, WRITER)
    with pytest.raises(ApiError, match="the object has been modified") as refused:
        objects.replace(kind, "default", "a", old, WRITER)
    assert refused.value.code == 409


def test_what_a_selector_no_longer_fits_is_gone_for_its_watch(objects: Objects) -> None:
    kind, wanted = maps(objects), label_selector("app=web")
    objects.create(kind, "default", config_map("a", app="web"), WRITER)
    since = objects.store.version
    for app in ("db", "web", "web"):

        def labelled(body: dict[str, Any], app: str = app) -> dict[str, Any]:
            body["metadata"]["labels"] = {"app": app}
            return body | {"data": {"x": f"{app}{objects.store.version}"}}

        objects.patch(kind, "default", "a", labelled, WRITER)
    seen = [one.seen_by(wanted, Selector(), "") for one in objects.store.shelf(kind).since(since)]
    assert seen == [Change.DELETED, Change.ADDED, Change.MODIFIED]


def test_a_watch_that_is_too_old_is_told_so(objects: Objects) -> None:
    kind, shelf = maps(objects), objects.store.shelf(maps(objects))
    for at in range(REMEMBERED + 2):
        objects.create(kind, "default", config_map(f"m{at}"), WRITER)
    assert len(shelf.since(objects.store.version - 10)) == 10
    with pytest.raises(ApiError, match="too old resource version") as refused:
        shelf.since(2)
    assert refused.value.code == 410


def test_later_pages_show_what_was_there_at_the_first(objects: Objects) -> None:
    kind, pages = maps(objects), Pages()
    for name in "abcde":
        objects.create(kind, "default", config_map(name), WRITER)
    entries = sorted(objects.store.list(kind), key=lambda one: one.key)
    page = pages.first(entries, version=objects.store.version, limit=2)
    objects.delete(kind, "default", "c", Deletion())
    names = [one.name for one in page.entries]
    assert page.remaining == 3
    while page.token:
        page = pages.next(page.token, limit=2)
        names += [one.name for one in page.entries]
    assert names == list("abcde")
    with pytest.raises(ApiError, match="continue key is not valid"):
        pages.next("nonsense", limit=2)


def test_finalizers_hold_an_object_until_the_last_is_gone(objects: Objects) -> None:
    kind = maps(objects)
    body = config_map("a")
    body["metadata"]["finalizers"] = ["example.com/hold"]
    objects.create(kind, "default", body, WRITER)
    _, gone = objects.delete(kind, "default", "a", Deletion())
    assert not gone
    assert objects.get(kind, "default", "a").body()["metadata"]["deletionTimestamp"]

    def release(found: dict[str, Any]) -> dict[str, Any]:
        found["metadata"]["finalizers"] = []
        return found

    objects.patch(kind, "default", "a", release, WRITER)
    with pytest.raises(ApiError, match='configmaps "a" not found'):
        objects.get(kind, "default", "a")


def test_a_dry_run_stores_nothing(objects: Objects) -> None:
    kind, version = maps(objects), objects.store.version
    tried = Writer(manager="tests", dry_run=True)
    assert objects.create(kind, "default", config_map("a"), tried).name == "a"
    assert (objects.store.get(kind, "default", "a"), objects.store.version) == (None, version)
