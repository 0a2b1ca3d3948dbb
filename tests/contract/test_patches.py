"""The three kinds of patch that say what to change: merge, JSON, and strategic merge."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract import manifests
from tests.contract.api import Api, Object, path

CONTAINERS = [
    {
        "name": "main",
        "image": "app:1",
        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
        "ports": [{"containerPort": 80, "name": "http"}],
        "args": ["one", "two"],
    },
    {"name": "side", "image": "side:1"},
]


@pytest.fixture
def web(api: Api, namespace: str, name: str) -> str:
    """The path of a Deployment of two containers that runs nothing."""
    body = manifests.deployment(name, replicas=0)
    body["metadata"]["labels"] = {"a": "1", "b": "2"}
    body["spec"]["template"]["spec"] = {
        "containers": CONTAINERS,
        "tolerations": [{"key": "old", "operator": "Exists"}],
        "nodeSelector": {"zone": "a"},
        "volumes": [{"name": "scratch", "emptyDir": {}}],
    }
    api.make("deployments", namespace, body)
    return path("deployments", namespace, name)


def _template(spec: Object) -> Object:
    return {"spec": {"template": {"spec": spec}}}


def _containers(thing: Object) -> list[Object]:
    containers: list[Object] = thing["spec"]["template"]["spec"]["containers"]
    return containers


def _pairs(container: Object) -> Object:
    return {it["name"]: it.get("value") for it in container.get("env", [])}


# Merge patch (RFC 7386).


@pytest.mark.parametrize(
    ("patch", "labels"),
    [
        pytest.param({"c": "3"}, {"a": "1", "b": "2", "c": "3"}, id="adds"),
        pytest.param({"a": "9"}, {"a": "9", "b": "2"}, id="replaces"),
        pytest.param({"a": None}, {"b": "2"}, id="null deletes"),
        pytest.param({"absent": None}, {"a": "1", "b": "2"}, id="null of what is not there"),
        pytest.param(None, None, id="null deletes all"),
    ],
)
@pytest.mark.parametrize("kind", ["merge", "strategic"])
def test_maps_are_merged(
    api: Api, web: str, kind: str, patch: Object | None, labels: Object | None
) -> None:
    patched = api.patch(web, {"metadata": {"labels": patch}}, kind).object()

    assert patched["metadata"].get("labels") == labels


def test_a_merge_patch_replaces_lists(api: Api, web: str) -> None:
    patch = _template({"containers": [{"name": "only", "image": "new:1"}]})

    patched = api.patch(web, patch, "merge").object()

    assert [it["name"] for it in _containers(patched)] == ["only"]


def test_a_merge_patch_that_makes_it_invalid_is_refused(api: Api, web: str) -> None:
    reply = api.patch(web, {"spec": {"replicas": -1}}, "merge")

    assert (reply.status, reply.body["reason"]) == (422, "Invalid")
    assert api.get(web).object()["spec"]["replicas"] == 0


def test_a_merge_patch_of_null_gives_the_default_again(api: Api, web: str) -> None:
    api.patch(web, {"spec": {"revisionHistoryLimit": 3}}, "merge").object()

    patched = api.patch(web, {"spec": {"revisionHistoryLimit": None}}, "merge").object()

    assert patched["spec"]["revisionHistoryLimit"] == 10


@pytest.mark.parametrize("kind", ["merge", "strategic"])
def test_a_patch_of_a_wrong_type_is_refused(api: Api, web: str, kind: str) -> None:
    reply = api.patch(web, {"spec": {"replicas": "three"}}, kind)

    assert (reply.status, reply.body["reason"]) == (422, "Invalid")
    assert [it["field"] for it in reply.body["details"]["causes"]] == ["patch"]


# JSON patch (RFC 6902).


@pytest.mark.parametrize(
    ("operations", "labels"),
    [
        pytest.param([("add", "c", "3")], {"a": "1", "b": "2", "c": "3"}, id="add"),
        pytest.param([("replace", "a", "9")], {"a": "9", "b": "2"}, id="replace"),
        pytest.param([("remove", "a", None)], {"b": "2"}, id="remove"),
        pytest.param([("test", "a", "1"), ("replace", "a", "9")], {"a": "9", "b": "2"}, id="test"),
        pytest.param([("add", "x~1y", "3")], {"a": "1", "b": "2", "x/y": "3"}, id="escaped"),
    ],
)
def test_operations_are_done_in_order(
    api: Api, web: str, operations: list[tuple[str, str, str | None]], labels: Object
) -> None:
    patched = api.patch(web, [_operation(*each) for each in operations], "json").object()

    assert patched["metadata"]["labels"] == labels


def test_values_are_moved_and_copied(api: Api, web: str) -> None:
    operations = [
        {"op": "move", "from": "/metadata/labels/a", "path": "/metadata/labels/c"},
        {"op": "copy", "from": "/metadata/labels/b", "path": "/metadata/labels/d"},
    ]

    patched = api.patch(web, operations, "json").object()

    assert patched["metadata"]["labels"] == {"b": "2", "c": "1", "d": "2"}


def test_an_element_is_added_at_the_end_and_in_between(api: Api, web: str) -> None:
    base = "/spec/template/spec/containers/0/args"
    operations = [
        {"op": "add", "path": f"{base}/-", "value": "end"},
        {"op": "add", "path": f"{base}/1", "value": "between"},
        {"op": "remove", "path": f"{base}/0"},
    ]

    patched = api.patch(web, operations, "json").object()

    assert _containers(patched)[0]["args"] == ["between", "two", "end"]


@pytest.mark.parametrize(
    "operation",
    [
        pytest.param(("test", "a", "other"), id="test"),
        pytest.param(("test", "absent", "x"), id="test of what is not there"),
        pytest.param(("remove", "absent", None), id="remove"),
        pytest.param(("increment", "a", "1"), id="unknown"),
    ],
)
def test_an_operation_that_fails_fails_the_patch(
    api: Api, web: str, operation: tuple[str, str, str | None]
) -> None:
    operations = [_operation("add", "c", "3"), _operation(*operation)]

    reply = api.patch(web, operations, "json")

    assert (reply.status, reply.body["reason"]) == (422, "Invalid")
    # Which operation it was is not told.
    assert reply.body["message"] == (
        "the server rejected our request due to an error in our request"
    )
    assert reply.body["details"] == {}
    assert "c" not in api.get(web).object()["metadata"]["labels"]


def test_replacing_what_is_not_there_adds_it(api: Api, web: str) -> None:
    patched = api.patch(web, [_operation("replace", "c", "3")], "json").object()

    assert patched["metadata"]["labels"]["c"] == "3"


def _operation(name: str, label: str, value: str | None) -> Object:
    operation: Object = {"op": name, "path": f"/metadata/labels/{label}"}
    return operation if value is None else operation | {"value": value}


# Strategic merge patch.


def test_containers_are_merged_by_name(api: Api, web: str) -> None:
    patch = _template({"containers": [{"name": "main", "image": "app:2"}]})

    patched = api.patch(web, patch, "strategic").object()

    assert [(it["name"], it["image"]) for it in _containers(patched)] == [
        ("main", "app:2"),
        ("side", "side:1"),
    ]
    assert _containers(patched)[0]["args"] == ["one", "two"]


def test_a_container_of_a_new_name_is_added_in_front(api: Api, web: str) -> None:
    patch = _template({"containers": [{"name": "new", "image": "new:1"}]})

    patched = api.patch(web, patch, "strategic").object()

    assert [it["name"] for it in _containers(patched)] == ["new", "main", "side"]


def test_an_element_is_deleted_by_its_key(api: Api, web: str) -> None:
    patch = _template({"containers": [{"name": "side", "$patch": "delete"}]})

    patched = api.patch(web, patch, "strategic").object()

    assert [it["name"] for it in _containers(patched)] == ["main"]


def test_a_list_is_replaced_where_the_patch_says_so(api: Api, web: str) -> None:
    patch = _template({"containers": [{"$patch": "replace"}, {"name": "only", "image": "x:1"}]})

    patched = api.patch(web, patch, "strategic").object()

    assert [it["name"] for it in _containers(patched)] == ["only"]


def test_a_map_is_replaced_where_the_patch_says_so(api: Api, web: str) -> None:
    patch = {"metadata": {"labels": {"$patch": "replace", "only": "x"}}}

    patched = api.patch(web, patch, "strategic").object()

    assert patched["metadata"]["labels"] == {"only": "x"}


def test_variables_are_merged_by_name(api: Api, web: str) -> None:
    env = [{"name": "B", "value": "9"}, {"name": "C", "value": "3"}]
    patch = _template({"containers": [{"name": "main", "env": env}]})

    patched = api.patch(web, patch, "strategic").object()

    assert _pairs(_containers(patched)[0]) == {"A": "1", "B": "9", "C": "3"}


def test_a_variable_is_deleted_by_its_name(api: Api, web: str) -> None:
    env = [{"name": "A", "$patch": "delete"}]
    patch = _template({"containers": [{"name": "main", "env": env}]})

    patched = api.patch(web, patch, "strategic").object()

    assert _pairs(_containers(patched)[0]) == {"B": "2"}


def test_ports_are_merged_by_number(api: Api, web: str) -> None:
    ports = [{"containerPort": 80, "name": "web"}, {"containerPort": 443}]
    patch = _template({"containers": [{"name": "main", "ports": ports}]})

    patched = api.patch(web, patch, "strategic").object()

    found = {it["containerPort"]: it.get("name") for it in _containers(patched)[0]["ports"]}
    assert found == {80: "web", 443: None}


def test_volumes_are_merged_by_name(api: Api, web: str) -> None:
    patch = _template({"volumes": [{"name": "more", "emptyDir": {}}]})

    patched = api.patch(web, patch, "strategic").object()

    volumes = patched["spec"]["template"]["spec"]["volumes"]
    assert {it["name"] for it in volumes} == {"scratch", "more"}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        pytest.param(
            {"tolerations": [{"key": "new", "operator": "Exists"}]},
            [{"key": "new", "operator": "Exists"}],
            id="tolerations",
        ),
        pytest.param(
            {"containers": [{"name": "main", "args": ["three"]}]}, ["three"], id="arguments"
        ),
    ],
)
def test_lists_without_a_key_are_replaced(
    api: Api, web: str, spec: Object, expected: list[Any]
) -> None:
    patched = api.patch(web, _template(spec), "strategic").object()["spec"]["template"]["spec"]

    found = patched["containers"][0]["args"] if "containers" in spec else patched["tolerations"]
    assert found == expected


def test_the_order_of_elements_is_set(api: Api, web: str) -> None:
    patch = _template(
        {
            "$setElementOrder/containers": [{"name": "side"}, {"name": "main"}],
            "containers": [{"name": "main", "image": "app:2"}],
        }
    )

    patched = api.patch(web, patch, "strategic").object()

    assert [it["name"] for it in _containers(patched)] == ["side", "main"]


def test_keys_that_are_not_retained_go(api: Api, web: str) -> None:
    patch = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}

    patched = api.patch(web, patch, "strategic").object()

    assert patched["spec"]["strategy"] == {"type": "Recreate"}


def test_without_retaining_a_strategy_keeps_what_no_longer_fits(api: Api, web: str) -> None:
    reply = api.patch(web, {"spec": {"strategy": {"type": "Recreate"}}}, "strategic")

    assert reply.status == 422
    assert "may not be specified when strategy `type` is 'Recreate'" in reply.body["message"]


def test_finalizers_are_merged_as_a_set_and_deleted_by_value(
    api: Api, namespace: str, name: str
) -> None:
    url = path("configmaps", namespace, name)
    api.make("configmaps", namespace, manifests.config_map(name))
    for value in ("x.dev/a", "x.dev/b", "x.dev/a"):
        api.patch(url, {"metadata": {"finalizers": [value]}}, "strategic").object()
    merged = api.get(url).object()["metadata"]["finalizers"]

    patch = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["x.dev/a"]}}
    left = api.patch(url, patch, "strategic").object()["metadata"]["finalizers"]

    assert sorted(merged) == ["x.dev/a", "x.dev/b"]
    assert left == ["x.dev/b"]
    api.patch(url, {"metadata": {"finalizers": None}})


def test_owners_are_merged_by_identity(api: Api, namespace: str, name: str) -> None:
    owners = [api.make("secrets", namespace, manifests.secret(f"{name}-{it}")) for it in "ab"]
    url = path("configmaps", namespace, name)
    api.make("configmaps", namespace, manifests.config_map(name))
    for owner in owners:
        reference = {
            "apiVersion": "v1",
            "kind": "Secret",
            "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"],
        }
        api.patch(url, {"metadata": {"ownerReferences": [reference]}}, "strategic").object()

    read = api.get(url).object()["metadata"]["ownerReferences"]

    assert {it["uid"] for it in read} == {owner["metadata"]["uid"] for owner in owners}


def test_conditions_are_merged_by_type(api: Api, namespace: str, name: str) -> None:
    api.make("pods", namespace, manifests.pod(name))
    url = path("pods", namespace, name, "status")
    for kind in ("Ready", "Initialized"):
        condition = {"type": kind, "status": "True"}
        api.patch(url, {"status": {"conditions": [condition]}}, "strategic").object()

    conditions = api.get(url).object()["status"]["conditions"]

    assert {"Ready", "Initialized"} <= {it["type"] for it in conditions}


@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
def test_a_patch_of_another_kind_is_not_supported(api: Api, web: str, kind: str) -> None:
    reply = api.call("PATCH", web, "{}" if "plain" in kind else {}, content_type=kind)

    assert (reply.status, reply.body["reason"]) == (415, "UnsupportedMediaType")
    assert reply.body["message"] == "415: Unsupported Media Type"


def test_the_official_client_patches_objects_strategically(
    api: Api, namespace: str, web: str
) -> None:
    patch = _template({"containers": [{"name": "main", "image": "app:7"}]})

    patched = api.apps.patch_namespaced_deployment(web.rpartition("/")[2], namespace, patch)

    assert [it.image for it in patched.spec.template.spec.containers] == ["app:7", "side:1"]
