"""An embedded cluster for tests, in a thread of its own, talked to over HTTP like any other."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
from kubernetes.client import ApiClient, Configuration

from deployments.embedded.kubernetes.access import MASTERS, User
from deployments.embedded.kubernetes.cluster import running_cluster
from deployments.embedded.kubernetes.run import embedded_cluster
from deployments.local_cluster.served import LocalCluster
from tasks.adapters.kubernetes.connection import ClusterConnection

ADMIN = "admin-token"
USERS = {ADMIN: User(name="admin", groups=(MASTERS,))}
START_SECONDS = 30.0
"""On a machine that others use as well."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedKubernetes:
    """A running cluster.

    Attributes:
        url: Of its API server.
    """

    url: str

    def client(self, token: str = ADMIN) -> ApiClient:
        """Return an official client for somebody."""
        found = Configuration()
        found.host = self.url
        found.api_key = {"BearerToken": f"Bearer {token}"}
        return ApiClient(found)

    def connection(self, token: str = ADMIN) -> ClusterConnection:
        """Return our connection for somebody."""
        return ClusterConnection(self.client(token), requests_per_second=10_000.0)

    def go_wrong(self, *faults: Mapping[str, Any]) -> None:
        """Let requests go wrong from now on; without any fault, nothing does."""
        headers = {"Authorization": f"Bearer {ADMIN}"}
        url = f"{self.url}/homeostat/faults"
        httpx.put(url, json=list(faults), headers=headers, trust_env=False).raise_for_status()


@contextmanager
def embedded_kubernetes(users: Mapping[str, User] = USERS) -> Iterator[EmbeddedKubernetes]:
    """Run a cluster that speaks plain HTTP until the block ends."""
    with _in_thread(running_cluster(users)) as port:
        yield EmbeddedKubernetes(url=f"http://127.0.0.1:{port}")


@contextmanager
def served_kubernetes(folder: Path) -> Iterator[LocalCluster]:
    """Run a cluster as `python -m deployments.embedded.kubernetes` serves it, until the block ends."""
    with _in_thread(embedded_cluster(folder)) as cluster:
        yield cluster


@contextmanager
def _in_thread(opened: AbstractAsyncContextManager[T]) -> Iterator[T]:
    loop, ended = asyncio.new_event_loop(), asyncio.Event()
    started: queue.Queue[T] = queue.Queue()

    async def serve() -> None:
        async with opened as value:
            started.put(value)
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    try:
        yield started.get(timeout=START_SECONDS)
        assert thread.is_alive(), "the cluster has failed"
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10.0)
        loop.close()
