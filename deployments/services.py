"""The programs that a local installation consists of: how each is started, and when it does its work."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx

from deployments.local import EMBEDDED, LOOPBACK, Local
from deployments.local_cluster.kubeconfig import KubeconfigError, api_client
from deployments.prefect_api import PrefectApi, PrefectApiError

WORK_POOL = "homeostat"
EMBEDDED_AWS = "embedded-aws"
CLUSTER = "cluster"
WORKLOADS = "workloads"
WORKER = "worker"
HISTORY_HOURS = 24
"""That the Prometheus of a cluster which was just started knows."""
CLUSTER_MODULES = {
    EMBEDDED: "deployments.embedded.kubernetes",
    "real": "deployments.control_plane",
}


@dataclass(slots=True, kw_only=True)
class Service:
    """A program that has to run all the time.

    Attributes:
        name: Also its log file's.
        command: Program and arguments.
        is_ready: Whether it does its work yet.
    """

    name: str
    command: list[str]
    is_ready: Callable[[], bool]
    process: subprocess.Popen[bytes] | None = None
    launched_at: float = 0.0
    restarts: int = 0

    @property
    def has_ended(self) -> bool:
        """Whether it was started and is gone."""
        return self.process is not None and self.process.poll() is not None


def embedded_aws(local: Local) -> Service:
    """Return the embedded cloud."""
    return Service(
        name=EMBEDDED_AWS,
        command=_module(
            "deployments.embedded.aws", "--port", str(local.aws_port), *local.aws_arguments
        ),
        is_ready=partial(_answers, f"{local.aws_url}/_homeostat/health"),
    )


def cluster(local: Local) -> list[Service]:
    """Return the API server of the cluster, and what plays its nodes and their Prometheus.

    The second needs the kubeconfig that the first writes.
    """
    if not local.has_own_cluster or local.kubeconfig is None:
        return []
    folder, kubeconfig = local.cluster_folder, local.kubeconfig
    where = ("--folder", str(folder), "--port", str(local.cluster_port))
    played = (
        "--kubeconfig", str(kubeconfig), "--prometheus-port", str(local.prometheus_port),
        "--history-hours", str(HISTORY_HOURS),
    )  # fmt: skip
    return [
        Service(
            name=CLUSTER,
            command=_module(CLUSTER_MODULES[local.cluster], *where),
            is_ready=partial(_cluster_is_ready, kubeconfig, local.cluster_port),
        ),
        Service(
            name=WORKLOADS,
            command=_module("deployments.embedded.workloads", *played),
            is_ready=partial(_answers, f"{local.prometheus_url}/-/ready"),
        ),
    ]


def prefect_server(local: Local) -> Service:
    """Return the Prefect server with its UI."""
    start = f"server start --host {LOOPBACK} --port {local.ui_port}"
    return Service(
        name="prefect-server",
        command=_module("prefect", *start.split()),
        is_ready=partial(_answers, f"{local.api_url}/health"),
    )


def worker(local: Local) -> Service:
    """Return the worker that runs flows."""
    start = f"worker start --pool {WORK_POOL} --type process --name homeostat"
    return Service(
        name=WORKER,
        command=_module("prefect", *start.split()),
        is_ready=partial(_worker_is_online, local.api_url),
    )


def _module(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", name, *arguments]


def _worker_is_online(api_url: str) -> bool:
    try:
        with PrefectApi(api_url) as api:
            return api.online_workers(WORK_POOL) > 0
    except PrefectApiError:
        return False


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2, trust_env=False).is_success
    except httpx.TransportError:
        return False


def _cluster_is_ready(kubeconfig: Path, port: int) -> bool:
    try:
        with api_client(kubeconfig, timeout_seconds=2) as client:
            # The file may be of the last start, which could have had another port.
            return client.base_url.port == port and client.get("/readyz").is_success
    except (KubeconfigError, httpx.TransportError):
        return False
