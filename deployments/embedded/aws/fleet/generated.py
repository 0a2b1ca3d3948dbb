"""A fleet of any size from the seeded generator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from deployments.embedded.aws.fleet.description import (
    Fleet,
    FleetInstance,
    FleetVolume,
    InstanceUsage,
)
from deployments.embedded.aws.fleet.grid import Grid
from deployments.embedded.aws.price_list import on_demand_types
from tasks.domain.instances import Architecture
from tasks.domain.inventory import Lifecycle
from tasks.domain.usage.archetypes import Archetype
from tasks.domain.usage.fleet import DEFAULT_MIX, synthetic_fleet
from tasks.domain.usage.fleet import Fleet as SyntheticFleet
from tasks.domain.usage.panel import Float32Array, Metric, UsagePanel

ZONES = ("us-east-1a", "us-east-1b", "us-east-1c")
TYPES = (
    "m5.large", "m5.xlarge", "m5.2xlarge", "c5.large", "c5.xlarge", "c5.2xlarge", "r5.large",
    "r5.xlarge", "m6i.large", "m6i.xlarge", "m4.large", "m4.xlarge", "c4.xlarge", "t3.medium",
    "t3.large", "m6g.large", "c6g.xlarge", "r6g.large",
)  # fmt: skip
SPOT_SHARE = 0.1
TEAMS = ("search", "payments", "platform", "research", "mobile")
_OLDEST_DAYS = 600
_HOURS_AT_A_TIME = 24 * 36
"""Four weeks, today, and the week that a replay goes on."""


def generated_fleet(count: int, *, grid: Grid, seed: int) -> Fleet:
    """Return that many instances with drawn archetypes, types, ages and tags."""
    made = seeded_fleet(count, grid=grid, seed=seed)
    rng = np.random.default_rng([seed, 7])
    # Two thirds of traffic answer a request that was the other third.
    inward = rng.uniform(0.2, 0.5, count).astype(np.float32)
    kinds = rng.choice(len(TYPES), size=count)
    ages = rng.integers(0, _OLDEST_DAYS, size=count)
    spot = rng.random(count) < SPOT_SHARE
    instances = tuple(
        _instance(
            row,
            usage=usage_of(made.panel, row, inward=float(inward[row])),
            kind=TYPES[kinds[row]],
            launched_at=grid.start - timedelta(days=1 + int(ages[row])),
            spot=bool(spot[row]),
            archetype=made.archetypes[row],
        )
        for row in range(count)
    )
    return Fleet(
        source=f"generated, {count} instances, seed {seed}",
        start=grid.start,
        hours=grid.hours,
        instances=instances,
    )


def seeded_fleet(
    count: int, *, grid: Grid, seed: int, mix: Mapping[Archetype, float] = DEFAULT_MIX
) -> SyntheticFleet:
    """Return resources that are drawn the same however many hours the grid has.

    What the generator draws depends on the number of hours; a start an hour later would otherwise
    show another fleet.
    """
    hours = -(-grid.hours // _HOURS_AT_A_TIME) * _HOURS_AT_A_TIME
    made = synthetic_fleet(count, start=grid.start, hours=hours, seed=seed, mix=mix)
    values = {metric: found[:, : grid.hours] for metric, found in made.panel.values.items()}
    return replace(made, panel=replace(made.panel, values=values))


def _instance(
    row: int,
    *,
    usage: InstanceUsage,
    kind: str,
    launched_at: datetime,
    spot: bool,
    archetype: Archetype,
) -> FleetInstance:
    return FleetInstance(
        name=f"generated-{row:05d}",
        instance_type=kind,
        availability_zone=ZONES[row % len(ZONES)],
        launched_at=launched_at,
        usage=usage,
        architecture=architecture_of(kind),
        lifecycle=Lifecycle.SPOT if spot else Lifecycle.ON_DEMAND,
        volumes=(FleetVolume(kind="gp2" if row % 4 == 0 else "gp3", size_gib=20 + 10 * (row % 9)),),
        tags={"team": TEAMS[row % len(TEAMS)], "env": "prod" if row % 3 else "dev"},
        archetype=archetype,
    )


def architecture_of(instance_type: str) -> Architecture:
    """Return the architecture of a type in the shipped price list."""
    return Architecture(on_demand_types()[instance_type].architecture)


def usage_of(panel: UsagePanel, row: int, *, inward: float = 0.4) -> InstanceUsage:
    """Return one row of a panel as the use of an instance; metrics it never reports are None.

    Args:
        panel: Has processor means and maxima at least.
        row: In the panel.
        inward: Share of traffic that comes in, and of disk bytes that are read.
    """

    def split(metric: Metric) -> Sequence[Float32Array | None]:
        both = panel.of(metric)[row]
        if bool(np.isnan(both).all()):
            return None, None
        share = np.float32(inward)
        return both * share, both * (np.float32(1.0) - share)

    network_in, network_out = split(Metric.NETWORK)
    disk_read, disk_write = split(Metric.DISK)
    memory = panel.row(Metric.MEMORY_MEAN, panel.resources[row])
    return InstanceUsage(
        cpu_mean=panel.of(Metric.CPU_MEAN)[row],
        cpu_max=panel.of(Metric.CPU_MAX)[row],
        memory_mean=memory,
        memory_max=None if memory is None else panel.of(Metric.MEMORY_MAX)[row],
        network_in=network_in,
        network_out=network_out,
        disk_read=disk_read,
        disk_write=disk_write,
    )
