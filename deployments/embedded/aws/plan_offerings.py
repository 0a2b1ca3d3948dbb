"""What Savings Plans are sold: savingsplans:DescribeSavingsPlansOfferings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from deployments.embedded.aws.calls import Call
from deployments.embedded.aws.errors import AwsError
from deployments.embedded.aws.pages import page_of
from deployments.embedded.aws.plan_rates import COMPUTE, OFFERINGS, SECONDS_PER_YEAR, Offering
from deployments.embedded.aws.price_list import REGIONS, on_demand_types

MOST_RESULTS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sold:
    """An offering at a place.

    Attributes:
        region, family: Of an EC2 Instance plan; None of a Compute plan, which is sold once.
    """

    offering: Offering
    region: str | None = None
    family: str | None = None

    @property
    def identity(self) -> str:
        """Of the offering."""
        return self.offering.identity(self.region or "", self.family or "")


@cache
def sold_offerings() -> Mapping[str, Sold]:
    """Return everything that can be bought, by its id."""
    return {one.identity: one for one in _all()}


def _all() -> Iterator[Sold]:
    families = sorted({name.partition(".")[0] for name in on_demand_types()})
    for offering in OFFERINGS:
        if offering.plan == COMPUTE:
            yield Sold(offering=offering)
            continue
        for region in REGIONS:
            for family in families:
                yield Sold(offering=offering, region=region, family=family)


def describe_offerings(call: Call, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Answer DescribeSavingsPlansOfferings: a page.

    Raises:
        AwsError: A filter or a page size is not what the service allows.
    """
    del call
    limit = parameters.get("maxResults") or MOST_RESULTS
    if not 1 <= limit <= MOST_RESULTS:
        message = f"maxResults {limit} must be between 1 and {MOST_RESULTS}"
        raise AwsError(code="ValidationException", message=message)
    query = {
        key: each for key, each in parameters.items() if key not in {"nextToken", "maxResults"}
    }
    rows = [_row(one) for one in sold_offerings().values() if _is_wanted(one, parameters)]
    page, token = page_of(
        rows,
        query=query,
        token=parameters.get("nextToken"),
        limit=limit,
        code="ValidationException",
    )
    return {"searchResults": list(page), **({"nextToken": token} if token else {})}


def _is_wanted(one: Sold, parameters: Mapping[str, Any]) -> bool:
    said = one.offering
    checks = {
        "offeringIds": one.identity,
        "paymentOptions": said.payment,
        "planTypes": said.plan,
        "durations": said.years * SECONDS_PER_YEAR,
        "currencies": "USD",
    }
    if any(
        parameters.get(name) and value not in parameters[name] for name, value in checks.items()
    ):
        return False
    if parameters.get("productType", "EC2") != "EC2" and said.plan != COMPUTE:
        return False
    places = {"region": one.region, "instanceFamily": one.family}
    for item in parameters.get("filters", ()):
        if item["name"] not in places:
            message = f"filter {item['name']!r} is not embedded; use region or instanceFamily"
            raise AwsError(code="ValidationException", message=message)
        if places[item["name"]] not in item.get("values", ()):
            return False
    return True


def _row(one: Sold) -> dict[str, Any]:
    said = one.offering
    places = {"region": one.region, "instanceFamily": one.family}
    compute = said.plan == COMPUTE
    return {
        "offeringId": one.identity,
        "productTypes": ["EC2", "Fargate", "Lambda"] if compute else ["EC2"],
        "planType": said.plan,
        "description": f"{said.years} year {said.payment} {said.plan} Savings Plan",
        "paymentOption": said.payment,
        "durationSeconds": said.years * SECONDS_PER_YEAR,
        "currency": "USD",
        "serviceCode": "ComputeSavingsPlans",
        "usageType": f"{'ComputeSP' if compute else 'EC2SP'}:{said.years}yr"
        f"{said.payment.replace(' ', '')}",
        "operation": "",
        "properties": [
            {"name": name, "value": value} for name, value in places.items() if value is not None
        ],
    }
