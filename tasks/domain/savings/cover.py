"""What the commitments of an account cover, and what they cost whether used or not.

A reserved instance holds for one product (operating system and licences) of a family in a region, a
plan of a family for all of them. Where a family has both, they are added up and hold for every
product: that covers too much rather than too little, so that nothing is saved twice.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tasks.domain.inventory import Commitment, CommitmentKind
from tasks.domain.savings.money import PriceBook

LINUX = "Linux/UNIX"
ENDS_WITHIN = timedelta(days=365)
"""What ends later than that is as good as for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """Commitments, added up.

    Attributes:
        everywhere_usd_per_hour: Of Compute Savings Plans, at plan rates.
        scoped_usd_per_hour: On-demand spend that narrower commitments cover, by
            "region/family/product" or, where one holds for all products, by "region/family";
            infinite where it is not known how much, so that nothing is saved there twice.
        paid_usd_per_hour: All of them, used or not.
        ending: Those that end within a year, the first to end first.
    """

    everywhere_usd_per_hour: float = 0.0
    scoped_usd_per_hour: Mapping[str, float] = field(default_factory=dict)
    paid_usd_per_hour: float = 0.0
    ending: tuple[Commitment, ...] = ()

    def scope_for(self, scope: str) -> str:
        """Return the narrower commitments that hold for "region/family/product"; "" for none."""
        known = self.scoped_usd_per_hour
        return next((one for one in (scope, family_of(scope)) if one in known), "")

    def first_to_end(self, scopes: Iterable[str]) -> Commitment | None:
        """Return the commitment that ends first of those that may cover spend.

        Args:
            scopes: "region/family/product" of that spend.
        """
        held = {self.scope_for(scope) for scope in scopes} | {""}
        return next((one for one in self.ending if self.scope_for(scope_of(one)) in held), None)


NO_COVER = Cover()


def existing_cover(commitments: Iterable[Commitment], *, prices: PriceBook, now: datetime) -> Cover:
    """Return what commitments cover that have not ended."""
    active = [one for one in commitments if one.ends_at > now]
    narrower = [one for one in active if one.kind is not CommitmentKind.COMPUTE_SAVINGS_PLAN]
    # A family with a commitment for every product has one budget.
    whole = {scope_of(one) for one in narrower if scope_of(one) == family_of(scope_of(one))}
    scoped: dict[str, float] = defaultdict(float)
    for one in narrower:
        scope, family = scope_of(one), family_of(scope_of(one))
        scoped[family if family in whole else scope] += _on_demand_covered(one, prices)
    ending = [one for one in active if one.ends_at - now <= ENDS_WITHIN]
    return Cover(
        everywhere_usd_per_hour=math.fsum(
            one.usd_per_hour for one in active if one.kind is CommitmentKind.COMPUTE_SAVINGS_PLAN
        ),
        scoped_usd_per_hour=dict(sorted(scoped.items())),
        paid_usd_per_hour=math.fsum(one.usd_per_hour for one in active),
        ending=tuple(sorted(ending, key=lambda one: (one.ends_at, one.commitment_id))),
    )


def scope_of(commitment: Commitment) -> str:
    """Return what a commitment holds for; "" for everything.

    "region/family/product" of a reservation, "region/family" of a plan of a family and of a
    reservation whose product is not known.
    """
    if commitment.kind is CommitmentKind.COMPUTE_SAVINGS_PLAN:
        return ""
    family = commitment.instance_family or (commitment.instance_type or "").partition(".")[0]
    region = commitment.region or ""
    reserved = commitment.kind is CommitmentKind.RESERVED_INSTANCE
    if reserved and commitment.product is not None:
        return product_scope(region, family, commitment.product)
    return f"{region}/{family}"


def product_scope(region: str, family: str, product: str) -> str:
    """Return the name of a family's product in a region, as lines and covers have it."""
    return f"{region}/{family}/{product}"


def family_of(scope: str) -> str:
    """Return "region/family" of a scope; the names of products have slashes too."""
    return "/".join(scope.split("/")[:2])


def _on_demand_covered(one: Commitment, prices: PriceBook) -> float:
    """Return USD an hour of on-demand spend that a narrower commitment covers."""
    region = one.region or ""
    if one.kind is CommitmentKind.RESERVED_INSTANCE:
        if one.product is None:
            return math.inf
        price = prices.on_demand(one.instance_type or "", region=region, product=one.product)
        return math.inf if price is None else one.count * price
    ratio = _family_ratio(region, scope_of(one).partition("/")[2], prices)
    return math.inf if ratio is None else one.usd_per_hour / ratio


def _family_ratio(region: str, family: str, prices: PriceBook) -> float | None:
    """Return the lowest plan rate over on-demand price in a family; None where unknown."""
    rates = prices.plan_usd_per_hour.get((region, LINUX), {})
    offers = prices.offers.get((region, LINUX), {})
    ratios = [
        rates[name] / offers[name].price_usd_per_hour
        for name in rates
        if name.partition(".")[0] == family
        and name in offers
        and min(rates[name], offers[name].price_usd_per_hour) > 0.0
    ]
    return min(ratios, default=None)
