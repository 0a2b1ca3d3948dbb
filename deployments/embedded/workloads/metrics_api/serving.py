"""The server of metrics, on loopback, for as long as kubelets are played."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from aiohttp import web

from deployments.embedded.workloads.kubelet.client import Access, Body, Client, RefusedError
from deployments.embedded.workloads.kubelet.clock import Clock
from deployments.embedded.workloads.kubelet.daemon import own_certificate
from deployments.embedded.workloads.kubelet.founding import Founding
from deployments.embedded.workloads.kubelet.kubelets import Snapshot
from deployments.embedded.workloads.kubelet.nodes import ADDRESS
from deployments.embedded.workloads.kubelet.reader import Reader
from deployments.embedded.workloads.metrics_api.bodies import node_metrics, pod_metrics
from deployments.embedded.workloads.metrics_api.points import Points
from deployments.embedded.workloads.metrics_api.registering import register, unregister
from deployments.embedded.workloads.metrics_api.routes import Measured, metrics_routes

NODES = "/api/v1/nodes"
LEAVE_SECONDS = 2.0
"""For taking the registration away; an API server that ended before takes none."""
FAREWELL_SECONDS = 0.1


class NodeBook:
    """The nodes as the API has them."""

    def __init__(self) -> None:
        self._nodes: dict[str, Body] = {}

    def tell(self, before: Body | None, now: Body | None) -> None:
        """Take note of a change; either is None where there is nothing."""
        name = (now or before or {})["metadata"]["name"]
        if now is None:
            self._nodes.pop(name, None)
        else:
            self._nodes[name] = now

    def all(self) -> list[Body]:
        """Return them in no order."""
        return list(self._nodes.values())


def measured_pods(found: Snapshot, points: Points, clock: Clock) -> list[Measured]:
    """Return pods with their metrics: those of which the API says that they run."""
    told: list[Measured] = []
    for one in found.residents:
        if one.gone:
            continue
        runs = (one.body.get("status") or {}).get("phase") == "Running"
        usage = points.pod(one.pod.uid) if runs else None
        container = one.pod.spec.name
        told.append((one.body, pod_metrics(one.body, container, usage, clock) if usage else None))
    return told


def measured_nodes(nodes: Sequence[Body], points: Points, clock: Clock) -> list[Measured]:
    """Return nodes with their metrics."""
    told: list[Measured] = []
    for one in nodes:
        usage = points.node(one["metadata"]["name"])
        told.append((one, node_metrics(one, usage, clock) if usage else None))
    return told


@asynccontextmanager
async def served_metrics_api(
    access: Access,
    points: Points,
    *,
    snapshot: Callable[[], Snapshot],
    clock: Clock,
    port: int = 0,
    registers: bool = True,
) -> AsyncIterator[int]:
    """Serve metrics.k8s.io to a cluster until the block ends, and register that with it.

    Everybody on this machine can read it; through the cluster, who has a role for its group.

    Args:
        access: To the API server.
        points: That are told of every step (`points.on_tick`).
        snapshot: Of the kubelets.
        clock: Of the world.
        port: On loopback; 0 for a free one.
        registers: Write the objects by which a cluster finds it, which takes more rights than kubelets
            have; without, somebody else applies `registering.registration_manifests(port)`.

    Yields:
        The port.

    Raises:
        OSError: The port is taken.
    """
    book = NodeBook()
    routes = metrics_routes(
        pods=lambda: measured_pods(snapshot(), points, clock),
        nodes=lambda: measured_nodes(book.all(), points, clock),
    )
    with socket.create_server((ADDRESS, port)) as bound:
        number = int(bound.getsockname()[1])
        async with _served(routes, bound), Client(access) as client:
            work = [Reader(client, NODES, book.tell).run()]
            if registers:
                there = Founding(client, register=lambda: register(client, number), manifests=())
                work.append(there.run())
            tasks = [asyncio.create_task(one) for one in work]
            try:
                yield number
            finally:
                for one in tasks:
                    one.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                if registers:
                    with suppress(RefusedError, TimeoutError):
                        async with asyncio.timeout(LEAVE_SECONDS):
                            await unregister(client)


@asynccontextmanager
async def _served(application: web.Application, bound: socket.socket) -> AsyncIterator[None]:
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.SockSite(runner, bound, ssl_context=own_certificate(ADDRESS)).start()
        yield
    finally:
        await runner.cleanup()
        # Connections under TLS take leave of the other side before they close.
        await asyncio.sleep(FAREWELL_SECONDS)
