"""What an account runs: instances, groups, volumes, functions, services and commitments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from tasks.domain.instances import Architecture


class Lifecycle(StrEnum):
    """How an instance is bought."""

    ON_DEMAND = "on-demand"
    SPOT = "spot"
    SCHEDULED = "scheduled"


class InstanceState(StrEnum):
    """States that EC2 reports; only a running instance is billed for its type."""

    PENDING = "pending"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    SHUTTING_DOWN = "shutting-down"
    TERMINATED = "terminated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """An EC2 instance.

    Attributes:
        instance_id: For example "i-0123456789abcdef0".
        product: As EC2 names it in PlatformDetails, for example "Linux/UNIX".
        architecture: x86_64 or arm64; ANY where EC2 tells another.
        launched_at: Of the last start, aware UTC.
        group: Name of its auto scaling group; None outside of one.
        tenancy: "default", "dedicated" or "host".
        root_device: "ebs", or "instance-store": its root is lost with it, and it cannot be stopped.
    """

    instance_id: str
    region: str
    availability_zone: str
    instance_type: str
    product: str = "Linux/UNIX"
    architecture: Architecture = Architecture.X86_64
    lifecycle: Lifecycle = Lifecycle.ON_DEMAND
    state: InstanceState = InstanceState.RUNNING
    launched_at: datetime
    group: str | None = None
    tenancy: str = "default"
    root_device: str = "ebs"
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """An EBS volume.

    Attributes:
        kind: gp2, gp3, io1, io2, st1, sc1 or standard.
        size_gib: GiB.
        iops: Provisioned or, for gp2, given by the size; None where the kind has none.
        throughput_mib_per_second: Provisioned, of gp3 only; None otherwise.
        attached_to: Instance id; None when it is attached to nothing.
        multi_attach: Whether several instances may share it, which gp3 cannot do.
    """

    volume_id: str
    region: str
    availability_zone: str
    kind: str
    size_gib: float
    iops: int | None = None
    throughput_mib_per_second: float | None = None
    attached_to: str | None = None
    multi_attach: bool = False
    created_at: datetime
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingGroup:
    """An EC2 auto scaling group.

    Attributes:
        instance_ids: Of the instances in it now.
        predictive_policies: Names of its predictive scaling policies.
        dynamic_policies: Names of its other scaling policies that are enabled: only they make it
            smaller again.
    """

    name: str
    region: str
    min_size: int
    max_size: int
    desired: int
    instance_ids: tuple[str, ...] = ()
    predictive_policies: tuple[str, ...] = ()
    dynamic_policies: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def series(self) -> str:
        """Its row in a usage panel: another region may have a group of the same name."""
        return f"{self.region}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A Lambda function."""

    name: str
    region: str
    memory_mib: int
    architecture: Architecture
    runtime: str
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A target group of a load balancer: instances that answer requests together.

    Attributes:
        service_id: The target group's name as CloudWatch has it, "targetgroup/name/id".
        load_balancer: As CloudWatch has it, "app/name/id"; None when nothing sends it requests.
        instance_ids: Registered instances.
        protocol: HTTP or HTTPS; of others, such as TCP, nobody counts requests.
    """

    service_id: str
    region: str
    load_balancer: str | None
    instance_ids: tuple[str, ...]
    protocol: str = "HTTP"

    @property
    def counts_requests(self) -> bool:
        """Whether its load balancer could know how many requests it has."""
        return self.load_balancer is not None and self.protocol in {"HTTP", "HTTPS"}


class CommitmentKind(StrEnum):
    """What is committed to."""

    COMPUTE_SAVINGS_PLAN = "compute-savings-plan"
    INSTANCE_SAVINGS_PLAN = "instance-savings-plan"
    RESERVED_INSTANCE = "reserved-instance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitment:
    """A commitment that is active: paid whether it is used or not.

    Attributes:
        usd_per_hour: Paid every hour, upfront payments spread over the term.
        region: None for a Compute Savings Plan, which holds everywhere.
        instance_family: For example "m5"; None where it holds for all.
        instance_type: Of a reserved instance.
        product: Of a reserved instance, as EC2 names it, for example "Windows"; None where it is
            not known. A plan holds for every product.
        count: Of reserved instances.
        ends_at: Aware UTC.
    """

    commitment_id: str
    kind: CommitmentKind
    usd_per_hour: float
    region: str | None = None
    instance_family: str | None = None
    instance_type: str | None = None
    product: str | None = None
    count: int = 1
    ends_at: datetime


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """Everything that was listed in one account at one time, with indexes.

    Attributes:
        observed_at: When listing began, aware UTC.
        regions: Listed; what runs elsewhere is unknown.
    """

    observed_at: datetime
    regions: tuple[str, ...]
    instances: tuple[Instance, ...] = ()
    groups: tuple[ScalingGroup, ...] = ()
    volumes: tuple[Volume, ...] = ()
    functions: tuple[Function, ...] = ()
    services: tuple[Service, ...] = ()
    commitments: tuple[Commitment, ...] = ()

    @cached_property
    def instance(self) -> Mapping[str, Instance]:
        """Instances by id."""
        return {one.instance_id: one for one in self.instances}

    @cached_property
    def group(self) -> Mapping[tuple[str, str], ScalingGroup]:
        """Auto scaling groups by region and name."""
        return {(one.region, one.name): one for one in self.groups}

    @cached_property
    def volumes_of(self) -> Mapping[str, tuple[Volume, ...]]:
        """Volumes by the instance that they are attached to."""
        found: dict[str, list[Volume]] = defaultdict(list)
        for volume in self.volumes:
            if volume.attached_to is not None:
                found[volume.attached_to].append(volume)
        return {instance: tuple(volumes) for instance, volumes in found.items()}

    @cached_property
    def services_of(self) -> Mapping[str, tuple[Service, ...]]:
        """Every service that an instance answers for, by id."""
        found: dict[str, list[Service]] = defaultdict(list)
        for service in sorted(self.services, key=lambda one: one.service_id):
            for instance in service.instance_ids:
                found[instance].append(service)
        return {instance: tuple(services) for instance, services in found.items()}
