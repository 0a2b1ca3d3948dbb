"""What a Prometheus would know of a step: who answers when it is scraped, and under which labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deployments.embedded.prometheus.api_states import NodeState, ReplicaSetState
from deployments.embedded.prometheus.families import Things
from deployments.embedded.prometheus.labels import Labels, labels_of
from deployments.embedded.workloads.engine import Pod, Tick
from deployments.embedded.workloads.manifests import PORT
from deployments.embedded.workloads.physics.arrays import Bools
from deployments.embedded.workloads.physics.profiles import NodeProfile
from deployments.embedded.workloads.physics.world import World

SCRAPE_TIMEOUT_SECONDS = 10.0
"""A program that takes longer has not answered."""
STATE = {"job": "kube-state-metrics", "instance": "kube-state-metrics:8080"}
"""Labels that kube-state-metrics is scraped with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentState:
    """Numbers of a Deployment's specification and status.

    Attributes:
        namespace: Of it.
        name: Of it.
        spec_replicas: Wanted.
        replicas: There are.
        ready: Of those.
        available: Of those.
        updated: Of those, by the newest template.
        observed_generation: Of the specification that the status is of.
    """

    namespace: str
    name: str
    spec_replicas: int
    replicas: int
    ready: int
    available: int
    updated: int
    observed_generation: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrape:
    """A step as it is scraped.

    Attributes:
        world: Profiles.
        tick: What the step left behind.
        pods: Its rows.
        nodes: In the order of the world.
        deployments: As the API has them.
        node_states: The same; None where there is no API, and conditions are those of the world.
        replica_sets: As the API has them; None where there is no API, and names of pods tell.
        set_names: Namespaces and names of those.
    """

    world: World
    tick: Tick
    pods: Things[Pod]
    nodes: Things[NodeProfile]
    deployments: Things[DeploymentState]
    node_states: Things[NodeState] | None
    replica_sets: Sequence[ReplicaSetState] | None
    set_names: frozenset[tuple[str, str]] | None

    @property
    def node_answers(self) -> Bools:
        """Return (N,) whether the kubelet of a node can be scraped."""
        return self.tick.answer.node_reports

    @property
    def seen(self) -> Bools:
        """Return (R,) whether the kubelet of the pod's node can be scraped."""
        return self.node_answers[self.tick.placement.node]

    @property
    def running(self) -> Bools:
        """Return (R,) whether the pod has a process, as its kubelet says when it is scraped."""
        return self.seen & self.tick.placement.running

    @property
    def program_answers(self) -> Bools:
        """Return (R,) whether the pod's own program can be scraped."""
        answer = self.tick.answer
        quick = np.nan_to_num(answer.health_seconds, nan=np.inf) <= SCRAPE_TIMEOUT_SECONDS
        found: Bools = self.running & quick & ~answer.refuses
        return found

    @property
    def queue(self) -> Bools:
        """Return (R,) whether the pod takes its work from a queue."""
        return self.world.queue[self.tick.placement.workload]

    def kubelet(self, pod: Pod, **more: str) -> Labels:
        """Return labels of a pod from the scrape of its node's kubelet."""
        return labels_of(
            kubelet(self.world.nodes[pod.node])
            | {"namespace": pod.namespace, "pod": pod.name}
            | more
        )

    def program(self, pod: Pod, **more: str) -> Labels:
        """Return labels of a pod from the scrape of its own program."""
        place = {"job": self.world.workloads[pod.workload].name, "instance": f"{pod.name}:{PORT}"}
        whose = {"namespace": pod.namespace, "pod": pod.name, "container": pod.spec.name}
        return labels_of(place | whose | more)


def kubelet(node: NodeProfile) -> dict[str, str]:
    """Return labels that the kubelet of a node is scraped with."""
    return {"job": "kubelet", "instance": f"{node.name}:10250", "node": node.name}


def state(pod: Pod, **more: str) -> Labels:
    """Return labels of a pod from kube-state-metrics."""
    whose = {"namespace": pod.namespace, "pod": pod.name, "uid": pod.uid}
    return labels_of(STATE | whose | more)


def variants(name: str, values: Sequence[str], **more: str) -> list[dict[str, str]]:
    """Return labels that differ in one."""
    return [{name: value, **more} for value in values]
