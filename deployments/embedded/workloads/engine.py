"""Physics and containers together: pods in, what they did and what happened to them out.

It needs no server: whoever has pods, from an API or made up for training, steps it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from deployments.embedded.workloads.containers.companions import Companion, Companions, Together
from deployments.embedded.workloads.containers.counters import Counters, new_counters
from deployments.embedded.workloads.containers.lifecycle import advance
from deployments.embedded.workloads.containers.probing import Signs
from deployments.embedded.workloads.containers.specs import ContainerSpec, Facts, Rules, rules_of
from deployments.embedded.workloads.containers.table import Happening, Table, new_table, running
from deployments.embedded.workloads.physics.arrays import Bools, Floats, Ints
from deployments.embedded.workloads.physics.faults import ActiveFault
from deployments.embedded.workloads.physics.noise import pod_key
from deployments.embedded.workloads.physics.state import Answer, Placement, State
from deployments.embedded.workloads.physics.step import step
from deployments.embedded.workloads.physics.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """A pod that is bound to a node.

    Attributes:
        uid: Tells it from all others, also from one of the same name before.
        namespace: Of the pod.
        name: Of the pod.
        workload: Index of its profile in the world.
        node: Index of its node in the world.
        created_seconds: Unix time.
        spec: Of its first container.
        facts: What of that can be done.
        deleting: It has a deletion timestamp.
        listed: Its service sends it requests; None when its kubelet's word is taken for it. The API
            may know better: a node that no longer reports still has its pods listed for a while.
        companions: Its other containers.
    """

    uid: str
    namespace: str
    name: str
    workload: int
    node: int
    created_seconds: float
    spec: ContainerSpec
    facts: Facts
    deleting: bool = False
    listed: bool | None = None
    companions: tuple[Companion, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """What a step left behind; rows are as in the pods that were given last.

    Attributes:
        placement: What the physics was given.
        answer: What replicas and nodes did.
        happenings: What happened to containers, in order.
        table: Containers after the step.
        rules: What the pods ask for.
        counters: Totals of each pod; at zero where the engine does not count.
        companions: The other containers of pods.
    """

    placement: Placement
    answer: Answer
    happenings: tuple[Happening, ...]
    table: Table
    rules: Rules
    counters: Counters
    companions: Together


class Engine:
    """Steps pods. It is told of pods by `set_pods` and of faults by `step`.

    Args:
        world: Profiles of workloads and nodes.
        counting: Keep totals, for metrics; without it a step is a little faster.
    """

    def __init__(self, world: World, *, counting: bool = True) -> None:
        self.world = world
        self._counting = counting
        self._counters = new_counters(0)
        self._pods: tuple[Pod, ...] = ()
        self._uids: dict[str, int] = {}
        self._table = new_table(0)
        self._companions = Companions()
        self._rules = rules_of((), ())
        self._fixed = _fixed(())
        self._state: State | None = None

    @property
    def pods(self) -> tuple[Pod, ...]:
        """Return the pods, one for each row."""
        return self._pods

    def set_pods(self, pods: Sequence[Pod]) -> None:
        """Take other pods; what is known of those that were there before is kept by uid.

        Args:
            pods: All that are bound to a node, in the order of their rows from now on.
        """
        rows = np.array([self._uids.get(pod.uid, -1) for pod in pods], dtype=np.int64)
        self._table = self._table.realigned(rows)
        self._counters = self._counters.realigned(rows)
        if self._state is not None:
            self._state = self._state.realigned(rows)
        self._companions.set_pods([(pod.uid, pod.companions) for pod in pods])
        self._pods = tuple(pods)
        self._uids = {pod.uid: row for row, pod in enumerate(pods)}
        self._rules = _rules(pods)
        self._fixed = _fixed(pods)

    def step(
        self, *, now_seconds: float, step_seconds: float, faults: Sequence[ActiveFault] = ()
    ) -> Tick:
        """Step everything to an instant.

        Args:
            now_seconds: End of the step, Unix time.
            step_seconds: Above 0 and at most 60; at 5 or less probes keep their periods.
            faults: In force.

        Raises:
            InvalidStepError: The step is out of its bounds.
        """
        placement = self._placement(now_seconds)
        if self._state is None:
            self._state = self.world.fresh_state(placement)
        self._state, answer = step(
            self.world,
            self._state,
            placement,
            faults=faults,
            now_seconds=now_seconds,
            step_seconds=step_seconds,
        )
        signs, deleting = Signs.of(answer, placement.node), self._fixed.deleting
        others, held = self._companions.step(
            now_seconds=now_seconds, machine_on=signs.machine_on, deleting=deleting
        )
        self._table, happenings = advance(
            self._table,
            self._rules,
            signs,
            now_seconds=now_seconds,
            deleting=deleting,
            held=held,
        )
        if self._counting:
            self._counters = self._counters.after(placement, answer, step_seconds=step_seconds)
        return Tick(
            placement=placement,
            answer=answer,
            happenings=(*others, *happenings),
            table=self._table,
            rules=self._rules,
            counters=self._counters,
            companions=self._companions.now,
        )

    def service_failed(self) -> Mapping[str, float]:
        """Return the fraction of calls that each service failed in the last step, by name."""
        if self._state is None:
            return {}
        return dict(zip(self.world.services, self._state.service_failed.tolist(), strict=True))

    def edge_failed(self) -> Mapping[tuple[str, str], float]:
        """Return the fraction of calls that failed on each edge in the last step, by caller and called."""
        if self._state is None:
            return {}
        edges, services = self.world.edges, self.world.services
        ends = zip(edges.source.tolist(), edges.target.tolist(), strict=True)
        pairs = [(services[source], services[target]) for source, target in ends]
        return dict(zip(pairs, self._state.edge_failed.tolist(), strict=True))

    def _placement(self, now: float) -> Placement:
        fixed, table = self._fixed, self._table
        return Placement(
            key=fixed.key,
            workload=fixed.workload,
            node=fixed.node,
            cpu_request_cores=fixed.numbers[:, 0],
            cpu_limit_cores=fixed.numbers[:, 1],
            memory_request_mib=fixed.numbers[:, 2],
            memory_limit_mib=fixed.numbers[:, 3],
            running=running(table),
            ready=np.where(fixed.told, fixed.listed, table.ready) & ~fixed.deleting,
            # A start that failed before its process ran is no process of its own.
            restarts=table.restarts,
            container_age_seconds=np.maximum(now - table.started_at, 0.0),
            pod_age_seconds=now - fixed.created,
            image_ok=fixed.image_ok,
            config_ok=fixed.config_ok,
        )


@dataclass(slots=True, kw_only=True)
class _Fixed:
    """What of pods does not change from step to step."""

    key: np.ndarray[tuple[int], np.dtype[np.uint64]]
    workload: Ints
    node: Ints
    numbers: Floats
    created: Floats
    image_ok: Bools
    config_ok: Bools
    deleting: Bools
    told: Bools
    listed: Bools


def _fixed(pods: Sequence[Pod]) -> _Fixed:
    numbers = [
        (
            pod.spec.cpu_request_cores,
            pod.spec.cpu_limit_cores,
            pod.spec.memory_request_mib,
            pod.spec.memory_limit_mib,
        )
        for pod in pods
    ]
    return _Fixed(
        key=np.array([pod_key(pod.namespace, pod.name) for pod in pods], dtype=np.uint64),
        workload=np.array([pod.workload for pod in pods], dtype=np.int64),
        node=np.array([pod.node for pod in pods], dtype=np.int64),
        numbers=np.array(numbers, dtype=float).reshape(-1, 4),
        created=np.array([pod.created_seconds for pod in pods], dtype=float),
        image_ok=np.array([pod.facts.image_ok for pod in pods], dtype=bool),
        config_ok=np.array([pod.facts.config_ok for pod in pods], dtype=bool),
        deleting=np.array([pod.deleting for pod in pods], dtype=bool),
        told=np.array([pod.listed is not None for pod in pods], dtype=bool),
        listed=np.array([bool(pod.listed) for pod in pods], dtype=bool),
    )


def _rules(pods: Sequence[Pod]) -> Rules:
    """Return the rules of pods; thousands of pods have few specifications, each read once."""
    kinds: dict[tuple[ContainerSpec, Facts], int] = {}
    which = [kinds.setdefault((pod.spec, pod.facts), len(kinds)) for pod in pods]
    made = rules_of([spec for spec, _ in kinds], [facts for _, facts in kinds])
    at = np.array(which, dtype=np.int64)
    arrays = {
        entry.name: getattr(made, entry.name)[at]
        for entry in fields(made)
        if entry.name not in ("specs", "facts")
    }
    specs, facts = tuple(pod.spec for pod in pods), tuple(pod.facts for pod in pods)
    return Rules(specs=specs, facts=facts, **arrays)
