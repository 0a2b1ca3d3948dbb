"""Requests, lists and mirrors of a cluster, also while requests go wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tasks.adapters.kubernetes import listing
from tasks.adapters.kubernetes.connection import ClusterConnection
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
from tests.support.embedded_kubernetes import EmbeddedKubernetes, embedded_kubernetes

pytestmark = pytest.mark.embedded("kubernetes")

MAPS = "/api/v1/namespaces/default/configmaps"
PODS = "/api/v1/namespaces/default/pods"
CONTAINER = {"name": "app", "image": "app:1"}


@pytest.fixture(scope="module")
def cluster() -> Iterator[EmbeddedKubernetes]:
    with embedded_kubernetes() as running:
        yield running


@pytest.fixture
def connection(cluster: EmbeddedKubernetes) -> Iterator[ClusterConnection]:
    found = cluster.connection()
    yield found
    cluster.go_wrong()
    for path in (MAPS, PODS):
        found.delete(path, {"gracePeriodSeconds": 0})


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "data": data}


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


def test_somebody_unknown_and_somebody_without_a_role_are_told_where_roles_are(
    cluster: EmbeddedKubernetes,
) -> None:
    with pytest.raises(ForbiddenError, match="see the roles in deployments/"):
        cluster.connection("nobody").get(MAPS)


def test_a_field_of_somebody_else_is_named_and_taken_only_by_force(
    cluster: EmbeddedKubernetes, connection: ClusterConnection
) -> None:
    wanted = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"x": "1"}}
    connection.apply(f"{MAPS}/a", wanted, fieldManager="kubectl")
    with pytest.raises(OwnedByOthersError) as refused:
        connection.apply(f"{MAPS}/a", wanted | {"data": {"x": "2"}})
    assert refused.value.causes == ('conflict with "kubectl"',)
    found = connection.apply(f"{MAPS}/a", wanted | {"data": {"x": "2"}}, force=True)
    assert found["data"] == {"x": "2"}


def test_an_eviction_beyond_a_budget_is_refused_for_now(connection: ClusterConnection) -> None:
    labels = {"app": "web"}
    connection.create(
        PODS, {"metadata": {"name": "p", "labels": labels}, "spec": {"containers": [CONTAINER]}}
    )
    budgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"
    spec = {"minAvailable": 1, "selector": {"matchLabels": labels}}
    connection.create(budgets, {"metadata": {"name": "b"}, "spec": spec})
    try:
        with pytest.raises(EvictionRefusedError, match="disruption budget"):
            connection.create(f"{PODS}/p/eviction", {"metadata": {"name": "p"}})
    finally:
        connection.delete(f"{budgets}/b")


def test_a_list_is_whole_however_many_pages_it_has(
    connection: ClusterConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE", 2)
    names = [f"m{at}" for at in range(5)]
    for name in names:
        connection.create(MAPS, config_map(name))
    before = connection.requests
    assert [one["metadata"]["name"] for one in list_all(connection, MAPS).items] == names
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


def test_a_mirror_misses_nothing_while_watches_break_and_requests_fail(
    cluster: EmbeddedKubernetes, connection: ClusterConnection
) -> None:
    with Mirror(connection, MAPS, pause=lambda _: threading.Event().wait(0.01)) as mirror:
        assert mirror.wait(10.0)
        cluster.go_wrong(
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
        assert soon(lambda: {one["metadata"]["name"] for one in mirror.all()} == wanted)
        assert mirror.watches > 1


def test_a_cluster_that_is_not_there_is_told_as_such() -> None:
    gone = EmbeddedKubernetes(url="http://127.0.0.1:9").connection()
    with pytest.raises(ClusterUnreachableError, match="GET /api/v1"):
        gone.get("/api/v1/nodes")
