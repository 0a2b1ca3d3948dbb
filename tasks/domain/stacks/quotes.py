"""What one resource costs a month by its own inputs, and the arithmetic; None where unknown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tasks.domain.savings.money import HOURS_PER_MONTH
from tasks.domain.stacks.inputs import Inputs, blocks, number, part, text
from tasks.domain.stacks.stack_prices import StackPrices

DEFAULT_VOLUME = "gp2"
"""Kind of an EBS volume that names none, as CreateVolume documents it."""
DEFAULT_ON_DEMAND_PERCENT = 100.0
"""Of what a mixed group runs above its base, where it says nothing."""
SPOT = "spot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A monthly cost.

    Attributes:
        usd: USD a month, at least 0; None where it is not known.
        basis: The arithmetic, or what is missing.
    """

    usd: float | None
    basis: str

    def plus(self, other: Quote) -> Quote:
        """Return the sum; unknown where either is."""
        known = self.usd is not None and other.usd is not None
        total = (self.usd or 0.0) + (other.usd or 0.0)
        return Quote(usd=total if known else None, basis=f"{self.basis} + {other.basis}")


def machine_quote(
    inputs: Inputs, prices: StackPrices, *, product: str | None, running: bool = True
) -> Quote:
    """Return the cost of a machine without its disks.

    Args:
        inputs: Of an instance or a launch template.
        prices: Of its region.
        product: Operating system; None where it is not known.
        running: A stopped one costs nothing.
    """
    if not running:
        return Quote(usd=0.0, basis="stopped: 0.0000 USD/h")
    spot = part(inputs.get("instanceMarketOptions"), "marketType") == SPOT
    return hours_quote(text(inputs.get("instanceType")), prices, product=product, spot=spot)


def with_disks(machine: Quote, inputs: Inputs, prices: StackPrices) -> Quote:
    """Return the cost of a machine and of those disks that its inputs describe with their size."""
    for disk in (*blocks(inputs.get("rootBlockDevice")), *blocks(inputs.get("ebsBlockDevices"))):
        # A disk without a size is as large as its image, which is not known here.
        if number(disk.get("volumeSize")) is not None:
            machine = machine.plus(volume_quote(disk, prices))
    return machine


def hours_quote(
    instance_type: str | None, prices: StackPrices, *, product: str | None, spot: bool
) -> Quote:
    """Return what one instance costs that runs all month."""
    if instance_type is None:
        return Quote(usd=None, basis="its instance type is not known yet")
    usd = prices.hourly(instance_type, product=product, spot=spot)
    if usd is None:
        market = "on spot" if spot else "on demand"
        system = product or "an unknown operating system"
        return Quote(usd=None, basis=f"no price {market} is known of {instance_type}, {system}")
    return Quote(usd=usd * HOURS_PER_MONTH, basis=f"{usd:.4f} USD/h x {HOURS_PER_MONTH:g} h")


def volume_quote(inputs: Inputs, prices: StackPrices) -> Quote:
    """Return the cost of a volume, or of a disk of an instance."""
    kind = text(inputs.get("type")) or text(inputs.get("volumeType")) or DEFAULT_VOLUME
    size = number(inputs.get("size")) or number(inputs.get("volumeSize"))
    price = prices.volumes.get(kind)
    if size is None or price is None:
        missing = f"no price is known of {kind} volumes" if size else "its size is not known"
        return Quote(usd=None, basis=missing)
    # What gp2 can do follows from its size and is not paid for.
    iops = 0.0 if kind == "gp2" else number(inputs.get("iops")) or 0.0
    iops = max(iops - price.free_iops, 0.0)
    throughput = max((number(inputs.get("throughput")) or 0.0) - price.free_mib_per_second, 0.0)
    parts = [
        (size, "GiB", price.usd_per_gib),
        (iops, "IOPS", price.usd_per_iops),
        (throughput, "MiB/s", price.usd_per_mib_per_second),
    ]
    paid = [one for one in parts if one[0] * one[2] > 0.0] or parts[:1]
    return Quote(
        usd=math.fsum(amount * usd for amount, _, usd in paid),
        basis=" + ".join(f"{amount:g} {unit} {kind} x {usd:.4f}" for amount, unit, usd in paid),
    )


