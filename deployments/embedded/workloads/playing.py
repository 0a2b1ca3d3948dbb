"""Nodes, the workloads on them, and the servers that tell of them, together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from deployments.embedded.prometheus.metrics import DESCRIBED
from deployments.embedded.prometheus.recorder import Recorder
from deployments.embedded.prometheus.samples import Samples
from deployments.embedded.prometheus.scraper import (
    INTERVAL_SECONDS,
    Api,
    Scraper,
)
from deployments.embedded.prometheus.server import running_prometheus
from deployments.embedded.workloads.earlier import Earlier
from deployments.embedded.workloads.engine import Pod, Tick
from deployments.embedded.workloads.kubelet.client import Access
from deployments.embedded.workloads.kubelet.clock import Clock
from deployments.embedded.workloads.kubelet.kubelets import OnTick
from deployments.embedded.workloads.kubelet.nodes import ADDRESS
from deployments.embedded.workloads.kubelet.running import RunningKubelets, running_kubelets
from deployments.embedded.workloads.manifests import manifests_of
from deployments.embedded.workloads.metrics_api.points import Points
from deployments.embedded.workloads.metrics_api.serving import served_metrics_api
from deployments.embedded.workloads.parts import Part
from deployments.embedded.workloads.physics.faults import ActiveFault
from deployments.embedded.workloads.physics.world import World

KEPT_HOURS, SPARE_HOURS = 26.0, 2.0
"""What Prometheus keeps, and at least beyond what it knows when it starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningWorkloads:
    """Workloads that run and are watched.

    Attributes:
        kubelets: That play them.
        prometheus_url: Of the Prometheus.
        samples: That it answers from.
        scraper: That records them.
    """

    kubelets: RunningKubelets
    prometheus_url: str
    samples: Samples
    scraper: Scraper


@asynccontextmanager
async def running_workloads(
    access: Access,
    world: World,
    *,
    clock: Clock,
    parts: Sequence[Part] = (),
    history_hours: float = 0.0,
    control_port: int = 0,
    prometheus_port: int = 0,
) -> AsyncIterator[RunningWorkloads]:
    """Play workloads on an API server until the block ends.

    What they use is served as metrics-server does it, and registered together with the parts.

    The block begins, and Prometheus says that it is ready, when the nodes are registered, the manifests
    applied and the hours before recorded.

    Args:
        access: To the API server.
        world: With `kubelets.OTHER` and a profile for each part.
        clock: Of the world; Prometheus goes by it too.
        parts: Whose manifests are applied where they are missing.
        history_hours: That Prometheus knows of the parts when it starts; 0 for none.
        control_port: Of the control server; 0 for a free one.
        prometheus_port: The same of Prometheus.

    Raises:
        RefusedError: The API server does not let us, or does not take a manifest.
        ValueError: A part or `OTHER` has no profile in the world.
        OSError: A port is taken.
    """
    kept = max(KEPT_HOURS, history_hours + SPARE_HOURS)
    samples = Samples(retention_seconds=kept * 3600.0)
    api, ready = Api(), asyncio.Event()
    first = clock.now() - history_hours * 3600.0
    scraper = Scraper(
        Recorder(samples, world, interval_seconds=INTERVAL_SECONDS),
        world,
        api=api,
        parts=parts,
        earlier=Earlier(world, parts, first_seconds=first) if history_hours else None,
    )
    points = Points(world)
    async with (
        running_prometheus(
            samples,
            clock=clock.now,
            described=DESCRIBED,
            is_ready=ready.is_set,
            host=ADDRESS,
            port=prometheus_port,
        ) as port,
        _in_the_background(scraper, clock) as filling,
        running_kubelets(
            access,
            world,
            clock=clock,
            control_port=control_port,
            manifests=manifests_of(parts),
            on_tick=_all_of(scraper.on_tick, points.on_tick),
            watched=api.watched,
        ) as kubelets,
        served_metrics_api(
            access,
            points,
            snapshot=kubelets.kubelets.snapshot,
            clock=clock,
            # As the manifests, it is the work of owners.
            registers=bool(parts),
        ),
    ):
        await filling
        ready.set()
        yield RunningWorkloads(
            kubelets=kubelets,
            prometheus_url=f"http://{ADDRESS}:{port}",
            samples=samples,
            scraper=scraper,
        )


def _all_of(*told: OnTick) -> OnTick:
    def on_tick(
        tick: Tick, pods: Sequence[Pod], now: float, *, faults: Sequence[ActiveFault]
    ) -> None:
        for one in told:
            one(tick, pods, now, faults=faults)

    return on_tick


@asynccontextmanager
async def _in_the_background(scraper: Scraper, clock: Clock) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(scraper.fill(clock.now))
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
