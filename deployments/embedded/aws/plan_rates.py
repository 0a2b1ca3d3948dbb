"""Savings Plans' rates: savingsplans:DescribeSavingsPlansOfferingRates.

The rates are approximations by a rule, not AWS's list: a share off the on-demand price that is the
same for all types of a generation. For m5.large in us-east-1 the rule and the list agree to about a
percent of the price; other types differ by a few. Rates are for Linux on shared tenancy; the part
of a Compute plan that covers Fargate and Lambda is not listed.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from deployments.embedded.aws.calls import Call
from deployments.embedded.aws.errors import AwsError
from deployments.embedded.aws.pages import page_of
from deployments.embedded.aws.price_list import (
    REGIONS,
    USAGE_PREFIX,
    on_demand_types,
    on_demand_usd_per_hour,
)

COMPUTE, INSTANCE = "Compute", "EC2Instance"
NO_UPFRONT, PARTIAL_UPFRONT, ALL_UPFRONT = "No Upfront", "Partial Upfront", "All Upfront"
SECONDS_PER_YEAR = 365 * 24 * 3600
MOST_RESULTS = 1000
PRODUCT = "Linux/UNIX"

# (plan, years): share off on demand, of families that AWS sells as current and of older ones.
DISCOUNTS: dict[tuple[str, int], tuple[float, float]] = {
    (COMPUTE, 1): (0.275, 0.185),
    (COMPUTE, 3): (0.46, 0.38),
    (INSTANCE, 1): (0.37, 0.28),
    (INSTANCE, 3): (0.57, 0.48),
}
UPFRONT_DISCOUNTS = {NO_UPFRONT: 0.0, PARTIAL_UPFRONT: 0.03, ALL_UPFRONT: 0.05}
"""Share off the rate without upfront payment."""

OLDER_FAMILIES = frozenset(
    {
        "a1",
        "c3",
        "c4",
        "f1",
        "g3",
        "i2",
        "i3",
        "m1",
        "m3",
        "m4",
        "p2",
        "p3",
        "r4",
        "t2",
        "x1",
        "x1e",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offering:
    """What can be bought.

    Attributes:
        plan: "Compute" or "EC2Instance".
        years: 1 or 3.
        payment: When it is paid.
    """

    plan: str
    years: int
    payment: str

    def identity(self, region: str, family: str) -> str:
        """Return the offering's id: a Compute plan is sold once, others by region and family."""
        name = [self.plan, str(self.years), self.payment]
        place = [] if self.plan == COMPUTE else [region, family]
        return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join([*name, *place])))


OFFERINGS = tuple(
    Offering(plan=plan, years=years, payment=payment)
    for plan, years in DISCOUNTS
    for payment in UPFRONT_DISCOUNTS
)


def plan_rate(instance_type: str, *, region: str, offering: Offering) -> float | None:
    """Return USD an hour of a type under a plan; None where the price list does not know it."""
    price = on_demand_usd_per_hour(instance_type, region=region)
    if price is None:
        return None
    older = instance_type.partition(".")[0] in OLDER_FAMILIES
    share = 1.0 - DISCOUNTS[offering.plan, offering.years][older]
    return round(price * share * (1.0 - UPFRONT_DISCOUNTS[offering.payment]), 6)


def describe_offering_rates(call: Call, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Answer DescribeSavingsPlansOfferingRates: a page, by offering, region and type.

    Raises:
        AwsError: A parameter is not what the service allows.
    """
    del call
    limit = parameters.get("maxResults") or MOST_RESULTS
    if not 1 <= limit <= MOST_RESULTS:
        message = f"maxResults {limit} must be between 1 and {MOST_RESULTS}"
        raise AwsError(code="ValidationException", message=message)
    query = {k: v for k, v in parameters.items() if k not in {"nextToken", "maxResults"}}
    rows = [row for row in _rows(parameters) if _is_wanted(row, parameters)]
    page, token = page_of(
        rows,
        query=query,
        token=parameters.get("nextToken"),
        limit=limit,
        code="ValidationException",
    )
    return {"searchResults": list(page), **({"nextToken": token} if token else {})}


def _rows(parameters: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the rates of wanted offerings, regions and types; the rest would be most of the work."""
    wants = _wanted_properties(parameters)
    payments = parameters.get("savingsPlanPaymentOptions") or list(UPFRONT_DISCOUNTS)
    plans = parameters.get("savingsPlanTypes") or [COMPUTE, INSTANCE]
    offerings = [one for one in OFFERINGS if one.payment in payments and one.plan in plans]
    regions = [name for name in REGIONS if wants("region", name)]
    kinds = [
        name
        for name in sorted(on_demand_types())
        if wants("instanceType", name) and wants("instanceFamily", name.partition(".")[0])
    ]
    if not (wants("productDescription", PRODUCT) and wants("tenancy", "shared")):
        return
    for offering, region, kind in itertools.product(offerings, regions, kinds):
        yield _row(offering, region, kind)


def _wanted_properties(parameters: Mapping[str, Any]) -> Callable[[str, str], bool]:
    filters = {item["name"]: set(item.get("values", ())) for item in parameters.get("filters", ())}
    known = {"region", "instanceFamily", "instanceType", "productDescription", "tenancy"}
    if unknown := sorted(filters.keys() - known):
        message = f"filter {unknown[0]!r} is not embedded; use {', '.join(sorted(known))}"
        raise AwsError(code="ValidationException", message=message)
    return lambda name, value: name not in filters or value in filters[name]


def _row(offering: Offering, region: str, kind: str) -> dict[str, Any]:
    family = kind.partition(".")[0]
    properties = {
        "region": region,
        "instanceFamily": family,
        "instanceType": kind,
        "productDescription": PRODUCT,
        "tenancy": "shared",
    }
    return {
        "savingsPlanOffering": {
            "offeringId": offering.identity(region, family),
            "paymentOption": offering.payment,
            "planType": offering.plan,
            "durationSeconds": offering.years * SECONDS_PER_YEAR,
            "currency": "USD",
            "planDescription": f"{offering.years} year {offering.payment} {offering.plan} plan",
        },
        "rate": f"{plan_rate(kind, region=region, offering=offering):.6f}",
        "unit": "Hrs",
        "productType": "EC2",
        "serviceCode": "AmazonEC2",
        "usageType": f"{USAGE_PREFIX[region]}BoxUsage:{kind}",
        "operation": "RunInstances",
        "properties": [{"name": name, "value": value} for name, value in properties.items()],
    }


_FIELDS = {
    "products": "productType",
    "serviceCodes": "serviceCode",
    "usageTypes": "usageType",
    "operations": "operation",
}


def _is_wanted(row: Mapping[str, Any], parameters: Mapping[str, Any]) -> bool:
    wanted_ids = parameters.get("savingsPlanOfferingIds")
    if wanted_ids and row["savingsPlanOffering"]["offeringId"] not in wanted_ids:
        return False
    return all(
        not parameters.get(name) or row[key] in parameters[name] for name, key in _FIELDS.items()
    )
