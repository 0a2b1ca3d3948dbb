"""Prices of instances, volumes and functions, from the AWS price list."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tasks.adapters.pages import items
from tasks.domain.instances import Architecture, InstanceShape, Offer
from tasks.domain.savings.money import FunctionPrice, VolumePrice

OPERATIONS = ("pricing:GetProducts",)

OPERATING_SYSTEM = {
    "Linux/UNIX": "Linux",
    "Red Hat Enterprise Linux": "RHEL",
    "SUSE Linux": "SUSE",
    "Windows": "Windows",
}
"""The price list's name for a spot product description."""

FREE_OF_VOLUMES: dict[str, dict[str, float]] = {
    "gp3": {"free_iops": 3000.0, "free_mib_per_second": 125.0}
}
"""What the size already pays for, which AWS documents and the price list does not say."""

VOLUME_RATES: dict[str, frozenset[str]] = {
    "gp2": frozenset({"usd_per_gib"}),
    "gp3": frozenset({"usd_per_gib", "usd_per_iops", "usd_per_mib_per_second"}),
    "io1": frozenset({"usd_per_gib", "usd_per_iops"}),
    "io2": frozenset({"usd_per_gib", "usd_per_iops"}),
    "st1": frozenset({"usd_per_gib"}),
    "sc1": frozenset({"usd_per_gib"}),
}
"""Which prices make up a kind's: without one of them the whole would look cheaper than it is."""

_MIB_PER_UNIT = {"mibps-mo": 1.0, "gibps-mo": 1024.0}
_DURATION_GROUPS = {
    Architecture.X86_64: "AWS-Lambda-Duration",
    Architecture.ARM64: "AWS-Lambda-Duration-ARM",
}


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
    documents = _documents(client, "AmazonEC2", terms, region=region)
    offers = (offer_from(document) for document in documents)
    return {offer.shape.instance_type: offer for offer in offers if offer is not None}


def volume_prices(client: Any, *, region: str) -> dict[str, VolumePrice]:
    """Return what volumes cost a month, by kind.

    Args:
        client: A boto3 client of the `pricing` service.
        region: Where the volumes are.

    Returns:
        Only kinds whose every price could be read. "standard" is never among them: it is billed
        by input and output, which the inventory does not know. io2 is priced by its first tier,
        which holds up to 32,000 operations per second.
    """
    documents = (
        document
        for family in ("Storage", "System Operation", "Provisioned Throughput")
        for document in _documents(
            client, "AmazonEC2", {"regionCode": region, "productFamily": family}, region=region
        )
    )
    rates: dict[str, dict[str, float]] = {}
    for document in documents:
        if found := _volume_rate(document):
            kind, what, price = found
            rates.setdefault(kind, {})[what] = price
    return {
        kind: VolumePrice(**found, **FREE_OF_VOLUMES.get(kind, {}))
        for kind, found in sorted(rates.items())
        if VOLUME_RATES.get(kind) == found.keys()
    }


def function_price(client: Any, *, region: str) -> FunctionPrice | None:
    """Return what Lambda and an HTTP API cost in their first tiers.

    Args:
        client: A boto3 client of the `pricing` service.
        region: Where they run.

    Returns:
        None where the price of requests to either or of x86_64 time is not listed. arm64 is left
        out where it alone is not.
    """
    terms = {"regionCode": region}
    groups = _first_tiers(_documents(client, "AWSLambda", terms, region=region), "group")
    calls = _first_tiers(_documents(client, "AmazonApiGateway", terms, region=region), "usagetype")
    # Usage types begin with the region's code, as in USE1-ApiGatewayHttpRequest.
    api = [price for usage, price in calls.items() if usage.endswith("ApiGatewayHttpRequest")]
    seconds = {
        architecture: groups[group]
        for architecture, group in _DURATION_GROUPS.items()
        if group in groups
    }
    request = groups.get("AWS-Lambda-Requests")
    if request is None or not api or Architecture.X86_64 not in seconds:
        return None
    return FunctionPrice(
        usd_per_request=request, usd_per_gib_second=seconds, usd_per_api_request=api[0]
    )


def _documents(
    client: Any, service: str, terms: Mapping[str, str], *, region: str
) -> Iterator[dict[str, Any]]:
    arguments: dict[str, Any] = {
        "ServiceCode": service,
        "FormatVersion": "aws_v1",
        "MaxResults": 100,
        "Filters": [{"Type": "TERM_MATCH", "Field": k, "Value": v} for k, v in terms.items()],
    }
    documents = items(
        client.get_products,
        "PriceList",
        operation="pricing:GetProducts",
        region=region,
        arguments=arguments,
    )
    return map(json.loads, documents)


def _volume_rate(document: Mapping[str, Any]) -> tuple[str, str, float] | None:
    """Return kind of volume, field of VolumePrice and price; None for anything else."""
    attributes = document["product"]["attributes"]
    kind, usage = attributes.get("volumeApiName"), attributes.get("usagetype", "")
    price, unit = _first_tier(document)
    if kind is None or price is None:
        return None
    if "VolumeUsage" in usage and unit == "gb-mo":
        return kind, "usd_per_gib", price
    if "VolumeP-IOPS" in usage and ".tier" not in usage and unit == "iops-mo":
        return kind, "usd_per_iops", price
    if "VolumeP-Throughput" in usage and unit in _MIB_PER_UNIT:
        return kind, "usd_per_mib_per_second", price / _MIB_PER_UNIT[unit]
    return None


def _first_tiers(documents: Iterable[Mapping[str, Any]], attribute: str) -> dict[str, float]:
    found = {}
    for document in documents:
        price, _ = _first_tier(document)
        name = document["product"]["attributes"].get(attribute)
        if name is not None and price is not None:
            found[name] = price
    return found


def _first_tier(document: Mapping[str, Any]) -> tuple[float | None, str]:
    """Return the price of the first unit, None where it is not above 0, and the unit."""
    for term in document.get("terms", {}).get("OnDemand", {}).values():
        for dimension in term["priceDimensions"].values():
            price = float(dimension["pricePerUnit"].get("USD", 0.0))
            if float(dimension.get("beginRange", 0)) == 0.0 and price > 0.0:
                return price, dimension["unit"].lower()
    return None, ""


def offer_from(document: dict[str, Any]) -> Offer | None:
    """Return the offer in one price list document; None where it names no hourly price."""
    attributes = document["product"]["attributes"]
    price, unit = _first_tier(document)
    if price is None or unit != "hrs" or "instanceType" not in attributes:
        return None
    shape = InstanceShape(
        instance_type=attributes["instanceType"],
        vcpu=float(attributes["vcpu"]),
        memory_gib=float(attributes["memory"].split()[0].replace(",", "")),
        architecture=Architecture.ARM64 if _is_graviton(attributes) else Architecture.X86_64,
    )
    return Offer(shape=shape, price_usd_per_hour=price)


def _is_graviton(attributes: dict[str, Any]) -> bool:
    return "graviton" in attributes.get("physicalProcessor", "").lower()
