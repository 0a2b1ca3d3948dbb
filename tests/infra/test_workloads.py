"""Nodes, workloads and their Prometheus on an API server that goes wrong, goes away and comes back."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from deployments.embedded.kubernetes.cluster import running_cluster
from deployments.embedded.prometheus.scraper import INTERVAL_SECONDS
from deployments.embedded.workloads.demonstration import PARTS, demonstration_nodes
from deployments.embedded.workloads.kubelet.client import Access
from deployments.embedded.workloads.kubelet.clock import Clock
from deployments.embedded.workloads.kubelet.kubelets import with_other
from deployments.embedded.workloads.physics.world import World
from deployments.embedded.workloads.playing import RunningWorkloads, running_workloads
from deployments.local_cluster.kubeconfig import kubeconfig
from tests.support.embedded_kubernetes import ADMIN, USERS
from tests.support.played_cluster import DEPLOYMENTS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.embedded("kubernetes"),
    pytest.mark.embedded("prometheus"),
]

SECONDS = 60.0
"""On a machine that others use as well."""
HEADERS = {"Authorization": f"Bearer {ADMIN}"}
APPLIED = len(PARTS)
BUSY = {"verbs": ["get", "create", "patch"], "code": 503, "share": 0.5}


def run(test: Callable[[int], Coroutine[Any, Any, None]]) -> None:
    """Run a test in an event loop, with a port for its API server."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    asyncio.run(test(port))


@asynccontextmanager
async def workloads(port: int, *, hours: float = 0.0) -> AsyncIterator[RunningWorkloads]:
    world = World.of(with_other([part.profile for part in PARTS]), demonstration_nodes(), seed=7)
    access = Access(url=f"http://127.0.0.1:{port}", headers=HEADERS, tls=None)
    async with running_workloads(
        access, world, clock=Clock(speed=20.0), parts=PARTS, history_hours=hours
    ) as found:
        yield found


def api(port: int) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", headers=HEADERS, trust_env=False, timeout=10.0
    )


async def eventually(what: Callable[[], Awaitable[bool]]) -> bool:
    for _ in range(round(SECONDS / 0.2)):
        if await what():
            return True
        await asyncio.sleep(0.2)
    return False


async def counts(client: httpx.AsyncClient) -> tuple[int, int]:
    """Return how many nodes and Deployments there are."""
    found = [(await client.get(path)).json() for path in ("/api/v1/nodes", DEPLOYMENTS)]
    return len(found[0]["items"]), len(found[1]["items"])


def test_nothing_is_ready_before_an_api_server_answers() -> None:
    async def test(port: int) -> None:
        opened = workloads(port)
        starting = asyncio.create_task(opened.__aenter__())
        await asyncio.sleep(1.0)
        assert not starting.done()

        async with running_cluster(USERS, port=port), api(port) as client:
            running = await asyncio.wait_for(starting, SECONDS)
            assert await counts(client) == (6, APPLIED)
            answer = await client.get(f"{running.prometheus_url}/-/ready")
            await opened.__aexit__(None, None, None)
        assert answer.status_code == 200

    run(test)


def test_prometheus_refuses_until_all_is_there() -> None:
    async def test(port: int) -> None:
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            prometheus = free.getsockname()[1]
        access = Access(url=f"http://127.0.0.1:{port}", headers=HEADERS, tls=None)
        world = World.of(with_other([one.profile for one in PARTS]), demonstration_nodes(), seed=7)
        opened = running_workloads(access, world, clock=Clock(), prometheus_port=prometheus)
        starting = asyncio.create_task(opened.__aenter__())
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{prometheus}", trust_env=False
        ) as client:

            async def listens() -> bool:
                try:
                    return (await client.get("/-/healthy")).is_success
                except httpx.TransportError:
                    return False

            assert await eventually(listens)
            for path in ("/-/ready", "/metrics", "/api/v1/query?query=up"):
                assert (await client.get(path)).status_code == 503
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting

    run(test)


def test_a_cluster_that_comes_back_empty_is_founded_again() -> None:
    async def test(port: int) -> None:
        async with api(port) as client:
            async with running_cluster(USERS, port=port):
                opened = workloads(port, hours=1.0)
                running = await opened.__aenter__()
                assert await counts(client) == (6, APPLIED)
            async with running_cluster(USERS, port=port):
                assert await counts(client) == (0, 0)

                async def is_whole() -> bool:
                    return await counts(client) == (6, APPLIED)

                async def is_recorded() -> bool:
                    query = "sum(kube_deployment_status_replicas_available)"
                    found = await asks(running, query)
                    return bool(found) and found[0] == 39.0 and running.scraper.is_live

                assert await eventually(is_whole)
                # Pods of the new cluster run, on nodes that it knows, and are counted.
                assert await eventually(is_recorded)
                assert not running.kubelets.task.done()
                await opened.__aexit__(None, None, None)

    run(test)


