"""Scrapes a cluster that is played, into samples: the pods there are, and until then those before them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from deployments.embedded.prometheus.api_states import (
    NodeState,
    ReplicaSetState,
    States,
    node_state,
    replica_set_state,
)
from deployments.embedded.prometheus.recorder import Recorder
from deployments.embedded.prometheus.scraped import DeploymentState
from deployments.embedded.workloads.earlier import Earlier, set_name
from deployments.embedded.workloads.engine import Pod, Tick
from deployments.embedded.workloads.parts import Part
from deployments.embedded.workloads.physics.faults import ActiveFault
from deployments.embedded.workloads.physics.world import World

INTERVAL_SECONDS = 15.0
DEPLOYMENTS = "/apis/apps/v1/deployments"
NODES, REPLICA_SETS = "/api/v1/nodes", "/apis/apps/v1/replicasets"
HANDOVER_SECONDS = 180.0
"""Pods that are not all ready after so long are shown as they are."""

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
        observed_generation=int(status.get("observedGeneration", 0)),
    )


class Api:
    """What a cluster's API has of the things that kube-state-metrics tells of.

    Attributes:
        deployments: Their numbers.
        nodes: Their conditions.
        replica_sets: Whose they are.
        watched: By path, who is to be told of changes.
    """

    def __init__(self) -> None:
        self.deployments = DeploymentStates()
        self.nodes: States[NodeState] = States(node_state)
        self.replica_sets: States[ReplicaSetState] = States(replica_set_state)
        self.watched = {
            DEPLOYMENTS: self.deployments.tell,
            NODES: self.nodes.tell,
            REPLICA_SETS: self.replica_sets.tell,
        }


class Scraper:
    """Records what kubelets play, and what there was before.

    The pods before are recorded until those of the cluster are all ready, so that nothing which was
    asked for over that time shows a failure that was none. A fault in force ends them at once.

    Args:
        recorder: To record with.
        world: Of the cluster.
        api: Of the cluster; None where there is none, and nodes are as the world has them.
        parts: What was there before.
        earlier: How it was; None for nothing.
    """

    def __init__(
        self,
        recorder: Recorder,
        world: World,
        *,
        api: Api | None,
        parts: Sequence[Part] = (),
        earlier: Earlier | None = None,
    ) -> None:
        self._recorder, self._world, self._api = recorder, world, api
        self._earlier = earlier
        self._filled_at: float | None = None
        self._well, self._sets = _all_well(parts), _sets_of(parts)
        self._replicas = np.zeros(len(world.workloads))
        for part in parts:
            self._replicas[world.workload_index(part.profile.name)] = part.replicas

    @property
    def is_live(self) -> bool:
        """Return whether it is the cluster's own pods that are recorded."""
        return self._earlier is None

    async def fill(self, now: Callable[[], float]) -> None:
        """Record what there was before; others have their turn after every step.

        Args:
            now: Unix time of the world, up to which.
        """
        if self._earlier is not None:
            for _ in self._steps(self._earlier, now):
                await asyncio.sleep(0)
        self._filled_at = now()

    def on_tick(
        self, tick: Tick, pods: Sequence[Pod], now: float, *, faults: Sequence[ActiveFault]
    ) -> None:
        """Record a step of the kubelets where it is due; arguments as `kubelets.OnTick` has them."""
        if self._earlier is not None:
            if self._filled_at is None:
                return
            if not faults and now < self._filled_at + HANDOVER_SECONDS and not self._is_ready(tick):
                for _ in self._steps(self._earlier, lambda: now):
                    pass
                return
            self._earlier = None
        nodes, api = self._world.nodes, self._api
        if api is None:
            self._recorder.record(tick, pods, nodes, now)
            return
        self._recorder.record(
            tick,
            pods,
            nodes,
            now,
            deployments=api.deployments.all(),
            node_states=api.nodes.all(),
            replica_sets=api.replica_sets.all(),
        )

    def _steps(self, earlier: Earlier, until: Callable[[], float]) -> Iterator[None]:
        """Record steps of before until there is no more; yields after each."""
        while (tick := earlier.step(until())) is not None:
            self._recorder.record(
                tick,
                earlier.pods,
                self._world.nodes,
                earlier.now,
                deployments=self._well,
                replica_sets=self._sets,
            )
            yield

    def _is_ready(self, tick: Tick) -> bool:
        ready = tick.placement.workload[tick.table.ready]
        count = np.bincount(ready, minlength=len(self._replicas))
        return bool((count >= self._replicas).all())


def _all_well(parts: Sequence[Part]) -> list[DeploymentState]:
    return [
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


def _sets_of(parts: Sequence[Part]) -> list[ReplicaSetState]:
    return [
        ReplicaSetState(
            namespace=part.namespace,
            name=set_name(part),
            owner_kind="Deployment",
            owner_name=part.name,
        )
        for part in parts
    ]
