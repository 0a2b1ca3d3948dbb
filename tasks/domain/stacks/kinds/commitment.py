"""Purchases: Savings Plans, and what else somebody asks to commit to."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal

from tasks.domain.stacks.changes import Refused
from tasks.domain.stacks.kinds.made import Made, Work, step_usd
from tasks.domain.stacks.kinds.names import logical_name
from tasks.domain.stacks.kinds.reservation import is_reservation, reservation
from tasks.domain.stacks.live import PlanOffering
from tasks.domain.stacks.program import Input

SAVINGS_PLAN = "aws:savingsplans/savingsPlan:SavingsPlan"
COMPUTE = "Compute"
LEAST_USD_PER_HOUR = Decimal("0.001")
"""AWS sells no smaller plan."""
_DIGITS = Decimal("0.00001")
_PAYMENTS = {"no upfront": "No Upfront"}
"""Nothing is paid ahead: what is paid ahead is lost with a mistake."""


def commitment(work: Work) -> Made | Refused:
    """Return the purchase of a Savings Plan, queued, or of a reservation, or why none is made."""
    if is_reservation(work):
        return reservation(work)
    amount = hourly_commitment(work.fact("usd_per_hour"))
    if amount is None:
        why = f"{work.fact('usd_per_hour')!r} USD/h is less than the smallest plan or no amount"
        return work.refused(f"{why}: AWS sells from {LEAST_USD_PER_HOUR} USD/h")
    offering = _offering(work)
    if isinstance(offering, Refused):
        return offering
    when = purchase_time(work.now, work.purchase_lead)
    inputs: dict[str, Input] = {
        "commitment": amount,
        "purchase_time": when,
        "savings_plan_offering_id": offering.offering_id,
    }
    plan = replace(
        work.new(
            logical_name("savings", "plan"), "purchase", SAVINGS_PLAN, inputs, tags={}, protect=True
        ),
        # AWS tells the amount with other digits, and forgets the time: neither may buy it anew.
        ignore_changes=("commitment", "purchase_time"),
    )
    covered = step_usd(work.opportunity, "on-demand spend that it covers")
    paid = step_usd(work.opportunity, "paid for it")
    known = covered is not None and paid is not None
    return Made(
        created=(plan,),
        # Both programs keep it: a purchase is not undone by an update.
        undone=(plan,),
        prices={plan.name: (covered, paid)} if covered is not None and paid is not None else {},
        notes=(
            f"queued for {when}: until then it can be deleted in the console or by "
            "`aws savingsplans delete-queued-savings-plan`; after that it cannot be undone",
            "the undo program leaves it as it is",
            *(() if known else ("what it covers is not in the arithmetic",)),
        ),
    )


def hourly_commitment(value: object) -> str | None:
    """Return USD an hour as AWS takes it, rounded down to 5 decimals; None where there is no plan.

    Args:
        value: A number; anything else is no amount.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    amount = Decimal(repr(value)).quantize(_DIGITS, rounding=ROUND_DOWN)
    return None if amount < LEAST_USD_PER_HOUR else f"{amount:f}"


def purchase_time(now: datetime, lead: timedelta) -> str:
    """Return the first midnight UTC that is at least so far ahead, as AWS takes it.

    Args:
        now: Aware UTC.
        lead: At least one hour, so that there is time to cancel.

    Raises:
        ValueError: The lead is shorter.
    """
    if lead < timedelta(hours=1):
        msg = f"a purchase is queued {lead} ahead, at least 1 hour is needed to cancel it"
        raise ValueError(msg)
    least = now + lead
    day = least.replace(hour=0, minute=0, second=0, microsecond=0)
    return f"{day if day == least else day + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"


def _offering(work: Work) -> PlanOffering | Refused:
    if work.account.plan_offerings is None:
        why = work.account.plans_unread or "they were not read"
        return work.refused(f"what plans AWS sells is not known: {why}")
    terms = str(work.fact("term"))
    years, _, payment = terms.partition(", ")
    wanted = _PAYMENTS.get(payment)
    term = {"1 year": 1, "3 years": 3}.get(years)
    found = sorted(
        one.offering_id
        for one in work.account.plan_offerings
        if (one.plan_type, one.payment, one.years, one.currency) == (COMPUTE, wanted, term, "USD")
    )
    if len(found) != 1:
        return work.refused(
            f"{len(found)} offerings of AWS are a Compute Savings Plan of {terms!r} in USD, 1 is needed"
        )
    return next(one for one in work.account.plan_offerings if one.offering_id == found[0])
