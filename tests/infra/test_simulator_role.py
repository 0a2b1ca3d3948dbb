"""The user `simulator` may do what kubelets do, on both servers, and the owners' work is the admin's."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import httpx
import pytest

from deployments.control_plane.run import control_plane
from deployments.embedded.workloads.demonstration import demonstration_manifests
from deployments.embedded.workloads.kubelet.client import Access, Client
from deployments.embedded.workloads.kubelet.owners import apply_missing
from deployments.local_cluster.credentials import SIMULATOR
from deployments.local_cluster.served import LocalCluster
from deployments.tools.families import PROJECT_ROOT
from tests.support.embedded_kubernetes import served_kubernetes
from tests.support.played_cluster import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

START_SECONDS, WELL_SECONDS = 90.0, 150.0
SPEED = "8"
DEPLOYMENTS = "/apis/apps/v1/namespaces/shop/deployments"
STARTS: list[object] = [
    pytest.param(served_kubernetes, marks=pytest.mark.embedded("kubernetes"), id="embedded"),
    pytest.param(control_plane, marks=pytest.mark.real("kube-apiserver"), id="real"),
]

Start = Callable[[Path], AbstractContextManager[LocalCluster]]


@pytest.mark.parametrize("start", STARTS)
def test_the_simulator_plays_the_shop_that_the_admin_put_there(
    start: Start, tmp_path: Path
) -> None:
    said = tmp_path / "workloads.log"
    with start(tmp_path / "cluster") as cluster, _playing(cluster, said), cluster.client() as admin:
        # Nodes come first: pods of a cluster without any would all go to the first that comes.
        assert eventually(lambda: _ready_nodes(admin) > 0, seconds=START_SECONDS), said.read_text()
        asyncio.run(_apply_demonstration(cluster))
        is_well = eventually(lambda: _is_well(admin), seconds=WELL_SECONDS)

    assert is_well, said.read_text()
    assert "forbidden" not in said.read_text()


@pytest.mark.parametrize("start", STARTS)
def test_the_simulator_does_no_work_of_owners_and_sees_no_secrets(
    start: Start, tmp_path: Path
) -> None:
    deployment = {"metadata": {"name": "mine"}, "spec": {}}
    with start(tmp_path / "cluster") as cluster, cluster.client(SIMULATOR) as simulator:
        statuses = [
            simulator.get("/api/v1/secrets").status_code,
            simulator.post(
                "/apis/apps/v1/namespaces/default/deployments", json=deployment
            ).status_code,
            simulator.post("/api/v1/namespaces", json={"metadata": {"name": "mine"}}).status_code,
            simulator.get("/apis/rbac.authorization.k8s.io/v1/clusterroles").status_code,
        ]

    assert statuses == [403] * 4


@contextmanager
def _playing(cluster: LocalCluster, said: Path) -> Iterator[None]:
    command = [
        sys.executable, "-m", "deployments.embedded.workloads",
        "--kubeconfig", str(cluster.kubeconfig), "--context", SIMULATOR,
        "--no-demonstration", "--speed", SPEED,
    ]  # fmt: skip
    with (
        said.open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log, cwd=PROJECT_ROOT) as process,
    ):
        try:
            yield
            assert process.poll() is None, said.read_text()
        finally:
            process.terminate()


async def _apply_demonstration(cluster: LocalCluster) -> None:
    async with Client(Access.of_kubeconfig(cluster.kubeconfig)) as admin:
        await apply_missing(admin, demonstration_manifests())


def _ready_nodes(admin: httpx.Client) -> int:
    nodes = admin.get("/api/v1/nodes").raise_for_status().json()["items"]
    return sum(
        {"type": "Ready", "status": "True"}.items() <= condition.items()
        for node in nodes
        for condition in node["status"].get("conditions", ())
    )


def _is_well(admin: httpx.Client) -> bool:
    found = admin.get(DEPLOYMENTS).raise_for_status().json()["items"]
    return bool(found) and all(
        one["status"].get("availableReplicas", 0) == one["spec"]["replicas"] for one in found
    )
