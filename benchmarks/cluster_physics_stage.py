"""Replicas that stand still while the physics is timed: placed once, ready once they are up."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from deployments.embedded.workloads.containers.quantities import cores, mebibytes
from deployments.embedded.workloads.containers.specs import ContainerSpec, Facts, read_container
from deployments.embedded.workloads.demonstration import PARTS, demonstration_world
from deployments.embedded.workloads.engine import Engine, Pod
from deployments.embedded.workloads.manifests import Manifest, deployment
from deployments.embedded.workloads.parts import Part
from deployments.embedded.workloads.physics.noise import pod_key
from deployments.embedded.workloads.physics.profiles import NodeProfile
from deployments.embedded.workloads.physics.state import Answer, Placement, State
from deployments.embedded.workloads.physics.step import step
from deployments.embedded.workloads.physics.world import World

MONDAY_SECONDS = 1_793_577_600.0
"""Monday 2 November 2026, 00:00 UTC."""


@dataclass(slots=True)
class PhysicsStage:
    """A world that is stepped without a kubelet.

    Attributes:
        world: Profiles.
        placement: Replicas.
        state: Of the last step.
        seconds: Unix time of the last step.
    """

    world: World
    placement: Placement
    state: State
    seconds: float = MONDAY_SECONDS

    @property
    def replicas(self) -> int:
        """Return the number of replicas."""
        return len(self.placement)

    def run(self, steps: int, *, step_seconds: float = 5.0) -> Answer:
        """Step so many times and return the last answer; one step at least."""
        for _ in range(max(steps, 1)):
            self.seconds += step_seconds
            placement = self.placement
            grown = replace(
                placement,
                container_age_seconds=placement.container_age_seconds + step_seconds,
                pod_age_seconds=placement.pod_age_seconds + step_seconds,
            )
            self.state, answer = step(
                self.world, self.state, grown, now_seconds=self.seconds, step_seconds=step_seconds
            )
            self.placement = replace(grown, ready=answer.booted)
        return answer


def demonstration_stage() -> PhysicsStage:
    """Return the demonstration's replicas on its nodes."""
    return _stage(demonstration_world(), PARTS, nodes=6)


def many_pods_stage(pods: int) -> PhysicsStage:
    """Return so many copies of the demonstration, side by side, that the pods are as many."""
    parts, world = _copies(pods)
    return _stage(world, parts, nodes=len(world.nodes))


def _copies(pods: int) -> tuple[tuple[Part, ...], World]:
    each = sum(part.replicas for part in PARTS)
    copies = -(-pods // each)
    parts = tuple(_renamed(part, copy) for copy in range(copies) for part in PARTS)
    nodes = [NodeProfile(name=f"node-{at}") for at in range(copies * 6)]
    return parts, World.of([part.profile for part in parts], nodes, seed=1)


def many_pods_engine(pods: int) -> tuple[Engine, float]:
    """Return an engine of so many pods, and the Unix time at which they were created."""
    parts, world = _copies(pods)
    made: list[Pod] = []
    specs: dict[str, ContainerSpec] = {}
    for at, part in enumerate(parts):
        spec = specs.setdefault(part.name, read_container(_pod_spec(part)))
        made += [
            Pod(
                uid=f"{at}-{number}",
                namespace=part.namespace,
                name=f"{part.name}-{number}",
                workload=at,
                node=(at + number) % len(world.nodes),
                created_seconds=MONDAY_SECONDS,
                spec=spec,
                facts=Facts(),
            )
            for number in range(part.replicas)
        ]
    engine = Engine(world)
    engine.set_pods(made)
    return engine, MONDAY_SECONDS


def _pod_spec(part: Part) -> Manifest:
    found: Manifest = deployment(part)["spec"]["template"]["spec"]
    return found


def _renamed(part: Part, copy: int) -> Part:
    space = f"{part.namespace}-{copy}"
    calls = tuple(
        replace(one, name=one.name.replace(part.namespace + "/", space + "/"))
        for one in part.profile.dependencies
    )
    return replace(
        part, profile=replace(part.profile, name=f"{space}/{part.name}", dependencies=calls)
    )


def _stage(world: World, parts: tuple[Part, ...], *, nodes: int) -> PhysicsStage:
    rows = [
        (at, part, f"{part.name}-{number}")
        for at, part in enumerate(parts)
        for number in range(part.replicas)
    ]
    count = len(rows)
    limits = [np.inf if part.cpu_limit is None else cores(part.cpu_limit) for _, part, _ in rows]
    placement = Placement(
        key=np.array([pod_key(part.namespace, pod) for _, part, pod in rows], dtype=np.uint64),
        workload=np.array([at for at, _, _ in rows]),
        node=np.arange(count) % nodes,
        cpu_request_cores=np.array([cores(part.cpu_request) for _, part, _ in rows]),
        cpu_limit_cores=np.array(limits),
        memory_request_mib=np.array([mebibytes(part.memory_request) for _, part, _ in rows]),
        memory_limit_mib=np.array([mebibytes(part.memory_limit) for _, part, _ in rows]),
        running=np.ones(count, dtype=bool),
        ready=np.zeros(count, dtype=bool),
        restarts=np.zeros(count, dtype=np.int64),
        container_age_seconds=np.zeros(count),
        pod_age_seconds=np.zeros(count),
        image_ok=np.ones(count, dtype=bool),
        config_ok=np.ones(count, dtype=bool),
    )
    return PhysicsStage(world, placement, world.fresh_state(placement))
