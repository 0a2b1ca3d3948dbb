"""What a step needs of the cluster, what it carries from step to step, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from enum import IntEnum
from typing import Any

import numpy as np

from deployments.embedded.workloads.physics.arrays import Bools, Floats, Ints, Keys


class Cause(IntEnum):
    """Why a container ended; it chooses the last lines of the log and is never written itself."""

    NONE = 0
    OUT_OF_MEMORY = 1
    NODE_OUT_OF_MEMORY = 2
    KILLED_BY_HOST = 3
    BAD_IMAGE = 4
    MISSING_CONFIG = 5
    CORRUPT_STATE = 6
    DISK_FULL = 7
    DEPENDENCY = 8


EXIT_CODES = {
    Cause.OUT_OF_MEMORY: 137,
    Cause.NODE_OUT_OF_MEMORY: 137,
    Cause.KILLED_BY_HOST: 137,
    Cause.BAD_IMAGE: 1,
    Cause.MISSING_CONFIG: 1,
    Cause.CORRUPT_STATE: 1,
    Cause.DISK_FULL: 1,
    Cause.DEPENDENCY: 1,
}
"""What a process leaves behind; only the first two are told as OOMKilled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Replicas as the cluster has them: one row for each pod that is bound to a node.

    Every array has shape (R,).

    Attributes:
        key: `noise.pod_key(namespace, pod)`; tells replicas apart.
        workload: Index of the profile in the world.
        node: Index of the node in the world.
        cpu_request_cores: 0 without a request.
        cpu_limit_cores: Infinite without a limit.
        memory_request_mib: 0 without a request.
        memory_limit_mib: Infinite without a limit.
        running: The container runs.
        ready: The endpoints of its service have it: requests are sent to it.
        restarts: Restart count of the container; another number is another process.
        container_age_seconds: Since the container started, at the end of the step.
        pod_age_seconds: Since the pod was created, at the end of the step.
        image_ok: The program in the image is not one that exits at its start.
        config_ok: Every key that the program reads at its start is there.
    """

    key: Keys
    workload: Ints
    node: Ints
    cpu_request_cores: Floats
    cpu_limit_cores: Floats
    memory_request_mib: Floats
    memory_limit_mib: Floats
    running: Bools
    ready: Bools
    restarts: Ints
    container_age_seconds: Floats
    pod_age_seconds: Floats
    image_ok: Bools
    config_ok: Bools

    def __len__(self) -> int:
        """Return the number of replicas."""
        return len(self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What is carried from one step to the next. R replicas, W workloads, S services, N nodes.

    Attributes:
        restarts: (R,) the restart count that the row is of.
        boot_seconds: (R,) how far the start has come, in seconds at full speed.
        leaked_mib: (R,) memory that the process will not give back.
        disk_mib: (R,) written and kept.
        deprived_seconds: (R,) how long a dependency it cannot do without has been away.
        ceiling_cores: (R,) what limit and node allowed it to use in the last step.
        backlog: (W,) requests that wait in queues.
        dependency_seconds: (W,) what the dependencies of one request took in the last step.
        service_failed: (S,) fraction of calls that a service failed in the last step.
        service_seconds: (S,) mean latency of a service in the last step.
        edge_failed: (E,) fraction of calls on an edge that failed in the last step, after retries.
    """

    restarts: Ints
    boot_seconds: Floats
    leaked_mib: Floats
    disk_mib: Floats
    deprived_seconds: Floats
    ceiling_cores: Floats
    backlog: Floats
    dependency_seconds: Floats
    service_failed: Floats
    service_seconds: Floats
    edge_failed: Floats

    def realigned(self, rows: Ints) -> State:
        """Return the state for another list of replicas.

        Args:
            rows: (R',) where each replica was before; -1 for one that is new.
        """
        known = rows >= 0
        changed: dict[str, Any] = {}
        for name in _PER_REPLICA:
            old = getattr(self, name)
            taken = old[np.maximum(rows, 0)] if len(old) else np.zeros(len(rows), old.dtype)
            changed[name] = np.where(known, taken, -1 if name == "restarts" else 0)
        return replace(self, **changed)


_PER_REPLICA = (
    "restarts",
    "boot_seconds",
    "leaked_mib",
    "disk_mib",
    "deprived_seconds",
    "ceiling_cores",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the replicas did in a step: means over it, and what ended at its end.

    Attributes:
        cpu_cores: (R,) used.
        throttled_fraction: (R,) of the periods of 100 ms, how many the limit cut short.
        memory_mib: (R,) working set; at most the limit.
        memory_demand_mib: (R,) what it would hold without a limit.
        offered_rps: (R,) requests sent to it, per second.
        served_rps: (R,) of those, answered well.
        failed_rps: (R,) of those, not; offered = served + failed.
        latency_seconds: (R,) mean of answered requests; the time-out where none is answered.
        latency_spread: (R,) coefficient of variation of that.
        concurrency: (R,) requests being worked on.
        health_seconds: (R,) what an endpoint takes that calls nothing; infinite: no answer.
        refuses: (R,) nobody listens on its port: connections are refused rather than hang.
        dependencies_failed: (R,) fraction of calls to dependencies that fail.
        booted: (R,) it has come up.
        disk_mib: (R,) written and kept.
        network_in_bytes: (R,) per second.
        network_out_bytes: (R,) per second.
        exit_code: (R,) of containers that ended; -1 where none did.
        cause: (R,) `Cause` of that.
        workload_offered_rps: (W,) from outside and from other workloads.
        workload_served_rps: (W,) answered well.
        workload_failed_rps: (W,) not, including those that found nobody to take them.
        workload_latency_seconds: (W,) mean over what was answered.
        backlog: (W,) requests that wait in a queue.
        node_cpu_cores: (N,) used.
        node_memory_mib: (N,) used.
        node_disk_mib: (N,) used.
        node_alive: (N,) the machine runs.
        node_reports: (N,) its kubelet reaches the API server.
    """

    cpu_cores: Floats
    throttled_fraction: Floats
    memory_mib: Floats
    memory_demand_mib: Floats
    offered_rps: Floats
    served_rps: Floats
    failed_rps: Floats
    latency_seconds: Floats
    latency_spread: Floats
    concurrency: Floats
    health_seconds: Floats
    refuses: Bools
    dependencies_failed: Floats
    booted: Bools
    disk_mib: Floats
    network_in_bytes: Floats
    network_out_bytes: Floats
    exit_code: Ints
    cause: Ints
    workload_offered_rps: Floats
    workload_served_rps: Floats
    workload_failed_rps: Floats
    workload_latency_seconds: Floats
    backlog: Floats
    node_cpu_cores: Floats
    node_memory_mib: Floats
    node_disk_mib: Floats
    node_alive: Bools
    node_reports: Bools


def equal(one: Answer | State, other: Answer | State) -> bool:
    """Return whether two values hold the same numbers, bit for bit."""
    return type(one) is type(other) and all(
        np.array_equal(getattr(one, entry.name), getattr(other, entry.name), equal_nan=True)
        for entry in fields(one)
    )
