"""Prices that a preview is reckoned with: one region's part of the price book, by what is bought."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from tasks.domain.savings.money import PriceBook, VolumePrice

LINUX = "Linux/UNIX"
"""The only product that spot quotes are known of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackPrices:
    """Prices of one region. What is not in it is unknown, never free.

    Attributes:
        on_demand: USD an hour by (instance type, product).
        volumes: Monthly prices by kind, for example "gp3".
        spot: USD an hour by instance type, Linux: the mean over the zones that are quoted.
        products: Operating system by id of the instance or name of the group.
        product: Of machines that are not in `products`; None where the region runs several.
    """

    on_demand: Mapping[tuple[str, str], float] = field(default_factory=dict)
    volumes: Mapping[str, VolumePrice] = field(default_factory=dict)
    spot: Mapping[str, float] = field(default_factory=dict)
    products: Mapping[str, str] = field(default_factory=dict)
    product: str | None = LINUX

    def product_of(self, resource_id: str | None) -> str | None:
        """Return the operating system of a machine; None where it is not known."""
        return self.products.get(resource_id or "", self.product)

    def hourly(self, instance_type: str, *, product: str | None, spot: bool) -> float | None:
        """Return USD an hour of one instance; None where it is not known."""
        if product is None or (spot and product != LINUX):
            return None
        return (
            self.spot.get(instance_type) if spot else self.on_demand.get((instance_type, product))
        )


def stack_prices(
    price_book: PriceBook, region: str, *, products: Mapping[str, str] | None = None
) -> StackPrices:
    """Return one region's prices.

    Args:
        price_book: Of every region.
        region: For example "us-east-1".
        products: Operating systems by id of the instance or name of the group. Without them a
            machine is of the region's only product; where it sells several, its price is unknown.
    """
    sold = {product for at, product in price_book.offers if at == region}
    return StackPrices(
        on_demand={
            (name, product): offer.price_usd_per_hour
            for (at, product), offers in price_book.offers.items()
            if at == region
            for name, offer in offers.items()
        },
        volumes={kind: price for (at, kind), price in price_book.volumes.items() if at == region},
        spot={
            name: math.fsum(one.usd_per_hour for one in quotes) / len(quotes)
            for (at, name), quotes in price_book.spot.items()
            if at == region and quotes
        },
        products=products or {},
        product=next(iter(sold)) if len(sold) == 1 else None,
    )
