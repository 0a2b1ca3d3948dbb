"""List prices of EBS volumes, us-east-1, and the products that the price list makes of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from deployments.embedded.aws.price_products import PricedRegion, Product

MIB_PER_GIB = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeKind:
    """What a kind of volume costs in us-east-1.

    Attributes:
        name: volumeType of the price list.
        media: storageMedia of the price list.
        usage: End of its usage types: io1 is still called piops there.
        usd_per_gib: A month.
        iops_tiers: (provisioned operations per second from which it holds, USD each a month).
        free_iops: Included.
        usd_per_mib_per_second: A month.
        free_mib_per_second: Included.
    """

    name: str
    media: str
    usage: str
    usd_per_gib: float
    iops_tiers: tuple[tuple[float, float], ...] = ()
    free_iops: float = 0.0
    usd_per_mib_per_second: float = 0.0
    free_mib_per_second: float = 0.0


VOLUME_KINDS: dict[str, VolumeKind] = {
    "gp2": VolumeKind(name="General Purpose", media="SSD-backed", usage=".gp2", usd_per_gib=0.10),
    "gp3": VolumeKind(
        name="General Purpose",
        media="SSD-backed",
        usage=".gp3",
        usd_per_gib=0.08,
        iops_tiers=((0, 0.005),),
        free_iops=3000,
        usd_per_mib_per_second=0.04,
        free_mib_per_second=125,
    ),
    "io1": VolumeKind(
        name="Provisioned IOPS",
        media="SSD-backed",
        usage=".piops",
        usd_per_gib=0.125,
        iops_tiers=((0, 0.065),),
    ),
    "io2": VolumeKind(
        name="Provisioned IOPS",
        media="SSD-backed",
        usage=".io2",
        usd_per_gib=0.125,
        iops_tiers=((0, 0.065), (32_000, 0.0455), (64_000, 0.03185)),
    ),
    "st1": VolumeKind(
        name="Throughput Optimized HDD", media="HDD-backed", usage=".st1", usd_per_gib=0.045
    ),
    "sc1": VolumeKind(name="Cold HDD", media="HDD-backed", usage=".sc1", usd_per_gib=0.015),
    "standard": VolumeKind(name="Magnetic", media="HDD-backed", usage="", usd_per_gib=0.05),
}


def storage_products(region: PricedRegion) -> Iterator[Product]:
    """Yield a region's products: sizes, provisioned operations and provisioned throughput."""
    for kind, price in VOLUME_KINDS.items():
        yield _size(region, kind, price)
        yield from _operations(region, kind, price)
        if price.usd_per_mib_per_second:
            yield _throughput(region, kind, price)


def _size(region: PricedRegion, kind: str, price: VolumeKind) -> Product:
    return Product(
        service="AmazonEC2",
        family="Storage",
        attributes={
            **_attributes(region, kind, price, f"EBS:VolumeUsage{price.usage}"),
            "storageMedia": price.media,
        },
        unit="GB-Mo",
        tiers=((0, round(price.usd_per_gib * region.level, 6)),),
        what=f"GB-month of {kind} storage",
    )


def _operations(region: PricedRegion, kind: str, price: VolumeKind) -> Iterator[Product]:
    # As AWS lists them: a usage type per tier, each from 0.
    for tier, (_, usd) in enumerate(price.iops_tiers, start=1):
        suffix = "" if tier == 1 else f".tier{tier}"
        usage = f"EBS:VolumeP-IOPS{price.usage}{suffix}"
        yield Product(
            service="AmazonEC2",
            family="System Operation",
            attributes={
                **_attributes(region, kind, price, usage),
                "group": f"EBS IOPS{'' if tier == 1 else f' Tier {tier}'}",
                "provisioned": "Yes",
            },
            unit="IOPS-Mo",
            tiers=((0, round(usd * region.level, 6)),),
            what=f"IOPS-month provisioned ({kind})",
        )


def _throughput(region: PricedRegion, kind: str, price: VolumeKind) -> Product:
    usd = price.usd_per_mib_per_second * MIB_PER_GIB * region.level
    return Product(
        service="AmazonEC2",
        family="Provisioned Throughput",
        attributes={
            **_attributes(region, kind, price, f"EBS:VolumeP-Throughput{price.usage}"),
            "group": "EBS Throughput",
            "provisioned": "Yes",
        },
        unit="GiBps-mo",
        tiers=((0, round(usd, 6)),),
        what=f"provisioned GiBps-month of {kind}",
    )


def _attributes(region: PricedRegion, kind: str, price: VolumeKind, usage: str) -> dict[str, str]:
    common = region.attributes(
        service="AmazonEC2", name="Amazon Elastic Compute Cloud", usage=usage
    )
    return {**common, "volumeApiName": kind, "volumeType": price.name}
