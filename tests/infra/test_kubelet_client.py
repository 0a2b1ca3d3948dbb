"""Kubelets of a simulated world on the embedded API server: what clients of that see."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from deployments.embedded.kubernetes import defaults
from deployments.embedded.kubernetes.controllers import nodes
from deployments.embedded.workloads.physics.fault_kinds import KINDS
from tasks.domain.errors import InfraError
from tests.support.embedded_kubernetes import ADMIN, embedded_kubernetes
from tests.support.played_cluster import (
    SHOP,
    Body,
    PlayedCluster,
    assert_unnamed,
    condition,
    eventually,
    last_end,
    played_cluster,
    waiting,
)

pytestmark = [pytest.mark.slow, pytest.mark.embedded("kubernetes")]

SPEED = 20.0
"""Seconds of the world in one second: back-off and probes keep their lengths in the world."""
SECONDS = 60.0
"""On a machine that others use as well."""
NAMES = ("zebra-seventeen", "zebra-eighteen", "zebra-nineteen")


@pytest.fixture(scope="module")
def played() -> Iterator[PlayedCluster]:
    with pytest.MonkeyPatch.context() as patch:
        # A lost node is noticed, and its pods leave, after seconds rather than minutes.
        patch.setattr(nodes, "GRACE_SECONDS", 6.0)
        patch.setattr(nodes.Nodes, "every_seconds", 1.0)
        patch.setattr(defaults, "TOLERATED_SECONDS", 3)
        with (
            embedded_kubernetes() as cluster,
            played_cluster(cluster.url, ADMIN, cluster.connection(), speed=SPEED) as found,
        ):
            assert eventually(found.is_well, seconds=SECONDS)
            yield found


def test_the_demonstration_becomes_ready_on_nodes_of_three_zones(played: PlayedCluster) -> None:
    found = played.api.get("/api/v1/nodes")["items"]
    pods = played.api.get(f"{SHOP}/pods")["items"]

    assert [condition(one, "Ready") for one in found] == ["True"] * 6
    assert {one["metadata"]["labels"]["topology.kubernetes.io/zone"] for one in found} == {
        "zone-a", "zone-b", "zone-c",
    }  # fmt: skip
    assert {one["status"]["allocatable"]["cpu"] for one in found} == {"3900m"}
    assert len(pods) == 39
    assert len({one["status"]["podIP"] for one in pods}) == 39
    assert {one["status"]["phase"] for one in pods} == {"Running"}
    assert {condition(one, "ContainersReady") for one in pods} == {"True"}


def test_events_tell_of_a_start_and_are_counted(played: PlayedCluster) -> None:
    name = played.pods("web")[0]["metadata"]["name"]
    found = played.api.get(f"{SHOP}/events", fieldSelector=f"involvedObject.name={name}")["items"]

    told = [one["reason"] for one in found if one["source"]["component"] == "kubelet"]
    assert {"Pulling", "Pulled", "Created", "Started", "Unhealthy"} <= set(told)
    refused = [one for one in found if "connection refused" in one["message"]]
    assert len(refused) == 1
    assert refused[0]["count"] >= 1
    assert refused[0]["involvedObject"]["fieldPath"] == "spec.containers{web}"


def test_too_little_memory_ends_in_a_crash_loop_until_the_limit_rises(
    played: PlayedCluster,
) -> None:
    def is_looping() -> bool:
        pods = played.pods("cart")
        return any(
            waiting(one) == "CrashLoopBackOff" and last_end(one).get("reason") == "OOMKilled"
            for one in pods
        )

    with played.fault(NAMES[0], kind="memory-demand", target="shop/cart", factor=4.0):
        assert eventually(is_looping, seconds=SECONDS)
        looping = next(one for one in played.pods("cart") if waiting(one) == "CrashLoopBackOff")
        ended = last_end(looping)
        assert (ended["exitCode"], ended["reason"]) == (137, "OOMKilled")
        assert condition(looping, "Ready") == "False"
        log = f"{SHOP}/pods/{looping['metadata']['name']}/log"
        assert played.api.text(log, previous="true") != ""
        assert_unnamed(played, NAMES)

        sizes = {"requests": {"memory": "640Mi"}, "limits": {"memory": "1Gi", "cpu": "500m"}}
        played.patch_container("cart", resources=sizes)
        assert eventually(lambda: played.is_rolled_out("cart"), seconds=SECONDS)
    # Old pods end after the new ones count.
    assert eventually(lambda: not any(map(waiting, played.pods("cart"))), seconds=SECONDS)


def test_an_image_that_is_not_there_is_waited_for_until_it_is_rolled_back(
    played: PlayedCluster,
) -> None:
    good = played.pods("reports")[0]["spec"]["containers"][0]["image"]

    played.patch_container("reports", image="registry.example.com/shop/reports:2.5.1-rc1")

    def reasons() -> set[str]:
        return {waiting(one) for one in played.pods("reports")}

    assert eventually(lambda: "ImagePullBackOff" in reasons(), seconds=SECONDS)
    # Of two replicas none may be missing, so that the old ones stay beside the new one.
    assert sum(condition(one, "Ready") == "True" for one in played.pods("reports")) == 2
    assert not eventually(lambda: played.is_rolled_out("reports"), seconds=2.0)
    assert reasons() & {"ImagePullBackOff", "ErrImagePull"}

    played.patch_container("reports", image=good)
    assert eventually(lambda: played.is_rolled_out("reports"), seconds=SECONDS)
    assert eventually(lambda: reasons() == {""}, seconds=SECONDS)


def test_a_container_waits_for_its_config_map(played: PlayedCluster) -> None:
    path = f"{SHOP}/configmaps"
    config = played.api.get(f"{path}/search-config")
    played.api.delete(f"{path}/search-config")
    name = played.pods("search")[0]["metadata"]["name"]
    played.api.delete(f"{SHOP}/pods/{name}")

    def is_refused() -> bool:
        found = [one for one in played.pods("search") if waiting(one)]
        return [waiting(one) for one in found] == ["CreateContainerConfigError"]

    assert eventually(is_refused, seconds=SECONDS)
    # The old one has its time to end, and may still be there when the new one is refused.
    assert eventually(
        lambda: name not in [one["metadata"]["name"] for one in played.pods("search")],
        seconds=SECONDS,
    )
    kept = {"name": "search-config", "namespace": "shop", "labels": config["metadata"]["labels"]}
    played.api.create(path, {"metadata": kept, "data": config["data"]})
    assert eventually(lambda: played.is_rolled_out("search"), seconds=SECONDS)


def test_the_pods_of_a_lost_node_are_unknown_then_leave_then_end(played: PlayedCluster) -> None:
    lost = played.pods("payments")[0]["spec"]["nodeName"]
    path = f"/api/v1/nodes/{lost}"

    def there() -> list[Body]:
        found: list[Body] = played.api.get(f"{SHOP}/pods", fieldSelector=f"spec.nodeName={lost}")[
            "items"
        ]
        return found

    with played.fault(NAMES[1], kind="node-lost", node=lost):
        gone = eventually(
            lambda: condition(played.api.get(path), "Ready") == "Unknown", seconds=SECONDS
        )
        assert gone
        assert eventually(
            lambda: {condition(one, "Ready") for one in there()} == {"False"}, seconds=SECONDS
        )
        assert eventually(
            lambda: all("deletionTimestamp" in one["metadata"] for one in there()), seconds=SECONDS
        )
        silent = there()[0]["metadata"]["name"]
        with pytest.raises(InfraError, match="containerLogs"):
            played.api.text(f"{SHOP}/pods/{silent}/log")
        assert_unnamed(played, NAMES)
    assert eventually(lambda: condition(played.api.get(path), "Ready") == "True", seconds=SECONDS)
    assert eventually(played.is_well, seconds=SECONDS)
    assert all("deletionTimestamp" not in one["metadata"] for one in there())


def test_logs_come_through_the_api_server(played: PlayedCluster) -> None:
    name = played.pods("catalogue")[0]["metadata"]["name"]
    path = f"{SHOP}/pods/{name}/log"

    whole = played.api.text(path).splitlines()
    tail = played.api.text(path, tailLines=1).splitlines()

    assert any("starting catalogue version=2.4.1" in line for line in whole)
    assert len(tail) == 1


def test_the_control_server_names_the_value_and_its_limit(played: PlayedCluster) -> None:
    leak = {"kind": "memory-leak", "target": "shop/cart", "mib_per_hour": 2e6}
    answer = played.control("PUT", "/faults/leak", leak)

    assert answer.status_code == 400
    assert "mib_per_hour is 2000000.0" in answer.json()["error"]
    assert "at most 1e+06" in answer.json()["error"]
    assert played.control("GET", "/faults").json() == {"faults": []}
    assert played.control("DELETE", "/faults/leak").status_code == 404
    url = f"{played.running.control_url}/state"
    assert httpx.get(url, trust_env=False).status_code == 401
    state = played.control("GET", "/state").json()
    assert state["pods"]["all"] >= 39
    assert state["workloads"]["shop/web"]["offered_rps"] > 0
    kinds = played.control("GET", "/kinds").json()["kinds"]
    assert [one["kind"] for one in kinds] == list(KINDS)
