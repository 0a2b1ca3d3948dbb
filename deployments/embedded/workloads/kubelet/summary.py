"""A small picture of the world, for people and for tests."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from deployments.embedded.workloads.containers.table import Phase
from deployments.embedded.workloads.engine import Tick
from deployments.embedded.workloads.kubelet.kubelets import Kubelets
from deployments.embedded.workloads.physics.world import World

Json = dict[str, Any]


def state_of(kubelets: Kubelets) -> Json:
    """Return what /state answers: clock, faults, writes, pods by phase, nodes and workloads."""
    found = kubelets.snapshot()
    tick = found.tick
    writes = kubelets.writes
    return {
        "now_seconds": found.now_seconds,
        "speed": kubelets.clock.speed,
        "faults": [one.name for one in kubelets.faults.active],
        "writes": {"done": writes.done, "failed": writes.failed, "waiting": len(writes)},
        "pods": {} if tick is None else _phases(tick),
        "nodes": {} if tick is None else _nodes(found.world, tick),
        "workloads": {} if tick is None else _workloads(found.world, tick),
    }


def _phases(tick: Tick) -> dict[str, int]:
    counts = Counter(Phase(int(one)).name.lower().replace("_", "-") for one in tick.table.phase)
    return {"all": len(tick.table.phase), "ready": int(tick.table.ready.sum()), **counts}


def _nodes(world: World, tick: Tick) -> dict[str, Json]:
    answer = tick.answer
    return {
        one.name: {
            "alive": bool(answer.node_alive[at]),
            "reports": bool(answer.node_reports[at]),
            "cpu_cores": float(answer.node_cpu_cores[at]),
            "memory_mib": float(answer.node_memory_mib[at]),
            "disk_mib": float(answer.node_disk_mib[at]),
        }
        for at, one in enumerate(world.nodes)
    }


def _workloads(world: World, tick: Tick) -> dict[str, Json]:
    answer, of = tick.answer, tick.placement.workload
    count = np.bincount(of, minlength=len(world.workloads))
    ready = np.bincount(of, weights=tick.table.ready, minlength=len(world.workloads))
    return {
        one.name: {
            "replicas": int(count[at]),
            "ready": int(ready[at]),
            "offered_rps": float(answer.workload_offered_rps[at]),
            "served_rps": float(answer.workload_served_rps[at]),
            "failed_rps": float(answer.workload_failed_rps[at]),
            "latency_seconds": float(answer.workload_latency_seconds[at]),
            "backlog": float(answer.backlog[at]),
        }
        for at, one in enumerate(world.workloads)
    }
