"""On-demand prices and instance shapes, from the AWS price list."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from tasks.adapters.aws import translated
from tasks.domain.instances import Architecture, InstanceShape, Offer

OPERATING_SYSTEM = {
    "Linux/UNIX": "Linux",
    "Red Hat Enterprise Linux": "RHEL",
    "SUSE Linux": "SUSE",
    "Windows": "Windows",
}
"""The price list's name for a spot product description."""


def on_demand_offers(client: Any, *, region: str, product: str) -> dict[str, Offer]:
    """Return what a region sells on demand, by instance type.

    Args:
        client: A boto3 client of the `pricing` service.
        region: Where the instances run.
        product: A spot product description, for example "Linux/UNIX".

    Returns:
        Empty for a product or region the price list does not know: the price is unknown then,
        never zero.
    """
    if product not in OPERATING_SYSTEM:
        return {}
    terms = {
        "regionCode": region,
        "operatingSystem": OPERATING_SYSTEM[product],
        "tenancy": "Shared",
        "preInstalledSw": "NA",
        "capacitystatus": "Used",
        "licenseModel": "No License required",  # Windows is listed once more for one's own licence
    }
    arguments: dict[str, Any] = {
        "ServiceCode": "AmazonEC2",
        "FormatVersion": "aws_v1",
        "MaxResults": 100,
        "Filters": [{"Type": "TERM_MATCH", "Field": k, "Value": v} for k, v in terms.items()],
    }
    documents = _pages(client.get_products, arguments, region=region)
    offers = (offer_from(json.loads(document)) for document in documents)
    return {offer.shape.instance_type: offer for offer in offers if offer is not None}


def _pages(call: Callable[..., Any], arguments: dict[str, Any], *, region: str) -> Iterable[str]:
    while True:
        with translated("pricing:GetProducts", region=region):
            page = call(**arguments)
        yield from page["PriceList"]
        if not page.get("NextToken"):
            return
        arguments = {**arguments, "NextToken": page["NextToken"]}


def offer_from(document: dict[str, Any]) -> Offer | None:
    """Return the offer in one price list document; None where it names no hourly price."""
    attributes = document["product"]["attributes"]
    price = _hourly_usd(document)
    if price is None or "instanceType" not in attributes:
        return None
    shape = InstanceShape(
        instance_type=attributes["instanceType"],
        vcpu=float(attributes["vcpu"]),
        memory_gib=float(attributes["memory"].split()[0].replace(",", "")),
        architecture=Architecture.ARM64 if _is_graviton(attributes) else Architecture.X86_64,
    )
    return Offer(shape=shape, price_usd_per_hour=price)


def _hourly_usd(document: dict[str, Any]) -> float | None:
    for term in document.get("terms", {}).get("OnDemand", {}).values():
        for dimension in term["priceDimensions"].values():
            price = float(dimension["pricePerUnit"].get("USD", 0.0))
            if dimension["unit"] == "Hrs" and price > 0:
                return price
    return None


def _is_graviton(attributes: dict[str, Any]) -> bool:
    return "graviton" in attributes.get("physicalProcessor", "").lower()
