"""Amounts of money per month, and prices to reckon with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tasks.domain.instances import Architecture, Offer, TypeFacts

HOURS_PER_MONTH = 730.0
HOURS_PER_WEEK = 168


@dataclass(frozen=True, slots=True, kw_only=True)
class Usd:
    """An amount, USD a month, with the range it is expected to lie in four times out of five.

    How an amount's own doubts and a change's confidence make that range: `realisation`.

    Attributes:
        low: At most `expected`.
        high: At least `expected`.
    """

    low: float
    expected: float
    high: float

    @classmethod
    def exactly(cls, amount: float) -> Usd:
        """Return an amount without doubt."""
        return cls(low=amount, expected=amount, high=amount)

    def times(self, factor: float) -> Usd:
        """Return the amount times a factor of at least 0."""
        return Usd(low=self.low * factor, expected=self.expected * factor, high=self.high * factor)

    def plus(self, other: Usd) -> Usd:
        """Return the sum, as if both were low or high together: never too narrow."""
        return Usd(
            low=self.low + other.low,
            expected=self.expected + other.expected,
            high=self.high + other.high,
        )

    @classmethod
    def total(cls, amounts: Iterable[Usd]) -> Usd:
        """Return the sum of amounts; zero of none."""
        found = cls.exactly(0.0)
        for amount in amounts:
            found = found.plus(amount)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumePrice:
    """What a volume of one kind costs a month.

    Attributes:
        usd_per_gib: Of its size.
        usd_per_iops: Of each provisioned operation per second above `free_iops`.
        usd_per_mib_per_second: Of throughput above `free_mib_per_second`.
    """

    usd_per_gib: float
    usd_per_iops: float = 0.0
    free_iops: float = 0.0
    usd_per_mib_per_second: float = 0.0
    free_mib_per_second: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionPrice:
    """What Lambda and an HTTP API in front of it cost.

    Attributes:
        usd_per_request: Of Lambda.
        usd_per_gib_second: By architecture.
        usd_per_api_request: Of an HTTP API.
    """

    usd_per_request: float
    usd_per_gib_second: Mapping[Architecture, float]
    usd_per_api_request: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SpotQuote:
    """What one instance type is forecast to cost on spot in one zone.

    Attributes:
        usd_per_hour: Forecast mean over the next week.
        high_usd_per_hour: Its 90 % quantile.
        interruptions_per_month: Expected number, of an instance running all month.
        risk_is_prior: Whether that is a stated belief and not observed.
    """

    region: str
    availability_zone: str
    instance_type: str
    usd_per_hour: float
    high_usd_per_hour: float
    interruptions_per_month: float
    risk_is_prior: bool = True


@dataclass(frozen=True, kw_only=True)
class PriceBook:
    """Every price that savings are reckoned with. What is not in it is unknown, never free.

    Attributes:
        offers: On-demand offers by (region, product), then by instance type.
        types: Facts of instance types by name.
        volumes: By (region, kind).
        functions: By region.
        plan_usd_per_hour: A Compute Savings Plan's rate (`plan_term`) by (region, product), then
            by instance type.
        plan_term: For example "1 year, no upfront".
        spot: Quotes by (region, instance type), Linux.
        quoted_at: Where the prices were read, for reports.
    """

    offers: Mapping[tuple[str, str], Mapping[str, Offer]] = field(default_factory=dict)
    types: Mapping[str, TypeFacts] = field(default_factory=dict)
    volumes: Mapping[tuple[str, str], VolumePrice] = field(default_factory=dict)
    functions: Mapping[str, FunctionPrice] = field(default_factory=dict)
    plan_usd_per_hour: Mapping[tuple[str, str], Mapping[str, float]] = field(default_factory=dict)
    plan_term: str = "1 year, no upfront"
    spot: Mapping[tuple[str, str], tuple[SpotQuote, ...]] = field(default_factory=dict)
    quoted_at: str = "AWS"

    def on_demand(self, instance_type: str, *, region: str, product: str) -> float | None:
        """Return USD an hour; None where the price list does not know the type there."""
        offer = self.offers.get((region, product), {}).get(instance_type)
        return None if offer is None else offer.price_usd_per_hour

    def plan_rate(self, instance_type: str, *, region: str, product: str) -> float | None:
        """Return USD an hour under the Savings Plan; None where it is not known."""
        return self.plan_usd_per_hour.get((region, product), {}).get(instance_type)
