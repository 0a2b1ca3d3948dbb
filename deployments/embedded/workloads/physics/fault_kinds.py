"""Every kind of fault that the physics knows."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from deployments.embedded.workloads.physics.arrays import InvalidValueError
from deployments.embedded.workloads.physics.faults import (
    EdgeFault,
    Fault,
    FaultReader,
    NodeFault,
    ReplicaFault,
    number,
    optional_number,
    registered,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryLeak(ReplicaFault):
    """Memory that grows with the age of the process; mib_per_hour above 0 to 1e6."""

    kind: ClassVar[str] = "memory-leak"
    sentence: ClassVar[str] = "Each process keeps so many MiB more every hour, until it is killed."
    mib_per_hour: float = number(0.0, 1e6, above=True, unit="MiB/h", example=6000.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryDemand(ReplicaFault):
    """A process that needs a multiple of its memory; factor above 0 to 100."""

    kind: ClassVar[str] = "memory-demand"
    sentence: ClassVar[str] = "The replicas need so many times the memory: their data has grown."
    factor: float = number(0.0, 100.0, above=True, example=4.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficSpike(Fault):
    """More requests from outside; factor 0 to 1,000."""

    kind: ClassVar[str] = "traffic-spike"
    sentence: ClassVar[str] = "So many times the usual requests come from outside."
    target: str
    factor: float = number(0.0, 1_000.0, example=5.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRate(ReplicaFault):
    """Requests that fail by a fault of the program; fraction 0 to 1."""

    kind: ClassVar[str] = "error-rate"
    sentence: ClassVar[str] = "So large a fraction of requests fails in the program itself."
    fraction: float = number(0.0, 1.0, example=0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slowdown(ReplicaFault):
    """Requests that cost more processor time; factor above 0 to 1,000."""

    kind: ClassVar[str] = "slowdown"
    sentence: ClassVar[str] = "A request costs so many times the processor time."
    factor: float = number(0.0, 1_000.0, above=True, example=6.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuStress(ReplicaFault):
    """Processor time that no request causes; cores above 0 to 128."""

    kind: ClassVar[str] = "cpu-stress"
    sentence: ClassVar[str] = "Something in the container uses so many cores."
    cores: float = number(0.0, 128.0, above=True, example=2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlock(ReplicaFault):
    """A process that lives and answers nobody.

    With recurs_after_seconds (1 to 1e6) it locks again so long after each restart.
    """

    kind: ClassVar[str] = "deadlock"
    sentence: ClassVar[str] = "The process lives, uses no processor and answers nobody."
    disguise: ClassVar[str] = "an unready pod without a log line or an exit: a slow dependency"
    once: ClassVar[bool] = True
    recurs_after_seconds: float | None = optional_number(1.0, 1e6, unit="s")


@dataclass(frozen=True, slots=True, kw_only=True)
class DependencyDown(Fault):
    """A workload, or a service outside the cluster, that refuses every connection."""

    kind: ClassVar[str] = "dependency-down"
    sentence: ClassVar[str] = "The service refuses connections until the fault is withdrawn."
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskFill(ReplicaFault):
    """Files that pile up; mib_per_hour above 0 to 1e7."""

    kind: ClassVar[str] = "disk-fill"
    sentence: ClassVar[str] = "The replicas write so many MiB an hour and delete nothing."
    mib_per_hour: float = number(0.0, 1e7, above=True, unit="MiB/h", example=2_000_000.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeDelay(ReplicaFault):
    """A volume that answers late; milliseconds above 0 to 60,000."""

    kind: ClassVar[str] = "volume-delay"
    sentence: ClassVar[str] = "Every read and write of the volume takes so much longer."
    disguise: ClassVar[str] = "a slow program: latency without processor time"
    milliseconds: float = number(0.0, 60_000.0, above=True, unit="ms", example=200.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeErrors(ReplicaFault):
    """A volume whose reads and writes fail; fraction above 0 to 1."""

    kind: ClassVar[str] = "volume-errors"
    sentence: ClassVar[str] = "So large a fraction of the volume's reads and writes fails."
    fraction: float = number(0.0, 1.0, above=True, example=0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeLost(NodeFault):
    """A machine that is off."""

    kind: ClassVar[str] = "node-lost"
    sentence: ClassVar[str] = "The machine is off: nothing on it runs or reports."


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePartitioned(NodeFault):
    """A machine that the API server cannot reach; its pods go on, and serve unless told not to."""

    kind: ClassVar[str] = "node-partitioned"
    sentence: ClassVar[str] = "The kubelet cannot reach the API server; the pods go on."
    disguise: ClassVar[str] = "a lost node, although its pods live and may write"
    serves: bool = True


class Resource(StrEnum):
    """What a node runs short of."""

    MEMORY = "memory"
    DISK = "disk"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePressure(NodeFault):
    """Something outside of pods that holds a node's memory or disk; fraction above 0 to 1."""

    kind: ClassVar[str] = "node-pressure"
    sentence: ClassVar[str] = "Something outside of pods holds so much of the node's resource."
    disguise: ClassVar[str] = "pods that are OOMKilled below their limits, or evicted"
    resource: str = field(metadata={"example": Resource.MEMORY.value})
    fraction: float = number(0.0, 1.0, above=True, example=0.97)

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            InvalidValueError: The resource is neither memory nor disk, or as for every fault.
        """
        Fault.__post_init__(self)
        if self.resource not in tuple(Resource):
            known = " or ".join(Resource)
            raise InvalidValueError(self.kind, "resource", f"is {self.resource!r}; give {known}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NoisyNeighbour(NodeFault):
    """Processor time that something outside of pods takes from a node; cores above 0 to 1,024."""

    kind: ClassVar[str] = "noisy-neighbour"
    sentence: ClassVar[str] = "Something outside of pods takes so many cores of the machine."
    disguise: ClassVar[str] = "a slow program on some replicas, below its limit and unthrottled"
    cores: float = number(0.0, 1_024.0, above=True, example=4.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSkew(NodeFault):
    """A machine whose clock is off; seconds -1e6 to 1e6."""

    kind: ClassVar[str] = "clock-skew"
    sentence: ClassVar[str] = "The clock of the machine is off: signed requests are refused."
    disguise: ClassVar[str] = "errors of the program on some replicas"
    seconds: float = number(-1e6, 1e6, example=900.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeLatency(EdgeFault):
    """Calls that take longer; milliseconds above 0 to 60,000."""

    kind: ClassVar[str] = "edge-latency"
    sentence: ClassVar[str] = "Every call on the edge takes so much longer."
    milliseconds: float = number(0.0, 60_000.0, above=True, unit="ms", example=500.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeLoss(EdgeFault):
    """Packets that are lost; fraction above 0 to 1."""

    kind: ClassVar[str] = "edge-loss"
    sentence: ClassVar[str] = "So large a fraction of packets on the edge is lost."
    disguise: ClassVar[str] = "a slow dependency, which itself is fast"
    fraction: float = number(0.0, 1.0, above=True, example=0.3)


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgePartition(EdgeFault):
    """Calls that are never answered."""

    kind: ClassVar[str] = "edge-partition"
    sentence: ClassVar[str] = "No packet passes the edge: calls run into their time-outs."
    disguise: ClassVar[str] = "a dependency that is down, although it serves everyone else"


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateExpired(EdgeFault):
    """Calls that fail at the handshake."""

    kind: ClassVar[str] = "certificate-expired"
    sentence: ClassVar[str] = "The certificate on the edge has expired: handshakes fail at once."
    disguise: ClassVar[str] = "a dependency that is down, although it is healthy"


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsFailure(Fault):
    """Names that a workload cannot look up; fraction above 0 to 1."""

    kind: ClassVar[str] = "dns-failure"
    sentence: ClassVar[str] = "So large a fraction of the workload's look-ups of names fails."
    disguise: ClassVar[str] = "all its dependencies down at once"
    target: str
    fraction: float = number(0.0, 1.0, default=1.0, above=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostKill(ReplicaFault):
    """A kill from outside the container, once or every so many seconds (10 to 1e6)."""

    kind: ClassVar[str] = "host-kill"
    sentence: ClassVar[str] = "The host kills the process, once or again and again."
    disguise: ClassVar[str] = "exit 137 as of too little memory, but never OOMKilled"
    once: ClassVar[bool] = True
    every_seconds: float | None = optional_number(10.0, 1e6, unit="s")


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowStart(ReplicaFault):
    """A start that takes longer; factor above 1 to 1,000."""

    kind: ClassVar[str] = "slow-start"
    sentence: ClassVar[str] = "The replicas take so many times longer to come up."
    disguise: ClassVar[str] = "a crash: the liveness probe kills it before it is up"
    factor: float = number(1.0, 1_000.0, above=True, example=10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CorruptState(ReplicaFault):
    """Files that make the program exit at its start, until the pod is made anew."""

    kind: ClassVar[str] = "corrupt-state"
    sentence: ClassVar[str] = "The pod's files are corrupt: its program exits at every start."
    disguise: ClassVar[str] = "a bad image or a wrong configuration; a new pod is well"
    once: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SecuritySignal(ReplicaFault):
    """A foreign process: cores above 0 to 128, egress_mib_per_second 0 to 1e5."""

    kind: ClassVar[str] = "security-signal"
    sentence: ClassVar[str] = "A foreign process computes and sends data out of the container."
    disguise: ClassVar[str] = "a busy program: processor time and traffic without requests"
    cores: float = number(0.0, 128.0, above=True, example=1.0)
    egress_mib_per_second: float = number(0.0, 1e5, default=0.5, unit="MiB/s")


KINDS = registered((
    MemoryLeak, MemoryDemand, TrafficSpike, ErrorRate, Slowdown, CpuStress, Deadlock,
    DependencyDown, DiskFill, VolumeDelay, VolumeErrors, NodeLost, NodePartitioned, NodePressure,
    NoisyNeighbour, ClockSkew, EdgeLatency, EdgeLoss, EdgePartition, CertificateExpired, DnsFailure,
    HostKill, SlowStart, CorruptState, SecuritySignal,
))  # fmt: skip
"""Kinds by their names in JSON, in the order in which `homeostat faults` lists them."""

READER = FaultReader(KINDS)
from_json = READER.from_json
from_mapping = READER.from_mapping
