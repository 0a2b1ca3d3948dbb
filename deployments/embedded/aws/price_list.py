"""The price list service: prices as JSON documents shaped like AWS's."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from deployments.embedded.aws.calls import Call
from deployments.embedded.aws.errors import AwsError
from deployments.embedded.aws.function_prices import (
    API_GATEWAY,
    LAMBDA,
    api_products,
    lambda_products,
)
from deployments.embedded.aws.pages import page_of
from deployments.embedded.aws.price_products import PricedRegion, Product
from deployments.embedded.aws.spot_history import DATA
from deployments.embedded.aws.storage_prices import storage_products

EC2 = "AmazonEC2"
MOST_RESULTS = 100

# (location, price relative to us-east-1). The ratio is that of m5.large and is used for every
# type: an approximation, by some percent for other families.
REGIONS: dict[str, tuple[str, float]] = {
    "us-east-1": ("US East (N. Virginia)", 1.0),
    "us-east-2": ("US East (Ohio)", 1.0),
    "us-west-1": ("US West (N. California)", 1.167),
    "us-west-2": ("US West (Oregon)", 1.0),
    "ca-central-1": ("Canada (Central)", 1.115),
    "eu-west-1": ("EU (Ireland)", 1.115),
    "eu-west-2": ("EU (London)", 1.156),
    "eu-west-3": ("EU (Paris)", 1.167),
    "eu-central-1": ("EU (Frankfurt)", 1.198),
    "eu-north-1": ("EU (Stockholm)", 1.063),
    "ap-south-1": ("Asia Pacific (Mumbai)", 1.052),
    "ap-southeast-1": ("Asia Pacific (Singapore)", 1.25),
    "ap-southeast-2": ("Asia Pacific (Sydney)", 1.25),
    "ap-northeast-1": ("Asia Pacific (Tokyo)", 1.292),
    "ap-northeast-2": ("Asia Pacific (Seoul)", 1.229),
    "sa-east-1": ("South America (Sao Paulo)", 1.594),
}

# Of usage types; us-east-1 came first and has none.
USAGE_PREFIX = {
    "us-east-1": "", "us-east-2": "USE2-", "us-west-1": "USW1-", "us-west-2": "USW2-",
    "ca-central-1": "CAN1-", "eu-west-1": "EU-", "eu-west-2": "EUW2-", "eu-west-3": "EUW3-",
    "eu-central-1": "EUC1-", "eu-north-1": "EUN1-", "ap-south-1": "APS3-",
    "ap-southeast-1": "APS1-", "ap-southeast-2": "APS2-", "ap-northeast-1": "APN1-",
    "ap-northeast-2": "APN2-", "sa-east-1": "SAE1-",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDemandType:
    """One row of the shipped price list, us-east-1, Linux."""

    usd_per_hour: float
    vcpu: int
    memory_gib: float
    architecture: str


@cache
def on_demand_types() -> Mapping[str, OnDemandType]:
    """Return the shipped price list by instance type."""
    with (DATA / "on_demand_us-east-1.csv").open(newline="") as file:
        return {
            row["instance_type"]: OnDemandType(
                usd_per_hour=float(row["usd_per_hour"]),
                vcpu=int(row["vcpu"]),
                memory_gib=float(row["memory_gib"]),
                architecture=row["architecture"],
            )
            for row in csv.DictReader(file)
        }


def on_demand_usd_per_hour(instance_type: str, *, region: str) -> float | None:
    """Return a type's on-demand price; None where the price list does not know it."""
    kind = on_demand_types().get(instance_type)
    if kind is None or region not in REGIONS:
        return None
    return round(kind.usd_per_hour * REGIONS[region][1], 6)


