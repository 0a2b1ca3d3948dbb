"""Commitments: Savings Plans and Reserved Instances that are held, and what plans cost."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from tasks.adapters.aws import parse_timestamp, translated
from tasks.adapters.pages import items
from tasks.domain.inventory import Commitment, CommitmentKind

OPERATIONS = (
    "ec2:DescribeReservedInstances",
    "savingsplans:DescribeSavingsPlans",
    "savingsplans:DescribeSavingsPlansOfferingRates",
)

PLAN_KINDS = {
    "Compute": CommitmentKind.COMPUTE_SAVINGS_PLAN,
    "EC2Instance": CommitmentKind.INSTANCE_SAVINGS_PLAN,
}
"""Plans for SageMaker and databases cover nothing that is looked at here."""

ONE_YEAR_SECONDS = 365 * 24 * 3600
_TOKEN = ("nextToken", "nextToken")
OF_VPC = " (Amazon VPC)"
"""What reservations of the first years add to the name of a product."""
_RUNNING = re.compile(r"([A-Z0-9]+-)?BoxUsage:")


def active_commitments(client: Any, *, ec2: Mapping[str, Any]) -> tuple[Commitment, ...]:
    """Return the commitments that are paid for now, plans first.

    Args:
        client: A boto3 client of `savingsplans`, made for us-east-1: it answers for all regions.
        ec2: Clients of EC2 by region; reservations elsewhere are not seen.

    Raises:
        TransientError: A service did not answer.
        PermanentError: A service refused.
    """
    reservations = (
        _from_reservation(row, region=region)
        for region, each in ec2.items()
        for row in _reservations(each, region=region)
    )
    plans = (_from_plan(row) for row in _plans(client) if row["savingsPlanType"] in PLAN_KINDS)
    return (*plans, *reservations)


def plan_rates(
    client: Any, *, region: str, product: str, instance_types: Collection[str]
) -> dict[str, float]:
    """Return USD an hour under a Compute Savings Plan: 1 year, no upfront, shared tenancy.

    Args:
        client: A boto3 client of `savingsplans`.
        region: Where the instances run.
        product: For example "Linux/UNIX".
        instance_types: Which of them are wanted; those without a rate are left out.

    Raises:
        TransientError: The service did not answer.
        PermanentError: It refused.
    """
    if not instance_types:
        return {}
    wanted = frozenset(instance_types)
    rates = {}
    for row in _rates(client, region=region, product=product):
        kind = _property(row, "instanceType")
        # Unused capacity reservations are listed too, and terms cannot be asked for.
        is_ours = (
            _RUNNING.match(row["usageType"]) is not None
            and row["unit"] == "Hrs"
            and row["savingsPlanOffering"]["durationSeconds"] == ONE_YEAR_SECONDS
        )
        if is_ours and kind in wanted:
            rates[kind] = float(row["rate"])
    return rates


def _plans(client: Any) -> Iterator[dict[str, Any]]:
    return items(
        client.describe_savings_plans,
        "savingsPlans",
        operation="savingsplans:DescribeSavingsPlans",
        region="every region",
        arguments={"states": ["active"]},
        token=_TOKEN,
    )


def _rates(client: Any, *, region: str, product: str) -> Iterator[dict[str, Any]]:
    # All types of a region are two pages; asking type by type would be hundreds of calls.
    filters = {"region": region, "productDescription": product, "tenancy": "shared"}
    arguments: dict[str, Any] = {
        "savingsPlanPaymentOptions": ["No Upfront"],
        "savingsPlanTypes": ["Compute"],
        "products": ["EC2"],
        "serviceCodes": ["AmazonEC2"],
        "filters": [{"name": name, "values": [value]} for name, value in filters.items()],
        "maxResults": 1000,
    }
    return items(
        client.describe_savings_plans_offering_rates,
        "searchResults",
        operation="savingsplans:DescribeSavingsPlansOfferingRates",
        region=region,
        arguments=arguments,
        token=_TOKEN,
    )


def _reservations(client: Any, *, region: str) -> list[dict[str, Any]]:
    with translated("ec2:DescribeReservedInstances", region=region):
        answer = client.describe_reserved_instances(
            Filters=[{"Name": "state", "Values": ["active"]}]
        )
    return list(answer["ReservedInstances"])


def _from_plan(row: Mapping[str, Any]) -> Commitment:
    return Commitment(
        commitment_id=row["savingsPlanId"],
        kind=PLAN_KINDS[row["savingsPlanType"]],
        usd_per_hour=float(row["commitment"]),
        region=row.get("region") or None,
        instance_family=row.get("ec2InstanceFamily") or None,
        ends_at=_aware(parse_timestamp(row["end"])),
    )


def _from_reservation(row: Mapping[str, Any], *, region: str) -> Commitment:
    count = int(row["InstanceCount"])
    hourly = sum(
        float(charge["Amount"])
        for charge in row.get("RecurringCharges", ())
        if charge["Frequency"] == "Hourly"
    )
    upfront = float(row.get("FixedPrice", 0.0)) / (row["Duration"] / 3600)
    return Commitment(
        commitment_id=row["ReservedInstancesId"],
        kind=CommitmentKind.RESERVED_INSTANCE,
        usd_per_hour=count * (hourly + upfront),
        region=region,
        instance_family=row["InstanceType"].partition(".")[0],
        instance_type=row["InstanceType"],
        product=(row.get("ProductDescription") or "").removesuffix(OF_VPC) or None,
        count=count,
        ends_at=_aware(row["End"]),
    )


def _property(row: Mapping[str, Any], name: str) -> str | None:
    return next((one["value"] for one in row["properties"] if one["name"] == name), None)


def _aware(at: datetime) -> datetime:
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
