"""What goes wrong between a client and the embedded API server on purpose, over its wire."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from deployments.embedded.kubernetes.access import MASTERS, User
from tests.support.embedded_kubernetes import ADMIN, EmbeddedKubernetes, embedded_kubernetes

pytestmark = pytest.mark.embedded("kubernetes")

MAPS = "/api/v1/namespaces/default/configmaps"
SECRETS = "/api/v1/namespaces/default/secrets"
OTHER = "other-token"
USERS = {
    ADMIN: User(name="admin", groups=(MASTERS,)),
    OTHER: User(name="other", groups=(MASTERS,)),
}


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedKubernetes]:
    with embedded_kubernetes(USERS) as running:
        yield running


@pytest.fixture
def cluster(server: EmbeddedKubernetes) -> Iterator[EmbeddedKubernetes]:
    yield server
    server.go_wrong()
    with client(server) as admin:
        for path in (MAPS, SECRETS):
            admin.delete(path).raise_for_status()


def client(cluster: EmbeddedKubernetes, token: str = ADMIN) -> httpx.Client:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=cluster.url, headers=headers, trust_env=False, timeout=10.0)


def named(name: str) -> dict[str, Any]:
    return {"metadata": {"name": name}}


def names(admin: httpx.Client, path: str = MAPS) -> list[str]:
    return [one["metadata"]["name"] for one in admin.get(path).json()["items"]]


def test_what_a_drop_loses_is_the_answer_of_what_was_done(cluster: EmbeddedKubernetes) -> None:
    cluster.go_wrong({"verbs": ["create", "delete"], "kinds": ["configmaps"], "drop": True})
    with client(cluster) as admin:
        with pytest.raises(httpx.TransportError):
            admin.post(MAPS, json=named("a"))
        assert names(admin) == ["a"]
        # That it is refused is lost as well.
        with pytest.raises(httpx.TransportError):
            admin.post(MAPS, json=named("a"))
        with pytest.raises(httpx.TransportError):
            admin.delete(f"{MAPS}/a")
        assert names(admin) == []


def test_a_drop_with_a_code_loses_the_request_itself(cluster: EmbeddedKubernetes) -> None:
    cluster.go_wrong({"verbs": ["create"], "drop": True, "code": 503})
    with client(cluster) as admin:
        with pytest.raises(httpx.TransportError):
            admin.post(MAPS, json=named("a"))
        assert names(admin) == []


def test_what_is_refused_was_not_done(cluster: EmbeddedKubernetes) -> None:
    cluster.go_wrong({"verbs": ["create"], "code": 409})
    with client(cluster) as admin:
        assert admin.post(MAPS, json=named("a")).status_code == 409
        assert names(admin) == []


def test_a_watch_of_the_kinds_that_a_drop_names_ends_after_its_next_line(
    cluster: EmbeddedKubernetes,
) -> None:
    cluster.go_wrong({"verbs": ["watch"], "kinds": ["configmaps"], "drop": True})
    with client(cluster) as admin:
        for name in ("a", "b"):
            admin.post(MAPS, json=named(name)).raise_for_status()
            admin.post(SECRETS, json=named(name)).raise_for_status()
        query = {"watch": "true", "timeoutSeconds": "1", "resourceVersion": "0"}
        seconds = []
        for path in (MAPS, SECRETS):
            answer = admin.get(path, params=query).raise_for_status()
            seconds.append(answer.elapsed.total_seconds())
            assert len(answer.text.splitlines()) == 2
    assert seconds[0] < 0.9 < seconds[1]


def test_faults_of_one_user_spare_the_others(cluster: EmbeddedKubernetes) -> None:
    cluster.go_wrong({"verbs": ["create"], "users": ["other"], "code": 409})
    with client(cluster) as admin, client(cluster, OTHER) as other:
        assert other.post(MAPS, json=named("a")).status_code == 409
        assert admin.post(MAPS, json=named("b")).status_code == 201
        assert names(admin) == ["b"]
        assert admin.get("/homeostat/faults").json()[0]["users"] == ["other"]


def test_a_watch_of_a_user_whom_a_drop_does_not_name_goes_on(cluster: EmbeddedKubernetes) -> None:
    cluster.go_wrong({"verbs": ["watch"], "users": ["other"], "drop": True})
    query = {"watch": "true", "timeoutSeconds": "1"}
    with client(cluster) as admin, client(cluster, OTHER) as other:
        admin.post(MAPS, json=named("a")).raise_for_status()
        ended = [one.get(MAPS, params=query).elapsed.total_seconds() for one in (other, admin)]
    assert ended[0] < 0.9 < ended[1]
