"""A cluster whose kubelets are played: an API server, and the demonstration on it, each in a thread."""

from __future__ import annotations

import asyncio
import json
import queue
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import httpx

from deployments.embedded.workloads.demonstration import (
    PARTS,
    demonstration_manifests,
    demonstration_nodes,
)
from deployments.embedded.workloads.kubelet.client import Access
from deployments.embedded.workloads.kubelet.clock import Clock
from deployments.embedded.workloads.kubelet.kubelets import with_other
from deployments.embedded.workloads.kubelet.running import RunningKubelets, running_kubelets
from deployments.embedded.workloads.physics.fault_kinds import KINDS
from deployments.embedded.workloads.physics.world import World
from tasks.adapters.kubernetes.connection import ClusterConnection

Body = dict[str, Any]
SHOP = "/api/v1/namespaces/shop"
START_SECONDS = 60.0
"""On a machine that others use as well."""
DEPLOYMENTS = "/apis/apps/v1/namespaces/shop/deployments"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedCluster:
    """A cluster that behaves.

    Attributes:
        api: As its administrator.
        running: The kubelets.
        raw: To the API server as well, for what our connection does not ask.
    """

    api: ClusterConnection
    running: RunningKubelets
    raw: httpx.Client

    def control(self, method: str, path: str, body: Body | None = None) -> httpx.Response:
        """Ask the simulator's own server."""
        headers = {"Authorization": f"Bearer {self.running.token}"}
        url = f"{self.running.control_url}{path}"
        return httpx.request(method, url, json=body, headers=headers, trust_env=False)

    @contextmanager
    def fault(self, name: str, **fault: Any) -> Iterator[None]:
        """Put a fault in force while the block lasts."""
        self.control("PUT", f"/faults/{name}", fault).raise_for_status()
        try:
            yield
        finally:
            self.control("DELETE", f"/faults/{name}")

    def pods(self, name: str) -> list[Body]:
        """Return the pods of a workload of the shop."""
        selector = f"app.kubernetes.io/name={name}"
        found: list[Body] = self.api.get(f"{SHOP}/pods", labelSelector=selector)["items"]
        return found

    def table(self, path: str, **query: str) -> list[dict[str, str]]:
        """Return what kubectl prints of a list: for each row, column to text, as the server has it."""
        accept = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
        answer = self.raw.get(path, params=query, headers=accept)
        found = answer.raise_for_status().json()
        names = [one["name"] for one in found["columnDefinitions"]]
        return [dict(zip(names, row["cells"], strict=True)) for row in found["rows"]]

    def patch_container(self, name: str, **changes: Any) -> None:
        """Change the container of a workload's Deployment."""
        deployment = self.api.get(f"{DEPLOYMENTS}/{name}")
        container = deployment["spec"]["template"]["spec"]["containers"][0] | changes
        pod = {"spec": {"containers": [container]}}
        self.api.merge(f"{DEPLOYMENTS}/{name}", {"spec": {"template": pod}})

    def is_rolled_out(self, name: str) -> bool:
        """Return whether every replica of a Deployment is new and available."""
        return is_rolled_out(self.api.get(f"{DEPLOYMENTS}/{name}"))

    def is_well(self) -> bool:
        """Return whether that is so of all of them."""
        found = self.api.get(DEPLOYMENTS)["items"]
        return len(found) == len(PARTS) and all(is_rolled_out(one) for one in found)


def is_rolled_out(found: Body) -> bool:
    """Return whether every replica of a Deployment is new and available."""
    wanted, status = found["spec"]["replicas"], found.get("status") or {}
    return bool(
        status.get("observedGeneration") == found["metadata"]["generation"]
        and status.get("updatedReplicas") == status.get("availableReplicas") == wanted
        and status.get("replicas") == wanted
    )


def waiting(pod: Body) -> str:
    """Return why a pod's container waits; empty when it does not."""
    return str(_state(pod).get("waiting", {}).get("reason", ""))


def last_end(pod: Body) -> Body:
    """Return how the container of a pod ended last; empty when it never did."""
    for one in (pod.get("status") or {}).get("containerStatuses") or ():
        found: Body = one["lastState"].get("terminated") or one["state"].get("terminated") or {}
        return found
    return {}


def _state(pod: Body) -> Body:
    for one in (pod.get("status") or {}).get("containerStatuses") or ():
        found: Body = one["state"]
        return found
    return {}


def condition(body: Body, name: str) -> str:
    """Return the status of a condition; empty where there is none."""
    conditions = (body.get("status") or {}).get("conditions") or ()
    return next((str(one["status"]) for one in conditions if one["type"] == name), "")


def eventually(what: Callable[[], bool], *, seconds: float) -> bool:
    """Return whether something comes true in time."""
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def assert_unnamed(played: PlayedCluster, names: Sequence[str]) -> None:
    """Check that nobody who reads the cluster can tell what was done to it.

    Args:
        played: The cluster.
        names: Of the faults that were in force.
    """
    paths = (
        "/api/v1/nodes", "/api/v1/pods", "/api/v1/events", "/api/v1/configmaps", "/api/v1/namespaces",
        "/apis/apps/v1/replicasets", "/apis/coordination.k8s.io/v1/leases", DEPLOYMENTS,
    )  # fmt: skip
    words = [*names, *KINDS, "(?<!de)fault", "chaos", "inject", "simulat"]
    found = {path: json.dumps(played.api.get(path)) for path in paths}
    for one in played.api.get("/api/v1/pods")["items"]:
        if condition(one, "Ready") == "True":
            name = one["metadata"]["name"]
            found[name] = played.api.text(f"{SHOP}/pods/{name}/log")
    for path, text in found.items():
        told = re.search("|".join(words), text, flags=re.IGNORECASE)
        assert told is None, f"{path}: {text[max(told.start() - 80, 0) : told.end() + 80]}"


@contextmanager
def played_cluster(
    url: str, token: str, api: ClusterConnection, *, speed: float,
    tls: ssl.SSLContext | None = None,
) -> Iterator[PlayedCluster]:  # fmt: skip
    """Play the demonstration on an API server until the block ends.

    Args:
        url: Of the API server.
        token: Of its administrator.
        api: To it, as the same.
        speed: Seconds of the world in one second.
        tls: To verify it with; None for plain HTTP.
    """
    world = World.of(with_other([part.profile for part in PARTS]), demonstration_nodes(), seed=7)
    access = Access(url=url, headers={"Authorization": f"Bearer {token}"}, tls=tls)
    loop, ended = asyncio.new_event_loop(), asyncio.Event()
    started: queue.Queue[RunningKubelets] = queue.Queue()

    async def play() -> None:
        async with running_kubelets(
            access, world, clock=Clock(speed=speed), manifests=demonstration_manifests()
        ) as running:
            started.put(running)
            waits = asyncio.create_task(ended.wait())
            await asyncio.wait({waits, running.task}, return_when=asyncio.FIRST_COMPLETED)
            if running.task.done():
                running.task.result()

    thread = threading.Thread(target=lambda: loop.run_until_complete(play()), daemon=True)
    thread.start()
    try:
        running = started.get(timeout=START_SECONDS)
        with httpx.Client(
            base_url=url, headers=access.headers, verify=tls or True, trust_env=False
        ) as raw:
            yield PlayedCluster(api=api, running=running, raw=raw)
        assert thread.is_alive(), "the kubelets have failed"
    finally:
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(ended.set)
        thread.join(10.0)
        loop.close()
