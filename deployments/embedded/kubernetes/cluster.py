"""A whole cluster: objects, controllers, people and their roles, and the server in front."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from aiohttp import web

from deployments.embedded.kubernetes import built_in_roles
from deployments.embedded.kubernetes.access import Access, User
from deployments.embedded.kubernetes.aggregation.aggregator import Aggregator
from deployments.embedded.kubernetes.aggregation.registrations import own
from deployments.embedded.kubernetes.controllers.budgets import Budgets
from deployments.embedded.kubernetes.controllers.collector import Collector, Namespaces
from deployments.embedded.kubernetes.controllers.definitions import Definitions
from deployments.embedded.kubernetes.controllers.deployments import Deployments
from deployments.embedded.kubernetes.controllers.events import Events
from deployments.embedded.kubernetes.controllers.nodes import LEASES, Nodes
from deployments.embedded.kubernetes.controllers.quotas import Quotas
from deployments.embedded.kubernetes.controllers.registrations import Registrations
from deployments.embedded.kubernetes.controllers.replica_sets import ReplicaSets
from deployments.embedded.kubernetes.controllers.roles import Roles
from deployments.embedded.kubernetes.controllers.scheduler import Scheduler
from deployments.embedded.kubernetes.faults import Faults
from deployments.embedded.kubernetes.kinds import RBAC, REGISTRATION, Kinds
from deployments.embedded.kubernetes.objects import Objects, Writer
from deployments.embedded.kubernetes.server import ApiServer
from deployments.embedded.kubernetes.store import Body, Store
from deployments.local_cluster.certificates import Certificate

CONTROLLERS = (
    Definitions, Collector, Namespaces, Deployments, ReplicaSets, Scheduler, Budgets, Nodes,
    Quotas, Roles, Events,
)  # fmt: skip
NAMESPACES = ("default", "kube-system", "kube-public", LEASES)
LEAVE_SECONDS = 0.1
WRITER = Writer(manager="kube-apiserver")


@asynccontextmanager
async def running_cluster(
    users: Mapping[str, User],
    *,
    port: int = 0,
    host: str = "127.0.0.1",
    certificate: Certificate | None = None,
) -> AsyncIterator[int]:
    """Serve a cluster until the block ends.

    Args:
        users: By bearer token.
        port: To listen on; 0 for a free one.
        host: The same.
        certificate: To serve HTTPS with; None for plain HTTP.

    Yields:
        The port.
    """
    # Whoever watched the server before goes on from a version that is older than every one of this.
    objects = Objects(Store(version=time.time_ns() // 1000), Kinds())
    namespaces = objects.kinds.built_in("", "v1", "namespaces")
    for name in NAMESPACES:
        objects.create(namespaces, "", {"metadata": {"name": name}}, WRITER)
    for plural, manifest in built_in_roles.role_manifests():
        objects.create(objects.kinds.built_in(RBAC, "v1", plural), "", manifest, WRITER)
    objects.create(objects.kinds.built_in("", "v1", "services"), "default", _api_service(), WRITER)
    registrations = objects.kinds.built_in(REGISTRATION, "v1", "apiservices")
    for manifest in own():
        objects.create(registrations, "", manifest, WRITER)
    objects.store.forget()
    access = Access(objects.store, objects.kinds, users)
    aggregator = Aggregator(objects)
    application = ApiServer(objects, access, Faults(), aggregator).application()
    runner = web.AppRunner(
        application, access_log=None, handler_cancellation=True, shutdown_timeout=1.0
    )
    await runner.setup()
    try:
        # A controller that fails ends the cluster: half of one would answer as if all were well.
        async with aggregator.open(), asyncio.TaskGroup() as group:
            made = [*(one(objects) for one in CONTROLLERS), Registrations(objects, aggregator)]
            controllers = [group.create_task(one.run()) for one in made]
            context = None if certificate is None else certificate.context()
            site = web.TCPSite(runner, host, port, ssl_context=context)
            await site.start()
            yield int(runner.addresses[0][1])
            for one in controllers:
                one.cancel()
    finally:
        await close(runner, secure=certificate is not None)


async def close(runner: web.AppRunner, *, secure: bool) -> None:
    """End a server and its connections.

    Args:
        runner: Of the server.
        secure: Whether it speaks TLS.
    """
    served = runner.server
    transports = [] if served is None else [one.transport for one in served.connections]
    await runner.cleanup()
    left = [one for one in transports if isinstance(one, asyncio.Transport)]
    if secure and left:
        # Under TLS they take leave of the other side before they close, which an idle one never answers.
        await asyncio.sleep(LEAVE_SECONDS)
        for one in left:
            one.abort()
        await asyncio.sleep(0.0)


def _api_service() -> Body:
    ports = [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}]
    labels = {"component": "apiserver", "provider": "kubernetes"}
    return {
        "metadata": {"name": "kubernetes", "labels": labels},
        "spec": {"clusterIP": "10.0.0.1", "ports": ports},
    }
