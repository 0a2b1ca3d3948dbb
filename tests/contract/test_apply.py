"""Server-side apply: who owns which field, and what happens where two want the same one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract import manifests
from tests.contract.api import Api, Object, Reply, path


def _map(name: str, **data: str) -> Object:
    return {**manifests.config_map(name), "data": data}


@pytest.fixture
def url(namespace: str, name: str) -> str:
    return path("configmaps", namespace, name)


def _apply(api: Api, url: str, body: Object, by: str, **query: Any) -> Reply:
    return api.patch(url, body, "apply", fieldManager=by, **query)


def _owned(thing: Object, by: str) -> set[str]:
    """Return the keys of `data` that a manager owns."""
    entries = [it for it in thing["metadata"]["managedFields"] if it["manager"] == by]
    fields = [it["fieldsV1"].get("f:data", {}) for it in entries]
    return {key.removeprefix("f:") for field in fields for key in field if key != "."}


def test_what_is_not_there_is_created(api: Api, url: str, name: str) -> None:
    reply = _apply(api, url, _map(name, a="1"), "one")

    assert reply.status == 201
    assert reply.body["data"] == {"a": "1"}


def test_who_applied_owns_the_fields_and_nothing_else(api: Api, url: str, name: str) -> None:
    applied = _apply(api, url, _map(name, a="1"), "one").object()

    (entry,) = applied["metadata"]["managedFields"]
    assert entry["manager"] == "one"
    assert entry["operation"] == "Apply"
    assert entry["apiVersion"] == "v1"
    assert entry["fieldsType"] == "FieldsV1"
    assert entry["fieldsV1"] == {"f:data": {"f:a": {}}}
    assert entry["time"] == applied["metadata"]["creationTimestamp"]


def test_applying_the_same_again_changes_nothing(api: Api, url: str, name: str) -> None:
    first = _apply(api, url, _map(name, a="1"), "one").object()
    again = _apply(api, url, _map(name, a="1"), "one")

    assert again.status == 200
    assert again.body["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


def test_a_field_of_another_with_another_value_is_a_conflict(api: Api, url: str, name: str) -> None:
    _apply(api, url, _map(name, a="1"), "one").object()

    reply = _apply(api, url, _map(name, a="2"), "two")

    assert (reply.status, reply.body["reason"]) == (409, "Conflict")
    assert reply.body["message"] == ('Apply failed with 1 conflict: conflict with "one": .data.a')
    assert reply.body["details"]["causes"] == [
        {"reason": "FieldManagerConflict", "message": 'conflict with "one"', "field": ".data.a"}
    ]


def test_several_conflicts_are_all_told(api: Api, url: str, name: str) -> None:
    _apply(api, url, _map(name, a="1", b="1"), "one").object()

    reply = _apply(api, url, _map(name, a="2", b="2"), "two")

    assert reply.body["message"].startswith(
        'Apply failed with 2 conflicts: conflicts with "one":\n'
    )
    assert {it["field"] for it in reply.body["details"]["causes"]} == {".data.a", ".data.b"}


def test_force_takes_the_field_over(api: Api, url: str, name: str) -> None:
    _apply(api, url, _map(name, a="1", b="1"), "one").object()

    forced = _apply(api, url, _map(name, a="2"), "two", force="true").object()

    assert forced["data"] == {"a": "2", "b": "1"}
    assert (_owned(forced, "one"), _owned(forced, "two")) == ({"b"}, {"a"})


def test_the_same_value_is_owned_together(api: Api, url: str, name: str) -> None:
    _apply(api, url, _map(name, a="1"), "one").object()

    shared = _apply(api, url, _map(name, a="1"), "two").object()

    assert (_owned(shared, "one"), _owned(shared, "two")) == ({"a"}, {"a"})


def test_what_is_no_longer_applied_goes(api: Api, url: str, name: str) -> None:
    _apply(api, url, _map(name, a="1", b="1"), "one").object()

    applied = _apply(api, url, _map(name, a="1"), "one").object()

    assert applied["data"] == {"a": "1"}


def test_what_another_owns_too_stays_when_one_no_longer_applies_it(
    api: Api, url: str, name: str
) -> None:
    _apply(api, url, _map(name, a="1", b="1"), "one").object()
    _apply(api, url, _map(name, b="1"), "two").object()

    applied = _apply(api, url, _map(name, a="1"), "one").object()

    assert applied["data"] == {"a": "1", "b": "1"}
    assert (_owned(applied, "one"), _owned(applied, "two")) == ({"a"}, {"b"})


def test_applying_only_the_name_gives_everything_up(api: Api, url: str, name: str) -> None:
    _apply(api, url, _map(name, a="1"), "one").object()
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}

    applied = _apply(api, url, body, "one").object()

    assert "data" not in applied


def test_an_update_owns_what_it_changed(api: Api, url: str, name: str) -> None:
    _apply(api, url, _map(name, a="1", b="1"), "one").object()

    updated = api.patch(url, {"data": {"a": "2"}}, fieldManager="two").object()

    entries = {it["manager"]: it for it in updated["metadata"]["managedFields"]}
    assert entries["two"]["operation"] == "Update"
    assert (_owned(updated, "one"), _owned(updated, "two")) == ({"b"}, {"a"})


def test_applying_over_an_update_is_a_conflict_with_its_time(api: Api, url: str, name: str) -> None:
    _apply(api, url, _map(name, a="1"), "one").object()
    api.patch(url, {"data": {"a": "2"}}, fieldManager="two").object()

    reply = _apply(api, url, _map(name, a="1"), "one")

    assert reply.status == 409
    assert 'conflict with "two" using v1' in reply.body["message"]


def test_a_manager_is_named_by_its_program_where_it_does_not_name_itself(
    api: Api, namespace: str, name: str
) -> None:
    made = api.make("configmaps", namespace, manifests.config_map(name))

    (entry,) = made["metadata"]["managedFields"]
    assert (entry["manager"], entry["operation"]) == ("OpenAPI-Generator", "Update")


def test_apply_needs_a_manager(api: Api, url: str, name: str) -> None:
    reply = api.patch(url, _map(name, a="1"), "apply")

    assert (reply.status, reply.body["reason"]) == (422, "Invalid")
    assert "fieldManager: Required value: is required for apply patch" in reply.body["message"]


def test_only_apply_may_force(api: Api, url: str, namespace: str, name: str) -> None:
    api.make("configmaps", namespace, manifests.config_map(name))

    reply = api.patch(url, {"data": {}}, "merge", force="true")

    assert (reply.status, reply.body["reason"]) == (422, "Invalid")
    assert "force: Forbidden: may not be specified for non-apply patch" in reply.body["message"]


def test_apply_takes_no_owners(api: Api, url: str, name: str) -> None:
    body = _map(name, a="1")
    body["metadata"] |= {"managedFields": [{"manager": "x", "operation": "Apply"}]}

    reply = _apply(api, url, body, "one")

    assert reply.status == 400
    assert "metadata.managedFields must be nil" in reply.body["message"]


def test_apply_with_a_uid_creates_nothing(api: Api, url: str, name: str) -> None:
    body = _map(name, a="1")
    body["metadata"]["uid"] = "11111111-1111-1111-1111-111111111111"

    reply = _apply(api, url, body, "one")

    assert (reply.status, reply.body["reason"]) == (409, "Conflict")


def test_a_body_without_its_kind_is_refused(api: Api, url: str, name: str) -> None:
    reply = _apply(api, url, {"metadata": {"name": name}, "data": {}}, "one")

    assert (reply.status, reply.body["message"]) == (400, "invalid object type: /, Kind=")


def test_containers_and_their_variables_are_owned_by_name(
    api: Api, namespace: str, name: str
) -> None:
    url = path("deployments", namespace, name)
    body = manifests.deployment(name, replicas=0)
    spec = body["spec"]["template"]["spec"]
    spec["containers"][0]["env"] = [{"name": "A", "value": "1"}]
    _apply(api, url, body, "one").object()
    added = {"name": "main", "env": [{"name": "B", "value": "2"}]}
    other = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"template": {"spec": {"containers": [added]}}},
    }

    applied = _apply(api, url, other, "two").object()

    (container,) = applied["spec"]["template"]["spec"]["containers"]
    assert {it["name"] for it in container["env"]} == {"A", "B"}
    entry = next(it for it in applied["metadata"]["managedFields"] if it["manager"] == "two")
    fields = entry["fieldsV1"]["f:spec"]["f:template"]["f:spec"]["f:containers"]
    assert 'k:{"name":"B"}' in fields['k:{"name":"main"}']["f:env"]


def test_an_autoscaler_takes_the_replicas_from_who_applied_them(
    api: Api, namespace: str, name: str
) -> None:
    url = path("deployments", namespace, name)
    body = manifests.deployment(name, replicas=0)
    _apply(api, url, body, "one").object()
    api.patch(f"{url}/scale", {"spec": {"replicas": 3}}, fieldManager="scaler").object()

    reply = _apply(api, url, body, "one")
    without = {**body, "spec": {k: v for k, v in body["spec"].items() if k != "replicas"}}
    left = _apply(api, url, without, "one").object()

    assert reply.status == 409
    assert [it["field"] for it in reply.body["details"]["causes"]] == [".spec.replicas"]
    assert 'conflict with "scaler" with subresource "scale"' in reply.body["message"]
    assert left["spec"]["replicas"] == 3


def test_a_status_is_applied_apart(api: Api, namespace: str, name: str) -> None:
    api.make("pods", namespace, manifests.pod(name))
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "status": {"phase": "Running"},
    }

    applied = _apply(api, path("pods", namespace, name, "status"), body, "kubelet").object()

    assert applied["status"]["phase"] == "Running"
    entry = next(it for it in applied["metadata"]["managedFields"] if it["manager"] == "kubelet")
    assert entry["subresource"] == "status"
