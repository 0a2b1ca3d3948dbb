"""Reserved databases and caches: what is sold, what was bought.

Prices are approximations by a rule: the list price on demand of us-east-1 less a share that depends
on term and payment. They are not on the embedded bill, as databases and caches are not.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from deployments.embedded.aws.calls import Call
from deployments.embedded.aws.errors import AwsError
from deployments.embedded.aws.overlay import Handler
from deployments.embedded.aws.pages import page_of
from deployments.embedded.aws.plan_rates import (
    ALL_UPFRONT,
    NO_UPFRONT,
    PARTIAL_UPFRONT,
    SECONDS_PER_YEAR,
)
from deployments.embedded.aws.policy import ACCOUNT

RDS, ELASTICACHE = "rds", "elasticache"
_HOURS_PER_YEAR = 8760
_MOST_RECORDS = 100

# USD an hour on demand, us-east-1: MySQL and PostgreSQL in one zone; Redis and Valkey nodes.
DATABASES = {"db.t4g.medium": 0.065, "db.m5.large": 0.171, "db.m6g.large": 0.159,
             "db.m6g.xlarge": 0.318, "db.r6g.large": 0.215, "db.r6g.xlarge": 0.43}  # fmt: skip
CACHES = {"cache.t4g.medium": 0.065, "cache.m6g.large": 0.149, "cache.m6g.xlarge": 0.297,
          "cache.r6g.large": 0.206, "cache.r6g.xlarge": 0.411}  # fmt: skip
PRODUCTS = {RDS: ("mysql", "postgresql"), ELASTICACHE: ("redis", "valkey")}
DISCOUNTS = {(1, NO_UPFRONT): 0.31, (1, PARTIAL_UPFRONT): 0.34, (1, ALL_UPFRONT): 0.36,
             (3, PARTIAL_UPFRONT): 0.53, (3, ALL_UPFRONT): 0.54}  # fmt: skip
"""Share off on demand by years and payment; nothing is sold for three years without upfront."""
_UPFRONT = {NO_UPFRONT: 0.0, PARTIAL_UPFRONT: 0.5, ALL_UPFRONT: 1.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservedOffering:
    """Something that can be reserved.

    Attributes:
        service: "rds" or "elasticache".
        kind: Class of an instance or type of a node.
        usd_per_hour: On demand.
        multi_az: Of a database; twice the price.
    """

    service: str
    kind: str
    product: str
    years: int
    payment: str
    usd_per_hour: float
    multi_az: bool = False

    @property
    def identity(self) -> str:
        """The same in every start and region."""
        name = [self.service, self.kind, self.product, str(self.years), self.payment]
        return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join([*name, str(self.multi_az)])))

    @property
    def fixed_usd(self) -> float:
        """Paid at once."""
        total = self._reserved_usd_per_hour * _HOURS_PER_YEAR * self.years
        return round(total * _UPFRONT[self.payment], 2)

    @property
    def recurring_usd_per_hour(self) -> float:
        """Paid every hour."""
        return round(self._reserved_usd_per_hour * (1.0 - _UPFRONT[self.payment]), 4)

    @property
    def _reserved_usd_per_hour(self) -> float:
        return self.usd_per_hour * (1.0 - DISCOUNTS[self.years, self.payment])


@cache
def reserved_offerings(service: str) -> Mapping[str, ReservedOffering]:
    """Return what a service sells, by id."""
    return {one.identity: one for one in _sold(service)}


def _sold(service: str) -> Iterator[ReservedOffering]:
    prices = DATABASES if service == RDS else CACHES
    for kind, price in prices.items():
        for product in PRODUCTS[service]:
            for years, payment in DISCOUNTS:
                for multi_az in (False, True) if service == RDS else (False,):
                    yield ReservedOffering(
                        service=service,
                        kind=kind,
                        product=product,
                        years=years,
                        payment=payment,
                        usd_per_hour=price * (2.0 if multi_az else 1.0),
                        multi_az=multi_az,
                    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """Something that was reserved."""

    identity: str
    offering: ReservedOffering
    count: int
    region: str
    started_at: datetime
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """Of the reservation."""
        service = self.offering.service
        part = "ri" if service == RDS else "reserved-instance"
        return f"arn:aws:{service}:{self.region}:{ACCOUNT}:{part}:{self.identity}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """How a service calls the same things."""

    offering: str
    item: str
    kind: str
    count: str
    arn: str
    missing_offering: str
    missing: str
    exists: str


_WORDS = {
    RDS: _Words(
        offering="ReservedDBInstancesOffering",
        item="ReservedDBInstance",
        kind="DBInstanceClass",
        count="DBInstanceCount",
        arn="ReservedDBInstanceArn",
        missing_offering="ReservedDBInstancesOfferingNotFound",
        missing="ReservedDBInstanceNotFound",
        exists="ReservedDBInstanceAlreadyExists",
    ),
    ELASTICACHE: _Words(
        offering="ReservedCacheNodesOffering",
        item="ReservedCacheNode",
        kind="CacheNodeType",
        count="CacheNodeCount",
        arn="ReservationARN",
        missing_offering="ReservedCacheNodesOfferingNotFound",
        missing="ReservedCacheNodeNotFound",
        exists="ReservedCacheNodeAlreadyExists",
    ),
}


class Reservations:
    """Answers for reservations of both services. Safe to use from several threads.

    Args:
        clock: Now, aware.
    """

    def __init__(self, *, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._held: dict[tuple[str, str, str], Reservation] = {}

    def handlers(self) -> dict[str, Handler]:
        """Return what answers, by "service:Operation"."""
        return {
            "elasticache:AddTagsToResource": self.tag,
            "elasticache:DescribeReservedCacheNodes": self.describe,
            "elasticache:DescribeReservedCacheNodesOfferings": describe_reserved_offerings,
            "elasticache:ListTagsForResource": self.list_tags,
            "elasticache:PurchaseReservedCacheNodesOffering": self.purchase,
            "elasticache:RemoveTagsFromResource": self.untag,
            "rds:AddTagsToResource": self.tag,
            "rds:DescribeReservedDBInstances": self.describe,
            "rds:DescribeReservedDBInstancesOfferings": describe_reserved_offerings,
            "rds:ListTagsForResource": self.list_tags,
            "rds:PurchaseReservedDBInstancesOffering": self.purchase,
            "rds:RemoveTagsFromResource": self.untag,
        }

    def purchase(self, call: Call, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Answer PurchaseReserved...Offering; it is active at once.

        Raises:
            AwsError: There is no such offering, or a reservation of that name.
        """
        words = _WORDS[call.service]
        offering = reserved_offerings(call.service).get(parameters[f"{words.offering}Id"])
        if offering is None:
            message = "Specified offering does not exist."
            raise AwsError(code=words.missing_offering, message=message, status=404)
        identity = parameters.get(f"{words.item}Id") or f"ri-{uuid.uuid4().hex[:16]}"
        made = Reservation(
            identity=identity,
            offering=offering,
            count=parameters.get(words.count, 1),
            region=call.region,
            started_at=self._clock(),
            tags={tag["Key"]: tag.get("Value", "") for tag in parameters.get("Tags", ())},
        )
        with self._lock:
            if (call.service, call.region, identity) in self._held:
                message = f"Reservation already exists: {identity}"
                raise AwsError(code=words.exists, message=message, status=404)
            self._held[call.service, call.region, identity] = made
        return {words.item: self._row(made)}

    def describe(self, call: Call, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Answer DescribeReserved...: a page of the region's.

        Raises:
            AwsError: There is none of an id.
        """
        words = _WORDS[call.service]
        with self._lock:
            rows = [
                one
                for (service, region, _), one in self._held.items()
                if (service, region) == (call.service, call.region)
            ]
        wanted = parameters.get(f"{words.item}Id")
        if wanted is not None:
            rows = [one for one in rows if one.identity == wanted]
            if not rows:
                message = f"Reservation not found: {wanted}"
                raise AwsError(code=words.missing, message=message, status=404)
        return _paged(f"{words.item}s", [self._row(one) for one in rows], parameters)

    def _row(self, one: Reservation) -> dict[str, Any]:
        words, said = _WORDS[one.offering.service], one.offering
        ends = one.started_at.timestamp() + said.years * SECONDS_PER_YEAR
        row = _offering_row(said)
        return {
            **row,
            f"{words.item}Id": one.identity,
            words.count: one.count,
            words.arn: one.arn,
            "StartTime": one.started_at,
            "State": "active" if self._clock().timestamp() < ends else "retired",
        }

    def list_tags(self, call: Call, parameters: Mapping[str, Any]) -> dict[str, Any] | None:
        """Answer ListTagsForResource about a reservation; moto knows the rest."""
        one = self._by_arn(call, parameters)
        return None if one is None else {"TagList": _pairs(one.tags)}

    def tag(self, call: Call, parameters: Mapping[str, Any]) -> dict[str, Any] | None:
        """Answer AddTagsToResource about a reservation; moto knows the rest."""
        one = self._by_arn(call, parameters)
        if one is None:
            return None
        one.tags.update({tag["Key"]: tag.get("Value", "") for tag in parameters["Tags"]})
        return {"TagList": _pairs(one.tags)} if call.service == ELASTICACHE else {}

    def untag(self, call: Call, parameters: Mapping[str, Any]) -> dict[str, Any] | None:
        """Answer RemoveTagsFromResource about a reservation; moto knows the rest."""
        one = self._by_arn(call, parameters)
        if one is None:
            return None
        for key in parameters["TagKeys"]:
            one.tags.pop(key, None)
        return {"TagList": _pairs(one.tags)} if call.service == ELASTICACHE else {}

    def _by_arn(self, call: Call, parameters: Mapping[str, Any]) -> Reservation | None:
        arn = parameters["ResourceName"]
        with self._lock:
            return self._held.get((call.service, call.region, arn.rpartition(":")[2]))


def describe_reserved_offerings(call: Call, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Answer DescribeReserved...Offerings: a page of what is sold.

    Raises:
        AwsError: There is none of an id.
    """
    words = _WORDS[call.service]
    found = list(reserved_offerings(call.service).values())
    identity = parameters.get(f"{words.offering}Id")
    if identity is not None and identity not in reserved_offerings(call.service):
        message = "Specified offering does not exist."
        raise AwsError(code=words.missing_offering, message=message, status=404)
    wanted = {
        "identity": identity,
        "kind": parameters.get(words.kind),
        "product": parameters.get("ProductDescription"),
        "payment": parameters.get("OfferingType"),
        "multi_az": parameters.get("MultiAZ"),
        "years": _years(parameters.get("Duration")),
    }
    rows = [
        _offering_row(one)
        for one in found
        if all(value is None or getattr(one, name) == value for name, value in wanted.items())
    ]
    return _paged(f"{words.offering}s", rows, parameters)


def _years(duration: str | None) -> int | None:
    if duration is None:
        return None
    number = int(duration)
    return number if number in {1, 3} else number // SECONDS_PER_YEAR


def _offering_row(one: ReservedOffering) -> dict[str, Any]:
    words = _WORDS[one.service]
    charges = [{"RecurringChargeAmount": one.recurring_usd_per_hour,
                "RecurringChargeFrequency": "Hourly"}]  # fmt: skip
    row = {
        f"{words.offering}Id": one.identity,
        words.kind: one.kind,
        "Duration": one.years * SECONDS_PER_YEAR,
        "FixedPrice": one.fixed_usd,
        "UsagePrice": 0.0,
        "ProductDescription": one.product,
        "OfferingType": one.payment,
        "RecurringCharges": charges if one.recurring_usd_per_hour else [],
    }
    return row | ({"CurrencyCode": "USD", "MultiAZ": one.multi_az} if one.service == RDS else {})


def _paged(name: str, rows: list[dict[str, Any]], parameters: Mapping[str, Any]) -> dict[str, Any]:
    query = {key: each for key, each in parameters.items() if key not in {"Marker", "MaxRecords"}}
    page, marker = page_of(
        rows,
        query=query,
        token=parameters.get("Marker"),
        limit=parameters.get("MaxRecords") or _MOST_RECORDS,
        code="InvalidParameterValue",
    )
    return {name: list(page), **({"Marker": marker} if marker else {})}


def _pairs(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
