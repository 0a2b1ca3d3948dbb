"""Instance types: their size, and what they cost on demand."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tasks.domain.errors import PermanentError


class Architecture(StrEnum):
    """Instruction set that a workload runs on."""

    X86_64 = "x86_64"
    ARM64 = "arm64"
    ANY = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceShape:
    """Size of an instance type.

    Attributes:
        instance_type: For example "m5.large".
        vcpu: Virtual CPUs, above 0.
        memory_gib: GiB, above 0.
        architecture: x86_64 or arm64.
    """

    instance_type: str
    vcpu: float
    memory_gib: float
    architecture: Architecture

    def __post_init__(self) -> None:
        if not (self.vcpu > 0.0 and self.memory_gib > 0.0):
            msg = (
                f"{self.instance_type}: {self.vcpu} vCPU and {self.memory_gib} GiB must be above 0"
            )
            raise PermanentError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An instance type as sold on demand.

    Attributes:
        shape: Size and architecture.
        price_usd_per_hour: On demand, shared tenancy.
    """

    shape: InstanceShape
    price_usd_per_hour: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeFacts:
    """What an instance type can do besides its size, as EC2 describes it.

    Attributes:
        bursts: Whether it earns CPU credits below a baseline, as t3 does.
        local_storage_gb: 0.0 without any.
        accelerators: GPUs, FPGAs and inference chips.
        network_gbps: Lasting bandwidth; None where EC2 gives words only.
        ebs_mib_per_second: Lasting throughput to volumes; None where it shares the network.
        nitro: Whether it runs on the Nitro hypervisor or on bare metal; older images may lack
            its drivers.
    """

    shape: InstanceShape
    current_generation: bool = True
    bare_metal: bool = False
    bursts: bool = False
    local_storage_gb: float = 0.0
    accelerators: int = 0
    network_gbps: float | None = None
    ebs_mib_per_second: float | None = None
    nitro: bool = True

    @property
    def family(self) -> str:
        """For example "m5" of m5.large."""
        return self.shape.instance_type.partition(".")[0]

    @property
    def generation(self) -> int:
        """For example 5 of m5.large and 1 of a1.large; 0 where the name has no number."""
        digits = "".join(char if char.isdigit() else " " for char in self.family).split()
        return int(digits[0]) if digits else 0
