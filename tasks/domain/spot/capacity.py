"""What capacity is needed, what a pool offers, and what an instance there really costs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from tasks.domain.errors import PermanentError
from tasks.domain.instances import Architecture, InstanceShape
from tasks.domain.spot.interruption import InterruptionRisk
from tasks.domain.spot.pools import Pool
from tasks.domain.spot.summary import PoolSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityNeed:
    """What is asked for.

    Attributes:
        vcpu: Virtual CPUs in total, above 0.
        memory_gib: GiB in total, above 0.
        architecture: Required instruction set, or any.
        horizon: How long it is needed, above 0.
        min_pools: Spread over at least so many pools, at least 1.
        max_pools: And at most so many.
        max_share: Largest share of the allocated vCPUs, and of the memory, that one pool may hold;
            above 0 to 1.
        rework_hours: Work lost with an interrupted instance, hours of its running time, at least 0.
        replacement_hours: Time that an on-demand instance stands in after an interruption.
    """

    vcpu: float
    memory_gib: float
    architecture: Architecture = Architecture.ANY
    horizon: timedelta = timedelta(hours=24)
    min_pools: int = 1
    max_pools: int = 10
    max_share: float = 1.0
    rework_hours: float = 0.5
    replacement_hours: float = 1.0

    def __post_init__(self) -> None:
        if not (self.vcpu > 0.0 and self.memory_gib > 0.0 and self.horizon > timedelta(0)):
            msg = (
                f"{self.vcpu} vCPU and {self.memory_gib} GiB for {self.horizon} is no need; "
                "all three must be above 0"
            )
            raise PermanentError(msg)
        if not (1 <= self.min_pools <= self.max_pools and 0.0 < self.max_share <= 1.0):
            msg = (
                f"{self.min_pools} to {self.max_pools} pools with at most {self.max_share:.0%} in "
                "one; allowed are 1 <= min_pools <= max_pools and a share above 0 to 100 %"
            )
            raise PermanentError(msg)
        if not (self.rework_hours >= 0.0 and self.replacement_hours >= 0.0):
            msg = f"rework {self.rework_hours} h, replacement {self.replacement_hours} h: below 0"
            raise PermanentError(msg)

    def accepts(self, shape: InstanceShape) -> bool:
        """Return whether the workload runs on the shape's architecture."""
        return self.architecture in {Architecture.ANY, shape.architecture}

    def share(self, shape: InstanceShape) -> float:
        """Return the share of the whole need that one instance covers by itself."""
        return min(shape.vcpu / self.vcpu, shape.memory_gib / self.memory_gib)

    def instances_alone(self, shape: InstanceShape) -> int:
        """Return how many instances of the shape cover the need by themselves."""
        # The tolerance keeps 0.3 / 0.1 from being 4.
        return max(1, ceil(1.0 / self.share(shape) - 1e-9))


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A pool that could serve; prices in USD per hour over the need's horizon.

    Attributes:
        pool: Which pool.
        shape: Of its instance type.
        price_usd_per_hour: Expected, above 0.
        low_usd_per_hour: Lower end of the price's interval.
        high_usd_per_hour: Upper end.
        on_demand_usd_per_hour: None when unknown.
        risk: Of one instance.
    """

    pool: Pool
    shape: InstanceShape
    price_usd_per_hour: float
    low_usd_per_hour: float
    high_usd_per_hour: float
    on_demand_usd_per_hour: float | None
    risk: InterruptionRisk

    def __post_init__(self) -> None:
        if not 0.0 < self.low_usd_per_hour <= self.price_usd_per_hour <= self.high_usd_per_hour:
            msg = (
                f"{self.pool}: price {self.price_usd_per_hour} within {self.low_usd_per_hour} to "
                f"{self.high_usd_per_hour} USD per hour; must be above 0 and in that order"
            )
            raise PermanentError(msg)


def candidate_of(
    summary: PoolSummary, *, shape: InstanceShape, risk: InterruptionRisk
) -> Candidate:
    """Return a forecast pool as a candidate; its price interval always holds the mean."""
    mean = summary.mean_usd_per_hour
    return Candidate(
        pool=summary.pool,
        shape=shape,
        price_usd_per_hour=mean,
        # A mean of equal prices differs from them in the last bit; a skewed one may lie outside.
        low_usd_per_hour=min(summary.low_usd_per_hour, mean),
        high_usd_per_hour=max(summary.high_usd_per_hour, mean),
        on_demand_usd_per_hour=summary.on_demand_usd_per_hour,
        risk=risk,
    )


def effective_cost_usd_per_hour(
    price_usd_per_hour: float,
    *,
    interruptions_per_hour: float,
    on_demand_usd_per_hour: float | None,
    need: CapacityNeed,
) -> float:
    """Return what an hour of one instance costs, interruptions included.

    Each interruption repeats the lost work at the spot price, and pays the difference to on-demand
    while a replacement is sought. With the on-demand price unknown it is taken as twice the spot
    price, so that ignorance is never cheaper than a usual discount.
    """
    on_demand = on_demand_usd_per_hour
    premium = price_usd_per_hour if on_demand is None else max(on_demand - price_usd_per_hour, 0.0)
    per_interruption = need.rework_hours * price_usd_per_hour + need.replacement_hours * premium
    return price_usd_per_hour + interruptions_per_hour * per_interruption
