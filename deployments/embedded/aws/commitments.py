"""What the embedded account has committed to: Savings Plans and Reserved Instances."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from deployments.embedded.aws.calls import Call
from deployments.embedded.aws.errors import AwsError
from deployments.embedded.aws.pages import page_of
from deployments.embedded.aws.plan_offerings import sold_offerings
from deployments.embedded.aws.plan_rates import COMPUTE, NO_UPFRONT, SECONDS_PER_YEAR, Offering
from deployments.embedded.aws.policy import ACCOUNT

MOST_PLANS = 1000
LEAST_COMMITMENT_USD, MOST_COMMITMENT_USD = 0.001, 5_000.0
"""An hour."""
COMPUTE_ONE_YEAR = Offering(plan=COMPUTE, years=1, payment=NO_UPFRONT)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedPlan:
    """A Savings Plan.

    Attributes:
        usd_per_hour: Committed, upfront payments included.
        started_at: Aware UTC.
        region, family: Of an EC2 Instance plan; None of a Compute plan.
        identity: Of one that was bought through the API; None for one from the start.
        tags: By key.
        deleted: It was queued and is taken back.
    """

    usd_per_hour: float
    started_at: datetime
    offering: Offering = COMPUTE_ONE_YEAR
    region: str | None = None
    family: str | None = None
    identity: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    deleted: bool = False

    @property
    def plan_id(self) -> str:
        """The same in every start."""
        return self.identity or str(
            uuid.uuid5(uuid.NAMESPACE_URL, f"{self.offering}{self.region}{self.family}")
        )

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


class PlanPurchases:
    """Savings Plans as they are bought and taken back. Safe to use from several threads.

    Args:
        held: Bought before.
        clock: Now, aware.
    """

    def __init__(self, held: tuple[EmbeddedPlan, ...], *, clock: Callable[[], datetime]) -> None:
        self._plans = list(held)
        self._tokens: dict[str, str] = {}
        self._clock = clock
        self._lock = threading.Lock()

    @property
    def plans(self) -> tuple[EmbeddedPlan, ...]:
        """All of them, those that were taken back too."""
        with self._lock:
            return tuple(self._plans)

    def charged(self) -> tuple[EmbeddedPlan, ...]:
        """Return the plans that cost something at some time."""
        return tuple(plan for plan in self.plans if not plan.deleted)

    def create(self, call: Call, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Answer CreateSavingsPlan: one with a later purchase time is queued.

        Raises:
            AwsError: There is no such offering, or the commitment or the time is out of bounds.
        """
        del call
        sold = sold_offerings().get(parameters["savingsPlanOfferingId"])
        if sold is None:
            raise _refusal("Offering " + str(parameters["savingsPlanOfferingId"]) + " is unknown")
        now = self._clock()
        at = parameters.get("purchaseTime")
        if at is not None and at <= now:
            message = f"purchaseTime {_instant(at)} must be in the future"
            raise _refusal(message)
        made = EmbeddedPlan(
            usd_per_hour=_commitment(parameters["commitment"]),
            started_at=at or now,
            offering=sold.offering,
            region=sold.region,
            family=sold.family,
            identity=str(uuid.uuid4()),
            tags=dict(parameters.get("tags", {})),
        )
        with self._lock:
            known = self._tokens.get(parameters.get("clientToken", ""))
            if known is not None:
                return {"savingsPlanId": known}
            self._plans.append(made)
            if "clientToken" in parameters:
                self._tokens[parameters["clientToken"]] = made.plan_id
        return {"savingsPlanId": made.plan_id}

    def delete_queued(self, call: Call, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Answer DeleteQueuedSavingsPlan.

        Raises:
            AwsError: There is no such plan, or it is not queued.
        """
        del call
        with self._lock:
            place, plan = self._known(parameters["savingsPlanId"])
            if plan.deleted or plan.started_at <= self._clock():
                message = f"Savings Plan {plan.plan_id} is not queued"
                raise _refusal(message)
            self._plans[place] = replace(plan, deleted=True)
        return {}

    def tag(self, call: Call, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Answer TagResource.

        Raises:
            AwsError: There is no such plan.
        """
        del call
        self._retag(parameters["resourceArn"], lambda tags: {**tags, **parameters["tags"]})
        return {}

    def untag(self, call: Call, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Answer UntagResource.

        Raises:
            AwsError: There is no such plan.
        """
        del call
        gone = set(parameters["tagKeys"])
        self._retag(
            parameters["resourceArn"],
            lambda tags: {key: value for key, value in tags.items() if key not in gone},
        )
        return {}

    def _retag(self, arn: str, change: Callable[[Mapping[str, str]], Mapping[str, str]]) -> None:
        with self._lock:
            place, plan = self._known(arn.rpartition("/")[2])
            self._plans[place] = replace(plan, tags=change(plan.tags))

    def _known(self, identity: str) -> tuple[int, EmbeddedPlan]:
        for place, plan in enumerate(self._plans):
            if plan.plan_id == identity:
                return place, plan
        message = f"Savings Plan {identity} does not exist"
        raise AwsError(code="ResourceNotFoundException", message=message, status=404)


def _commitment(text: str) -> float:
    try:
        usd_per_hour = float(text)
    except ValueError as error:
        message = f"commitment {text!r} is not a number"
        raise _refusal(message) from error
    if not LEAST_COMMITMENT_USD <= usd_per_hour <= MOST_COMMITMENT_USD:
        bounds = f"{LEAST_COMMITMENT_USD:g} to {MOST_COMMITMENT_USD:g}"
        message = f"commitment {text} is not within {bounds} USD an hour"
        raise _refusal(message)
    return usd_per_hour


def _refusal(message: str) -> AwsError:
    return AwsError(code="ValidationException", message=message)


class Commitments:
    """Answers DescribeSavingsPlans and DescribeReservedInstances.

    Args:
        held: What was bought before.
        bought: What is bought through the API.
        clock: Now, aware; what is over by then is retired.
    """

    def __init__(
        self, held: EmbeddedCommitments, bought: PlanPurchases, *, clock: Callable[[], datetime]
    ) -> None:
        self._held = held
        self._bought = bought
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
            for row in (_plan_row(plan, now=self._clock()) for plan in self._bought.plans)
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
        "state": "queued-deleted" if plan.deleted else _state(plan.started_at, plan.ends_at, now),
        "savingsPlanType": offering.plan,
        "paymentOption": offering.payment,
        "productTypes": ["EC2", "Fargate", "Lambda"] if offering.plan == COMPUTE else ["EC2"],
        "currency": "USD",
        "commitment": f"{plan.usd_per_hour:.8f}",
        "upfrontPaymentAmount": "0.0",
        "recurringPaymentAmount": f"{plan.usd_per_hour:.8f}",
        "termDurationInSeconds": offering.years * SECONDS_PER_YEAR,
        "tags": dict(plan.tags),
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