async def asks(running: RunningWorkloads, query: str) -> list[float]:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"{running.prometheus_url}/api/v1/query", params={"query": query})
    return [float(one["value"][1]) for one in answer.json()["data"]["result"]]


def test_watches_that_break_off_found_nothing_where_the_objects_are_still_there() -> None:
    async def test(port: int) -> None:
        async with (
            running_cluster(USERS, port=port),
            api(port) as client,
            workloads(port) as running,
        ):
            # Each watch ends after its next line: that of the namespace, and that of what is deleted.
            drop = {"verbs": ["watch"], "drop": True}
            (await client.put("/homeostat/faults", json=[drop])).raise_for_status()
            label = {"metadata": {"labels": {"seen": "yes"}}}
            merge = {"Content-Type": "application/merge-patch+json"}
            path = "/api/v1/namespaces/kube-system"
            (await client.patch(path, json=label, headers=merge)).raise_for_status()
            await client.delete(f"{DEPLOYMENTS}/reports")
            (await client.put("/homeostat/faults", json=[])).raise_for_status()

            async def is_noticed() -> bool:
                return await asks(running, "count(kube_deployment_spec_replicas)") == [APPLIED - 1]

            assert await eventually(is_noticed)
            assert await counts(client) == (6, APPLIED - 1)

    run(test)


def test_a_server_that_refuses_every_other_request_is_founded_all_the_same() -> None:
    async def test(port: int) -> None:
        async with running_cluster(USERS, port=port), api(port) as client:
            (await client.put("/homeostat/faults", json=[BUSY])).raise_for_status()
            opened = workloads(port)
            starting = asyncio.create_task(opened.__aenter__())
            await asyncio.sleep(1.0)
            (await client.put("/homeostat/faults", json=[])).raise_for_status()
            await asyncio.wait_for(starting, SECONDS)
            assert await counts(client) == (6, APPLIED)
            await opened.__aexit__(None, None, None)

    run(test)


def test_a_second_start_leaves_what_was_changed_and_brings_what_is_missing() -> None:
    async def test(port: int) -> None:
        async with running_cluster(USERS, port=port), api(port) as client:
            async with workloads(port):
                pass
            merge = {"Content-Type": "application/merge-patch+json"}
            changes = {
                "web": b'{"spec": {"replicas": 7}}',
                # What was taken away nobody owns: to apply the whole again would bring it back.
                "api": b'{"metadata": {"annotations": {"autonomous/enabled": null}}}',
            }
            for name, patch in changes.items():
                path = f"{DEPLOYMENTS}/{name}"
                (await client.patch(path, content=patch, headers=merge)).raise_for_status()
            await client.delete(f"{DEPLOYMENTS}/cart")

            async with workloads(port):
                assert await counts(client) == (6, APPLIED)
                found = {
                    name: (await client.get(f"{DEPLOYMENTS}/{name}")).json() for name in changes
                }
        assert found["web"]["spec"]["replicas"] == 7
        assert "autonomous/enabled" not in found["api"]["metadata"].get("annotations", {})

    run(test)


def test_samples_lie_on_multiples_of_their_interval_over_the_start() -> None:
    async def test(port: int) -> None:
        async with running_cluster(USERS, port=port), workloads(port, hours=1.0) as running:

            async def is_live() -> bool:
                # Twenty seconds of the world in one: what is live has samples by then.
                return running.scraper.is_live and len(await times()) > 3

            async def times() -> list[float]:
                since = running.kubelets.kubelets.clock.now() - 60.0
                found = await asks(running, "timestamp(kube_node_status_capacity)")
                seen.update(found)
                return [one for one in seen if one > since]

            seen: set[float] = set()
            assert await eventually(is_live)
        assert {one % INTERVAL_SECONDS for one in seen} == {0.0}

    run(test)


@pytest.mark.parametrize(("token", "said"), [("wrong", "Unauthorized"), (None, "not started")])
def test_who_is_not_let_in_is_told_so(tmp_path: Path, token: str | None, said: str) -> None:
    async def test(port: int) -> None:
        path = tmp_path / "kubeconfig"
        if token is not None:
            path.write_text(kubeconfig(f"http://127.0.0.1:{port}", tokens={"admin": token}))
        command = [sys.executable, "-m", "deployments.embedded.workloads", "--history-hours", "0"]
        async with running_cluster(USERS, port=port):
            done = await asyncio.to_thread(
                subprocess.run,
                [*command, "--kubeconfig", str(path)],
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
            )
        assert done.returncode == 2, done.stderr
        assert said in done.stderr

    run(test)
