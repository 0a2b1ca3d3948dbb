"""Every kind that our clients write is created, read, replaced, patched, listed and deleted alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.contract import manifests
from tests.contract.api import Api, Object, Reply, path


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind, and what is needed to try it.

    Attributes:
        plural: As in paths.
        make: Name and namespace to a valid object.
        change: Merge patch of something that may change, and where it is read.
        namespaced: Whether it lives in a namespace.
        delete_answers: Kind of the body that answers a deletion which is done at once.
    """

    plural: str
    make: Callable[[str, str], Object]
    change: Object
    namespaced: bool = True
    delete_answers: str = "Status"

    def url(self, namespace: str, *rest: str) -> str:
        return path(self.plural, namespace if self.namespaced else None, *rest)


def _only_name(make: Callable[[str], Object]) -> Callable[[str, str], Object]:
    return lambda name, _: make(name)


LABELS = {"metadata": {"labels": {"changed": "yes"}}}
USE_OF_CPU = {
    "type": "Resource",
    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
}
KINDS = [
    Kind(plural="pods", make=_only_name(manifests.pod), change=LABELS, delete_answers="Pod"),
    Kind(
        plural="deployments",
        make=_only_name(lambda name: manifests.deployment(name, replicas=0)),
        change={"spec": {"replicas": 0, "minReadySeconds": 7}},
    ),
    Kind(
        plural="replicasets",
        make=_only_name(lambda name: manifests.replica_set(name, replicas=0)),
        change={"spec": {"minReadySeconds": 7}},
    ),
    Kind(plural="configmaps", make=_only_name(manifests.config_map), change={"data": {"b": "2"}}),
    Kind(plural="secrets", make=_only_name(manifests.secret), change={"data": {"b": "Mg=="}}),
    Kind(
        plural="services",
        make=_only_name(manifests.service),
        change={"spec": {"selector": {"app": "other"}}},
        delete_answers="Service",
    ),
    Kind(
        plural="serviceaccounts",
        make=_only_name(manifests.service_account),
        change={"automountServiceAccountToken": False},
        delete_answers="ServiceAccount",
    ),
    Kind(plural="nodes", make=_only_name(manifests.node), change=LABELS, namespaced=False),
    Kind(
        plural="leases",
        make=_only_name(manifests.lease),
        change={"spec": {"holderIdentity": "you"}},
    ),
    Kind(plural="events", make=manifests.core_event, change={"count": 2}),
    Kind(plural="events.k8s.io", make=manifests.event, change=LABELS),
    Kind(
        plural="poddisruptionbudgets",
        make=_only_name(manifests.disruption_budget),
        change={"spec": {"minAvailable": "50%"}},
    ),
    Kind(
        plural="horizontalpodautoscalers",
        make=_only_name(manifests.autoscaler),
        change={"spec": {"maxReplicas": 9}},
    ),
    Kind(
        plural="networkpolicies",
        make=_only_name(manifests.network_policy),
        change={"spec": {"policyTypes": ["Egress"]}},
    ),
    Kind(
        plural="priorityclasses",
        make=_only_name(manifests.priority_class),
        change={"description": "for what may not wait"},
        namespaced=False,
    ),
    Kind(
        plural="roles",
        make=_only_name(manifests.role),
        change={"rules": [manifests.rule("pods", "list")]},
    ),
    Kind(
        plural="rolebindings",
        make=lambda name, _: manifests.binding(
            name, role="view", role_kind="ClusterRole", user="x"
        ),
        change={"subjects": []},
    ),
    Kind(
        plural="clusterroles",
        make=_only_name(lambda name: manifests.role(name, kind="ClusterRole")),
        change={"rules": [manifests.rule("pods", "list")]},
        namespaced=False,
    ),
]
EACH_KIND = pytest.mark.parametrize("kind", KINDS, ids=[kind.plural for kind in KINDS])


@EACH_KIND
def test_what_is_created_has_an_identity_and_is_read_back_the_same(
    api: Api, namespace: str, name: str, kind: Kind
) -> None:
    sent = kind.make(name, namespace)

    created = api.post(kind.url(namespace), sent)

    assert created.status == 201
    meta = created.body["metadata"]
    assert {"uid", "resourceVersion", "creationTimestamp"} <= meta.keys()
    assert (created.body["kind"], created.body["apiVersion"]) == (sent["kind"], sent["apiVersion"])
    assert meta.get("namespace") == (namespace if kind.namespaced else None)
    read = api.get(kind.url(namespace, name)).object()
    assert read["metadata"]["uid"] == meta["uid"]
    assert _contains(read, sent, leaving_out={"stringData", "status"})


