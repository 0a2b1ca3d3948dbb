"""Writes what happens in the simulator into samples, as a Prometheus that scrapes would."""

from __future__ import annotations

import math
from collections.abc import Sequence

from deployments.embedded.prometheus.api_states import NodeState, ReplicaSetState
from deployments.embedded.prometheus.families import Things
from deployments.embedded.prometheus.metrics import families
from deployments.embedded.prometheus.samples import Samples
from deployments.embedded.prometheus.scraped import DeploymentState, Scrape
from deployments.embedded.workloads.engine import Pod, Tick
from deployments.embedded.workloads.physics.profiles import NodeProfile
from deployments.embedded.workloads.physics.world import World

_CLOSE = 1e-6
"""Of an interval: so close to its beginning is at it."""


class Recorder:
    """Takes ticks and keeps the first at or after every multiple of the interval.

    Args:
        samples: To append to.
        world: Of the engine.
        interval_seconds: Between scrapes; above 0. Ticks between are left out.
    """

    def __init__(self, samples: Samples, world: World, *, interval_seconds: float = 15.0) -> None:
        self.samples = samples
        self._world = world
        self._interval = interval_seconds
        self._slot: int | None = None
        self._pods: Things[Pod] = Things(())
        self._set_names: frozenset[tuple[str, str]] | None = None
        self._nodes: Things[NodeProfile] = Things(())
        self._deployments: Things[DeploymentState] = Things(())

    def record(
        self,
        tick: Tick,
        pods: Sequence[Pod],
        nodes: Sequence[NodeProfile],
        now: float,
        *,
        deployments: Sequence[DeploymentState] = (),
        node_states: Sequence[NodeState] | None = None,
        replica_sets: Sequence[ReplicaSetState] | None = None,
    ) -> bool:
        """Keep a tick when a scrape is due.

        Args:
            tick: Of the engine's last step.
            pods: Its rows; the same object as the last time says that none changed.
            nodes: In the order of the world.
            now: Unix time in seconds, the end of the step.
            deployments: As the API has them; without them there is no kube_deployment_*.
            node_states: The same; None where there is no API: then they are those of the world.
            replica_sets: The same; without them owners are those that names of pods tell.

        Returns:
            Whether it was kept.

        Raises:
            OutOfOrderError: Time went back.
        """
        slot = math.floor(now / self._interval + _CLOSE)
        before, self._slot = self._slot, slot
        # Nobody knows whether the first tick is the first of its slot, unless it begins it.
        if slot == before or (before is None and now / self._interval - slot > _CLOSE):
            return False
        set_names = None
        if replica_sets is not None:
            set_names = frozenset((one.namespace, one.name) for one in replica_sets)
        # Labels of pods name their owners, which may become known after them.
        self._pods = _same(self._pods, pods) if set_names == self._set_names else Things(pods)
        self._set_names = set_names
        self._nodes = _same(self._nodes, nodes)
        # Numbers of Deployments change with every roll-out, their labels hardly.
        self._deployments = Things(deployments)
        scrape = Scrape(
            world=self._world,
            tick=tick,
            pods=self._pods,
            nodes=self._nodes,
            deployments=self._deployments,
            node_states=None if node_states is None else Things(node_states),
            replica_sets=replica_sets,
            set_names=set_names,
        )
        for one in families(scrape):
            self.samples.append(now, one.name, one.labels, one.values)
        return True


def _same(before: Things, things: Sequence) -> Things:  # type: ignore[type-arg]
    return before if before.things is things else Things(things)
