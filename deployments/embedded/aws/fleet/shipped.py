"""The fleet that `homeostat up` starts with: recorded machines, and what recordings lack.

Recorded: 40 machines of Azure V1 (data/README.md) as instances, types dealt out in turn. The recording
has processor use only, so their memory, network and disk are unknown, as on instances without the
agent and with a broken collector. Generated: some of every kind that saves something, and some that
look like it and do not: see `cast.py`.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from deployments.embedded.aws.fleet.cast import PARTS, Part, loose_volumes
from deployments.embedded.aws.fleet.description import (
    Fleet,
    FleetInstance,
    FleetVolume,
    InstanceUsage,
)
from deployments.embedded.aws.fleet.generated import (
    ZONES,
    architecture_of,
    seeded_fleet,
    usage_of,
)
from deployments.embedded.aws.fleet.grid import Grid
from deployments.embedded.aws.fleet.stage import (
    functions,
    scaled_groups,
    service_hosts,
    services,
)
from deployments.embedded.aws.make_data import MACHINES_FILE
from deployments.embedded.aws.spot_history import DATA
from tasks.domain.inventory import InstanceState
from tasks.domain.savings.policy import ARCHITECTURE_TAG, SPOT_TAG
from tasks.domain.usage.panel import Float32Array

RECORDED_TYPES = (
    "m5.xlarge", "m4.xlarge", "c5.2xlarge", "m5.2xlarge", "r5.xlarge", "c4.2xlarge", "m5.large",
    "t3.large", "m6i.xlarge", "m3.xlarge",
)  # fmt: skip
_AGES_DAYS = (45, 400, 120, 800, 230)
_TEAMS = ("search", "payments", "platform", "research")


def shipped_fleet(*, grid: Grid, seed: int) -> Fleet:
    """Return the fleet on a grid of hours; the same names, types and ids in every start."""
    recorded = recorded_machines(grid)
    cast = tuple(
        instance
        for number, part in enumerate(PARTS)
        for instance in _played(part, grid=grid, seed=[seed, number])
    )
    groups, members = scaled_groups(grid, seed=seed)
    return Fleet(
        source=f"shipped: {len(recorded)} recorded machines (Azure V1) and a generated part",
        start=grid.start,
        hours=grid.hours,
        instances=(*recorded, *cast, *members, *service_hosts(grid, seed=seed)),
        groups=groups,
        services=services(grid, members=members, seed=seed),
        functions=functions(grid, seed=seed),
        loose_volumes=loose_volumes(),
    )


def recorded_machines(grid: Grid) -> tuple[FleetInstance, ...]:
    """Return the recorded machines; after their 29 days they go on as four weeks before."""
    table = pd.read_parquet(DATA / MACHINES_FILE)
    means, highs = (
        table.pivot_table(index="machine", columns="hour", values=name)
        for name in ("cpu_mean_percent", "cpu_max_percent")
    )
    hours = grid.wrapped(means.shape[1])
    return tuple(
        _recorded(row, str(machine), mean=mean, high=high, grid=grid)
        for row, (machine, mean, high) in enumerate(
            zip(
                means.index,
                means.to_numpy(np.float32)[:, hours],
                highs.to_numpy(np.float32)[:, hours],
                strict=True,
            )
        )
    )


def _recorded(
    row: int, machine: str, *, mean: Float32Array, high: Float32Array, grid: Grid
) -> FleetInstance:
    kind = RECORDED_TYPES[row % len(RECORDED_TYPES)]
    tags = {"team": _TEAMS[row % len(_TEAMS)], "env": "dev" if row % 4 == 3 else "prod"}
    if row % 5 == 0:
        tags[ARCHITECTURE_TAG] = "any"
    if row % 6 == 0:
        tags[SPOT_TAG] = "allowed"
    return FleetInstance(
        name=f"{machine.replace('_', '-')}",
        instance_type=kind,
        availability_zone=ZONES[row % len(ZONES)],
        launched_at=grid.start - timedelta(days=_AGES_DAYS[row % len(_AGES_DAYS)]),
        usage=InstanceUsage(cpu_mean=mean, cpu_max=high),
        architecture=architecture_of(kind),
        volumes=(FleetVolume(kind="gp2" if row % 2 else "gp3", size_gib=30 + 40 * (row % 4)),),
        tags=tags,
    )


def _played(part: Part, *, grid: Grid, seed: list[int]) -> tuple[FleetInstance, ...]:
    made = seeded_fleet(
        part.count,
        grid=grid,
        seed=int(np.random.default_rng(seed).integers(2**31)),
        mix={part.archetype: 1.0},
    )
    return tuple(
        _actor(part, row, usage=usage_of(made.panel, row), grid=grid) for row in range(part.count)
    )


def _actor(part: Part, row: int, *, usage: InstanceUsage, grid: Grid) -> FleetInstance:
    kind = part.types[row % len(part.types)]
    name = part.name if part.count == 1 else f"{part.name}-{row + 1}"
    first = 0 if part.days_old is None else grid.now_hour - 24 * part.days_old
    last = grid.hours if part.stopped_days is None else grid.now_hour - 24 * part.stopped_days
    age = timedelta(days=_AGES_DAYS[row % len(_AGES_DAYS)])
    return FleetInstance(
        name=name,
        instance_type=kind,
        availability_zone=ZONES[row % len(ZONES)],
        launched_at=grid.start - age if part.days_old is None else grid.instant(first),
        usage=_within(usage, first, last, agent=part.agent),
        product=part.product,
        architecture=architecture_of(kind),
        lifecycle=part.lifecycle,
        state=InstanceState.RUNNING if part.stopped_days is None else InstanceState.STOPPED,
        volumes=part.volumes,
        tags=part.tags,
        archetype=part.archetype,
    )


def _within(usage: InstanceUsage, first: int, last: int, *, agent: bool) -> InstanceUsage:
    """Return use that is reported only from one hour to another, and memory only by an agent."""

    def cut(values: Float32Array | None) -> Float32Array | None:
        if values is None:
            return None
        kept = np.full_like(values, np.nan)
        kept[max(first, 0) : last] = values[max(first, 0) : last]
        return kept

    mean, high = cut(usage.cpu_mean), cut(usage.cpu_max)
    if mean is None or high is None:
        raise AssertionError  # processor use is always there
    return InstanceUsage(
        cpu_mean=mean,
        cpu_max=high,
        memory_mean=cut(usage.memory_mean) if agent else None,
        memory_max=cut(usage.memory_max) if agent else None,
        network_in=cut(usage.network_in),
        network_out=cut(usage.network_out),
        disk_read=cut(usage.disk_read),
        disk_write=cut(usage.disk_write),
    )
