"""Kinds that a definition adds: their schema, their parts, and that they behave like the others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kubernetes import client

from tests.contract import manifests, official
from tests.contract.api import GROUPS, Api, Object, path

GROUP = "tests.homeostat.dev"
GROUPS["widgets"] = f"/apis/{GROUP}/v1"


@pytest.fixture(scope="module", autouse=True)
def definition(api: Api) -> Iterator[Object]:
    body = manifests.definition("widgets", kind="Widget")
    api.make("customresourcedefinitions", None, body)
    yield api.until(path("customresourcedefinitions"), f"widgets.{GROUP}", _is_established)
    api.delete(path("customresourcedefinitions", None, f"widgets.{GROUP}"))


def _is_established(thing: Object) -> bool:
    # Null, not absent, until the first one is there.
    conditions = thing.get("status", {}).get("conditions") or []
    return any(it["type"] == "Established" and it["status"] == "True" for it in conditions)


def _widget(name: str, **spec: object) -> Object:
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "Widget",
        "metadata": {"name": name},
        "spec": {"size": 3, **spec},
    }


def test_a_definition_names_what_it_accepted(definition: Object) -> None:
    conditions = {it["type"]: it["status"] for it in definition["status"]["conditions"]}

    assert conditions == {"NamesAccepted": "True", "Established": "True"}
    assert definition["status"]["acceptedNames"]["kind"] == "Widget"
    assert definition["status"]["storedVersions"] == ["v1"]


def test_a_definition_must_have_the_name_of_its_plural_and_group(api: Api) -> None:
    body = manifests.definition("gizmos", kind="Gizmo")
    body["metadata"]["name"] = "gizmos"

    reply = api.post(path("customresourcedefinitions"), body)

    assert reply.status == 422
    assert 'must be spec.names.plural+"."+spec.group' in reply.body["message"]


def test_the_group_and_its_resource_are_discovered(api: Api) -> None:
    resources = api.get(GROUPS["widgets"]).object()["resources"]

    assert {it["name"] for it in resources} == {"widgets", "widgets/status", "widgets/scale"}
    assert GROUP in {it["name"] for it in api.get("/apis").object()["groups"]}


def test_objects_of_it_are_created_and_get_defaults(api: Api, namespace: str, name: str) -> None:
    made = api.make("widgets", namespace, _widget(name))

    assert made["spec"] == {"size": 3, "color": "red"}
    assert made["metadata"]["generation"] == 1


@pytest.mark.parametrize(
    ("spec", "field", "words"),
    [
        pytest.param(
            {"size": -1}, "spec.size", "should be greater than or equal to 0", id="minimum"
        ),
        pytest.param({"size": "big"}, "spec.size", "must be of type integer", id="type"),
        pytest.param(
            {"color": "blue"}, "spec.color", 'supported values: "red", "green"', id="enum"
        ),
        pytest.param({"size": None}, "spec.size", "Required value", id="required"),
    ],
)
def test_what_the_schema_does_not_allow_is_invalid(
    api: Api, namespace: str, name: str, spec: Object, field: str, words: str
) -> None:
    body = _widget(name, **spec)
    body["spec"] = {key: value for key, value in body["spec"].items() if value is not None}

    reply = api.post(path("widgets", namespace), body)

    assert (reply.status, reply.body["reason"]) == (422, "Invalid")
    assert field in {it["field"] for it in reply.body["details"]["causes"]}
    assert words in reply.body["message"]


def test_what_the_schema_does_not_know_is_dropped(api: Api, namespace: str, name: str) -> None:
    made = api.make("widgets", namespace, _widget(name, weight=9))

    assert "weight" not in made["spec"]


def test_a_merge_patch_changes_it_and_its_generation(api: Api, namespace: str, name: str) -> None:
    api.make("widgets", namespace, _widget(name))

    patched = api.patch(path("widgets", namespace, name), {"spec": {"size": 5}}).object()

    assert (patched["spec"]["size"], patched["metadata"]["generation"]) == (5, 2)


def test_a_strategic_merge_patch_is_not_for_it(api: Api, namespace: str, name: str) -> None:
    api.make("widgets", namespace, _widget(name))

    reply = api.patch(path("widgets", namespace, name), {"spec": {"size": 5}}, "strategic")

    assert (reply.status, reply.body["reason"]) == (415, "UnsupportedMediaType")
    assert "application/merge-patch+json" in reply.body["message"]


def test_a_replacement_needs_its_version(api: Api, namespace: str, name: str) -> None:
    api.make("widgets", namespace, _widget(name))

    reply = api.put(path("widgets", namespace, name), _widget(name, size=4))

    assert (reply.status, reply.body["reason"]) == (422, "Invalid")
    assert (
        "metadata.resourceVersion: Invalid value: 0: must be specified for an update"
        in (reply.body["message"])
    )


def test_its_status_has_a_path_of_its_own(api: Api, namespace: str, name: str) -> None:
    url = path("widgets", namespace, name)
    made = api.make("widgets", namespace, {**_widget(name), "status": {"phase": "Mine"}})
    change = {"spec": {"size": 9}, "status": {"phase": "Ready"}}

    written = api.patch(f"{url}/status", change).object()

    assert "status" not in made
    assert written["status"] == {"phase": "Ready"}
    assert (written["spec"]["size"], written["metadata"]["generation"]) == (3, 1)


def test_it_is_scaled(api: Api, namespace: str, name: str) -> None:
    url = path("widgets", namespace, name)
    api.make("widgets", namespace, _widget(name, replicas=1))

    scale = api.patch(f"{url}/scale", {"spec": {"replicas": 4}}).object()

    assert (scale["kind"], scale["apiVersion"]) == ("Scale", "autoscaling/v1")
    assert api.get(url).object()["spec"]["replicas"] == 4


def test_it_is_watched_with_a_selector(api: Api, namespace: str, name: str) -> None:
    url = path("widgets", namespace)
    version = api.get(url).object()["metadata"]["resourceVersion"]
    body = _widget(name)
    body["metadata"]["labels"] = {"mine": name}
    api.make("widgets", namespace, body)

    events = api.watch(url, resourceVersion=version, labelSelector=f"mine={name}")

    assert next(events)["object"]["metadata"]["name"] == name
    events.close()  # type: ignore[attr-defined]


def test_a_watch_from_before_its_kind_is_gone(api: Api, namespace: str) -> None:
    events = list(api.watch(path("widgets", namespace), resourceVersion="1", timeout_seconds=5))

    # Of the version that nobody remembers the history of this kind knows nothing.
    (gone,) = events
    assert (gone["type"], gone["object"]["kind"]) == ("ERROR", "Status")
    assert (gone["object"]["code"], gone["object"]["reason"]) == (410, "Expired")
    assert gone["object"]["message"].startswith("too old resource version: 1 (")


def test_the_watch_of_the_official_client_raises_what_is_gone(api: Api, namespace: str) -> None:
    stream = official.Watch().stream(
        api.custom.list_namespaced_custom_object,
        GROUP,
        "v1",
        namespace,
        "widgets",
        resource_version="1",
        timeout_seconds=5,
    )

    with pytest.raises(client.ApiException) as gone:
        next(stream)

    assert gone.value.status == 410
    assert str(gone.value.reason).startswith("Expired: too old resource version: 1 (")


def test_it_is_applied(api: Api, namespace: str, name: str) -> None:
    url = path("widgets", namespace, name)
    applied = api.patch(url, _widget(name), "apply", fieldManager="one")

    conflict = api.patch(url, _widget(name, size=9), "apply", fieldManager="two")

    assert applied.status == 201
    assert conflict.status == 409
    assert conflict.body["details"]["causes"][0]["field"] == ".spec.size"


def test_the_official_client_for_custom_objects_speaks_of_it(
    api: Api, namespace: str, name: str
) -> None:
    where = (GROUP, "v1", namespace, "widgets")
    api.custom.create_namespaced_custom_object(*where, _widget(name))
    patched = api.custom.patch_namespaced_custom_object(*where, name, {"spec": {"size": 8}})
    listed = api.custom.list_namespaced_custom_object(*where)

    assert patched["spec"]["size"] == 8
    assert name in {it["metadata"]["name"] for it in listed["items"]}
    deleted = api.custom.delete_namespaced_custom_object(*where, name)
    assert deleted["status"] == "Success"


def test_the_dynamic_client_finds_it(api: Api, namespace: str, name: str) -> None:
    widgets = official.DynamicClient(api.client).resources.get(
        api_version=f"{GROUP}/v1", kind="Widget"
    )

    widgets.create(body=_widget(name), namespace=namespace)

    assert widgets.get(name=name, namespace=namespace).spec.color == "red"


def test_with_the_definition_its_objects_go(
    api: Api, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # For this test alone: others ask for gadgets where nobody has defined any.
    monkeypatch.setitem(GROUPS, "gadgets", GROUPS["widgets"])
    body = manifests.definition("gadgets", kind="Gadget")
    api.make("customresourcedefinitions", None, body)
    api.until(path("customresourcedefinitions"), f"gadgets.{GROUP}", _is_established)
    api.make("gadgets", namespace, {**_widget("one"), "kind": "Gadget"})

    api.delete(path("customresourcedefinitions", None, f"gadgets.{GROUP}")).object()
    api.until(path("customresourcedefinitions"), f"gadgets.{GROUP}", lambda it: not it)

    assert api.get(path("gadgets", namespace, "one")).status == 404
