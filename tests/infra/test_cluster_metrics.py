"""kubectl and clients read what played pods and nodes use, from the embedded and the real server."""

from __future__ import annotations

import asyncio
import os
import queue
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config

from deployments.embedded.workloads.demonstration import PARTS, demonstration_nodes
from deployments.embedded.workloads.kubelet.client import Access
from deployments.embedded.workloads.kubelet.clock import Clock
from deployments.embedded.workloads.kubelet.kubelets import Kubelets, with_other
from deployments.embedded.workloads.physics.world import World
from deployments.embedded.workloads.playing import running_workloads
from tests.contract.servers import SERVERS, STARTS, Cluster
from tests.support.played_cluster import eventually
from tests.support.reality import ToolPath

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
SPEED = 20.0
START_SECONDS, WAIT_SECONDS = 60.0, 120.0
GROUP = ("metrics.k8s.io", "v1beta1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A cluster whose kubelets are played and measured."""

    cluster: Cluster
    kubelets: Kubelets


@pytest.fixture(scope="module", params=SERVERS)
def played(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Played]:
    folder = tmp_path_factory.mktemp(f"measured-{request.param}")
    with STARTS[request.param](folder) as cluster, _playing(cluster) as kubelets:
        yield Played(cluster=cluster, kubelets=kubelets)


@contextmanager
def _playing(cluster: Cluster) -> Iterator[Kubelets]:
    access = Access.of_kubeconfig(cluster.kubeconfig)
    world = World.of(with_other([part.profile for part in PARTS]), demonstration_nodes(), seed=7)
    loop, ended = asyncio.new_event_loop(), asyncio.Event()
    started: queue.Queue[Kubelets] = queue.Queue()

    async def play() -> None:
        async with running_workloads(
            access, world, clock=Clock(speed=SPEED), parts=PARTS
        ) as running:
            started.put(running.kubelets.kubelets)
            await ended.wait()
        # Connections under TLS take leave of the other side before they close.
        await asyncio.sleep(0.3)

    thread = threading.Thread(target=loop.run_until_complete, args=(play(),), daemon=True)
    thread.start()
    try:
        yield started.get(timeout=START_SECONDS)
    finally:
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(ended.set)
        thread.join(10.0)
        loop.close()


@pytest.fixture
def top(played: Played, tool_path: ToolPath, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """`kubectl top`, asked until there is something to tell."""
    program, home = tool_path("kubectl"), tmp_path_factory.mktemp("home")
    environment = {
        **os.environ,
        "KUBECONFIG": str(played.cluster.kubeconfig),
        "HOME": str(home),
    }

    def ask(*arguments: str, rows: int) -> list[list[str]]:
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            done = subprocess.run(
                [str(program), "top", *arguments, "--no-headers"],
                env=environment, capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
            found = [line.split() for line in done.stdout.splitlines()]
            if done.returncode == 0 and len(found) >= rows:
                return found
            assert time.monotonic() < deadline, done

    return ask


def test_top_shows_what_every_node_uses(played: Played, top: Any) -> None:
    nodes = {one.name: one for one in demonstration_nodes()}

    rows = top("nodes", rows=len(nodes))

    assert {row[0] for row in rows} == set(nodes)
    for name, cores, cores_share, memory, memory_share in rows:
        assert 0 < int(cores.removesuffix("m")) <= nodes[name].cpu_cores * 1e3
        assert 0 < int(memory.removesuffix("Mi")) <= nodes[name].memory_mib
        assert 0 <= int(cores_share.removesuffix("%")) <= 110
        assert 0 < int(memory_share.removesuffix("%")) <= 110


def test_top_shows_what_every_pod_of_the_shop_uses(played: Played, top: Any) -> None:
    replicas = sum(part.replicas for part in PARTS)

    rows = top("pods", "-n", "shop", rows=replicas)
    one = top("pods", "-n", "shop", "-l", f"app.kubernetes.io/name={PARTS[0].name}", rows=1)

    assert len(rows) == replicas
    assert {len(row) for row in rows} == {3}
    assert all(int(memory.removesuffix("Mi")) > 0 for _, _, memory in rows)
    assert sum(int(cores.removesuffix("m")) for _, cores, _ in rows) > 0
    assert {row[0].rsplit("-", 2)[0] for row in one} == {PARTS[0].name}


def test_the_official_client_reads_it_as_the_simulator_knows_it(played: Played, top: Any) -> None:
    top("pods", "-n", "shop", rows=sum(part.replicas for part in PARTS))
    settings: Any = client.Configuration()
    load: Any = config
    load.load_kube_config(str(played.cluster.kubeconfig), client_configuration=settings)
    kind: Any = client
    with kind.ApiClient(settings) as connection:
        api = kind.CustomObjectsApi(connection)
        listed = api.list_namespaced_custom_object(*GROUP, "shop", "pods")["items"]
        of_nodes = api.list_cluster_custom_object(*GROUP, "nodes")["items"]
        name = listed[0]["metadata"]["name"]
        one = api.get_namespaced_custom_object(*GROUP, "shop", "pods", name)

    found = played.kubelets.snapshot()
    assert found.tick is not None
    known = {it.pod.name: found.tick.answer.memory_mib[it.row] for it in found.residents}
    for it in listed:
        told = int(it["containers"][0]["usage"]["memory"].removesuffix("Ki").removesuffix("Mi"))
        unit = 1 if it["containers"][0]["usage"]["memory"].endswith("Mi") else 1 / 1024
        assert told * unit == pytest.approx(known[it["metadata"]["name"]], rel=0.5)
    assert one["kind"] == "PodMetrics"
    assert one["window"].endswith("ms")  # fifteen seconds of a world that is faster
    assert one["metadata"]["labels"]["app.kubernetes.io/name"]
    assert len(of_nodes) == len(demonstration_nodes())


def test_the_registration_goes_with_the_simulator(
    tmp_path: Path,
) -> None:
    with STARTS["embedded"](tmp_path) as cluster:
        with _playing(cluster):
            # The simulator is ready before its registration is written.
            expected = {"v1beta1.metrics.k8s.io"}
            assert eventually(lambda: _registrations(cluster) == expected, seconds=30.0)

        assert _registrations(cluster) == set()


def _registrations(cluster: Cluster) -> set[str]:
    settings: Any = client.Configuration()
    load: Any = config
    load.load_kube_config(str(cluster.kubeconfig), client_configuration=settings)
    kind: Any = client
    with kind.ApiClient(settings) as connection:
        listed = kind.ApiregistrationV1Api(connection).list_api_service().items
        return {it.metadata.name for it in listed if it.spec.service is not None}
