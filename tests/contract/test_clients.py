"""What clients find out first, and what the helpers of the official client do on top."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from kubernetes import client, informer

from tests.contract import manifests, official
from tests.contract.acting import make_ready
from tests.contract.api import Api, Object, path


def test_the_version_is_told(api: Api) -> None:
    version = api.get("/version").object()

    assert (version["major"], version["minor"]) == ("1", "36")
    assert version["gitVersion"].startswith("v1.36.")
    assert {"gitCommit", "buildDate", "goVersion", "platform"} <= version.keys()


@pytest.mark.parametrize("url", ["/healthz", "/readyz", "/livez"])
def test_health_is_one_word(api: Api, url: str) -> None:
    assert api.get(url).body == "ok"


def test_the_core_group_has_one_version(api: Api) -> None:
    versions = api.get("/api").object()

    assert (versions["kind"], versions["versions"]) == ("APIVersions", ["v1"])


@pytest.mark.parametrize(
    ("group", "version"),
    [
        ("apps", "apps/v1"),
        ("policy", "policy/v1"),
        ("autoscaling", "autoscaling/v2"),
        ("batch", "batch/v1"),
        ("networking.k8s.io", "networking.k8s.io/v1"),
        ("rbac.authorization.k8s.io", "rbac.authorization.k8s.io/v1"),
        ("scheduling.k8s.io", "scheduling.k8s.io/v1"),
        ("coordination.k8s.io", "coordination.k8s.io/v1"),
        ("events.k8s.io", "events.k8s.io/v1"),
        ("apiextensions.k8s.io", "apiextensions.k8s.io/v1"),
        ("authorization.k8s.io", "authorization.k8s.io/v1"),
    ],
)
def test_groups_are_listed_with_the_version_to_prefer(api: Api, group: str, version: str) -> None:
    groups = {it["name"]: it for it in api.get("/apis").object()["groups"]}

    assert groups[group]["preferredVersion"]["groupVersion"] == version
    assert api.get(f"/apis/{group}").object()["kind"] == "APIGroup"


@pytest.mark.parametrize(
    ("url", "name", "expected"),
    [
        ("/api/v1", "pods", {"kind": "Pod", "namespaced": True, "singularName": "pod"}),
        ("/api/v1", "nodes", {"kind": "Node", "namespaced": False}),
        ("/api/v1", "pods/eviction", {"kind": "Eviction", "group": "policy", "version": "v1"}),
        ("/api/v1", "pods/status", {"kind": "Pod", "namespaced": True}),
        ("/apis/apps/v1", "deployments/scale", {"kind": "Scale", "group": "autoscaling"}),
        ("/apis/policy/v1", "poddisruptionbudgets", {"kind": "PodDisruptionBudget"}),
    ],
)
def test_resources_are_listed_with_their_kind(
    api: Api, url: str, name: str, expected: Object
) -> None:
    listed = api.get(url).object()
    resource = next(it for it in listed["resources"] if it["name"] == name)

    assert listed["kind"] == "APIResourceList"
    assert {key: resource.get(key) for key in expected} == expected


def test_short_names_categories_and_verbs_are_told(api: Api) -> None:
    resources = {it["name"]: it for it in api.get("/apis/apps/v1").object()["resources"]}

    assert resources["deployments"]["shortNames"] == ["deploy"]
    assert resources["deployments"]["categories"] == ["all"]
    assert set(resources["deployments"]["verbs"]) == {
        "create",
        "delete",
        "deletecollection",
        "get",
        "list",
        "patch",
        "update",
        "watch",
    }


def test_everything_is_discovered_in_one_answer(api: Api) -> None:
    accept = "application/json;v=v2;g=apidiscovery.k8s.io;as=APIGroupDiscoveryList"

    reply = api.call("GET", "/apis", accept=f"{accept},application/json")

    assert reply.body["kind"] == "APIGroupDiscoveryList"
    groups = {it["metadata"]["name"] for it in reply.body["items"]}
    assert {"apps", "policy"} <= groups


def test_the_schema_of_everything_is_there(api: Api) -> None:
    # It is JSON, and says that it is plain text.
    index = json.loads(api.get("/openapi/v3").body)
    apps = api.get(index["paths"]["apis/apps/v1"]["serverRelativeURL"]).object()

    assert "api/v1" in index["paths"]
    assert "io.k8s.api.apps.v1.Deployment" in apps["components"]["schemas"]


def test_a_table_is_given_to_who_asks_for_one(api: Api, namespace: str, name: str) -> None:
    api.make("pods", namespace, manifests.pod(name))
    accept = "application/json;as=Table;v=v1;g=meta.k8s.io"

    table = api.call("GET", path("pods", namespace), accept=accept).object()

    assert table["kind"] == "Table"
    columns = [it["name"] for it in table["columnDefinitions"]]
    assert columns[:5] == ["Name", "Ready", "Status", "Restarts", "Age"]
    row = next(it["cells"] for it in table["rows"] if it["cells"][0] == name)
    assert row[:4] == [name, "0/1", "Pending", "0"]


def test_only_the_metadata_is_given_to_who_asks_for_it(api: Api, namespace: str, name: str) -> None:
    api.make("pods", namespace, manifests.pod(name))
    accept = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"

    part = api.call("GET", path("pods", namespace, name), accept=accept).object()

    assert part["kind"] == "PartialObjectMetadata"
    assert "spec" not in part


TYPED: list[tuple[str, Callable[[Api, str], Any], Callable[[str, str], Object]]] = [
    ("pods", lambda api, ns: api.core.list_namespaced_pod(ns), lambda n, _: manifests.pod(n)),
    (
        "configmaps",
        lambda api, ns: api.core.list_namespaced_config_map(ns),
        lambda n, _: manifests.config_map(n),
    ),
    (
        "services",
        lambda api, ns: api.core.list_namespaced_service(ns),
        lambda n, _: manifests.service(n),
    ),
    ("events", lambda api, ns: api.core.list_namespaced_event(ns), manifests.core_event),
    (
        "deployments",
        lambda api, ns: api.apps.list_namespaced_deployment(ns),
        lambda n, _: manifests.deployment(n),
    ),
    (
        "replicasets",
        lambda api, ns: api.apps.list_namespaced_replica_set(ns),
        lambda n, _: manifests.replica_set(n),
    ),
    (
        "leases",
        lambda api, ns: client.CoordinationV1Api(api.client).list_namespaced_lease(ns),
        lambda n, _: manifests.lease(n),
    ),
    (
        "poddisruptionbudgets",
        lambda api, ns: client.PolicyV1Api(api.client).list_namespaced_pod_disruption_budget(ns),
        lambda n, _: manifests.disruption_budget(n),
    ),
    (
        "horizontalpodautoscalers",
        lambda api, ns: client.AutoscalingV2Api(
            api.client
        ).list_namespaced_horizontal_pod_autoscaler(ns),
        lambda n, _: manifests.autoscaler(n),
    ),
    (
        "networkpolicies",
        lambda api, ns: client.NetworkingV1Api(api.client).list_namespaced_network_policy(ns),
        lambda n, _: manifests.network_policy(n),
    ),
]


@pytest.mark.parametrize(("plural", "listed", "make"), TYPED, ids=[it[0] for it in TYPED])
def test_the_models_of_the_official_client_take_what_is_answered(
    api: Api,
    namespace: str,
    name: str,
    plural: str,
    listed: Callable[[Api, str], Any],
    make: Callable[[str, str], Object],
) -> None:
    api.make(plural, namespace, make(name, namespace))

    assert name in {it.metadata.name for it in listed(api, namespace).items}


def test_a_running_pod_fits_the_model_of_the_official_client(
    api: Api, namespace: str, name: str
) -> None:
    api.make("pods", namespace, manifests.pod(name))
    make_ready(api, namespace, name)

    pod = api.core.read_namespaced_pod(name, namespace)

    assert pod.status.container_statuses[0].ready is True
    assert pod.metadata.creation_timestamp.tzinfo is not None


def test_a_refusal_is_an_exception_of_the_official_client(api: Api, namespace: str) -> None:
    with pytest.raises(client.ApiException) as refusal:
        api.core.read_namespaced_pod("absent", namespace)

    assert (refusal.value.status, refusal.value.reason) == (404, "Not Found")
    assert '"reason":"NotFound"' in str(refusal.value.body)


def test_the_dynamic_client_works_by_kind(api: Api, namespace: str, name: str) -> None:
    maps = official.DynamicClient(api.client).resources.get(api_version="v1", kind="ConfigMap")

    maps.server_side_apply(
        body=manifests.config_map(name), namespace=namespace, field_manager="one"
    )

    assert maps.get(name=name, namespace=namespace).data.key == "value"


def test_an_informer_keeps_up(api: Api, namespace: str, name: str) -> None:
    seen: dict[str, threading.Event] = {it: threading.Event() for it in ("added", "deleted")}
    watched = official.SharedInformer(
        list_func=api.core.list_namespaced_config_map,
        namespace=namespace,
        label_selector=f"mine={name}",
    )
    for event, flag in ((informer.ADDED, "added"), (informer.DELETED, "deleted")):
        watched.add_event_handler(event, lambda *_, flag=flag: seen[flag].set())
    watched.start()
    try:
        body = manifests.config_map(name)
        body["metadata"]["labels"] = {"mine": name}
        api.make("configmaps", namespace, body)
        added = seen["added"].wait(30)
        kept = [it.metadata.name for it in watched.cache.list()]
        api.delete(path("configmaps", namespace, name)).object()
        deleted = seen["deleted"].wait(30)
    finally:
        watched.stop()

    assert (added, deleted) == (True, True)
    assert kept == [name]
