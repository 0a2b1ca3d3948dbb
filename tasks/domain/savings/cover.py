"""What the commitments of an account cover, and what they cost whether used or not."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tasks.domain.inventory import Commitment, CommitmentKind
from tasks.domain.savings.money import PriceBook

LINUX = "Linux/UNIX"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """Commitments, added up.

    Attributes:
        everywhere_usd_per_hour: Of Compute Savings Plans, at plan rates.
        scoped_usd_per_hour: On-demand spend that narrower commitments cover, by "region/family";
            infinite where it is not known how much, so that nothing is saved there twice.
        paid_usd_per_hour: All of them, used or not.
    """

    everywhere_usd_per_hour: float = 0.0
    scoped_usd_per_hour: Mapping[str, float] = field(default_factory=dict)
    paid_usd_per_hour: float = 0.0


NO_COVER = Cover()


def existing_cover(commitments: Iterable[Commitment], *, prices: PriceBook, now: datetime) -> Cover:
    """Return what commitments cover that have not ended."""
    active = [one for one in commitments if one.ends_at > now]
    scoped: dict[str, float] = defaultdict(float)
    for one in active:
        if one.kind is not CommitmentKind.COMPUTE_SAVINGS_PLAN:
            scoped[scope_of(one)] += _on_demand_covered(one, prices)
    return Cover(
        everywhere_usd_per_hour=math.fsum(
            one.usd_per_hour for one in active if one.kind is CommitmentKind.COMPUTE_SAVINGS_PLAN
        ),
        scoped_usd_per_hour=dict(sorted(scoped.items())),
        paid_usd_per_hour=math.fsum(one.usd_per_hour for one in active),
    )


def scope_of(commitment: Commitment) -> str:
    """Return "region/family" of a commitment that holds for one family."""
    family = commitment.instance_family or (commitment.instance_type or "").partition(".")[0]
    return family_scope(commitment.region or "", family)


def family_scope(region: str, family: str) -> str:
    """Return the name of a family in a region, as lines and covers have it."""
    return f"{region}/{family}"


def _on_demand_covered(one: Commitment, prices: PriceBook) -> float:
    """Return USD an hour of on-demand spend that a narrower commitment covers."""
    region = one.region or ""
    if one.kind is CommitmentKind.RESERVED_INSTANCE:
        price = prices.on_demand(one.instance_type or "", region=region, product=LINUX)
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
