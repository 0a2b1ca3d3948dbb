"""A fleet as a description: what runs, since when, and how it is used hour by hour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tasks.domain.instances import Architecture
from tasks.domain.inventory import InstanceState, Lifecycle
from tasks.domain.usage.archetypes import Archetype
from tasks.domain.usage.panel import Float32Array

LINUX = "Linux/UNIX"
WINDOWS = "Windows"


@dataclass(frozen=True, kw_only=True)
class InstanceUsage:
    """Hourly use of one instance, each (hours,); NaN where nothing was reported.

    Attributes:
        cpu_mean, cpu_max: Percent.
        memory_mean, memory_max: Percent; None on an instance without the agent.
        network_in, network_out, disk_read, disk_write: Bytes a second.
    """

    cpu_mean: Float32Array
    cpu_max: Float32Array
    memory_mean: Float32Array | None = None
    memory_max: Float32Array | None = None
    network_in: Float32Array | None = None
    network_out: Float32Array | None = None
    disk_read: Float32Array | None = None
    disk_write: Float32Array | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetVolume:
    """A volume.

    Attributes:
        kind: gp2, gp3, io1 or another that EBS has.
        iops: Provisioned; None for what the kind gives.
    """

    kind: str = "gp3"
    size_gib: int = 20
    iops: int | None = None
    throughput_mib_per_second: int | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class FleetInstance:
    """An instance.

    Attributes:
        name: Unique in the fleet; its id is made from it.
        launched_at: Aware UTC.
        state: RUNNING or STOPPED.
        volumes: The first one is its root volume.
        archetype: How it was meant to be used, for judges; the API does not tell it.
    """

    name: str
    instance_type: str
    availability_zone: str
    launched_at: datetime
    usage: InstanceUsage
    product: str = LINUX
    architecture: Architecture = Architecture.X86_64
    lifecycle: Lifecycle = Lifecycle.ON_DEMAND
    state: InstanceState = InstanceState.RUNNING
    group: str | None = None
    volumes: tuple[FleetVolume, ...] = (FleetVolume(),)
    tags: Mapping[str, str] = field(default_factory=dict)
    archetype: Archetype | None = None


@dataclass(frozen=True, kw_only=True)
class FleetGroup:
    """An auto scaling group; its instances name it.

    Attributes:
        in_service: (hours,) instances in service.
        cpu_mean, cpu_max: (hours,) percent, over its instances.
        predictive: Whether it has a predictive scaling policy that forecasts only.
        tracking: Processor use that a target tracking policy keeps it at, percent; None without.
    """

    name: str
    instance_type: str
    min_size: int
    max_size: int
    in_service: Float32Array
    cpu_mean: Float32Array
    cpu_max: Float32Array
    predictive: bool = False
    tracking: float | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class FleetService:
    """A target group behind a load balancer.

    Attributes:
        instances: Names of registered instances.
        requests: (hours,) requests an hour.
        response_seconds: (hours,) mean time to answer.
    """

    name: str
    load_balancer: str
    instances: tuple[str, ...]
    requests: Float32Array
    response_seconds: Float32Array


@dataclass(frozen=True, kw_only=True)
class FleetFunction:
    """A Lambda function.

    Attributes:
        invocations: (hours,) invocations an hour.
        duration_ms: Of one invocation.
    """

    name: str
    memory_mib: int
    runtime: str
    invocations: Float32Array
    duration_ms: float
    architecture: Architecture = Architecture.X86_64
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """Everything in one region.

    Attributes:
        source: Where it comes from, for reports.
        start: First hour of every series, aware UTC, on the hour.
        hours: Of every series.
        loose_volumes: Attached to nothing, by zone.
    """

    source: str
    start: datetime
    hours: int
    region: str = "us-east-1"
    instances: tuple[FleetInstance, ...] = ()
    groups: tuple[FleetGroup, ...] = ()
    services: tuple[FleetService, ...] = ()
    functions: tuple[FleetFunction, ...] = ()
    loose_volumes: tuple[tuple[str, FleetVolume], ...] = ()

    @property
    def end(self) -> datetime:
        """End of the last hour."""
        return self.start + timedelta(hours=self.hours)
