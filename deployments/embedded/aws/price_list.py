"""The price list service: on-demand prices as JSON documents shaped like AWS's."""

from __future__ import annotations

import base64
import binascii
import csv
import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from deployments.embedded.aws.calls import Call
from deployments.embedded.aws.errors import AwsError
from deployments.embedded.aws.spot_history import DATA

SERVICE = "AmazonEC2"
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

_OFFER_TERM, _RATE = "JRTCKXETXF", "6YS6EN2CT7"  # AWS's codes for on-demand per hour


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
    """Answer DescribeServices: EC2 is the only service priced here.

    Raises:
        AwsError: Another service was asked for.
    """
    del call
    _check_service(parameters.get("ServiceCode", SERVICE))
    names = sorted({*_attributes("m5.large", "us-east-1"), "servicecode"})
    return {
        "Services": [{"ServiceCode": SERVICE, "AttributeNames": names}],
        "FormatVersion": "aws_v1",
    }


def get_products(call: Call, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Answer GetProducts: a page of documents, ordered by region and type.

    Raises:
        AwsError: A parameter is not what the service allows.
    """
    del call
    _check_service(parameters.get("ServiceCode", ""))
    version = parameters.get("FormatVersion", "aws_v1")
    limit = int(parameters.get("MaxResults", MOST_RESULTS))
    if version != "aws_v1" or not 1 <= limit <= MOST_RESULTS:
        message = f"FormatVersion must be aws_v1 and MaxResults between 1 and {MOST_RESULTS}."
        raise AwsError(code="InvalidParameterException", message=message)
    filters = [_filter(item) for item in parameters.get("Filters", ())]
    products = [pair for pair in _products() if all(passes(pair[1]) for passes in filters)]
    digest = zlib.crc32(json.dumps(parameters.get("Filters", []), sort_keys=True).encode())
    first = _offset(parameters.get("NextToken"), digest)
    page = products[first : first + limit]
    answer: dict[str, Any] = {
        "FormatVersion": "aws_v1",
        "PriceList": [_document(region, attributes) for region, attributes in page],
    }
    if first + limit < len(products):
        answer["NextToken"] = _token(digest, first + limit)
    return answer


def _check_service(code: str) -> None:
    if code != SERVICE:
        message = f"Invalid ServiceCode: {code or '(none)'}; this price list has {SERVICE} only."
        raise AwsError(code="InvalidParameterException", message=message)


@cache
def _products() -> tuple[tuple[str, dict[str, str]], ...]:
    return tuple(
        (region, _attributes(kind, region))
        for region in REGIONS
        for kind in sorted(on_demand_types())
    )


def _attributes(instance_type: str, region: str) -> dict[str, str]:
    kind = on_demand_types()[instance_type]
    arm = kind.architecture == "arm64"
    memory = f"{kind.memory_gib:,.2f}".rstrip("0").rstrip(".")
    return {
        "capacitystatus": "Used",
        "instanceFamily": "General purpose",
        "instanceType": instance_type,
        "licenseModel": "No License required",
        "location": REGIONS[region][0],
        "locationType": "AWS Region",
        "marketoption": "OnDemand",
        "memory": f"{memory} GiB",
        "operatingSystem": "Linux",
        "operation": "RunInstances",
        "physicalProcessor": "AWS Graviton Processor" if arm else "Intel Xeon or AMD EPYC",
        "preInstalledSw": "NA",
        "processorArchitecture": "64-bit",
        "regionCode": region,
        "servicecode": SERVICE,
        "servicename": "Amazon Elastic Compute Cloud",
        "tenancy": "Shared",
        "usagetype": f"BoxUsage:{instance_type}",
        "vcpu": str(kind.vcpu),
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


def _document(region: str, attributes: dict[str, str]) -> str:
    price = on_demand_usd_per_hour(attributes["instanceType"], region=region)
    sku = _sku(region, attributes["instanceType"])
    term, rate = f"{sku}.{_OFFER_TERM}", f"{sku}.{_OFFER_TERM}.{_RATE}"
    dimension = {
        "appliesTo": [],
        "beginRange": "0",
        "description": f"${price} per On Demand Linux {attributes['instanceType']} Instance Hour",
        "endRange": "Inf",
        "pricePerUnit": {"USD": f"{price:.10f}"},
        "rateCode": rate,
        "unit": "Hrs",
    }
    offer = {
        "effectiveDate": "2021-03-01T00:00:00Z",
        "offerTermCode": _OFFER_TERM,
        "priceDimensions": {rate: dimension},
        "sku": sku,
        "termAttributes": {},
    }
    document = {
        "product": {"attributes": attributes, "productFamily": "Compute Instance", "sku": sku},
        "publicationDate": "2021-03-01T00:00:00Z",
        "serviceCode": SERVICE,
        "terms": {"OnDemand": {term: offer}},
        "version": "20210301000000",
    }
    return json.dumps(document, separators=(",", ":"))


def _sku(region: str, instance_type: str) -> str:
    """Return an identifier of 16 characters, as AWS's have; a fixed function of the product."""
    halves = (zlib.crc32(f"{salt}{region}{instance_type}".encode()) for salt in "ab")
    return "".join(f"{half:08X}" for half in halves)


def _token(digest: int, offset: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([digest, offset]).encode()).decode()


def _offset(token: str | None, digest: int) -> int:
    if not token:
        return 0
    try:
        found, offset = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (binascii.Error, ValueError, TypeError) as error:
        raise _invalid_token() from error
    if found != digest or not isinstance(offset, int):
        raise _invalid_token()
    return offset


def _invalid_token() -> AwsError:
    message = "The pagination token is invalid. Try again without a pagination token."
    return AwsError(code="InvalidNextTokenException", message=message)