def plan_quote(inputs: Inputs) -> Quote:
    """Return what a Savings Plan's commitment costs, whatever it covers."""
    commitment = number(inputs.get("commitment"))
    if commitment is None:
        return Quote(usd=None, basis="its commitment is not known yet")
    basis = (
        f"{commitment:.4f} USD/h x {HOURS_PER_MONTH:g} h; "
        "the on-demand use that it covers is not taken off"
    )
    return Quote(usd=commitment * HOURS_PER_MONTH, basis=basis)


def group_quote(
    inputs: Inputs, template: Inputs, prices: StackPrices, *, product: str | None
) -> Quote:
    """Return the cost of the machines that a group wants.

    A mixed group's base is on demand, and of what is above it a share rounded up; the rest is on
    spot, spread evenly over its pools. Where weights are given, sizes count in their units.

    Args:
        inputs: Of the group; without a wanted size it starts with its smallest.
        template: Inputs of its launch template; empty where that is not known.
        prices: Of its region.
        product: Operating system; None where it is not known.
    """
    size = number(inputs.get("desiredCapacity"))
    size = number(inputs.get("minSize")) if size is None else size
    if size is None:
        return Quote(usd=None, basis="its size is not known yet")
    mixed = inputs.get("mixedInstancesPolicy")
    if mixed and not blocks(mixed):
        return Quote(usd=None, basis="its mixed instances policy is not known yet")
    if not mixed:
        return _times(machine_quote(template, prices, product=product), size)
    pools = _pools(blocks(part(mixed, "launchTemplate", "overrides")), template)
    if pools is None:
        return Quote(usd=None, basis="an instance type of its pools is not known yet")
    distribution = part(mixed, "instancesDistribution")
    base = min(number(part(distribution, "onDemandBaseCapacity")) or 0.0, size)
    percent = number(part(distribution, "onDemandPercentageAboveBaseCapacity"))
    percent = DEFAULT_ON_DEMAND_PERCENT if percent is None else percent
    on_demand = min(base + math.ceil((size - base) * percent / 100.0 - 1e-9), size)
    first = hours_quote(pools[0][0], prices, product=product, spot=False)
    total = _times(_times(first, 1.0 / pools[0][1]), on_demand)
    return total.plus(_spot_part(pools, size - on_demand, prices, product=product))


def _pools(overrides: Sequence[Inputs], template: Inputs) -> list[tuple[str, float]] | None:
    """Return instance types with their weights, in order; None where one is not known."""
    rows = overrides or (template,)
    found = [(text(one.get("instanceType")), number(one.get("weightedCapacity"))) for one in rows]
    named = [(name, weight or 1.0) for name, weight in found if name is not None]
    return named if len(named) == len(found) else None


def _spot_part(
    pools: Sequence[tuple[str, float]],
    units: float,
    prices: StackPrices,
    *,
    product: str | None,
) -> Quote:
    if units <= 0.0:
        return Quote(usd=0.0, basis="none on spot")
    quotes = [
        _times(hours_quote(name, prices, product=product, spot=True), 1.0 / weight)
        for name, weight in pools
    ]
    known = [one.usd for one in quotes if one.usd is not None]
    if len(known) < len(quotes):
        missing = [one.basis for one in quotes if one.usd is None]
        return Quote(usd=None, basis=missing[0])
    mean = math.fsum(known) / len(known)
    basis = (
        f"{units:g} x {mean / HOURS_PER_MONTH:.4f} USD/h x {HOURS_PER_MONTH:g} h "
        f"on spot, mean of {len(pools)} pools"
    )
    return Quote(usd=units * mean, basis=basis)


def _times(quote: Quote, factor: float) -> Quote:
    if factor == 0.0:
        return Quote(usd=0.0, basis="none")
    if quote.usd is None or factor == 1.0:
        return quote
    return Quote(usd=quote.usd * factor, basis=f"{factor:g} x {quote.basis}")
