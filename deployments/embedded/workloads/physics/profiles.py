"""What a workload is like: what a request costs, what it needs, and how it starts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from deployments.embedded.workloads.physics.arrays import InvalidValueError, check_number
from deployments.embedded.workloads.physics.demand import DemandPattern


class Need(StrEnum):
    """What becomes of a client whose dependency does not answer."""

    CRASH = "crash"
    """Its requests fail, it cannot start, and after its patience it exits."""
    FAIL = "fail"
    """The requests that call it fail."""
    DEGRADE = "degrade"
    """It answers without; the time the call took is lost all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """One workload, or service outside the cluster, that another calls.

    Attributes:
        name: As its profile has it; a name without a profile is outside the cluster.
        share: Of the requests, how many call it; above 0 to 1.
        calls: By each of those, one after the other; above 0 to 50.
        need: What becomes of a client without it.
        timeout_seconds: Of one call; above 0 to 300.
        retries: After a failed call, 0 to 5.
    """

    name: str
    share: float = 1.0
    calls: float = 1.0
    need: Need = Need.FAIL
    timeout_seconds: float = 2.0
    retries: int = 0

    def __post_init__(self) -> None:
        """Check the bounds.

        Raises:
            InvalidValueError: A number is out of its bounds.
        """
        owner = f"dependency {self.name}"
        check_number(owner, "share", self.share, low=0.0, high=1.0, above=True)
        check_number(owner, "calls", self.calls, low=0.0, high=50.0, above=True)
        check_number(
            owner, "timeout_seconds", self.timeout_seconds, low=0.0, high=300.0, above=True
        )
        check_number(owner, "retries", self.retries, low=0, high=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadProfile:
    """What a replica of a workload does with the requests it gets.

    Attributes:
        name: "namespace/name", as faults name it.
        demand: Requests from outside the cluster; None where only other workloads ask.
        dependencies: What its requests call.
        cpu_seconds_per_request: Processor time of one request on a warm replica; above 0 to 60.
        idle_cpu_cores: What a started replica uses without requests; 0 to 8.
        wait_seconds: Of a request, neither on the processor nor in a dependency; 0 to 60.
        threads: Requests that a replica works on at once; 1 to 100,000.
        memory_base_mib: Of a started replica without requests; above 0 to 1e6.
        memory_mib_per_request: While a request is being worked on; 0 to 1e4.
        cache_mib: What caches grow to; 0 to 1e6.
        cache_hours: After so long they have 63 percent of that; above 0 to 1,000.
        startup_seconds: From the start of the container to the first answer; above 0 to 3,600.
        startup_cpu_cores: What it uses until then; 0 to 8. Less makes the start longer.
        warm_up_seconds: After so long the extra cost of a cold replica is 37 percent; 0 to 3,600.
        warm_up_factor: What a request costs on a cold replica as a multiple, less 1; 0 to 10.
        error_fraction: Of requests, without any fault; 0 to 0.5.
        request_timeout_seconds: After so long its callers from outside give up; above 0 to 300.
        disk_mib_per_hour: What a replica writes and keeps; 0 to 1e6.
        disk_retention_hours: How long it is kept; above 0 to 1e4.
        volume_mib: Size of its volume; None when it writes to the node's disk.
        volume_reads_per_request: Reads and writes of the volume by one request; 0 to 100.
        request_kib: Size of a request; 0 to 1e5.
        response_kib: Size of an answer; 0 to 1e5.
        queue: Requests wait in a queue outside it until a replica takes them.
        patience_seconds: How long it lives without a dependency of need "crash"; 0 to 1e5.
        ready_needs_dependencies: Its readiness endpoint calls its dependencies.
        live_needs_dependencies: Its liveness endpoint does, which is a mistake people make.
        bad_tags: Image tags whose programs exit at their start.
        missing_tags: Image tags that the registry does not have.
        required_keys: Of its ConfigMap or environment; without one its program exits at its start.
    """

    name: str
    cpu_seconds_per_request: float
    demand: DemandPattern | None = None
    dependencies: tuple[Dependency, ...] = ()
    idle_cpu_cores: float = 0.01
    wait_seconds: float = 0.002
    threads: int = 128
    memory_base_mib: float = 96.0
    memory_mib_per_request: float = 1.0
    cache_mib: float = 0.0
    cache_hours: float = 2.0
    startup_seconds: float = 8.0
    startup_cpu_cores: float = 0.3
    warm_up_seconds: float = 30.0
    warm_up_factor: float = 0.5
    error_fraction: float = 0.0005
    request_timeout_seconds: float = 10.0
    disk_mib_per_hour: float = 2.0
    disk_retention_hours: float = 24.0
    volume_mib: float | None = None
    volume_reads_per_request: float = 0.0
    request_kib: float = 2.0
    response_kib: float = 12.0
    queue: bool = False
    patience_seconds: float = 45.0
    ready_needs_dependencies: bool = False
    live_needs_dependencies: bool = False
    bad_tags: frozenset[str] = frozenset()
    missing_tags: frozenset[str] = frozenset()
    required_keys: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Check the bounds.

        Raises:
            InvalidValueError: A number is out of its bounds, or the name has no namespace.
        """
        if self.name.count("/") != 1:
            reason = f'is {self.name!r}; give "namespace/name"'
            raise InvalidValueError(self.name, "name", reason)
        for field, (low, high) in _BOUNDS.items():
            check_number(self.name, field, getattr(self, field), low=low, high=high)
        for field, high in _ABOVE_ZERO.items():
            check_number(self.name, field, getattr(self, field), low=0.0, high=high, above=True)
        if self.volume_mib is not None:
            check_number(self.name, "volume_mib", self.volume_mib, low=0.0, high=1e8, above=True)


_BOUNDS = {
    "idle_cpu_cores": (0.0, 8.0),
    "wait_seconds": (0.0, 60.0),
    "threads": (1, 100_000),
    "memory_mib_per_request": (0.0, 1e4),
    "cache_mib": (0.0, 1e6),
    "startup_cpu_cores": (0.0, 8.0),
    "warm_up_seconds": (0.0, 3_600.0),
    "warm_up_factor": (0.0, 10.0),
    "error_fraction": (0.0, 0.5),
    "disk_mib_per_hour": (0.0, 1e6),
    "volume_reads_per_request": (0.0, 100.0),
    "request_kib": (0.0, 1e5),
    "response_kib": (0.0, 1e5),
    "patience_seconds": (0.0, 1e5),
}
_ABOVE_ZERO = {
    "cpu_seconds_per_request": 60.0,
    "memory_base_mib": 1e6,
    "cache_hours": 1_000.0,
    "startup_seconds": 3_600.0,
    "request_timeout_seconds": 300.0,
    "disk_retention_hours": 1e4,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeProfile:
    """A machine.

    Attributes:
        name: As the Node object has it.
        zone: Its topology.kubernetes.io/zone.
        cpu_cores: Above 0 to 1,024.
        memory_mib: Above 0 to 1e8.
        disk_mib: Of the file system that containers write to; above 0 to 1e9.
        system_cpu_cores: What the system itself uses.
        system_memory_mib: What the system itself holds.
        system_disk_mib: Images and the system.
    """

    name: str
    zone: str = "zone-a"
    cpu_cores: float = 4.0
    memory_mib: float = 16_384.0
    disk_mib: float = 102_400.0
    system_cpu_cores: float = 0.1
    system_memory_mib: float = 700.0
    system_disk_mib: float = 20_480.0

    def __post_init__(self) -> None:
        """Check the bounds.

        Raises:
            InvalidValueError: A number is out of its bounds.
        """
        for field, high in {"cpu_cores": 1024.0, "memory_mib": 1e8, "disk_mib": 1e9}.items():
            check_number(self.name, field, getattr(self, field), low=0.0, high=high, above=True)
