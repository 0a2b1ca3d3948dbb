"""The status of a pod of several containers, as its kubelet writes it."""

from __future__ import annotations

from typing import Any

from deployments.embedded.workloads.demonstration import PARTS, demonstration_nodes
from deployments.embedded.workloads.engine import Engine
from deployments.embedded.workloads.kubelet.clock import Clock
from deployments.embedded.workloads.kubelet.kubelets import OTHER, with_other
from deployments.embedded.workloads.kubelet.roster import Resident, Roster
from deployments.embedded.workloads.kubelet.statuses import (
    evicted_status,
    on_wall,
    others_of,
    pod_status,
)
from deployments.embedded.workloads.manifests import config_map, deployment
from deployments.embedded.workloads.physics.world import World
from tests.support.played_cluster import condition

NOON = 1_793_620_800.0
WORLD = World.of(with_other([part.profile for part in PARTS]), demonstration_nodes(), seed=7)
WEB = next(part for part in PARTS if part.name == "web")
CLOCK = Clock(wall=lambda: NOON)
GOOD, BAD = "registry.example.com/shop/agent:2.4.1", "registry.example.com/shop/agent:2.5.0"
Body = dict[str, Any]


def resident(*, init: str | None = None, beside: str | None = None) -> Resident:
    """Return a pod of `web` with an init container or another container, of these images."""
    other = WORLD.workload_index(OTHER.name)
    assert other is not None
    made = Roster(WORLD, other=other, clock=CLOCK)
    made.config_map(None, config_map(WEB))
    spec = deployment(WEB)["spec"]["template"]["spec"] | {"nodeName": "node-2"}
    if init is not None:
        spec["initContainers"] = [{"name": "migrate", "image": init}]
    if beside is not None:
        spec["containers"] = [*spec["containers"], {"name": "agent", "image": beside}]
    owner = {"kind": "Deployment", "name": "web", "controller": True}
    metadata = {"name": "web-1", "namespace": "shop", "uid": "u-1",
                "creationTimestamp": "2026-11-02T12:00:00Z", "ownerReferences": [owner]}  # fmt: skip
    made.pod(None, {"metadata": metadata, "spec": spec, "status": {}})
    return made.told([False] * len(WORLD.nodes))[0]


def status_after(one: Resident, seconds: int) -> Body:
    """Return its status after so many seconds, in steps of one."""
    engine = Engine(WORLD)
    engine.set_pods([one.pod])
    for second in range(1, seconds + 1):
        tick = engine.step(now_seconds=NOON + second, step_seconds=1.0)
    others = others_of(one, tick.companions, CLOCK)
    return pod_status(one, on_wall(tick.table, CLOCK), tick.rules, now=NOON, others=others)


def reasons(status: Body, name: str) -> list[str]:
    """Return why containers wait; a hyphen for those that do not."""
    return [one["state"].get("waiting", {}).get("reason", "-") for one in status[name]]


def test_what_waits_for_an_init_container_says_so() -> None:
    status = status_after(resident(init=BAD, beside=GOOD), 10)

    assert status["phase"] == "Pending"
    assert reasons(status, "initContainerStatuses") == ["CrashLoopBackOff"]
    assert status["initContainerStatuses"][0]["restartCount"] == 1
    assert reasons(status, "containerStatuses") == ["PodInitializing"] * 2
    said = {one["type"]: (one["status"], one["message"]) for one in status["conditions"]}
    assert said["Initialized"] == ("False", "containers with incomplete status: [migrate]")
    assert said["Ready"] == ("False", "containers with unready status: [web agent]")
    assert said["PodReadyToStartContainers"] == ("True", None)


def test_an_init_container_that_has_ended_is_ready_and_the_pod_runs() -> None:
    status = status_after(resident(init=GOOD), 60)

    (init,) = status["initContainerStatuses"]
    assert (init["ready"], init["started"], init["restartCount"]) == (True, False, 0)
    assert init["state"]["terminated"]["reason"] == "Completed"
    assert status["phase"] == "Running"
    assert [condition({"status": status}, one) for one in ("Initialized", "Ready")] == ["True"] * 2


def test_a_pod_whose_other_container_crashes_runs_and_is_not_ready() -> None:
    status = status_after(resident(beside=BAD), 60)

    assert status["phase"] == "Running"
    assert [one["ready"] for one in status["containerStatuses"]] == [True, False]
    assert condition({"status": status}, "Ready") == "False"
    assert "initContainerStatuses" not in status


def test_a_pod_of_one_container_waits_as_ever() -> None:
    assert reasons(status_after(resident(), 1), "containerStatuses") == ["ContainerCreating"]


def test_all_containers_of_a_pod_that_is_put_out_have_ended() -> None:
    one = resident(beside=BAD)
    one.written = status_after(one, 60)
    one.evicted = "The node was low on resource: memory. "

    status = evicted_status(one, now=NOON)

    found = status["containerStatuses"]
    assert [each["name"] for each in found] == ["web", "agent"]
    assert {each["state"]["terminated"]["exitCode"] for each in found} == {137}
    assert [each["restartCount"] for each in found] == [
        each["restartCount"] for each in one.written["containerStatuses"]
    ]
    assert (status["phase"], status["reason"]) == ("Failed", "Evicted")
