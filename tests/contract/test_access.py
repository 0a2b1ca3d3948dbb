"""Who may do what: tokens, roles, and how a refusal is worded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.contract import manifests
from tests.contract.api import Api, Object, path
from tests.contract.servers import Cluster


@pytest.fixture(scope="module")
def guest(cluster: Cluster) -> Iterator[Api]:
    """The API for somebody who may do nothing until a test says so."""
    with closing(Api(cluster, token=cluster.tokens["guest"])) as known:
        yield known


@pytest.fixture(scope="module")
def reader(cluster: Cluster) -> Iterator[Api]:
    with closing(Api(cluster, token=cluster.tokens["reader"])) as known:
        yield known


@pytest.fixture(scope="module")
def simulator(cluster: Cluster) -> Iterator[Api]:
    with closing(Api(cluster, token=cluster.tokens["simulator"])) as known:
        yield known


@pytest.fixture
def own(api: Api, name: str) -> str:
    """A namespace of this test alone, so that what it allows nobody else is allowed."""
    api.make("namespaces", None, manifests.namespace(name))
    return name


def _allow(api: Api, namespace: str, *rules: Object, user: str = "guest") -> None:
    api.make("roles", namespace, manifests.role("allowed", *rules))
    body = manifests.binding("allowed", role="allowed", user=user)
    api.make("rolebindings", namespace, body)


def _until_allowed(who: Api, url: str) -> None:
    # The authorizer learns of a new binding by watching, a moment after it was made.
    for _ in range(200):
        if who.get(url).status != 403:
            return
    message = f"{url} is still forbidden"
    raise AssertionError(message)


def test_a_wrong_token_is_unauthorized(cluster: Cluster) -> None:
    with closing(Api(cluster, token="not-a-token")) as stranger:
        reply = stranger.get(path("namespaces"))

    assert reply.status == 401
    assert reply.body == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": "Unauthorized",
        "reason": "Unauthorized",
        "code": 401,
    }


def test_nobody_is_anonymous_and_may_not(cluster: Cluster) -> None:
    with closing(Api(cluster, token=None)) as nobody:
        reply = nobody.get(path("pods", "default"))

    assert (reply.status, reply.body["reason"]) == (403, "Forbidden")
    assert 'User "system:anonymous" cannot list resource "pods"' in reply.body["message"]


@pytest.mark.parametrize("url", ["/healthz", "/readyz", "/livez", "/version"])
def test_health_and_version_are_for_everybody(cluster: Cluster, url: str) -> None:
    with closing(Api(cluster, token=None)) as nobody:
        assert nobody.get(url).status == 200


@pytest.mark.parametrize(
    ("method", "plural", "rest", "words"),
    [
        (
            "POST",
            "pods",
            (),
            'pods is forbidden: User "reader" cannot create resource "pods" in API group "" in the namespace "{}"',
        ),
        (
            "DELETE",
            "pods",
            ("web",),
            'pods "web" is forbidden: User "reader" cannot delete resource "pods" in API group "" in the namespace "{}"',
        ),
        (
            "PATCH",
            "deployments",
            ("web",),
            'deployments.apps "web" is forbidden: User "reader" cannot patch resource "deployments" in API group "apps" in the namespace "{}"',
        ),
        (
            "PUT",
            "configmaps",
            ("web",),
            'configmaps "web" is forbidden: User "reader" cannot update resource "configmaps" in API group "" in the namespace "{}"',
        ),
        (
            "PATCH",
            "deployments",
            ("web", "scale"),
            'deployments.apps "web" is forbidden: User "reader" cannot patch resource "deployments/scale" in API group "apps" in the namespace "{}"',
        ),
        (
            "POST",
            "pods",
            ("web", "eviction"),
            'pods "web" is forbidden: User "reader" cannot create resource "pods/eviction" in API group "" in the namespace "{}"',
        ),
        (
            "GET",
            "secrets",
            ("web",),
            'secrets "web" is forbidden: User "reader" cannot get resource "secrets" in API group "" in the namespace "{}"',
        ),
        (
            "DELETE",
            "configmaps",
            (),
            'configmaps is forbidden: User "reader" cannot deletecollection resource "configmaps" in API group "" in the namespace "{}"',
        ),
    ],
)
def test_who_only_reads_is_told_what_he_may_not(
    reader: Api, namespace: str, method: str, plural: str, rest: tuple[str, ...], words: str
) -> None:
    body = {"metadata": {"name": "web"}} if method in ("POST", "PUT") else None
    url = path(plural, namespace, *rest)
    reply = reader.patch(url, {}) if method == "PATCH" else reader.call(method, url, body)

    assert (reply.status, reply.body["reason"], reply.body["status"]) == (
        403,
        "Forbidden",
        "Failure",
    )
    assert reply.body["message"] == words.format(namespace)
    group = "apps" if plural == "deployments" else None
    assert reply.body["details"].get("group") == group
    assert reply.body["details"]["kind"] == plural


def test_what_has_no_namespace_is_refused_at_the_cluster_scope(reader: Api) -> None:
    reply = reader.get(path("nodes"))

    assert reply.body["message"] == (
        'nodes is forbidden: User "reader" cannot list resource "nodes" in API group "" '
        "at the cluster scope"
    )


def test_a_path_that_is_no_resource_is_refused_by_its_path(reader: Api) -> None:
    reply = reader.get("/metrics")

    assert reply.status == 403
    assert reply.body["message"] == 'forbidden: User "reader" cannot get path "/metrics"'


@pytest.mark.parametrize("plural", ["pods", "deployments", "configmaps", "events"])
def test_who_reads_reads_all_namespaces(reader: Api, namespace: str, plural: str) -> None:
    assert reader.get(path(plural)).status == 200
    assert reader.get(path(plural, namespace)).status == 200


def test_who_reads_watches_too(reader: Api, namespace: str) -> None:
    assert list(reader.watch(path("pods", namespace), timeout_seconds=1)) == []


@pytest.mark.parametrize(
    ("method", "plural", "rest", "expected"),
    [
        ("PATCH", "nodes", ("status",), 404),
        ("PATCH", "pods", ("status",), 404),
        ("DELETE", "pods", (), 404),
        ("PATCH", "deployments", (), 403),
        ("GET", "secrets", (), 403),
        ("POST", "pods", ("eviction",), 403),
    ],
)
def test_the_simulator_does_what_kubelets_do_and_no_more(
    simulator: Api, namespace: str, method: str, plural: str, rest: tuple[str, ...], expected: int
) -> None:
    url = path(plural, None if plural == "nodes" else namespace, "absent", *rest)
    reply = simulator.patch(url, {}) if method == "PATCH" else simulator.call(method, url, {})

    assert reply.status == expected


def test_a_role_allows_its_verbs_in_its_namespace(
    api: Api, guest: Api, own: str, namespace: str
) -> None:
    _allow(api, own, manifests.rule("configmaps", "get", "list", "create"))
    _until_allowed(guest, path("configmaps", own))

    created = guest.post(path("configmaps", own), manifests.config_map("mine"))

    assert created.status == 201
    assert guest.get(path("configmaps", own, "mine")).status == 200
    assert guest.delete(path("configmaps", own, "mine")).status == 403
    assert guest.get(path("secrets", own)).status == 403
    assert guest.get(path("configmaps", namespace)).status == 403
    assert guest.get(path("configmaps")).status == 403


def test_a_role_may_mean_single_objects(api: Api, guest: Api, own: str) -> None:
    for it in ("mine", "yours"):
        api.make("configmaps", own, manifests.config_map(it))
    _allow(api, own, manifests.rule("configmaps", "get", "patch", resourceNames=["mine"]))
    _until_allowed(guest, path("configmaps", own, "mine"))

    assert guest.patch(path("configmaps", own, "mine"), {"data": {"a": "b"}}).status == 200
    assert guest.get(path("configmaps", own, "yours")).status == 403
    assert guest.get(path("configmaps", own)).status == 403


def test_a_resource_and_its_parts_are_allowed_apart(api: Api, guest: Api, own: str) -> None:
    api.make("deployments", own, manifests.deployment("web", replicas=0))
    _allow(api, own, manifests.rule("deployments/scale", "get", "patch", group="apps"))
    _until_allowed(guest, path("deployments", own, "web", "scale"))

    scaled = guest.patch(path("deployments", own, "web", "scale"), {"spec": {"replicas": 1}})

    assert scaled.status == 200
    assert guest.get(path("deployments", own, "web")).status == 403
    assert guest.patch(path("deployments", own, "web"), {"spec": {"replicas": 2}}).status == 403


@pytest.mark.parametrize(
    ("rule", "allowed"),
    [
        pytest.param(manifests.rule("*", "get", group="*"), True, id="all resources"),
        pytest.param(manifests.rule("pods", "*"), True, id="all verbs"),
        pytest.param(manifests.rule("pods", "get", group="apps"), False, id="another group"),
        pytest.param(manifests.rule("pods/*", "get"), False, id="only parts"),
    ],
)
def test_a_star_means_all(api: Api, guest: Api, own: str, rule: Object, allowed: bool) -> None:
    _allow(api, own, rule, manifests.rule("services", "list"))
    _until_allowed(guest, path("services", own))

    assert (guest.get(path("pods", own, "absent")).status == 404) is allowed


def test_a_cluster_role_is_bound_in_one_namespace(
    api: Api, guest: Api, own: str, namespace: str
) -> None:
    body = manifests.binding("viewer", role="view", role_kind="ClusterRole", user="guest")
    api.make("rolebindings", own, body)
    _until_allowed(guest, path("pods", own))

    assert guest.get(path("pods", own)).status == 200
    assert guest.get(path("pods", namespace)).status == 403
    assert guest.get(path("secrets", own)).status == 403


def test_a_cluster_role_is_bound_everywhere_until_its_binding_goes(
    api: Api, guest: Api, name: str
) -> None:
    role = manifests.role(name, manifests.rule("nodes", "list"), kind="ClusterRole")
    api.make("clusterroles", None, role)
    binding = manifests.binding(
        name, role=name, role_kind="ClusterRole", user="guest", kind="ClusterRoleBinding"
    )
    api.make("clusterrolebindings", None, binding)
    _until_allowed(guest, path("nodes"))

    api.delete(path("clusterrolebindings", None, name)).object()

    assert any(guest.get(path("nodes")).status == 403 for _ in range(200))


def test_nobody_gives_away_more_than_he_has(api: Api, guest: Api, own: str) -> None:
    rbac = "rbac.authorization.k8s.io"
    _allow(api, own, manifests.rule("roles", "create", "list", group=rbac))
    _until_allowed(guest, path("roles", own))

    reply = guest.post(path("roles", own), manifests.role("more", manifests.rule("pods", "get")))

    assert (reply.status, reply.body["reason"]) == (403, "Forbidden")
    assert "attempting to grant RBAC permissions not currently held" in reply.body["message"]


@pytest.mark.parametrize(
    ("verb", "resource", "subresource", "allowed"),
    [
        ("list", "pods", "", True),
        ("delete", "pods", "", False),
        ("create", "pods", "eviction", False),
        ("get", "deployments", "", True),
    ],
)
def test_everybody_may_ask_what_he_may(
    reader: Api, namespace: str, verb: str, resource: str, subresource: str, allowed: bool
) -> None:
    attributes = {
        "namespace": namespace,
        "verb": verb,
        "resource": resource,
        "subresource": subresource,
        "group": "apps" if resource == "deployments" else "",
    }
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }

    reply = reader.post(path("selfsubjectaccessreviews"), body)

    assert reply.status == 201
    assert reply.body["status"]["allowed"] is allowed


def test_the_administrator_asks_what_others_may(api: Api, namespace: str) -> None:
    attributes = {"namespace": namespace, "verb": "list", "resource": "pods"}
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview"}
    answers = {
        user: api.post(
            path("subjectaccessreviews"),
            {**review, "spec": {"user": user, "resourceAttributes": attributes}},
        ).body["status"]["allowed"]
        for user in ("reader", "guest")
    }

    assert answers == {"reader": True, "guest": False}
