"""Watches: which events come, in which order, from where, and how they end."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import islice

import pytest
from kubernetes import client

from tests.contract import manifests, official
from tests.contract.api import Api, Object, path


@pytest.fixture
def secrets(api: Api, name: str) -> str:
    """The path of the Secrets of a namespace: a kind that no controller writes."""
    api.make("namespaces", None, manifests.namespace(name))
    return path("secrets", name)


def _make(api: Api, secrets: str, name: str, **labels: str) -> Object:
    body = manifests.secret(name)
    body["metadata"]["labels"] = labels
    return api.post(secrets, body).object()


def _version(api: Api, secrets: str) -> str:
    return str(api.get(secrets).object()["metadata"]["resourceVersion"])


def _seen(events: Iterator[Object], count: int) -> list[tuple[str, str]]:
    taken = [(it["type"], it["object"]["metadata"]["name"]) for it in islice(events, count)]
    events.close()  # type: ignore[attr-defined]
    return taken


def test_changes_come_in_order_from_a_version_on(api: Api, secrets: str) -> None:
    version = _version(api, secrets)
    _make(api, secrets, "a")
    _make(api, secrets, "b")
    api.patch(f"{secrets}/a", {"data": {"key": "Mg=="}}).object()
    api.delete(f"{secrets}/b").object()

    events = _seen(api.watch(secrets, resourceVersion=version), 4)

    assert events == [("ADDED", "a"), ("ADDED", "b"), ("MODIFIED", "a"), ("DELETED", "b")]


def test_what_changes_while_it_is_watched_is_seen(api: Api, secrets: str) -> None:
    events = api.watch(secrets, resourceVersion=_version(api, secrets))
    begun = threading.Thread(target=_make, args=(api, secrets, "later"))
    begun.start()

    assert _seen(events, 1) == [("ADDED", "later")]
    begun.join()


def test_versions_of_events_grow_and_a_deletion_has_its_own(api: Api, secrets: str) -> None:
    version = _version(api, secrets)
    made = _make(api, secrets, "a")
    api.delete(f"{secrets}/a").object()

    events = list(islice(api.watch(secrets, resourceVersion=version), 2))

    versions = [int(it["object"]["metadata"]["resourceVersion"]) for it in events]
    assert versions[0] == int(made["metadata"]["resourceVersion"]) < versions[1]


@pytest.mark.parametrize("version", [None, "0"])
def test_a_watch_without_a_version_begins_with_what_is_there(
    api: Api, secrets: str, version: str | None
) -> None:
    made = _make(api, secrets, "a", kept="yes")
    api.get(secrets, resourceVersion=made["metadata"]["resourceVersion"]).object()

    events = api.watch(secrets, resourceVersion=version, labelSelector="kept=yes")

    assert _seen(events, 1) == [("ADDED", "a")]


def test_events_carry_whole_objects_with_their_kind(api: Api, secrets: str) -> None:
    version = _version(api, secrets)
    made = _make(api, secrets, "a")

    events = api.watch(secrets, resourceVersion=version)
    first = next(events)["object"]
    events.close()  # type: ignore[attr-defined]

    assert first == made
    assert (first["kind"], first["apiVersion"]) == ("Secret", "v1")


def test_a_change_of_labels_enters_and_leaves_a_selection(api: Api, secrets: str) -> None:
    version = _version(api, secrets)
    _make(api, secrets, "a", tier="front")
    for tier in ("back", "back", "front", "back"):
        api.patch(f"{secrets}/a", {"metadata": {"labels": {"tier": tier}}}).object()
    api.delete(f"{secrets}/a").object()
    _make(api, secrets, "end", tier="back")

    events = _seen(api.watch(secrets, resourceVersion=version, labelSelector="tier=back"), 4)

    # The second "back" changed nothing, so nobody hears of it.
    assert events == [("ADDED", "a"), ("DELETED", "a"), ("ADDED", "a"), ("DELETED", "a")]


def test_what_leaves_a_selection_is_told_as_it_was_in_it(api: Api, secrets: str) -> None:
    version = _version(api, secrets)
    _make(api, secrets, "a", tier="back")
    moved = api.patch(f"{secrets}/a", {"metadata": {"labels": {"tier": "front"}}}).object()

    events = list(islice(api.watch(secrets, resourceVersion=version, labelSelector="tier=back"), 2))

    assert events[1]["type"] == "DELETED"
    assert events[1]["object"]["metadata"]["labels"] == {"tier": "back"}
    assert (
        events[1]["object"]["metadata"]["resourceVersion"] == moved["metadata"]["resourceVersion"]
    )


def test_one_object_is_watched_by_its_name(api: Api, secrets: str) -> None:
    version = _version(api, secrets)
    for name in ("a", "b", "c"):
        _make(api, secrets, name)

    events = api.watch(secrets, resourceVersion=version, fieldSelector="metadata.name=b")

    assert _seen(events, 1) == [("ADDED", "b")]


def test_a_pod_enters_the_selection_of_its_phase(api: Api, name: str) -> None:
    api.make("namespaces", None, manifests.namespace(name))
    version = _version(api, path("pods", name))
    api.make("pods", name, manifests.pod("web"))
    status = {"status": {"phase": "Running"}}
    api.patch(path("pods", name, "web", "status"), status, "strategic").object()

    events = api.watch(
        path("pods", name), resourceVersion=version, fieldSelector="status.phase=Running"
    )

    assert _seen(events, 1) == [("ADDED", "web")]


def test_a_watch_ends_after_its_time(api: Api, secrets: str) -> None:
    begun = time.monotonic()

    events = list(api.watch(secrets, resourceVersion=_version(api, secrets), timeout_seconds=1))

    assert events == []
    assert 0.9 <= time.monotonic() - begun < 10


def test_a_version_that_is_no_number_is_refused(api: Api, secrets: str) -> None:
    (refusal,) = api.watch(secrets, resourceVersion="new", timeout_seconds=5)

    # A list of that version is a bad request; a watch of it is answered like a failure of the server.
    assert refusal["object"]["code"] == 500
    assert refusal["object"]["message"] == (
        'resourceVersion: Invalid value: "new": strconv.ParseUint: parsing "new": invalid syntax'
    )


def test_initial_events_end_with_a_bookmark_that_says_so(api: Api, secrets: str) -> None:
    _make(api, secrets, "a", kept="yes")
    _make(api, secrets, "b", kept="yes")

    events = list(
        islice(
            api.watch(
                secrets,
                labelSelector="kept=yes",
                sendInitialEvents="true",
                resourceVersionMatch="NotOlderThan",
                allowWatchBookmarks="true",
            ),
            3,
        )
    )

    assert sorted((it["type"], it["object"]["metadata"].get("name")) for it in events[:2]) == [
        ("ADDED", "a"),
        ("ADDED", "b"),
    ]
    assert events[2]["type"] == "BOOKMARK"
    meta = events[2]["object"]["metadata"]
    assert meta["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert int(meta["resourceVersion"]) > 0
    assert set(meta) == {"annotations", "resourceVersion"}


def test_initial_events_need_a_match_of_versions(api: Api, secrets: str) -> None:
    events = list(api.watch(secrets, sendInitialEvents="true", timeout_seconds=5))

    assert events[0]["object"]["code"] == 422
    assert (
        "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        in events[0]["object"]["message"]
    )


def test_a_bookmark_comes_before_a_watch_ends_where_bookmarks_are_allowed(
    api: Api, secrets: str
) -> None:
    version = _version(api, secrets)
    _make(api, secrets, "a", tier="back")
    events = api.watch(
        secrets,
        resourceVersion=version,
        labelSelector="tier=back",
        allowWatchBookmarks="true",
        timeout_seconds=4,
    )
    first = next(events)

    other = _make(api, secrets, "b", tier="front")
    rest = list(events)

    # Nothing more that is selected changed, and still the client learns how far it has come.
    assert first["type"] == "ADDED"
    assert {it["type"] for it in rest} == {"BOOKMARK"}
    last = rest[-1]["object"]
    assert int(last["metadata"]["resourceVersion"]) >= int(other["metadata"]["resourceVersion"])
    assert (last["kind"], last["apiVersion"]) == ("Secret", "v1")


def test_no_bookmark_comes_unasked(api: Api, secrets: str) -> None:
    version = _version(api, secrets)
    _make(api, secrets, "a", tier="back")
    events = api.watch(
        secrets, resourceVersion=version, labelSelector="tier=back", timeout_seconds=4
    )
    next(events)
    _make(api, secrets, "b", tier="front")

    assert list(events) == []


def test_a_watch_goes_on_from_the_last_event_without_loss(api: Api, secrets: str) -> None:
    first = api.watch(secrets, resourceVersion=_version(api, secrets))
    _make(api, secrets, "a")
    seen = next(first)["object"]["metadata"]["resourceVersion"]
    first.close()  # type: ignore[attr-defined]
    _make(api, secrets, "b")

    assert _seen(api.watch(secrets, resourceVersion=seen), 1) == [("ADDED", "b")]


def test_two_watches_see_the_same(api: Api, secrets: str) -> None:
    version = _version(api, secrets)
    watches = [api.watch(secrets, resourceVersion=version) for _ in range(2)]
    for name in ("a", "b"):
        _make(api, secrets, name)

    assert [_seen(each, 2) for each in watches] == 2 * [[("ADDED", "a"), ("ADDED", "b")]]


def test_all_namespaces_are_watched_at_once(api: Api, secrets: str) -> None:
    version = _version(api, secrets)
    _make(api, secrets, "anywhere", mine="yes")

    events = api.watch(path("secrets"), resourceVersion=version, labelSelector="mine=yes")

    assert _seen(events, 1) == [("ADDED", "anywhere")]


def test_the_watch_of_the_official_client_gives_typed_objects(api: Api, secrets: str) -> None:
    namespace = secrets.split("/")[4]
    version = _version(api, secrets)
    _make(api, secrets, "typed")

    stream = official.Watch().stream(
        api.core.list_namespaced_secret, namespace, resource_version=version, timeout_seconds=20
    )
    event = next(stream)
    stream.close()

    assert isinstance(event["object"], client.V1Secret)
    assert event["raw_object"]["metadata"]["name"] == "typed"
