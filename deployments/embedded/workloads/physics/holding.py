"""What replicas hold, and what ends them: memory, disks, starts and exits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deployments.embedded.workloads.physics.arrays import Bools, Floats, Ints
from deployments.embedded.workloads.physics.calls import Quality
from deployments.embedded.workloads.physics.scene import Scene
from deployments.embedded.workloads.physics.state import EXIT_CODES, Cause

MEMORY_NOISE = 0.004
"""Standard deviation of a working set, as a fraction of its base."""
GONE_FRACTION = 0.5
"""A dependency of which so many calls fail is away, for who cannot be without it."""
_AT_START = 0.3  # of the base memory, when the process begins
_BAD_IMAGE_AT, _CONFIG_AT, _CORRUPT_AT = 0.2, 0.1, 0.5  # how far a start comes until it fails
_CODES = np.array([-1, *(EXIT_CODES[Cause(at)] for at in range(1, len(Cause)))])


@dataclass(slots=True, kw_only=True)
class Held:
    """What replicas hold at the end of a step, and what ended; every array is (R,)."""

    boot_seconds: Floats
    booted: Bools
    leaked_mib: Floats
    disk_mib: Floats
    deprived_seconds: Floats
    memory_mib: Floats
    memory_demand_mib: Floats
    exit_code: Ints
    cause: Ints


def held(scene: Scene, found: Quality, *, boot_speed: Floats, concurrency: Floats) -> Held:
    """Return what replicas hold after the step.

    Args:
        scene: Of the step.
        found: What clients find at their dependencies.
        boot_speed: (R,) of a start, 1 with all the cores that it wants.
        concurrency: (R,) requests in work.
    """
    of, effects, state, placement = scene.of, scene.effects, scene.state, scene.placement
    alive, hours = scene.alive, scene.seconds / 3600.0
    needs = of["startup_seconds"] * effects.boot
    # A process that began within the step has had only its age.
    lived = np.minimum(scene.seconds, placement.container_age_seconds) * alive
    boot = state.boot_seconds + lived * np.where(scene.up, 1.0, boot_speed)
    booted = alive & (boot >= needs - 1e-9)
    leaked = state.leaked_mib + effects.leak_mib_per_hour * hours * scene.up
    ramp = np.clip(boot / needs, _AT_START, 1.0)
    cache = of["cache_mib"] * -np.expm1(
        -placement.container_age_seconds / (3600.0 * of["cache_hours"])
    )
    base = of["memory_base_mib"] * ramp * (1.0 - MEMORY_NOISE * scene.noise)
    demand = (base + cache) * effects.memory + of["memory_mib_per_request"] * concurrency + leaked
    demand = demand * alive
    disk = _disk(scene, hours)
    gone = found.worst_crashing[placement.workload] >= GONE_FRACTION
    deprived = np.where(gone & scene.up, state.deprived_seconds + scene.seconds, 0.0)
    full = scene.up & (disk >= of["volume_mib"])
    memory = np.minimum(demand, placement.memory_limit_mib)
    cause = np.zeros(len(placement), dtype=np.int64)
    early = alive & ~scene.up
    # The last one that holds is told: what kills a process beats what would have made it exit.
    for holds, why in (
        (gone & booted & (~scene.up | (deprived > of["patience_seconds"])), Cause.DEPENDENCY),
        (full, Cause.DISK_FULL),
        (early & effects.corrupt & (boot >= _CORRUPT_AT * needs), Cause.CORRUPT_STATE),
        (early & ~placement.image_ok & (boot >= _BAD_IMAGE_AT * needs), Cause.BAD_IMAGE),
        (early & ~placement.config_ok & (boot >= _CONFIG_AT * needs), Cause.MISSING_CONFIG),
        (effects.killed, Cause.KILLED_BY_HOST),
        (demand > placement.memory_limit_mib, Cause.OUT_OF_MEMORY),
    ):
        cause[holds & alive] = why
    _kill_on_full_nodes(scene, memory, cause)
    return Held(
        boot_seconds=boot,
        booted=booted & (cause == Cause.NONE),
        leaked_mib=leaked,
        disk_mib=disk,
        deprived_seconds=deprived,
        memory_mib=memory,
        memory_demand_mib=demand,
        exit_code=_CODES[cause],
        cause=cause,
    )


def _disk(scene: Scene, hours: float) -> Floats:
    of = scene.of
    keep = np.exp(-hours / of["disk_retention_hours"])
    written = of["disk_mib_per_hour"] * of["disk_retention_hours"] * (1.0 - keep)
    filled = scene.effects.fill_mib_per_hour * hours
    grown = scene.state.disk_mib * keep + (written + filled) * scene.up
    return np.minimum(grown, of["volume_mib"])


def _kill_on_full_nodes(scene: Scene, memory: Floats, cause: Ints) -> None:
    """Let the kernel of each node that is out of memory kill whoever is most over its request."""
    node, capacity = scene.placement.node, scene.world.node_columns["memory_mib"]
    used = _memory(scene, memory * (cause == Cause.NONE))
    over = memory - scene.placement.memory_request_mib
    for at in np.flatnonzero(used > capacity):
        rows = np.flatnonzero((node == at) & scene.alive & (cause == Cause.NONE))
        if len(rows):
            cause[rows[np.argmax(over[rows])]] = Cause.NODE_OUT_OF_MEMORY


def _memory(scene: Scene, memory: Floats) -> Floats:
    columns = scene.world.node_columns
    held_outside = scene.effects.held_memory * columns["memory_mib"]
    pods = np.bincount(scene.placement.node, memory, len(held_outside))
    found: Floats = pods + columns["system_memory_mib"] + held_outside
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeTotals:
    """What nodes use, (N,) each; nothing on a machine that is off."""

    cpu_cores: Floats
    memory_mib: Floats
    disk_mib: Floats


def node_totals(scene: Scene, cores: Floats, kept: Held) -> NodeTotals:
    """Return what nodes use, at most what they have."""
    columns, effects = scene.world.node_columns, scene.effects
    node, count = scene.placement.node, len(scene.world.nodes)
    alive = effects.alive.astype(float)
    cpu = np.bincount(node, cores, count) + columns["system_cpu_cores"] + effects.stolen_cores
    on_node = kept.disk_mib * scene.world.writes_to_node[scene.placement.workload]
    disk = np.bincount(node, on_node, count) + columns["system_disk_mib"]
    disk = disk + effects.held_disk * columns["disk_mib"]
    return NodeTotals(
        cpu_cores=alive * np.minimum(cpu, columns["cpu_cores"]),
        memory_mib=alive * np.minimum(_memory(scene, kept.memory_mib), columns["memory_mib"]),
        disk_mib=alive * np.minimum(disk, columns["disk_mib"]),
    )
