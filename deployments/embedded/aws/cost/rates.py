"""What an instance costs an hour and a volume a month."""

from __future__ import annotations

from dataclasses import dataclass

from deployments.embedded.aws.cost.snapshot import BilledInstance, BilledVolume
from deployments.embedded.aws.price_list import REGIONS, on_demand_types, on_demand_usd_per_hour
from deployments.embedded.aws.storage_prices import VOLUME_KINDS

WINDOWS_USD_PER_VCPU_HOUR = 0.046
"""What Windows adds to the price for Linux."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """Something of a volume that is billed by the month.

    Attributes:
        usage_type: Without the region's prefix.
        quantity: Units, above 0.
        usd: A unit and month.
    """

    usage_type: str
    quantity: float
    usd: float
    unit: str


def on_demand_rate(one: BilledInstance) -> float | None:
    """Return USD an hour on demand; None for a type or region that the price list does not know."""
    price = on_demand_usd_per_hour(one.instance_type, region=one.region)
    if price is None or one.product != "Windows":
        return price
    return price + WINDOWS_USD_PER_VCPU_HOUR * on_demand_types()[one.instance_type].vcpu


def volume_amounts(one: BilledVolume) -> list[Amount]:
    """Return what of a volume is billed; nothing for a kind or region without a price.

    Provisioned operations cost their first tier, which holds up to 32,000 a second.
    """
    if one.region not in REGIONS or one.kind not in VOLUME_KINDS:
        return []
    kind, level = VOLUME_KINDS[one.kind], REGIONS[one.region][1]
    usd_per_iops = kind.iops_tiers[0][1] if kind.iops_tiers else 0.0
    amounts = (
        ("VolumeUsage", one.size_gib, kind.usd_per_gib, "GB-Mo"),
        ("VolumeP-IOPS", (one.iops or 0.0) - kind.free_iops, usd_per_iops, "IOPS-Mo"),
        (
            "VolumeP-Throughput",
            (one.mib_per_second or 0.0) - kind.free_mib_per_second,
            kind.usd_per_mib_per_second,
            "MiBps-Mo",
        ),
    )
    return [
        Amount(usage_type=f"EBS:{what}{kind.usage}", quantity=amount, usd=usd * level, unit=unit)
        for what, amount, usd, unit in amounts
        if amount > 0.0 and usd > 0.0
    ]
