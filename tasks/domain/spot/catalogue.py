"""Plausible pools and on-demand prices, for simulations of a market nobody recorded."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from itertools import islice

from tasks.domain.errors import PermanentError
from tasks.domain.spot.pools import Pool

REGIONS = (
    "us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-1", "ap-northeast-1",
    "us-east-2", "us-west-1", "eu-west-2", "eu-west-3", "eu-north-1", "ap-south-1",
    "ap-southeast-2", "ap-northeast-2", "ca-central-1", "sa-east-1",
)  # fmt: skip
ZONES_PER_REGION = 3
PRODUCTS = ("Linux/UNIX", "Windows")

# Ordered so that a small catalogue already mixes families and both architectures.
GENERATIONS = (
    "5", "6g", "6i", "5a", "7g", "7i", "6a", "5d", "7a", "6gd", "5n", "6id", "7gd", "8g", "6in", "5ad",
)  # fmt: skip
FAMILIES = tuple(f"{kind}{generation}" for generation in GENERATIONS for kind in ("m", "c", "r"))

# vCPUs of each size.
SIZES = {
    "large": 2, "xlarge": 4, "2xlarge": 8, "4xlarge": 16, "8xlarge": 32, "12xlarge": 48,
    "16xlarge": 64, "24xlarge": 96, "metal": 96,
}  # fmt: skip

USD_PER_VCPU_HOUR = {"c": 0.0425, "m": 0.048, "r": 0.063}
"""us-east-1, fifth generation, rounded; other families vary around it."""


def synthetic_pools(n: int, *, regions: Sequence[str] = REGIONS) -> tuple[Pool, ...]:
    """Return n plausible pools: all zones of a type, then the type's next region, then types.

    Args:
        n: Number of pools, at least 0.
        regions: Region names, used in turn.

    Raises:
        PermanentError: When the regions do not hold as many pools.
    """
    pools = tuple(islice(_all_pools(regions), n))
    if len(pools) < n:
        msg = f"{n} pools asked for, {len(regions)} regions hold {len(pools)}; name more regions"
        raise PermanentError(msg)
    return pools


def _all_pools(regions: Sequence[str]) -> Iterator[Pool]:
    for product in PRODUCTS:
        for size in SIZES:
            for family in FAMILIES:
                for region in regions:
                    for zone in "abcdef"[:ZONES_PER_REGION]:
                        yield Pool(
                            availability_zone=f"{region}{zone}",
                            instance_type=f"{family}.{size}",
                            product_description=product,
                        )


def assumed_on_demand_price(instance_type: str) -> float:
    """Return a plausible on-demand price, USD per hour, for a type without a price list.

    Proportional to the size, by kind of family, within 15 % of the kind's price; a fixed function
    of the name. An assumption for simulations: never show it as a price of AWS.
    """
    family, _, size = instance_type.partition(".")
    per_vcpu = USD_PER_VCPU_HOUR.get(family[:1], USD_PER_VCPU_HOUR["m"])
    # crc32, because hash() of a str differs from one process to the next.
    variation = 0.85 + 0.3 * (zlib.crc32(family.encode()) % 1000) / 1000
    return round(per_vcpu * variation * _vcpus(size), 4)


def _vcpus(size: str) -> float:
    if size in SIZES:
        return float(SIZES[size])
    multiple = size.removesuffix("xlarge")
    return 4.0 * int(multiple) if multiple.isdigit() else 1.0
