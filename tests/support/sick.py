"""Workloads as decisions see them: well by default, ill where a test says so."""

from __future__ import annotations

from typing import Any

import numpy as np

from tasks.domain.healing.view import (
    ClusterView,
    ContainerView,
    End,
    NodeView,
    Note,
    PodView,
    PodWork,
    Replicas,
    Revision,
    Sizes,
    WorkloadView,
)

NOW = 1_793_620_800.0
MIB = 2.0**20
OLD, NEW = "hash-old", "hash-new"


def container(**changes: Any) -> ContainerView:
    """Return a container that runs since an hour."""
    well: dict[str, Any] = {
        "name": "app",
        "ready": True,
        "running": True,
        "started_seconds": NOW - 3_600.0,
    }
    return ContainerView(**(well | changes))


def end(exit_code: int, reason: str = "Error", *, ago: float = 20.0, **changes: Any) -> End:
    """Return how a container ended lately."""
    fields: dict[str, Any] = {
        "exit_code": exit_code,
        "reason": reason,
        "at_seconds": NOW - ago,
        "ran_seconds": 15.0,
    }
    return End(**(fields | changes))


def looping(exit_code: int, reason: str = "Error", **changes: Any) -> ContainerView:
    """Return a container that waits to be started again."""
    return container(
        ready=False, running=False, started_seconds=None, restarts=4, waiting="CrashLoopBackOff",
        ended_before=end(exit_code, reason, **changes),
    )  # fmt: skip


def pod(number: int = 0, *containers: ContainerView, **changes: Any) -> PodView:
    """Return a pod; ready as its containers are."""
    those = containers or (container(),)
    ready = all(one.ready for one in those)
    fields: dict[str, Any] = {
        "name": f"app-{number}", "uid": f"uid-{number}", "node": f"node-{number % 3}",
        "phase": "Running", "ready": ready, "created_seconds": NOW - 7_200.0, "template": OLD,
        "unready_since_seconds": None if ready else NOW - 120.0, "containers": those,
    }  # fmt: skip
    return PodView(**(fields | changes))


def note(message: str, *, reason: str = "Unhealthy", number: int = 0, ago: float = 10.0) -> Note:
    """Return an event about a pod."""
    return Note(
        kind="Pod",
        name=f"app-{number}",
        reason=reason,
        message=message,
        count=3,
        last_seconds=NOW - ago,
    )


def growing(mib_per_hour: float, *, minutes: float = 10.0, start: float = 100.0) -> PodWork:
    """Return metrics of a pod whose memory grows by a line."""
    times = NOW - np.arange(minutes * 4, -1, -1) * 15.0
    values = (start + mib_per_hour * (times - times[0]) / 3_600.0) * MIB
    return PodWork(cpu_cores=0.1, memory_times=times, memory_values=values, rps=5.0)


def workload(
    *pods: PodView, name: str = "app", changed: bool = False, **changes: Any
) -> WorkloadView:
    """Return a workload; with `changed`, its template is new since minutes."""
    those = pods or tuple(pod(number) for number in range(3))
    ready = sum(one.ready for one in those)
    revisions = [Revision(number=1, template=OLD, replicas=2, ready=2, created_seconds=NOW - 9e5)]
    if changed:
        newest = Revision(number=2, template=NEW, replicas=1, ready=0, created_seconds=NOW - 300.0)
        revisions.insert(0, newest)
    fields: dict[str, Any] = {
        "namespace": "shop", "name": name, "pods": those, "template": NEW if changed else OLD,
        "revisions": tuple(revisions), "sizes": Sizes(memory_limit=256 * MIB, cpu_limit=1.0),
        "replicas": Replicas(
            wanted=len(those), there=len(those), ready=ready, available=ready, updated=len(those)
        ),
    }  # fmt: skip
    return WorkloadView(**(fields | changes))


def cluster(*workloads: WorkloadView, nodes: tuple[NodeView, ...] = ()) -> ClusterView:
    """Return a cluster of three machines that are well, unless said otherwise."""
    machines = {f"node-{at}": NodeView(name=f"node-{at}") for at in range(3)}
    return ClusterView(
        now_seconds=NOW,
        workloads={one.key: one for one in workloads},
        nodes=machines | {one.name: one for one in nodes},
    )
