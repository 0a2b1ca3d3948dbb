"""What the embedded account has committed to: Savings Plans and Reserved Instances."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from deployments.embedded.aws.calls import Call
from deployments.embedded.aws.errors import AwsError
from deployments.embedded.aws.pages import page_of
from deployments.embedded.aws.plan_rates import COMPUTE, NO_UPFRONT, SECONDS_PER_YEAR, Offering
from deployments.embedded.aws.policy import ACCOUNT

MOST_PLANS = 1000
COMPUTE_ONE_YEAR = Offering(plan=COMPUTE, years=1, payment=NO_UPFRONT)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedPlan:
    """A Savings Plan.

    Attributes:
        usd_per_hour: Committed, upfront payments included.
        started_at: Aware UTC.
        region, family: Of an EC2 Instance plan; None of a Compute plan.
    """

    usd_per_hour: float
    started_at: datetime
    offering: Offering = COMPUTE_ONE_YEAR
    region: str | None = None
    family: str | None = None

    @property
    def plan_id(self) -> str:
        """The same in every start."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.offering}{self.region}{self.family}"))

    @property
    def ends_at(self) -> datetime:
        """Start and term."""
        return self.started_at + timedelta(seconds=self.offering.years * SECONDS_PER_YEAR)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedReservation:
    """A Reserved Instance without upfront payment.

    Attributes:
        product: As EC2 names it.
        usd_per_hour: Of one.
        count: At least 1.
    """

    region: str
    instance_type: str
    product: str = "Linux/UNIX"
    usd_per_hour: float
    count: int = 1
    years: int = 1
    upfront_usd: float = 0.0
    started_at: datetime

    @property
    def ends_at(self) -> datetime:
        """Start and term."""
        return self.started_at + timedelta(seconds=self.years * SECONDS_PER_YEAR)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedCommitments:
    """Everything that was bought."""

    plans: tuple[EmbeddedPlan, ...] = ()
    reservations: tuple[EmbeddedReservation, ...] = ()


def small_plan(now: datetime) -> EmbeddedCommitments:
    """Return one Compute Savings Plan of a dollar an hour, half a year old.

    Small beside a fleet, so that there is something committed and much left to commit.
    """
    started_at = (now - timedelta(days=182)).replace(hour=0, minute=0, second=0, microsecond=0)
    return EmbeddedCommitments(plans=(EmbeddedPlan(usd_per_hour=1.0, started_at=started_at),))


class Commitments:
    """Answers DescribeSavingsPlans and DescribeReservedInstances.

    Args:
        held: What was bought.
        clock: Now, aware; what is over by then is retired.
    """

    def __init__(self, held: EmbeddedCommitments, *, clock: Callable[[], datetime]) -> None:
        self._held = held
        self._clock = clock

    def describe_savings_plans(self, call: Call, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return a page of plans, of the account and not of a region.

        Raises:
            AwsError: A parameter is not what the service allows.
        """
        del call
        if parameters.get("filters"):
            message = "filters are not embedded; use states or ids"
            raise AwsError(code="ValidationException", message=message)
        states, ids = parameters.get("states") or ["active"], parameters.get("savingsPlanIds")
        rows = [
            row
            for row in (_plan_row(plan, now=self._clock()) for plan in self._held.plans)
            if row["state"] in states and (not ids or row["savingsPlanId"] in ids)
        ]
        page, token = page_of(
            rows,
            query={"states": states, "ids": ids},
            token=parameters.get("nextToken"),
            limit=parameters.get("maxResults") or MOST_PLANS,
            code="ValidationException",
        )
        return {"savingsPlans": list(page), **({"nextToken": token} if token else {})}

    def describe_reserved_instances(
        self, call: Call, parameters: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return a region's reservations.

        Raises:
            AwsError: A filter is not embedded.
        """
        wanted = {item["Name"]: item["Values"] for item in parameters.get("Filters", ())}
        if unknown := sorted(wanted.keys() - {"state"}):
            message = f"The filter '{unknown[0]}' is not embedded; use state"
            raise AwsError(code="InvalidParameterValue", message=message)
        rows = [
            _reservation_row(one, now=self._clock())
            for one in self._held.reservations
            if one.region == call.region
        ]
        return {
            "ReservedInstances": [
                row for row in rows if row["State"] in wanted.get("state", [row["State"]])
            ]
        }


def _plan_row(plan: EmbeddedPlan, *, now: datetime) -> dict[str, Any]:
    offering = plan.offering
    row = {
        "offeringId": offering.identity(plan.region or "", plan.family or ""),
        "savingsPlanId": plan.plan_id,
        "savingsPlanArn": f"arn:aws:savingsplans::{ACCOUNT}:savingsplan/{plan.plan_id}",
        "description": f"{offering.years} year {offering.payment} {offering.plan} Savings Plan",
        "start": _instant(plan.started_at),
        "end": _instant(plan.ends_at),
        "state": _state(plan.started_at, plan.ends_at, now),
        "savingsPlanType": offering.plan,
        "paymentOption": offering.payment,
        "productTypes": ["EC2", "Fargate", "Lambda"] if offering.plan == COMPUTE else ["EC2"],
        "currency": "USD",
        "commitment": f"{plan.usd_per_hour:.8f}",
        "upfrontPaymentAmount": "0.0",
        "recurringPaymentAmount": f"{plan.usd_per_hour:.8f}",
        "termDurationInSeconds": offering.years * SECONDS_PER_YEAR,
        "tags": {},
    }
    place = {"region": plan.region, "ec2InstanceFamily": plan.family}
    return {**row, **{name: value for name, value in place.items() if value is not None}}


def _reservation_row(one: EmbeddedReservation, *, now: datetime) -> dict[str, Any]:
    name = f"{one.region}{one.instance_type}{one.started_at}"
    return {
        "ReservedInstancesId": str(uuid.uuid5(uuid.NAMESPACE_URL, name)),
        "InstanceType": one.instance_type,
        "InstanceCount": one.count,
        "Duration": one.years * SECONDS_PER_YEAR,
        "FixedPrice": one.upfront_usd,
        "UsagePrice": 0.0,
        "RecurringCharges": [{"Amount": one.usd_per_hour, "Frequency": "Hourly"}],
        "Start": one.started_at,
        "End": one.ends_at,
        "State": _state(one.started_at, one.ends_at, now),
        "Scope": "Region",
        "ProductDescription": one.product,
        "OfferingClass": "standard",
        "OfferingType": "Partial Upfront" if one.upfront_usd else "No Upfront",
        "CurrencyCode": "USD",
        "InstanceTenancy": "default",
    }


def _state(start: datetime, end: datetime, now: datetime) -> str:
    if now < start:
        return "queued"
    return "active" if now < end else "retired"


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
