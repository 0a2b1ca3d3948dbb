"""A whole cluster: objects, controllers, people and their roles, and the server in front."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import yaml
from aiohttp import web

from deployments.embedded.kubernetes import built_in_roles
from deployments.embedded.kubernetes.access import Access, User
from deployments.embedded.kubernetes.aggregation.aggregator import Aggregator
from deployments.embedded.kubernetes.aggregation.registrations import own
from deployments.embedded.kubernetes.controllers.budgets import Budgets
from deployments.embedded.kubernetes.controllers.collector import Collector, Namespaces
from deployments.embedded.kubernetes.controllers.definitions import Definitions
from deployments.embedded.kubernetes.controllers.deployments import Deployments
from deployments.embedded.kubernetes.controllers.nodes import LEASES, Nodes
from deployments.embedded.kubernetes.controllers.quotas import Quotas
from deployments.embedded.kubernetes.controllers.registrations import Registrations
from deployments.embedded.kubernetes.controllers.replica_sets import ReplicaSets
from deployments.embedded.kubernetes.controllers.scheduler import Scheduler
from deployments.embedded.kubernetes.faults import Faults
from deployments.embedded.kubernetes.kinds import RBAC, REGISTRATION, Kinds
from deployments.embedded.kubernetes.objects import Objects, Writer
from deployments.embedded.kubernetes.server import ApiServer
from deployments.embedded.kubernetes.store import Body, Store
from deployments.local_cluster.certificates import Certificate

CONTROLLERS = (
    Definitions, Collector, Namespaces, Deployments, ReplicaSets, Scheduler, Budgets, Nodes,
    Quotas,
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
    objects = Objects(Store(), Kinds())
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
        await runner.cleanup()
        if certificate is not None:
            # Connections under TLS take leave of the other side before they close.
            await asyncio.sleep(LEAVE_SECONDS)


def _api_service() -> Body:
    ports = [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}]
    labels = {"component": "apiserver", "provider": "kubernetes"}
    return {
        "metadata": {"name": "kubernetes", "labels": labels},
        "spec": {"clusterIP": "10.0.0.1", "ports": ports},
    }


def kubeconfig(
    url: str, token: str, *, namespace: str = "default", others: Mapping[str, str] | None = None,
    certificate: Certificate | None = None,
) -> str:  # fmt: skip
    """Return the file by which kubectl and the official clients find a cluster.

    Args:
        url: Of the API server.
        token: Of whom the current context is for.
        namespace: Where commands work unless they say otherwise.
        others: Further users to their tokens; each has a context of that name.
        certificate: What the server is verified with; None where it speaks plain HTTP, over which
            kubectl sends no token.
    """
    name = "homeostat"
    tokens = {name: token, **(others or {})}
    server = {"server": url}
    if certificate is not None:
        server["certificate-authority-data"] = b64encode(certificate.pem).decode()
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": name,
            "clusters": [{"name": name, "cluster": server}],
            "users": [{"name": one, "user": {"token": said}} for one, said in tokens.items()],
            "contexts": [
                {"name": one, "context": {"cluster": name, "user": one, "namespace": namespace}}
                for one in tokens
            ],
        }
    )


def write_kubeconfig(
    path: Path, url: str, token: str, *, others: Mapping[str, str] | None = None,
    certificate: Certificate | None = None,
) -> None:  # fmt: skip
    """Write the file, for its owner's eyes only; arguments as `kubeconfig` has them."""
    path.touch(mode=0o600)
    path.write_text(kubeconfig(url, token, others=others, certificate=certificate))
