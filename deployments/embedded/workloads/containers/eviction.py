"""When a node is short of something, and whom its kubelet puts out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deployments.embedded.workloads.physics.arrays import Bools
from deployments.embedded.workloads.physics.state import Answer, Placement
from deployments.embedded.workloads.physics.world import World

LEAST_MEMORY_MIB = 100.0
LEAST_DISK_FRACTION = 0.10
"""Kubelet's default hard thresholds: memory.available and nodefs.available."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressure:
    """Conditions of nodes, (N,) each."""

    memory: Bools
    disk: Bools


@dataclass(frozen=True, slots=True, kw_only=True)
class Eviction:
    """A pod that a kubelet puts out: its phase becomes Failed, its reason Evicted.

    Attributes:
        row: Of the pod.
        message: As in its status and its event.
    """

    row: int
    message: str


def pressure(world: World, answer: Answer) -> Pressure:
    """Return which nodes are short of memory or of disk."""
    columns = world.node_columns
    free_disk = 1.0 - answer.node_disk_mib / columns["disk_mib"]
    free_memory = columns["memory_mib"] - answer.node_memory_mib
    return Pressure(
        memory=answer.node_alive & (free_memory < LEAST_MEMORY_MIB),
        disk=answer.node_alive & (free_disk < LEAST_DISK_FRACTION),
    )


def evictions(world: World, placement: Placement, answer: Answer) -> tuple[Eviction, ...]:
    """Return whom kubelets put out now: one pod of each node that is short.

    Who uses most beyond its request goes first; of disk, who has written most to the node's.

    Args:
        world: Nodes.
        placement: Where pods are; only running ones are put out.
        answer: What they use.
    """
    short, found = pressure(world, answer), []
    over = answer.memory_mib - placement.memory_request_mib
    written = answer.disk_mib * world.writes_to_node[placement.workload]
    for node in np.flatnonzero(short.memory | short.disk):
        rows = np.flatnonzero((placement.node == node) & placement.running)
        if not len(rows):
            continue
        by_memory = bool(short.memory[node])
        row = int(rows[np.argmax((over if by_memory else written)[rows])])
        name = world.workloads[placement.workload[row]].name.split("/")[1]
        if by_memory:
            free = world.node_columns["memory_mib"][node] - answer.node_memory_mib[node]
            text = (
                f"The node was low on resource: memory. Threshold quantity: 100Mi, available: "
                f"{max(free, 0) * 1024:.0f}Ki. Container {name} was using "
                f"{answer.memory_mib[row] * 1024:.0f}Ki, request is "
                f"{placement.memory_request_mib[row]:.0f}Mi, has larger consumption of memory. "
            )
        else:
            free = world.node_columns["disk_mib"][node] - answer.node_disk_mib[node]
            least = LEAST_DISK_FRACTION * world.node_columns["disk_mib"][node]
            text = (
                f"The node was low on resource: ephemeral-storage. Threshold quantity: "
                f"{least * 2**20:.0f}, available: {max(free, 0) * 1024:.0f}Ki. Container {name} was "
                f"using {written[row] * 1024:.0f}Ki, request is 0, has larger consumption of "
                "ephemeral-storage. "
            )
        found.append(Eviction(row=row, message=text))
    return tuple(found)
