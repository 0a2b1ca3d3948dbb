"""Parameters of the spot flow, as the run form shows them."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tasks.domain.instances import Architecture
from tasks.domain.spot.capacity import CapacityNeed

InstanceType = Annotated[str, Field(pattern=r"^[a-z0-9-]+\.[a-z0-9-]+$", examples=["m5.large"])]

Product = Literal[
    "Linux/UNIX",
    "Red Hat Enterprise Linux",
    "SUSE Linux",
    "Windows",
]


class CapacityRequest(BaseModel):
    """Capacity that the ranked pools should provide together."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    vcpu: float = Field(32, gt=0, le=100_000, description="Virtual CPUs in total.")
    memory_gib: float = Field(128, gt=0, le=1_000_000, description="Memory in total, GiB.")
    product: Product = Field("Linux/UNIX", description="Operating system that is ranked.")
    architecture: Architecture = Field(
        Architecture.ANY, description="Instruction set that the workload runs on."
    )
    horizon_hours: int = Field(24, ge=1, le=168, description="How long it is needed.")
    min_pools: int = Field(2, ge=1, le=50, description="Spread over at least so many pools.")
    max_pools: int = Field(6, ge=1, le=50, description="Spread over at most so many pools.")
    max_share: float = Field(
        0.5,
        gt=0,
        le=1,
        description="Largest share of the allocated vCPUs, and of the memory, in one pool.",
    )
    rework_hours: float = Field(
        0.5, ge=0, le=168, description="Work lost with an interrupted instance, hours."
    )

    @model_validator(mode="after")
    def _pools_in_order(self) -> CapacityRequest:
        if self.min_pools > self.max_pools:
            message = f"min_pools {self.min_pools} is above max_pools {self.max_pools}"
            raise ValueError(message)
        return self

    def need(self) -> CapacityNeed:
        """Return the request as the domain knows it."""
        fields = self.model_dump(exclude={"horizon_hours", "product"})
        return CapacityNeed(horizon=timedelta(hours=self.horizon_hours), **fields)