@EACH_KIND
def test_a_name_that_is_taken_is_a_conflict(
    api: Api, namespace: str, name: str, kind: Kind
) -> None:
    api.post(kind.url(namespace), kind.make(name, namespace)).object()

    again = api.post(kind.url(namespace), kind.make(name, namespace))

    assert (again.status, again.body["reason"]) == (409, "AlreadyExists")
    assert again.body["message"].endswith(f'"{name}" already exists')
    assert again.body["details"]["name"] == name


@EACH_KIND
def test_a_merge_patch_changes_what_it_names_and_the_version(
    api: Api, namespace: str, name: str, kind: Kind
) -> None:
    before = api.post(kind.url(namespace), kind.make(name, namespace)).object()

    patched = api.patch(kind.url(namespace, name), kind.change)

    assert patched.status == 200
    assert _contains(patched.body, kind.change)
    assert patched.body["metadata"]["resourceVersion"] != before["metadata"]["resourceVersion"]
    assert patched.body["metadata"]["uid"] == before["metadata"]["uid"]


@EACH_KIND
def test_an_object_is_replaced_by_what_was_read_and_changed(
    api: Api, namespace: str, name: str, kind: Kind
) -> None:
    api.post(kind.url(namespace), kind.make(name, namespace)).object()

    read, replaced = _changed(api, kind.url(namespace, name), {"note": "replaced"})

    assert replaced.status == 200, replaced.body
    assert replaced.body["metadata"]["annotations"]["note"] == "replaced"
    assert replaced.body["metadata"]["resourceVersion"] != read["metadata"]["resourceVersion"]


@EACH_KIND
def test_a_list_has_its_kind_its_version_and_items_without_theirs(
    api: Api, namespace: str, name: str, kind: Kind
) -> None:
    sent = kind.make(name, namespace)
    api.post(kind.url(namespace), sent).object()

    listed = api.get(kind.url(namespace)).object()

    assert listed["kind"] == f"{sent['kind']}List"
    assert int(listed["metadata"]["resourceVersion"]) > 0
    items = {item["metadata"]["name"]: item for item in listed["items"]}
    assert "kind" not in items[name]


@EACH_KIND
def test_what_is_deleted_is_not_found(api: Api, namespace: str, name: str, kind: Kind) -> None:
    created = api.post(kind.url(namespace), kind.make(name, namespace)).object()

    deleted = api.delete(kind.url(namespace, name))
    api.until(kind.url(namespace), name, lambda it: not it)
    gone = api.get(kind.url(namespace, name))

    assert (deleted.status, deleted.body["kind"]) == (200, kind.delete_answers)
    if kind.delete_answers == "Status":
        assert deleted.body["status"] == "Success"
        assert deleted.body["details"]["uid"] == created["metadata"]["uid"]
    assert (gone.status, gone.body["reason"]) == (404, "NotFound")
    assert gone.body["message"].endswith(f'"{name}" not found')


def test_all_of_a_collection_that_a_selector_means_are_deleted(api: Api, namespace: str) -> None:
    for number in range(4):
        body = manifests.config_map(f"many-{number}")
        body["metadata"]["labels"] = {"many": "yes" if number else "no"}
        api.make("configmaps", namespace, body)

    deleted = api.delete(path("configmaps", namespace), labelSelector="many=yes")

    assert (deleted.status, deleted.body["kind"]) == (200, "ConfigMapList")
    left = api.get(path("configmaps", namespace), labelSelector="many").object()["items"]
    assert [item["metadata"]["name"] for item in left] == ["many-0"]


def test_a_namespace_is_active_and_has_its_name_as_a_label(api: Api, name: str) -> None:
    created = api.make("namespaces", None, manifests.namespace(name))

    assert created["status"]["phase"] == "Active"
    assert created["metadata"]["labels"] == {"kubernetes.io/metadata.name": name}
    assert created["spec"]["finalizers"] == ["kubernetes"]


