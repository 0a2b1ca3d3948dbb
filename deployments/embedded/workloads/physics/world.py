"""A world: profiles of workloads and nodes as arrays, and the calls between them as edges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deployments.embedded.workloads.physics.arrays import (
    Bools,
    Floats,
    Ints,
    InvalidValueError,
    Keys,
)
from deployments.embedded.workloads.physics.demand import Demand
from deployments.embedded.workloads.physics.noise import key_of
from deployments.embedded.workloads.physics.profiles import Need, NodeProfile, WorkloadProfile
from deployments.embedded.workloads.physics.state import Placement, State

OUTSIDE_SECONDS = 0.05
"""What a service outside the cluster takes for a call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edges:
    """Who calls whom, one row for each dependency. Every array has shape (E,).

    Attributes:
        source: Index of the workload that calls.
        target: Index of the service that is called.
        share: Of requests that call.
        calls: By each of those.
        timeout: Seconds.
        retries: After a failed call.
        crashes: The source cannot be without.
        fails: Its requests fail without.
        queued: The target is a queue: handing over is all that is waited for.
        rounds: Indices of edges, by how far their source is from the entrance.
        circular: Some workload calls itself by way of others.
    """

    source: Ints
    target: Ints
    share: Floats
    calls: Floats
    timeout: Floats
    retries: Floats
    crashes: Bools
    fails: Bools
    queued: Bools
    rounds: tuple[Ints, ...]
    circular: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What does not change while workloads run.

    Attributes:
        workloads: Profiles; their order gives the index of a workload.
        nodes: Profiles; their order gives the index of a node.
        services: Names of the workloads and then of what they call outside the cluster.
        demand: From outside.
        edges: Calls.
        matrix: (F, W) numbers of the profiles; `per_replica` tells which.
        queue: (W,) whether requests wait in a queue.
        writes_to_node: (W,) whether it has no volume.
        node_columns: (N,) numbers of the nodes by the names of their fields.
        seed_key: (1,) by which the noise of replicas differs from that of another seed.
    """

    workloads: tuple[WorkloadProfile, ...]
    nodes: tuple[NodeProfile, ...]
    services: tuple[str, ...]
    demand: Demand
    edges: Edges
    matrix: Floats
    queue: Bools
    writes_to_node: Bools
    node_columns: dict[str, Floats]
    seed_key: Keys

    @classmethod
    def of(
        cls, workloads: Sequence[WorkloadProfile], nodes: Sequence[NodeProfile], *, seed: int
    ) -> World:
        """Return the world of workloads on nodes.

        Raises:
            InvalidValueError: Two workloads, or two nodes, have one name.
        """
        names = [one.name for one in workloads]
        _check_unique(names)
        _check_unique([one.name for one in nodes])
        outside = sorted(
            {to.name for one in workloads for to in one.dependencies if to.name not in names}
        )
        services = (*names, *outside)
        return cls(
            workloads=tuple(workloads),
            nodes=tuple(nodes),
            services=services,
            demand=Demand.of([one.demand for one in workloads], names, seed=seed),
            edges=_edges(workloads, services),
            matrix=np.array(
                [
                    [
                        np.inf if getattr(one, field) is None else getattr(one, field)
                        for one in workloads
                    ]
                    for field in _WORKLOAD_FIELDS
                ],
                dtype=float,
            ).reshape(len(_WORKLOAD_FIELDS), len(workloads)),
            queue=np.array([one.queue for one in workloads], dtype=bool),
            writes_to_node=np.array([one.volume_mib is None for one in workloads], dtype=bool),
            node_columns={
                field: np.array([getattr(one, field) for one in nodes], dtype=float)
                for field in _NODE_FIELDS
            },
            seed_key=np.array([key_of("replicas", seed=seed)], dtype=np.uint64),
        )

    def per_replica(self, workload: Ints) -> dict[str, Floats]:
        """Return (R,) numbers of each replica's profile by field; no volume is infinite."""
        return dict(zip(_WORKLOAD_FIELDS, self.matrix[:, workload], strict=True))

    def workload_index(self, name: str) -> int | None:
        """Return the index of a workload; None where there is none of that name."""
        return next((at for at, one in enumerate(self.workloads) if one.name == name), None)

    def fresh_state(self, placement: Placement) -> State:
        """Return the state in which no replica has started yet and every service is well."""
        count, workloads, services = len(placement), len(self.workloads), len(self.services)
        return State(
            restarts=np.full(count, -1, dtype=np.int64),
            boot_seconds=np.zeros(count),
            leaked_mib=np.zeros(count),
            disk_mib=np.zeros(count),
            deprived_seconds=np.zeros(count),
            backlog=np.zeros(workloads),
            dependency_seconds=np.zeros(workloads),
            service_failed=np.zeros(services),
            service_seconds=np.full(services, OUTSIDE_SECONDS),
            edge_failed=np.zeros(len(self.edges.source)),
            ceiling_cores=np.zeros(count),
        )


_WORKLOAD_FIELDS = (
    "cpu_seconds_per_request", "idle_cpu_cores", "wait_seconds", "threads", "memory_base_mib",
    "memory_mib_per_request", "cache_mib", "cache_hours", "startup_seconds", "startup_cpu_cores",
    "warm_up_seconds", "warm_up_factor", "error_fraction", "request_timeout_seconds",
    "disk_mib_per_hour", "disk_retention_hours", "volume_reads_per_request", "request_kib",
    "response_kib", "patience_seconds", "volume_mib",
)  # fmt: skip
_NODE_FIELDS = (
    "cpu_cores", "memory_mib", "disk_mib", "system_cpu_cores", "system_memory_mib",
    "system_disk_mib",
)  # fmt: skip


def _check_unique(names: Sequence[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InvalidValueError(name, "name", "is given twice")
        seen.add(name)


def _edges(workloads: Sequence[WorkloadProfile], services: Sequence[str]) -> Edges:
    index = {name: at for at, name in enumerate(services)}
    queues = {one.name for one in workloads if one.queue}
    pairs = [(index[one.name], to) for one in workloads for to in one.dependencies]
    source = np.array([at for at, _ in pairs], dtype=np.int64)
    target = np.array([index[to.name] for _, to in pairs], dtype=np.int64)
    depth = _depths(source, target, len(services))
    return Edges(
        source=source,
        target=target,
        share=np.array([to.share for _, to in pairs], dtype=float),
        calls=np.array([to.calls for _, to in pairs], dtype=float),
        timeout=np.array([to.timeout_seconds for _, to in pairs], dtype=float),
        retries=np.array([to.retries for _, to in pairs], dtype=float),
        crashes=np.array([to.need is Need.CRASH for _, to in pairs], dtype=bool),
        fails=np.array([to.need is not Need.DEGRADE for _, to in pairs], dtype=bool),
        queued=np.array([to.name in queues for _, to in pairs], dtype=bool),
        rounds=tuple(np.flatnonzero(depth[source] == at) for at in np.unique(depth[source])),
        circular=bool((depth >= len(services)).any()),
    )


def _depths(source: Ints, target: Ints, count: int) -> Ints:
    """Return the longest way from outside to each service, in calls.

    Around a circle there is no longest way: depths stop at the number of services.
    """
    depth = np.zeros(count, dtype=np.int64)
    for _ in range(count + 1):
        deeper = depth.copy()
        np.maximum.at(deeper, target, depth[source] + 1)
        deeper = np.minimum(deeper, count)
        if np.array_equal(deeper, depth):
            break
        depth = deeper
    return depth
