"""Kubelets, the daemon of their nodes and the control server, together."""

from __future__ import annotations

import asyncio
import secrets
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from deployments.embedded.workloads.kubelet.client import Access, Body, Client
from deployments.embedded.workloads.kubelet.clock import Clock
from deployments.embedded.workloads.kubelet.control import control_routes
from deployments.embedded.workloads.kubelet.daemon import log_routes, own_certificate
from deployments.embedded.workloads.kubelet.founding import Founding
from deployments.embedded.workloads.kubelet.kubelets import Kubelets, OnTick
from deployments.embedded.workloads.kubelet.nodes import ADDRESS
from deployments.embedded.workloads.kubelet.reader import Reader
from deployments.embedded.workloads.kubelet.summary import state_of
from deployments.embedded.workloads.physics.world import World

Tell = Callable[[Body | None, Body | None], None]
"""Told of an object before and after a change; None for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningKubelets:
    """Kubelets that run.

    Attributes:
        kubelets: Themselves.
        control_url: Of the control server.
        token: That its requests bear.
        task: Ends when the kubelets fail.
    """

    kubelets: Kubelets
    control_url: str
    token: str
    task: asyncio.Task[None]


@asynccontextmanager
async def running_kubelets(
    access: Access,
    world: World,
    *,
    clock: Clock | None = None,
    control_port: int = 0,
    manifests: Sequence[dict[str, Any]] = (),
    on_tick: OnTick | None = None,
    watched: Mapping[str, Tell] | None = None,
) -> AsyncIterator[RunningKubelets]:
    """Play the kubelets of a world until the block ends.

    The block begins when the nodes are registered and the manifests applied; until then an API server
    that does not answer is waited for.

    Args:
        access: To the API server.
        world: With `kubelets.OTHER` among its profiles.
        clock: Of the world; of the wall by default.
        control_port: Of the control server; 0 for a free one.
        manifests: Applied where they are missing, also to a cluster that comes back empty.
        on_tick: Told of every step.
        watched: By path of a collection, who is told of every change of its objects.

    Raises:
        RefusedError: The API server does not let us, or does not take a manifest.
        ValueError: The world has no profile `OTHER`.
        OSError: The port is taken.
    """
    clock, token = clock or Clock(), secrets.token_urlsafe(24)
    async with Client(access) as client, AsyncExitStack() as stack:
        sockets = [stack.enter_context(_bound(port)) for port in (0, control_port)]
        kubelets = Kubelets(world, client, clock=clock, port=_port(sockets[0]), on_tick=on_tick)
        routes = control_routes(
            kubelets.faults, token=token, now=clock.now, state=lambda: state_of(kubelets)
        )
        logs = log_routes(kubelets.logbook, answers=kubelets.answers, now=clock.wall)
        await stack.enter_async_context(_served(logs, sockets[0], tls=own_certificate(ADDRESS)))
        await stack.enter_async_context(_served(routes, sockets[1]))
        founding = Founding(client, register=kubelets.register, manifests=manifests)
        readers = [Reader(client, path, tell).run() for path, tell in (watched or {}).items()]
        task = asyncio.create_task(_together(kubelets.run(), founding.run(), *readers))
        try:
            founded = asyncio.create_task(founding.done.wait())
            await asyncio.wait({founded, task}, return_when=asyncio.FIRST_COMPLETED)
            founded.cancel()
            if task.done():
                task.result()
            yield RunningKubelets(
                kubelets=kubelets,
                control_url=f"http://{ADDRESS}:{_port(sockets[1])}",
                token=token,
                task=task,
            )
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def _together(*work: Coroutine[Any, Any, None]) -> None:
    """Do several things until one fails, and raise what it failed of."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for one in tasks:
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _bound(port: int) -> socket.socket:
    return socket.create_server((ADDRESS, port))


def _port(bound: socket.socket) -> int:
    return int(bound.getsockname()[1])


@asynccontextmanager
async def _served(
    application: web.Application, bound: socket.socket, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[None]:
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.SockSite(runner, bound, ssl_context=tls).start()
        yield
    finally:
        await runner.cleanup()