def describe_services(call: Call, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Answer DescribeServices: the services that are priced here.

    Raises:
        AwsError: Another service was asked for.
    """
    del call
    wanted = parameters.get("ServiceCode")
    codes = sorted(_SERVICES) if wanted is None else [_checked_service(wanted)]
    return {
        "Services": [{"ServiceCode": code, "AttributeNames": _names(code)} for code in codes],
        "FormatVersion": "aws_v1",
    }


def get_products(call: Call, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Answer GetProducts: a page of documents, ordered by region, then by usage type.

    Raises:
        AwsError: A parameter is not what the service allows.
    """
    del call
    service = _checked_service(parameters.get("ServiceCode", ""))
    version = parameters.get("FormatVersion", "aws_v1")
    limit = int(parameters.get("MaxResults", MOST_RESULTS))
    if version != "aws_v1" or not 1 <= limit <= MOST_RESULTS:
        message = f"FormatVersion must be aws_v1 and MaxResults between 1 and {MOST_RESULTS}."
        raise AwsError(code="InvalidParameterException", message=message)
    filters = [_filter(item) for item in parameters.get("Filters", ())]
    products = [one for one, fields in _products(service) if all(ok(fields) for ok in filters)]
    page, token = page_of(
        products,
        query={"service": service, "filters": parameters.get("Filters", [])},
        token=parameters.get("NextToken"),
        limit=limit,
        code="InvalidNextTokenException",
    )
    answer: dict[str, Any] = {
        "FormatVersion": "aws_v1",
        "PriceList": [product.document() for product in page],
    }
    return {**answer, "NextToken": token} if token else answer


def _checked_service(code: str) -> str:
    if code not in _SERVICES:
        known = ", ".join(sorted(_SERVICES))
        message = f"Invalid ServiceCode: {code or '(none)'}; this price list has {known} only."
        raise AwsError(code="InvalidParameterException", message=message)
    return code


@cache
def _products(service: str) -> tuple[tuple[Product, Mapping[str, str]], ...]:
    """Return products with what filters look at, which takes longer to gather than to test."""
    found = (one for code in REGIONS for one in _SERVICES[service](priced_region(code)))
    return tuple((product, product.fields) for product in found)


@cache
def _names(service: str) -> list[str]:
    return sorted({name for _, fields in _products(service) for name in fields})


def priced_region(code: str) -> PricedRegion:
    """Return how one of REGIONS is priced."""
    location, level = REGIONS[code]
    return PricedRegion(code=code, location=location, level=level, prefix=USAGE_PREFIX[code])


def _ec2_products(region: PricedRegion) -> Iterator[Product]:
    for instance_type in sorted(on_demand_types()):
        yield _instance_product(region, instance_type)
    yield from storage_products(region)


def _instance_product(region: PricedRegion, instance_type: str) -> Product:
    price = on_demand_usd_per_hour(instance_type, region=region.code)
    return Product(
        service=EC2,
        family="Compute Instance",
        attributes=_attributes(instance_type, region),
        unit="Hrs",
        tiers=((0, price or 0.0),),
        what=f"On Demand Linux {instance_type} Instance Hour",
    )


def _attributes(instance_type: str, region: PricedRegion) -> dict[str, str]:
    kind = on_demand_types()[instance_type]
    arm = kind.architecture == "arm64"
    memory = f"{kind.memory_gib:,.2f}".rstrip("0").rstrip(".")
    return {
        **region.attributes(
            service=EC2, name="Amazon Elastic Compute Cloud", usage=f"BoxUsage:{instance_type}"
        ),
        "capacitystatus": "Used",
        "instanceFamily": "General purpose",
        "instanceType": instance_type,
        "licenseModel": "No License required",
        "marketoption": "OnDemand",
        "memory": f"{memory} GiB",
        "operatingSystem": "Linux",
        "operation": "RunInstances",
        "physicalProcessor": "AWS Graviton Processor" if arm else "Intel Xeon or AMD EPYC",
        "preInstalledSw": "NA",
        "processorArchitecture": "64-bit",
        "tenancy": "Shared",
        "vcpu": str(kind.vcpu),
    }


_SERVICES: dict[str, Callable[[PricedRegion], Iterator[Product]]] = {
    EC2: _ec2_products,
    LAMBDA: lambda_products,
    API_GATEWAY: api_products,
}

_TESTS: dict[str, Callable[[str, str], bool]] = {
    "TERM_MATCH": lambda found, wanted: found.lower() == wanted.lower(),
    "EQUALS": lambda found, wanted: found == wanted,
    "CONTAINS": lambda found, wanted: wanted in found,
    "ANY_OF": lambda found, wanted: found in wanted.split(","),
    "NONE_OF": lambda found, wanted: found not in wanted.split(","),
}


def _filter(item: Mapping[str, Any]) -> Callable[[Mapping[str, str]], bool]:
    test = _TESTS.get(item.get("Type", ""))
    if test is None or "Field" not in item or "Value" not in item:
        message = f"A filter needs Field, Value and a Type of {', '.join(_TESTS)}."
        raise AwsError(code="InvalidParameterException", message=message)
    name, wanted = item["Field"], item["Value"]
    return lambda attributes: name in attributes and test(attributes[name], wanted)
