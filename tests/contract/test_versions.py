"""Versions of objects and of lists: who may overwrite what, and what a page or a watch continues."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.contract import manifests
from tests.contract.api import Api, Object, path


@pytest.fixture
def map_(api: Api, namespace: str, name: str) -> Object:
    return api.make("configmaps", namespace, manifests.config_map(name))


def _url(thing: Object) -> str:
    return path("configmaps", thing["metadata"]["namespace"], thing["metadata"]["name"])


def _many(api: Api, namespace: str, label: str, *, count: int) -> None:
    for number in range(count):
        body = manifests.config_map(f"{label}-{number:02}")
        body["metadata"]["labels"] = {"batch": label}
        api.make("configmaps", namespace, body)


def _names(listed: Object) -> list[str]:
    return [item["metadata"]["name"] for item in listed["items"]]


def test_replacing_a_state_that_has_passed_is_a_conflict(api: Api, map_: Object) -> None:
    api.patch(_url(map_), {"data": {"key": "newer"}}).object()

    reply = api.put(_url(map_), {**map_, "data": {"key": "mine"}})

    assert (reply.status, reply.body["reason"]) == (409, "Conflict")
    assert reply.body["message"] == (
        f'Operation cannot be fulfilled on configmaps "{map_["metadata"]["name"]}": the object has '
        "been modified; please apply your changes to the latest version and try again"
    )
    assert reply.body["details"] == {"name": map_["metadata"]["name"], "kind": "configmaps"}
    assert api.get(_url(map_)).object()["data"] == {"key": "newer"}


def test_a_replacement_without_a_version_overwrites(api: Api, map_: Object) -> None:
    api.patch(_url(map_), {"data": {"key": "newer"}}).object()
    body = manifests.config_map(map_["metadata"]["name"], key="mine")

    replaced = api.put(_url(map_), body).object()

    assert replaced["data"] == {"key": "mine"}
    assert replaced["metadata"]["uid"] == map_["metadata"]["uid"]
    assert replaced["metadata"]["creationTimestamp"] == map_["metadata"]["creationTimestamp"]


def test_a_deployment_too_may_be_overwritten_without_a_version(
    api: Api, namespace: str, name: str
) -> None:
    body = manifests.deployment(name, replicas=0)
    api.make("deployments", namespace, body)

    assert api.put(path("deployments", namespace, name), body).status == 200


def test_a_patch_with_a_version_that_has_passed_is_a_conflict(api: Api, map_: Object) -> None:
    api.patch(_url(map_), {"data": {"key": "newer"}}).object()
    version = map_["metadata"]["resourceVersion"]

    reply = api.patch(_url(map_), {"metadata": {"resourceVersion": version}, "data": {"a": "b"}})

    assert (reply.status, reply.body["reason"]) == (409, "Conflict")


def test_what_changes_nothing_keeps_the_version(api: Api, map_: Object) -> None:
    patched = api.patch(_url(map_), {"data": {"key": "value"}}).object()
    replaced = api.put(_url(map_), map_).object()

    versions = {it["metadata"]["resourceVersion"] for it in (map_, patched, replaced)}
    assert len(versions) == 1


def test_versions_grow_over_all_kinds(api: Api, namespace: str, name: str) -> None:
    made = [
        api.make("configmaps", namespace, manifests.config_map(name)),
        api.make("secrets", namespace, manifests.secret(name)),
        api.make("leases", namespace, manifests.lease(name)),
    ]

    versions = [int(it["metadata"]["resourceVersion"]) for it in made]
    assert versions == sorted(set(versions))


def test_of_many_that_replace_the_same_state_one_wins(api: Api, map_: Object) -> None:
    bodies = [{**map_, "data": {"key": str(number)}} for number in range(8)]

    with ThreadPoolExecutor(8) as pool:
        statuses = [r.status for r in pool.map(lambda body: api.put(_url(map_), body), bodies)]

    assert sorted(statuses) == [200] + 7 * [409]


def test_patches_without_a_version_are_all_applied(api: Api, map_: Object) -> None:
    patches = [{"data": {f"key-{number}": "x"}} for number in range(8)]

    with ThreadPoolExecutor(8) as pool:
        statuses = {r.status for r in pool.map(lambda patch: api.patch(_url(map_), patch), patches)}

    assert statuses == {200}
    assert len(api.get(_url(map_)).object()["data"]) == 9


@pytest.mark.parametrize(
    ("preconditions", "words"),
    [
        pytest.param(
            {"uid": "not-this"},
            "the UID in the precondition (not-this) does not match the UID in record (",
            id="uid",
        ),
        pytest.param(
            {"resourceVersion": "1"},
            "the ResourceVersion in the precondition (1) does not match the ResourceVersion in record (",
            id="version",
        ),
    ],
)
def test_a_deletion_that_means_another_object_is_a_conflict(
    api: Api, map_: Object, preconditions: Object, words: str
) -> None:
    reply = api.delete(_url(map_), {"preconditions": preconditions})

    assert (reply.status, reply.body["reason"]) == (409, "Conflict")
    assert words in reply.body["message"]
    assert api.get(_url(map_)).status == 200


def test_a_deletion_that_means_this_object_deletes_it(api: Api, map_: Object) -> None:
    meta = map_["metadata"]
    options = {"preconditions": {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"]}}

    assert api.delete(_url(map_), options).status == 200
    assert api.get(_url(map_)).status == 404


def test_a_list_is_at_least_as_new_as_the_last_write(
    api: Api, namespace: str, map_: Object
) -> None:
    listed = api.get(path("configmaps", namespace)).object()

    assert int(listed["metadata"]["resourceVersion"]) >= int(map_["metadata"]["resourceVersion"])


def test_any_state_of_a_list_will_do_where_version_0_is_asked_for(
    api: Api, namespace: str, map_: Object
) -> None:
    version = map_["metadata"]["resourceVersion"]
    api.get(path("configmaps", namespace), resourceVersion=version).object()

    listed = api.get(path("configmaps", namespace), resourceVersion="0").object()

    assert map_["metadata"]["name"] in _names(listed)


def test_a_list_not_older_than_a_version_has_what_was_made_then(
    api: Api, namespace: str, map_: Object
) -> None:
    version = map_["metadata"]["resourceVersion"]

    listed = api.get(
        path("configmaps", namespace), resourceVersion=version, resourceVersionMatch="NotOlderThan"
    ).object()

    assert map_["metadata"]["name"] in _names(listed)


def test_a_list_of_exactly_a_version_is_the_state_of_then(
    api: Api, namespace: str, map_: Object
) -> None:
    api.delete(_url(map_))

    listed = api.get(
        path("configmaps", namespace),
        resourceVersion=map_["metadata"]["resourceVersion"],
        resourceVersionMatch="Exact",
    ).object()

    assert map_["metadata"]["name"] in _names(listed)
    assert listed["metadata"]["resourceVersion"] == map_["metadata"]["resourceVersion"]


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        pytest.param(
            {"resourceVersion": "new"}, 400, 'resourceVersion: Invalid value: "new"', id="no number"
        ),
        pytest.param(
            {"resourceVersionMatch": "Exact"},
            422,
            "resourceVersionMatch is forbidden unless resourceVersion is provided",
            id="match without version",
        ),
        pytest.param({"limit": "many"}, 400, "strconv.ParseInt", id="limit"),
        pytest.param({"continue": "nonsense"}, 400, "continue key is not valid", id="continue"),
    ],
)
def test_a_list_that_makes_no_sense_is_refused(
    api: Api, namespace: str, query: Object, status: int, words: str
) -> None:
    reply = api.get(path("configmaps", namespace), **query)

    assert reply.status == status
    assert words in reply.body["message"]


def test_a_list_of_the_future_is_not_waited_for_long(api: Api, namespace: str) -> None:
    reply = api.get(path("configmaps", namespace), resourceVersion="999999999999999999")

    assert (reply.status, reply.body["reason"]) == (504, "Timeout")
    assert reply.body["message"].startswith(
        "Timeout: Too large resource version: 999999999999999999, current: "
    )
    assert reply.body["details"]["causes"] == [
        {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    ]


def test_pages_hold_so_many_and_say_what_remains(api: Api, namespace: str) -> None:
    _many(api, namespace, "paged", count=7)

    pages: list[Object] = [api.get(path("configmaps", namespace), limit=3).object()]
    while pages[-1]["metadata"].get("continue"):
        token = pages[-1]["metadata"]["continue"]
        pages.append(
            api.get(path("configmaps", namespace), **{"limit": 3, "continue": token}).object()
        )

    total = sum(len(page["items"]) for page in pages)
    assert {len(page["items"]) for page in pages[:-1]} == {3}
    assert pages[0]["metadata"]["remainingItemCount"] == total - 3
    assert "remainingItemCount" not in pages[-1]["metadata"]
    names = [name for page in pages for name in _names(page)]
    assert names == sorted(set(names))


def test_pages_are_of_one_state_whatever_changes_between_them(api: Api, namespace: str) -> None:
    _many(api, namespace, "stable", count=6)
    query = {"limit": 4, "labelSelector": "batch=stable"}
    first = api.get(path("configmaps", namespace), **query).object()
    api.delete(path("configmaps", namespace, "stable-05"))
    _many(api, namespace, "stable-later", count=1)

    token = first["metadata"]["continue"]
    rest = api.get(path("configmaps", namespace), **query, **{"continue": token}).object()

    assert _names(first) + _names(rest) == [f"stable-{number:02}" for number in range(6)]
    assert rest["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


def test_what_remains_is_not_counted_where_a_selector_is_given(api: Api, namespace: str) -> None:
    _many(api, namespace, "uncounted", count=3)

    page = api.get(path("configmaps", namespace), limit=1, labelSelector="batch=uncounted").object()

    assert page["metadata"]["continue"]
    assert "remainingItemCount" not in page["metadata"]


def test_a_page_goes_on_with_the_same_version_for_a_watch(api: Api, namespace: str) -> None:
    _many(api, namespace, "watched", count=3)
    query: Object = {"labelSelector": "batch=watched"}
    page = api.get(path("configmaps", namespace), limit=2, **query).object()
    api.delete(path("configmaps", namespace, "watched-00"))

    events = api.watch(
        path("configmaps", namespace),
        resourceVersion=page["metadata"]["resourceVersion"],
        **query,
    )

    assert next(events)["type"] == "DELETED"
    events.close()  # type: ignore[attr-defined]


def test_a_token_is_for_the_list_that_gave_it(api: Api, namespace: str) -> None:
    _many(api, namespace, "token", count=2)
    token = api.get(path("configmaps", namespace), limit=1).object()["metadata"]["continue"]
    query = {"continue": token, "resourceVersion": "5"}

    reply = api.get(path("configmaps", namespace), **query)

    assert (reply.status, reply.body["reason"]) == (400, "BadRequest")
    assert reply.body["message"] == (
        "specifying resource version is not allowed when using continue"
    )


def test_generation_of_the_token_is_no_promise_but_it_is_text(api: Api, namespace: str) -> None:
    _many(api, namespace, "opaque", count=2)

    token = api.get(path("configmaps", namespace), limit=1).object()["metadata"]["continue"]

    assert json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))["v"]
