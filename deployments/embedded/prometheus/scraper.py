"""Scrapes a cluster that is played: every fifteen seconds of its time, into samples."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from deployments.embedded.prometheus.recorder import Recorder
from deployments.embedded.prometheus.samples import OutOfOrderError
from deployments.embedded.prometheus.scraped import DeploymentState
from deployments.embedded.workloads.earlier import earlier_ticks
from deployments.embedded.workloads.kubelet.kubelets import Kubelets
from deployments.embedded.workloads.parts import Part
from deployments.embedded.workloads.physics.world import World

INTERVAL_SECONDS = 15.0
DEPLOYMENTS = "/apis/apps/v1/deployments"

Body = dict[str, Any]


class DeploymentStates:
    """Numbers of all Deployments, as a reader tells of them."""

    def __init__(self) -> None:
        self._states: dict[tuple[str, str], DeploymentState] = {}

    def tell(self, before: Body | None, now: Body | None) -> None:
        """Take note of a change; either is None where there is nothing."""
        metadata = (now or before or {})["metadata"]
        key = metadata["namespace"], metadata["name"]
        if now is None:
            self._states.pop(key, None)
        else:
            self._states[key] = deployment_state(now)

    def all(self) -> list[DeploymentState]:
        """Return them by namespace and name."""
        return [self._states[key] for key in sorted(self._states)]


def deployment_state(deployment: Body) -> DeploymentState:
    """Return the numbers of a Deployment as the API has it."""
    metadata, status = deployment["metadata"], deployment.get("status") or {}
    return DeploymentState(
        namespace=metadata["namespace"],
        name=metadata["name"],
        spec_replicas=int(deployment["spec"].get("replicas", 1)),
        replicas=int(status.get("replicas", 0)),
        ready=int(status.get("readyReplicas", 0)),
        available=int(status.get("availableReplicas", 0)),
        updated=int(status.get("updatedReplicas", 0)),
    )


def record_earlier(
    recorder: Recorder,
    world: World,
    parts: Sequence[Part],
    *,
    until_seconds: float,
    hours: float,
) -> None:
    """Record the hours before a cluster was started, a sample a minute.

    Args:
        recorder: That goes on afterwards.
        world: Of the cluster.
        parts: That are in it.
        until_seconds: When it starts, Unix time.
        hours: To record; 0 for none.
    """
    well = [
        DeploymentState(
            namespace=part.namespace,
            name=part.name,
            spec_replicas=part.replicas,
            replicas=part.replicas,
            ready=part.replicas,
            available=part.replicas,
            updated=part.replicas,
        )
        for part in sorted(parts, key=lambda one: (one.namespace, one.name))
    ]
    found = earlier_ticks(world, parts, until_seconds=until_seconds, hours=hours)
    for now, tick, pods in found:
        recorder.record(tick, pods, world.nodes, now, deployments=well)


async def scrape(kubelets: Kubelets, recorder: Recorder, states: DeploymentStates) -> None:
    """Record what the kubelets play until cancelled."""
    pause = min(INTERVAL_SECONDS / kubelets.clock.speed, 1.0)
    while True:
        found = kubelets.snapshot()
        if found.tick is not None:
            # A clock that was set back has nothing to say until it has caught up.
            with suppress(OutOfOrderError):
                recorder.record(
                    found.tick,
                    kubelets.engine.pods,
                    found.world.nodes,
                    found.now_seconds,
                    deployments=states.all(),
                )
        await asyncio.sleep(pause)
