"""An embedded cluster for tests, in a thread of its own, talked to over HTTP like any other."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from kubernetes.client import ApiClient, Configuration

from deployments.embedded.kubernetes.access import MASTERS, User
from deployments.embedded.kubernetes.cluster import running_cluster
from tasks.adapters.kubernetes.connection import ClusterConnection

ADMIN = "admin-token"
USERS = {ADMIN: User(name="admin", groups=(MASTERS,))}


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
    """Run a cluster until the block ends."""
    loop = asyncio.new_event_loop()
    started: threading.Event = threading.Event()
    ended = asyncio.Event()
    ports: list[int] = []

    async def serve() -> None:
        async with running_cluster(users) as port:
            ports.append(port)
            started.set()
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    assert started.wait(10.0)
    try:
        yield EmbeddedKubernetes(url=f"http://127.0.0.1:{ports[0]}")
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10.0)
        loop.close()
