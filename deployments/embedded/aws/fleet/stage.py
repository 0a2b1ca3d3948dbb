"""Auto scaling groups, services and functions of the shipped fleet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deployments.embedded.aws.fleet.description import (
    FleetFunction,
    FleetGroup,
    FleetInstance,
    FleetService,
    InstanceUsage,
)
from deployments.embedded.aws.fleet.generated import ZONES, architecture_of, seeded_fleet
from deployments.embedded.aws.fleet.grid import Grid
from tasks.domain.instances import Architecture
from tasks.domain.inventory import Lifecycle
from tasks.domain.savings.policy import ARCHITECTURE_TAG, SPOT_TAG
from tasks.domain.usage.archetypes import Archetype
from tasks.domain.usage.panel import Float32Array, Metric

TARGET_PERCENT = 50.0
"""Processor use that the groups are scaled to, an hour late."""


@dataclass(frozen=True, kw_only=True)
class _Group:
    name: str
    instance_type: str
    smallest: int
    largest: int
    peak: float
    spot: bool = False
    predictive: bool = False
    architecture: str | None = None
    spot_tag: str | None = None
    zones: tuple[str, ...] = ZONES
    team: str = "storefront"


_GROUPS = (
    _Group(name="storefront", instance_type="m5.large", smallest=2, largest=10, peak=420.0,
           architecture="any"),
    _Group(name="thumbnails", instance_type="c5.large", smallest=1, largest=6, peak=180.0, spot=True,
           predictive=True),
    _Group(name="transcoder", instance_type="c5.2xlarge", smallest=4, largest=4, peak=260.0,
           zones=("us-east-1a", "us-east-1b", "us-east-1d", "us-east-1f"), team="mobile",
           spot_tag="allowed"),
)  # fmt: skip


def scaled_groups(
    grid: Grid, *, seed: int
) -> tuple[tuple[FleetGroup, ...], tuple[FleetInstance, ...]]:
    """Return the groups and the instances in them now."""
    made = [
        _scaled(one, grid, seed=seed + 101 * number) for number, one in enumerate(_GROUPS, start=1)
    ]
    return tuple(group for group, _ in made), tuple(m for _, members in made for m in members)


def _scaled(one: _Group, grid: Grid, *, seed: int) -> tuple[FleetGroup, list[FleetInstance]]:
    shape = _pattern(Archetype.DAILY, grid, seed=seed)
    # Percent of one instance: 420 needs 8.4 instances at the target.
    load = one.peak * shape / np.float32(shape.max())
    late = np.concatenate([load[:1], load[:-1]])
    wanted = np.ceil(late / TARGET_PERCENT)
    in_service = np.clip(wanted, one.smallest, one.largest).astype(np.float32)
    mean = np.minimum(load / in_service, 100.0).astype(np.float32)
    high = np.minimum(1.2 * mean + 2.0, 100.0).astype(np.float32)
    tags = {"team": one.team, "env": "prod"}
    tags |= {} if one.architecture is None else {ARCHITECTURE_TAG: one.architecture}
    tags |= {} if one.spot_tag is None else {SPOT_TAG: one.spot_tag}
    group = FleetGroup(
        name=one.name,
        instance_type=one.instance_type,
        min_size=one.smallest,
        max_size=one.largest,
        in_service=in_service,
        cpu_mean=mean,
        cpu_max=high,
        predictive=one.predictive,
        tracking=TARGET_PERCENT if one.smallest < one.largest else None,
        tags=tags,
    )
    members = range(int(in_service[grid.now_hour]))
    return group, [_member(one, group, number, grid) for number in members]


def _member(one: _Group, group: FleetGroup, number: int, grid: Grid) -> FleetInstance:
    # The last one in came when the group last grew to its place.
    fewer = np.flatnonzero(group.in_service[: grid.now_hour + 1] <= number)
    first = int(fewer[-1]) + 1 if len(fewer) else 0
    hours = np.arange(grid.hours)
    # One hour tells all: what the group does later, these instances do.
    inside = hours >= first
    mean, high = (
        np.where(inside, values, np.nan).astype(np.float32)
        for values in (group.cpu_mean, group.cpu_max)
    )
    traffic = (mean * np.float32(4e4)).astype(np.float32)
    usage = InstanceUsage(cpu_mean=mean, cpu_max=high, network_in=traffic, network_out=4 * traffic)
    return FleetInstance(
        name=f"{one.name}-{number + 1}",
        instance_type=one.instance_type,
        availability_zone=one.zones[number % len(one.zones)],
        launched_at=grid.instant(first if len(fewer) else -24 * 30),
        usage=usage,
        architecture=architecture_of(one.instance_type),
        lifecycle=Lifecycle.SPOT if one.spot and number else Lifecycle.ON_DEMAND,
        group=one.name,
        tags=group.tags,
        archetype=Archetype.DAILY,
    )


def service_hosts(grid: Grid, *, seed: int) -> tuple[FleetInstance, ...]:
    """Return the instances that answer for the small services alone."""
    return tuple(
        _host(name, kind, grid, seed=seed + 31 * number)
        for number, (name, kind) in enumerate(
            (("reports", "t3.medium"), ("search-1", "c5.large"), ("search-2", "c5.large"),
             ("export", "t3.large")),
            start=1,
        )
    )  # fmt: skip


def _host(name: str, kind: str, grid: Grid, *, seed: int) -> FleetInstance:
    busy = name.startswith("search")
    shape = _pattern(Archetype.DAILY if busy else Archetype.BUSINESS_HOURS, grid, seed=seed)
    level = 55.0 if busy else 4.0
    mean = (level * shape / np.float32(shape.max())).astype(np.float32)
    high = np.minimum(mean * 1.5 + 3.0, 100.0).astype(np.float32)
    memory = np.full(grid.hours, 38.0, dtype=np.float32)
    traffic = mean * np.float32(9e4 if busy else 2e3)
    return FleetInstance(
        name=name,
        instance_type=kind,
        availability_zone=ZONES[0],
        launched_at=grid.instant(-24 * 200),
        usage=InstanceUsage(
            cpu_mean=mean,
            cpu_max=high,
            memory_mean=memory,
            memory_max=memory + np.float32(2.0),
            network_in=traffic,
            network_out=3 * traffic,
            disk_read=traffic * np.float32(0.01),
            disk_write=traffic * np.float32(0.05),
        ),
        architecture=architecture_of(kind),
        tags={"team": "search" if busy else "payments", "env": "prod"},
    )


def services(
    grid: Grid, *, members: Sequence[FleetInstance], seed: int
) -> tuple[FleetService, ...]:
    """Return the services: one rarely used, two busy, and one too slow to run as a function."""
    storefront = tuple(one.name for one in members if one.group == "storefront")
    return (
        _service("reports", ("reports",), grid, peak=60.0, seconds=0.18, seed=seed + 1),
        _service("search", ("search-1", "search-2"), grid, peak=260_000.0, seconds=0.03,
                 seed=seed + 2),
        _service("storefront", storefront, grid, peak=900_000.0, seconds=0.05, seed=seed + 3),
        _service("export", ("export",), grid, peak=9.0, seconds=95.0, seed=seed + 4),
    )  # fmt: skip


def _service(
    name: str, instances: tuple[str, ...], grid: Grid, *, peak: float, seconds: float, seed: int
) -> FleetService:
    kind = Archetype.DAILY if peak > 1e3 else Archetype.BUSINESS_HOURS
    shape = _pattern(kind, grid, seed=seed)
    expected = peak * np.clip(shape - shape.min(), 0.0, None) / np.ptp(shape)
    requests = np.random.default_rng(seed).poisson(expected).astype(np.float32)
    load = 1.0 + expected / peak if peak > 1e3 else np.ones(grid.hours)
    return FleetService(
        name=name,
        load_balancer=f"{name}-lb",
        instances=instances,
        requests=requests,
        response_seconds=(seconds * load).astype(np.float32),
    )


def functions(grid: Grid, *, seed: int) -> tuple[FleetFunction, ...]:
    """Return two functions: one by the clock, one on request."""
    hourly = np.full(grid.hours, 12.0, dtype=np.float32)
    shape = _pattern(Archetype.BUSINESS_HOURS, grid, seed=seed + 9)
    webhook = np.random.default_rng(seed + 9).poisson(20.0 * np.clip(shape, 0.0, None))
    return (
        FleetFunction(
            name="rotate-logs",
            memory_mib=256,
            runtime="python3.13",
            invocations=hourly,
            duration_ms=1800.0,
            architecture=Architecture.ARM64,
            tags={"team": "platform"},
        ),
        FleetFunction(
            name="payment-webhook",
            memory_mib=1024,
            runtime="nodejs22.x",
            invocations=webhook.astype(np.float32),
            duration_ms=140.0,
            tags={"team": "payments"},
        ),
    )


def _pattern(archetype: Archetype, grid: Grid, *, seed: int) -> Float32Array:
    made = seeded_fleet(1, grid=grid, seed=seed, mix={archetype: 1.0})
    found: Float32Array = made.panel.of(Metric.CPU_MEAN)[0]
    # The generator leaves hours out, as agents do; a group and a load balancer report every one.
    return np.nan_to_num(found, nan=float(np.nanmean(found)))