@pytest.mark.parametrize("system", ["default", "kube-public", "kube-system"])
def test_a_namespace_of_the_system_may_not_be_deleted(api: Api, system: str) -> None:
    reply = api.delete(path("namespaces", None, system))

    assert (reply.status, reply.body["reason"]) == (403, "Forbidden")
    assert reply.body["message"] == (
        f'namespaces "{system}" is forbidden: this namespace may not be deleted'
    )
    assert reply.body["details"] == {"name": system, "kind": "namespaces"}
    assert api.get(path("namespaces", None, system)).object()["status"]["phase"] == "Active"


def test_namespaces_are_not_deleted_many_at_once(api: Api) -> None:
    reply = api.delete(path("namespaces"), labelSelector="nobody=has,this=label")
    resources = api.get("/api/v1").object()["resources"]

    assert (reply.status, reply.body["reason"]) == (405, "MethodNotAllowed")
    (verbs,) = [one["verbs"] for one in resources if one["name"] == "namespaces"]
    assert "deletecollection" not in verbs


def test_a_deleted_namespace_terminates_takes_nothing_new_and_takes_all_with_it(
    api: Api, name: str
) -> None:
    api.make("namespaces", None, manifests.namespace(name))
    held = manifests.config_map("held")
    held["metadata"]["finalizers"] = ["tests.homeostat.dev/hold"]
    api.make("configmaps", name, held)
    api.make("deployments", name, manifests.deployment("web", replicas=1))

    deleted = api.delete(path("namespaces", None, name))
    late = api.post(path("configmaps", name), manifests.config_map("late"))
    api.until(path("deployments", name), "web", lambda it: not it)
    patch = {"metadata": {"finalizers": None}}
    api.until(path("configmaps", name), "held", lambda it: "deletionTimestamp" in it["metadata"])
    api.patch(path("configmaps", name, "held"), patch).object()

    assert (deleted.status, deleted.body["status"]["phase"]) == (200, "Terminating")
    assert (late.status, late.body["reason"]) == (403, "Forbidden")
    assert "because it is being terminated" in late.body["message"]
    assert late.body["details"]["causes"][0]["reason"] == "NamespaceTerminating"
    assert api.until(path("namespaces"), name, lambda it: not it) == {}


def _without(body: Object, field: str) -> Object:
    return {**body, "spec": {key: it for key, it in body["spec"].items() if key != field}}


@pytest.mark.parametrize(
    ("plural", "make", "expected"),
    [
        pytest.param(
            "pods",
            lambda: manifests.pod("defaults"),
            {
                "spec": {
                    "restartPolicy": "Always",
                    "dnsPolicy": "ClusterFirst",
                    "terminationGracePeriodSeconds": 30,
                    "schedulerName": "default-scheduler",
                    "securityContext": {},
                    "priority": 0,
                    "preemptionPolicy": "PreemptLowerPriority",
                    "enableServiceLinks": True,
                },
                "status": {"phase": "Pending", "qosClass": "BestEffort"},
            },
            id="pod",
        ),
        pytest.param(
            "deployments",
            lambda: manifests.deployment("defaults", replicas=0),
            {
                "spec": {
                    "strategy": {
                        "type": "RollingUpdate",
                        "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"},
                    },
                    "revisionHistoryLimit": 10,
                    "progressDeadlineSeconds": 600,
                },
                "metadata": {"generation": 1},
            },
            id="deployment",
        ),
        pytest.param(
            "services",
            lambda: manifests.service("defaults"),
            {"spec": {"type": "ClusterIP", "sessionAffinity": "None", "ipFamilies": ["IPv4"]}},
            id="service",
        ),
        pytest.param(
            "secrets",
            lambda: manifests.secret("defaults"),
            {"type": "Opaque", "data": {"password": "eA=="}},
            id="secret",
        ),
        pytest.param(
            "horizontalpodautoscalers",
            lambda: manifests.autoscaler("defaults"),
            {"spec": {"minReplicas": 1}},
            id="autoscaler",
        ),
        pytest.param(
            "horizontalpodautoscalers",
            lambda: _without(manifests.autoscaler("unmeasured"), "metrics"),
            {"spec": {"metrics": [USE_OF_CPU]}},
            id="autoscaler that says no metric",
        ),
    ],
)
def test_what_is_left_out_has_a_default(
    api: Api, namespace: str, plural: str, make: Callable[[], Object], expected: Object
) -> None:
    assert _contains(api.make(plural, namespace, make()), expected)


