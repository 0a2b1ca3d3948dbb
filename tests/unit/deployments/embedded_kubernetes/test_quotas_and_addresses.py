"""What is given out is counted: room in a namespace, addresses of services."""

from __future__ import annotations

from typing import Any

import pytest

from deployments.embedded.kubernetes.cluster import WRITER
from deployments.embedded.kubernetes.errors import ApiError
from deployments.embedded.kubernetes.kinds import Kinds
from deployments.embedded.kubernetes.objects import Deletion, Objects
from deployments.embedded.kubernetes.store import Store


@pytest.fixture
def objects() -> Objects:
    found = Objects(Store(), Kinds())
    make(found, "namespaces", {"metadata": {"name": "a"}}, namespace="")
    return found


def make(objects: Objects, plural: str, body: Any, *, namespace: str = "a") -> Any:
    kind = objects.kinds.built_in("", "v1", plural)
    return objects.create(kind, namespace, body, WRITER).body()


def pod(name: str, cpu: str) -> dict[str, Any]:
    resources = {"requests": {"cpu": cpu}}
    container = {"name": "main", "image": "app:1", "resources": resources}
    return {"metadata": {"name": name}, "spec": {"containers": [container]}}


def service(name: str, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"ports": [{"port": 80}], **spec}}


def test_a_pod_beyond_the_quota_is_refused_with_what_is_used(objects: Objects) -> None:
    hard = {"pods": "3", "requests.cpu": "1"}
    make(objects, "resourcequotas", {"metadata": {"name": "q"}, "spec": {"hard": hard}})
    make(objects, "pods", pod("one", "600m"))
    with pytest.raises(ApiError) as refused:
        make(objects, "pods", pod("two", "500m"))
    assert refused.value.code == 403
    assert refused.value.message == (
        'pods "two" is forbidden: exceeded quota: q, requested: requests.cpu=500m, '
        "used: requests.cpu=600m, limited: requests.cpu=1"
    )
    make(objects, "pods", pod("three", "400m"))


def test_a_pod_that_is_gone_makes_room_in_the_quota(objects: Objects) -> None:
    make(objects, "resourcequotas", {"metadata": {"name": "q"}, "spec": {"hard": {"pods": "1"}}})
    make(objects, "pods", pod("one", "1"))
    objects.delete(objects.kinds.built_in("", "v1", "pods"), "a", "one", Deletion())
    make(objects, "pods", pod("two", "1"))


def test_services_get_addresses_and_ports_of_their_own(objects: Objects) -> None:
    made = [make(objects, "services", service(name, type="NodePort"))["spec"] for name in "abc"]
    assert len({one["clusterIP"] for one in made}) == 3
    assert all(one["clusterIPs"] == [one["clusterIP"]] for one in made)
    assert len({one["ports"][0]["nodePort"] for one in made}) == 3


def test_a_service_keeps_the_address_it_asks_for_or_has_none(objects: Objects) -> None:
    asked = make(objects, "services", service("asked", clusterIP="10.0.0.9"))["spec"]
    assert (asked["clusterIP"], asked["clusterIPs"]) == ("10.0.0.9", ["10.0.0.9"])
    with pytest.raises(ApiError, match=r"failed to allocate IP 10\.0\.0\.9"):
        make(objects, "services", service("again", clusterIP="10.0.0.9"))
    assert (
        make(objects, "services", service("none", clusterIP="None"))["spec"]["clusterIP"] == "None"
    )
    outside = service("outside", type="ExternalName", externalName="x.example")
    assert "clusterIP" not in make(objects, "services", outside)["spec"]
