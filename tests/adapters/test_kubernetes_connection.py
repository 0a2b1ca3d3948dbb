"""Requests, lists and mirrors of a cluster, also while requests go wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from blocks.cluster import KubernetesCluster
from tasks.adapters.kubernetes import listing
from tasks.adapters.kubernetes.connection import ClusterConnection, connection_to
from tasks.adapters.kubernetes.errors import (
    ClusterUnreachableError,
    EvictionRefusedError,
    ForbiddenError,
    NotThereError,
    OwnedByOthersError,
    RefusedError,
    StaleWriteError,
)
from tasks.adapters.kubernetes.listing import list_all
from tasks.adapters.kubernetes.mirror import Mirror
from tests.contract.servers import STARTS, Cluster
from tests.support.embedded_kubernetes import EmbeddedKubernetes, embedded_kubernetes

SERVERS = [
    pytest.param("embedded", marks=pytest.mark.embedded("kubernetes")),
    # A real one takes its time to start.
    pytest.param("real", marks=[pytest.mark.real("kube-apiserver"), pytest.mark.slow]),
]
MAPS = "/api/v1/namespaces/default/configmaps"
PODS = "/api/v1/namespaces/default/pods"
NODES = "/api/v1/nodes"
BUDGETS = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"
CONTAINER = {"name": "app", "image": "app:1"}
OF_EVERY_NAMESPACE = "kube-root-ca.crt"
"""A map that a real cluster makes by itself."""


@pytest.fixture(scope="module", params=SERVERS)
def cluster(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    with STARTS[request.param](tmp_path_factory.mktemp("cluster")) as started:
        yield started


def connected(cluster: Cluster, user: str | None = None) -> ClusterConnection:
    path = str(cluster.kubeconfig)
    block = KubernetesCluster(kubeconfig_path=path, context=user, requests_per_second=1000.0)
    return connection_to(block)


@pytest.fixture
def connection(cluster: Cluster) -> Iterator[ClusterConnection]:
    found = connected(cluster)
    yield found
    for path in (MAPS, PODS, BUDGETS, NODES):
        found.delete(path, {"gracePeriodSeconds": 0})


@pytest.fixture(scope="module")
def faulty() -> Iterator[EmbeddedKubernetes]:
    """A cluster that can be told to answer wrongly."""
    with embedded_kubernetes() as running:
        yield running


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "data": data}


def names(items: list[dict[str, Any]]) -> set[str]:
    return {one["metadata"]["name"] for one in items} - {OF_EVERY_NAMESPACE}


def ready_pod(connection: ClusterConnection, name: str, **labels: str) -> None:
    """Make a pod that is on a node and ready, as its kubelet would say it."""
    spec = {"nodeName": "n", "containers": [CONTAINER]}
    connection.create(PODS, {"metadata": {"name": name, "labels": labels}, "spec": spec})
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-28T00:00:00Z"}
    connection.merge(
        f"{PODS}/{name}/status", {"status": {"phase": "Running", "conditions": [ready]}}
    )


def soon(true: Callable[[], bool]) -> bool:
    """Wait until something is true, ten seconds at most."""
    for _ in range(1000):
        if true():
            return True
        threading.Event().wait(0.01)
    return False


def test_a_write_comes_back_and_ours_is_the_name_that_owns_it(
    connection: ClusterConnection,
) -> None:
    connection.create(MAPS, config_map("a", x="1"))
    connection.merge(f"{MAPS}/a", {"data": {"y": "2"}})
    found = connection.get(f"{MAPS}/a")
    assert found["data"] == {"x": "1", "y": "2"}
    assert {one["manager"] for one in found["metadata"]["managedFields"]} == {"homeostat"}


def test_each_refusal_says_what_to_do_next(connection: ClusterConnection) -> None:
    old = connection.create(MAPS, config_map("a"))
    connection.merge(f"{MAPS}/a", {"data": {"y": "2"}})
    with pytest.raises(StaleWriteError, match="the object has been modified"):
        connection.replace(f"{MAPS}/a", old)
    with pytest.raises(RefusedError, match="already exists") as twice:
        connection.create(MAPS, config_map("a"))
    assert twice.value.reason == "AlreadyExists"
    with pytest.raises(NotThereError, match='configmaps "b" not found'):
        connection.get(f"{MAPS}/b")
    with pytest.raises(RefusedError, match=r"metadata\.name") as invalid:
        connection.create(MAPS, config_map("Not A Name"))
    assert invalid.value.code == 422


def test_somebody_without_a_role_is_told_where_roles_are(cluster: Cluster) -> None:
    with pytest.raises(ForbiddenError, match=r"cannot list.*see the roles in deployments/"):
        connected(cluster, "guest").get(MAPS)


@pytest.mark.embedded("kubernetes")
def test_somebody_unknown_is_told_where_roles_are(faulty: EmbeddedKubernetes) -> None:
    with pytest.raises(ForbiddenError, match="see the roles in deployments/"):
        faulty.connection("nobody").get(MAPS)


def test_a_field_of_somebody_else_is_named_and_taken_only_by_force(
    connection: ClusterConnection,
) -> None:
    # A real server asks for the name in the object too.
    wanted = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a"},
        "data": {"x": "1"},
    }
    connection.apply(f"{MAPS}/a", wanted, fieldManager="kubectl")
    with pytest.raises(OwnedByOthersError) as refused:
        connection.apply(f"{MAPS}/a", wanted | {"data": {"x": "2"}})
    assert refused.value.causes == ('conflict with "kubectl"',)
    found = connection.apply(f"{MAPS}/a", wanted | {"data": {"x": "2"}}, force=True)
    assert found["data"] == {"x": "2"}


def test_an_eviction_beyond_a_budget_is_refused_for_now(connection: ClusterConnection) -> None:
    connection.create(NODES, {"metadata": {"name": "n"}})
    ready_pod(connection, "p", app="web")
    spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}
    connection.create(BUDGETS, {"metadata": {"name": "b"}, "spec": spec})
    # Before its controller has looked at it, a real budget asks for patience.
    assert soon(lambda: connection.get(f"{BUDGETS}/b")["status"].get("currentHealthy") == 1)
    with pytest.raises(EvictionRefusedError, match="disruption budget"):
        connection.create(f"{PODS}/p/eviction", {"metadata": {"name": "p"}})
    assert "deletionTimestamp" not in connection.get(f"{PODS}/p")["metadata"]


def test_a_list_is_whole_however_many_pages_it_has(
    connection: ClusterConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE", 2)
    wanted = {f"m{at}" for at in range(5)}
    for name in wanted:
        connection.create(MAPS, config_map(name))
    before = connection.requests
    found = list_all(connection, MAPS).items
    assert names(found) == wanted
    # Of five, or with the one of every namespace of six.
    assert len(found) in (5, 6)
    assert connection.requests - before == 3


def test_a_mirror_follows_what_happens(connection: ClusterConnection) -> None:
    owner = connection.create(MAPS, config_map("owner"))["metadata"]["uid"]
    with Mirror(connection, MAPS) as mirror:
        assert mirror.wait(10.0)
        connection.create(MAPS, config_map("a"))
        reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner}
        connection.merge(f"{MAPS}/a", {"metadata": {"ownerReferences": [reference]}})
        assert soon(lambda: len(mirror.owned_by(owner)) == 1)
        connection.delete(f"{MAPS}/a")
        assert soon(lambda: mirror.get("default", "a") is None)
        assert mirror.owned_by(owner) == []
        assert (mirror.lists, mirror.watches) == (1, 1)


def test_a_mirror_that_is_closed_waits_for_no_event(connection: ClusterConnection) -> None:
    for at in range(3):
        with Mirror(connection, MAPS) as mirror:
            assert mirror.wait(10.0)
            connection.create(MAPS, {"metadata": {"generateName": "a-"}})
            assert soon(lambda: len(names(mirror.all())) > at)  # noqa: B023
        assert f"mirror {MAPS}" not in {one.name for one in threading.enumerate()}


@pytest.mark.embedded("kubernetes")
def test_a_mirror_misses_nothing_while_watches_break_and_requests_fail(
    faulty: EmbeddedKubernetes,
) -> None:
    connection = faulty.connection()
    with Mirror(connection, MAPS, pause=lambda _: threading.Event().wait(0.01)) as mirror:
        assert mirror.wait(10.0)
        faulty.go_wrong(
            {"verbs": ["watch"], "share": 0.2, "drop": True},
            {"verbs": ["list", "watch"], "share": 0.2, "code": 500},
            {"verbs": ["watch"], "share": 0.1, "code": 410},
        )
        for at in range(60):
            connection.create(
                MAPS, config_map(f"m{at % 20}", x=str(at)) if at < 20 else config_map(f"n{at}")
            )
        for at in range(20):
            connection.delete(f"{MAPS}/m{at}")
        wanted = {f"n{at}" for at in range(20, 60)}
        assert soon(lambda: names(mirror.all()) == wanted)
        assert mirror.watches > 1


def test_a_cluster_that_is_not_there_is_told_as_such() -> None:
    gone = EmbeddedKubernetes(url="http://127.0.0.1:9").connection()
    with pytest.raises(ClusterUnreachableError, match="GET /api/v1"):
        gone.get("/api/v1/nodes")
