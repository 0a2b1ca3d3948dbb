"""Savings Plans on the bill: a fee, and usage that it covers.

As unblended cost shows it: the fee is a line of its own, covered usage stands at its on-demand cost, and
a negation of the same amount takes it out again. Simplified: a plan covers the same share of all usage
that it may cover, day by day, where AWS takes the largest discounts first, hour by hour; Lambda is left
out; and Reserved Instances are not on the bill.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import numpy as np

from deployments.embedded.aws.commitments import EmbeddedPlan
from deployments.embedded.aws.cost.lines import PLANS, Bill, LineKey, RecordType
from deployments.embedded.aws.plan_rates import COMPUTE, plan_rate
from deployments.embedded.aws.price_list import on_demand_usd_per_hour
from tasks.domain.arrays import FloatArray

_BOX = "BoxUsage:"


def add_plans(
    bill: Bill,
    plans: Sequence[EmbeddedPlan],
    *,
    hours: Callable[[datetime, datetime | None], FloatArray],
) -> None:
    """Add what plans cost and cover. Those of one family come first, as at AWS.

    Args:
        bill: With the usage; lines for Windows count as covered with their licence, which AWS does
            not discount.
        plans: All that were bought.
        hours: Gives the hours of each day between two instants.
    """
    for plan in sorted(plans, key=lambda one: one.offering.plan == COMPUTE):
        fee = hours(plan.started_at, plan.ends_at) * plan.usd_per_hour
        _add_fee(bill, plan, fee)
        _cover(bill, plan, fee)


def _add_fee(bill: Bill, plan: EmbeddedPlan, fee: FloatArray) -> None:
    offering = plan.offering
    name = "ComputeSP" if offering.plan == COMPUTE else "EC2SP"
    key = LineKey(
        service=PLANS,
        usage_type=f"{name}:{offering.years}yr{offering.payment.replace(' ', '')}",
        region=plan.region or "global",
        unit="Hrs",
        record=RecordType.PLAN_FEE,
    )
    bill.add(key, usd=fee, quantity=fee / plan.usd_per_hour)


def _cover(bill: Bill, plan: EmbeddedPlan, fee: FloatArray) -> None:
    rates = [
        (key, usd, quantity, rate)
        for key, usd, quantity in bill.lines()
        if (rate := _rate_share(plan, key)) is not None
    ]
    if not rates:
        return
    at_plan_rates = np.sum([usd * rate for _, usd, _, rate in rates], axis=0)
    share = np.minimum(1.0, np.divide(fee, at_plan_rates, where=at_plan_rates > 0, out=0.0 * fee))
    for key, usd, quantity, _ in rates:
        covered, amount = usd * share, quantity * share
        bill.add(key, usd=-covered, quantity=-amount)
        bill.add(_as(key, RecordType.COVERED), usd=covered, quantity=amount)
        bill.add(_as(key, RecordType.NEGATION), usd=-covered, quantity=0.0 * amount)


def _as(key: LineKey, record: RecordType) -> LineKey:
    return LineKey(
        service=key.service,
        usage_type=key.usage_type,
        region=key.region,
        unit=key.unit,
        record=record,
        tags=key.tags,
    )


def _rate_share(plan: EmbeddedPlan, key: LineKey) -> float | None:
    """Return a line's rate under a plan as a share of its cost; None where the plan does not hold."""
    if _BOX not in key.usage_type or key.record is not RecordType.USAGE:
        return None
    kind = key.usage_type.partition(_BOX)[2]
    if plan.region not in {None, key.region} or plan.family not in {None, kind.partition(".")[0]}:
        return None
    price = on_demand_usd_per_hour(kind, region=key.region)
    rate = plan_rate(kind, region=key.region, offering=plan.offering)
    return None if price is None or rate is None else rate / price
