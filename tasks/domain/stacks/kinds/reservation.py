"""Reservations of databases and caches, for whoever asks for them: no finder proposes any yet."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tasks.domain.savings.money import Usd
from tasks.domain.savings.opportunity import Effort, Kind, Opportunity, Step
from tasks.domain.savings.selection.selection import Chosen
from tasks.domain.stacks.changes import Refused
from tasks.domain.stacks.kinds.made import Made, Work
from tasks.domain.stacks.kinds.names import logical_name, physical_name
from tasks.domain.stacks.live import PURCHASE_REGION
from tasks.domain.stacks.program import Input, Resource

RESERVED_DATABASE = "aws:rds/reservedInstance:ReservedInstance"
RESERVED_CACHE = "aws:elasticache/reservedCacheNode:ReservedCacheNode"
MOST_RESERVED = 100
_MOST_DATABASE_ID = 60
_MOST_CACHE_ID = 36


class Reserved(StrEnum):
    """What is reserved."""

    DATABASES = "databases"
    """Instances of RDS."""
    CACHES = "caches"
    """Nodes of ElastiCache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """A wish to reserve databases or caches of one region.

    Attributes:
        offering_id: As `aws rds describe-reserved-db-instances-offerings` or
            `aws elasticache describe-reserved-cache-nodes-offerings` lists it.
        count: 1 to 100.
        region: Where they run: a reservation holds for that alone.
        covered_usd: On-demand spend that it covers, USD a month.
        paid_usd: What it costs itself, USD a month, what is paid ahead spread over its term.
    """

    what: Reserved
    offering_id: str
    count: int
    region: str
    covered_usd: float
    paid_usd: float


def asked_for(wish: Reservation, *, now: datetime) -> Chosen:
    """Return a wish as something chosen, of the account's purchases or of its region's.

    Args:
        wish: Checked only when it is planned.
        now: Aware UTC.
    """
    amounts = math.isfinite(wish.covered_usd) and math.isfinite(wish.paid_usd)
    saving = Usd.exactly(wish.covered_usd - wish.paid_usd if amounts else 0.0)
    text = f"Reserve {wish.count} {wish.what} of the offering {wish.offering_id} in {wish.region}."
    lines = (
        ("on-demand spend that it covers", wish.covered_usd),
        ("paid for it", wish.paid_usd),
        ("saving", saving.expected),
    )
    found = Opportunity(
        kind=Kind.COMMITMENT,
        resource=f"{wish.what}/{wish.offering_id}",
        region="" if wish.region == PURCHASE_REGION else wish.region,
        change=text,
        target={
            "what": str(wish.what),
            "offering_id": wish.offering_id,
            "count": wish.count,
            "covered_usd": wish.covered_usd,
            "paid_usd": wish.paid_usd,
        },
        evidence_from=now,
        evidence_to=now,
        steps=tuple(
            Step(what=what, formula="as asked for", value=value, unit="USD/month")
            for what, value in lines
        ),
        saving=saving,
        effort=Effort.LOW,
        restart=False,
        reversible=False,
        disruption=0.0,
        confidence=1.0,
    )
    return Chosen(opportunity=found, net=saving, alone=saving, line=text)


def is_reservation(work: Work) -> bool:
    """Return whether a commitment is a reservation, and no Savings Plan."""
    return "offering_id" in work.opportunity.target


def reservation(work: Work) -> Made | Refused:
    """Return the purchase of reserved databases or caches, protected, or why none is made."""
    target = work.opportunity.target
    covered, paid, count = target["covered_usd"], target["paid_usd"], target["count"]
    why = _not_sold(str(target["offering_id"]), count) or _unpriced(covered, paid)
    if why:
        return work.refused(why)
    bought = _bought(work, str(target["offering_id"]), int(count))
    return Made(
        created=(bought,),
        # Both programs keep it: a purchase is not undone by an update.
        undone=(bought,),
        prices={bought.name: (float(covered), float(paid))},
        notes=(
            "bought at once when it is applied, and never given back: AWS takes no reservation back",
            "the undo program leaves it as it is",
        ),
    )


def _bought(work: Work, offering: str, count: int) -> Resource:
    base, identity = logical_name("reserved", offering), work.change.change_id
    if work.opportunity.target["what"] == Reserved.DATABASES:
        databases: dict[str, Input] = {
            "offering_id": offering,
            "instance_count": count,
            "reservation_id": physical_name("database", identity, most=_MOST_DATABASE_ID),
        }
        return work.new(base, "databases", RESERVED_DATABASE, databases, tags={}, protect=True)
    caches: dict[str, Input] = {
        "reserved_cache_nodes_offering_id": offering,
        "cache_node_count": count,
        "elasticache_reserved_cache_node_id": identity[:_MOST_CACHE_ID],
    }
    return work.new(base, "caches", RESERVED_CACHE, caches, tags={}, protect=True)


def _not_sold(offering: str, count: object) -> str:
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST_RESERVED:
        return f"{count!r} to reserve is outside of 1 to {MOST_RESERVED}"
    if not offering:
        return "no offering is named: list them with the AWS command line"
    return ""


def _unpriced(*amounts: object) -> str:
    for amount in amounts:
        known = isinstance(amount, int | float) and math.isfinite(amount) and amount >= 0.0
        if not known:
            return f"{amount!r} is no amount in USD a month: say what it covers and what it costs"
    return ""