@pytest.mark.parametrize(
    ("image", "policy"), [("app:1", "IfNotPresent"), ("app:latest", "Always"), ("app", "Always")]
)
def test_an_image_is_pulled_always_where_its_tag_may_move(
    api: Api, namespace: str, name: str, image: str, policy: str
) -> None:
    body = manifests.pod(name, containers=[{"name": "main", "image": image}])

    container = api.make("pods", namespace, body)["spec"]["containers"][0]

    assert container["imagePullPolicy"] == policy
    assert container["terminationMessagePath"] == "/dev/termination-log"
    assert container["resources"] == {}


@pytest.mark.parametrize(
    ("resources", "quality", "requests"),
    [
        pytest.param({}, "BestEffort", None, id="nothing"),
        pytest.param({"requests": {"cpu": "1"}}, "Burstable", {"cpu": "1"}, id="requests"),
        pytest.param(
            {"limits": {"cpu": "1", "memory": "1Gi"}},
            "Guaranteed",
            {"cpu": "1", "memory": "1Gi"},
            id="limits",
        ),
    ],
)
def test_limits_are_requests_too_and_decide_the_quality_of_service(
    api: Api, namespace: str, name: str, resources: Object, quality: str, requests: Object | None
) -> None:
    container = {"name": "main", "image": "app:1", "resources": resources}

    made = api.make("pods", namespace, manifests.pod(name, containers=[container]))

    assert made["status"]["qosClass"] == quality
    assert made["spec"]["containers"][0]["resources"].get("requests") == requests


def test_quantities_are_written_in_their_short_form(api: Api, namespace: str, name: str) -> None:
    requests = {"cpu": "0.5", "memory": "1024Mi"}
    container = {"name": "main", "image": "app:1", "resources": {"requests": requests}}

    made = api.make("pods", namespace, manifests.pod(name, containers=[container]))

    kept = made["spec"]["containers"][0]["resources"]["requests"]
    assert kept == {"cpu": "500m", "memory": "1Gi"}


def test_a_service_gets_an_address_of_the_range_and_numbers_for_its_ports(
    api: Api, namespace: str, name: str
) -> None:
    made = api.make("services", namespace, manifests.service(name))

    assert made["spec"]["clusterIP"].startswith("10.0.0.")
    assert made["spec"]["clusterIPs"] == [made["spec"]["clusterIP"]]
    assert made["spec"]["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 80}]


def test_an_event_of_either_group_is_read_through_the_other(
    api: Api, namespace: str, name: str
) -> None:
    api.make("events", namespace, manifests.core_event(name, namespace))

    read = api.get(path("events.k8s.io", namespace, name)).object()

    assert read["regarding"]["name"] == "web"
    assert read["note"] == "Stopping container main"
    assert read["deprecatedCount"] == 1
    assert read["deprecatedSource"]["component"] == "kubelet"


def test_the_name_of_a_priority_class_becomes_a_number_of_its_pods(
    api: Api, namespace: str, name: str
) -> None:
    api.make("priorityclasses", None, manifests.priority_class(name))

    made = api.make("pods", namespace, manifests.pod(name, priorityClassName=name))

    assert made["spec"]["priority"] == 1000


def test_objects_of_all_namespaces_are_listed_at_once(api: Api, namespace: str, name: str) -> None:
    other = f"{name}-other"
    api.make("namespaces", None, manifests.namespace(other))
    for place in (namespace, other):
        body = manifests.config_map(name)
        body["metadata"]["labels"] = {"everywhere": name}
        api.make("configmaps", place, body)

    listed = api.get(path("configmaps"), labelSelector=f"everywhere={name}").object()["items"]

    assert {item["metadata"]["namespace"] for item in listed} == {namespace, other}


def _changed(api: Api, url: str, annotations: Object) -> tuple[Object, Reply]:
    """Return what was read and the answer to its replacement, as a client does that loses races."""
    for _ in range(10):
        read = api.get(url).object()
        old = read["metadata"].get("annotations", {})
        read["metadata"]["annotations"] = {**old, **annotations}
        reply = api.put(url, read)
        if reply.status != 409:
            break
    return read, reply


def _contains(
    whole: Any, part: Any, *, leaving_out: frozenset[str] | set[str] = frozenset()
) -> bool:
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(
            key in leaving_out or (key in whole and _contains(whole[key], value))
            for key, value in part.items()
            if value not in ({}, [])
        )
    if isinstance(part, list):
        return len(whole) == len(part) and all(map(_contains, whole, part))
    return bool(whole == part)
