"""Load on a control plane: objects created, Deployments brought to pods on nodes, and all pods listed.

The client is aiohttp in one process, over what the server offers. Processor time and memory are those
of the server's processes; the client takes its share of the same machine.
"""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Iterable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import aiohttp

from benchmarks.cluster_servers import API_PROGRAMS, IN_FLIGHT, REAL, Server, ServerError, answer
from benchmarks.harness import Metrics

PODS_PER_NODE = 100
LISTS = 5
LOOK_EVERY_SECONDS = 0.25
POPULATE_TIMEOUT_SECONDS = 600.0
QUIET_CPU_FRACTION = 0.2
QUIET_TIMEOUT_SECONDS = 180.0
ALLOCATABLE = {"cpu": "64", "memory": "256Gi", "pods": "110"}
NAMESPACE = "/api/v1/namespaces/default"

Call = tuple[str, str, Any]
"""Method, path and body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is asked of a server.

    Attributes:
        creates: ConfigMaps.
        deployments: Deployments.
        replicas: Of each.
        watch_seconds: For which pods are changed under a watch.
    """

    creates: int
    deployments: int
    replicas: int
    watch_seconds: float

    @property
    def pods(self) -> int:
        """Return the pods of all Deployments."""
        return self.deployments * self.replicas


async def created(
    server: Server, session: aiohttp.ClientSession, count: int, *, group: str
) -> Metrics:
    """Create ConfigMaps, IN_FLIGHT at a time, and return how fast it went.

    Args:
        server: Whose processor seconds count.
        session: Of that server.
        count: Objects to create.
        group: Begins their names.
    """
    calls = (
        (
            "POST",
            f"{NAMESPACE}/configmaps",
            {"metadata": {"name": f"{group}-{at}"}, "data": {"key": "value"}},
        )
        for at in range(count)
    )
    cpu, begin = server.cpu_seconds(), time.perf_counter()
    await _send(session, calls)
    seconds, cpu = time.perf_counter() - begin, server.cpu_seconds() - cpu
    return {
        "creates_per_second": count / seconds,
        "creates_per_server_cpu_second": count / cpu if cpu > 0.0 else None,
    }


async def populate(session: aiohttp.ClientSession, size: Size) -> float:
    """Create Deployments and return the seconds until all of their pods are there and have a node.

    The nodes are made before, and are not timed. A pod is looked for every LOOK_EVERY_SECONDS.

    Raises:
        ServerError: They are not after POPULATE_TIMEOUT_SECONDS.
    """
    await _send(session, _nodes(math.ceil(size.pods / PODS_PER_NODE)))
    path = "/apis/apps/v1/namespaces/default/deployments"
    begin = time.perf_counter()
    await _send(
        session, (("POST", path, _deployment(at, size.replicas)) for at in range(size.deployments))
    )
    while True:
        there, has_waiting = await _pods(session)
        seconds = time.perf_counter() - begin
        if there == size.pods and not has_waiting:
            return seconds
        if seconds > POPULATE_TIMEOUT_SECONDS:
            state = "some without a node" if has_waiting else "all on nodes"
            message = f"{there} of {size.pods} pods are there after {seconds:.0f} s, {state}"
            raise ServerError(message)
        await asyncio.sleep(LOOK_EVERY_SECONDS)


async def _pods(session: aiohttp.ClientSession) -> tuple[int, bool]:
    """Return how many pods there are, and whether one of them has no node."""
    some = json.loads(await answer(session, "GET", "/api/v1/pods?limit=1"))
    there = len(some["items"]) + some["metadata"].get("remainingItemCount", 0)
    waiting = await answer(session, "GET", "/api/v1/pods?limit=1&fieldSelector=spec.nodeName%3D")
    return there, bool(json.loads(waiting)["items"])


async def quiet(server: Server) -> None:
    """Return once the server has done what was still to do: one second on little processor time.

    Raises:
        ServerError: It is still busy after QUIET_TIMEOUT_SECONDS.
    """
    deadline = time.monotonic() + QUIET_TIMEOUT_SECONDS
    before = server.cpu_seconds()
    while time.monotonic() < deadline:
        await asyncio.sleep(1.0)
        now = server.cpu_seconds()
        if now - before < QUIET_CPU_FRACTION:
            return
        before = now
    message = f"the {server.kind} server is still busy after {QUIET_TIMEOUT_SECONDS:.0f} s"
    raise ServerError(message)


async def listed(server: Server, session: aiohttp.ClientSession, *, pods: int) -> Metrics:
    """List all pods in one answer, LISTS times, and return what one of them takes.

    Processor seconds are those of what answers: not of the controllers of the real control plane.

    Raises:
        ServerError: There are fewer or more pods.
    """
    programs = API_PROGRAMS if server.kind == REAL else ()
    cpu, begin = server.cpu_seconds(*programs), time.perf_counter()
    texts = [await answer(session, "GET", "/api/v1/pods") for _ in range(LISTS)]
    seconds, cpu = time.perf_counter() - begin, server.cpu_seconds(*programs) - cpu
    found = len(json.loads(texts[-1])["items"])
    if found != pods:
        message = f"a list has {found} pods in place of {pods}"
        raise ServerError(message)
    return {
        "list_10k_pods_cpu_seconds": cpu / LISTS,
        "list_10k_pods_seconds": seconds / LISTS,
        "list_10k_pods_mb": len(texts[-1]) / 1e6,
    }


async def rss_with_clients(server: Server, count: int) -> float:
    """Return the server's memory, MiB, when so many clients listed all pods and stay connected."""
    async with AsyncExitStack() as clients:
        for _ in range(count):
            client = await clients.enter_async_context(server.session())
            await answer(client, "GET", "/api/v1/pods")
        return server.rss_mib()


async def _send(session: aiohttp.ClientSession, calls: Iterable[Call]) -> None:
    waiting = iter(calls)

    async def work() -> None:
        for method, path, body in waiting:
            await answer(session, method, path, body)

    async with asyncio.TaskGroup() as group:
        for _ in range(IN_FLIGHT):
            group.create_task(work())


def _nodes(count: int) -> Iterator[Call]:
    """Yield what registers nodes: each with a kubelet's first word, that it is ready."""
    conditions = [{"type": "Ready", "status": "True", "reason": "KubeletReady"}]
    status = {"capacity": ALLOCATABLE, "allocatable": ALLOCATABLE, "conditions": conditions}
    for at in range(count):
        yield "POST", "/api/v1/nodes", {"metadata": {"name": f"node-{at}"}, "status": status}


def _deployment(at: int, replicas: int) -> dict[str, Any]:
    labels = {"app": f"app-{at}"}
    container = {
        "name": "main",
        "image": "registry.example.com/app:1",
        "ports": [{"containerPort": 8080}],
        "env": [{"name": "LOG_LEVEL", "value": "info"}],
        "resources": {
            "requests": {"cpu": "100m", "memory": "128Mi"},
            "limits": {"memory": "256Mi"},
        },
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}},
    }
    return {
        "metadata": {"name": labels["app"], "labels": labels},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }
