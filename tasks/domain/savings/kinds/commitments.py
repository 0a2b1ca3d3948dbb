"""A Compute Savings Plan for what is left when everything else is done."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from tasks.domain.arrays import FloatArray
from tasks.domain.inventory import Commitment
from tasks.domain.savings.bill import Bill, Ledger
from tasks.domain.savings.money import HOURS_PER_MONTH, Usd
from tasks.domain.savings.opportunity import Effort, Kind, Opportunity, Rejection, Step
from tasks.domain.savings.sizing.running_hours import EIGHTY_PERCENT, WEEKS_PER_MONTH

ACCOUNT = "account"
ENDS_SOON = timedelta(days=60)
LEAST_SHRINK_PER_MONTH = 0.05
"""How fast a fleet's spend falls in one case of ten, at least: a belief, since weeks tell little
about a year. Compounding, that is 46 % over twelve months."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanTerms:
    """What a new plan is sized by.

    Attributes:
        floor_share: Largest share of the floor to commit to, existing plans included.
        lowest_week_share: Eligible spend of the history's lowest week over its mean, 0 to 1; part
            of `floor_share` already.
        term: For example "1 year, no upfront".
        existing: Commitments that there are.
        weekly_deviation: Relative change of eligible spend from week to week, root mean square.
        unobserved: Resources that were observed for less than `min_days`, in no floor.
        unobserved_usd: What they cost on demand, USD a month.
        min_days: Of observation, for a floor.
    """

    floor_share: float
    lowest_week_share: float
    term: str
    evidence_from: datetime
    evidence_to: datetime
    existing: tuple[Commitment, ...] = ()
    weekly_deviation: float = 0.0
    unobserved: int = 0
    unobserved_usd: float = 0.0
    min_days: int = 0

    @property
    def days(self) -> float:
        """Of evidence."""
        return (self.evidence_to - self.evidence_from) / timedelta(days=1)

    @property
    def months(self) -> int:
        """That a plan binds."""
        years = self.term.partition(" ")[0]
        return int(years) * 12 if years.isdigit() else 12


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOutcome:
    """A new plan and the bills with and without it.

    Attributes:
        usd_per_hour: 0.0 where none pays.
        floor_usd_per_hour: At plan rates.
    """

    usd_per_hour: float
    floor_usd_per_hour: float
    without: Bill
    with_it: Bill

    @property
    def saved_usd(self) -> float:
        """USD a month."""
        return self.without.usd - self.with_it.usd


def best_plan(
    ledger: Ledger, eligible: FloatArray, *, other_usd: float, floor_share: float, hurdle_usd: float
) -> PlanOutcome:
    """Return the largest plan within the share of the floor: up to there each dollar is used.

    Args:
        ledger: Whose classes the amounts are in.
        eligible: (classes, 168) on-demand USD in each hour of the week.
        other_usd: What no plan covers, USD a month.
        floor_share: Of the floor, existing plans included, 0 to 1.
        hurdle_usd: Least saving, USD a month; below it no plan is proposed.
    """
    floor = ledger.floor_usd_per_hour(eligible)
    level = max(floor_share * floor - ledger.cover.everywhere_usd_per_hour, 0.0)
    without = ledger.bill(eligible, other_usd=other_usd)
    with_it = ledger.bill(eligible, other_usd=other_usd, commitment_usd_per_hour=level)
    saved = without.usd - with_it.usd
    if level <= 0.0 or saved <= 0.0 or saved < hurdle_usd:
        return PlanOutcome(
            usd_per_hour=0.0, floor_usd_per_hour=floor, without=without, with_it=without
        )
    return PlanOutcome(
        usd_per_hour=level, floor_usd_per_hour=floor, without=without, with_it=with_it
    )


def commitment_opportunity(
    outcome: PlanOutcome, *, terms: PlanTerms, now: datetime
) -> Opportunity | Rejection:
    """Return the plan as an opportunity, or why there is none."""
    if outcome.usd_per_hour <= 0.0:
        return _no_plan(outcome, terms)
    level, saved = outcome.usd_per_hour, outcome.saved_usd
    covers_usd = outcome.without.on_demand_usd - outcome.with_it.on_demand_usd
    break_even = break_even_use(outcome)
    used = low_use(outcome, terms)
    existing = outcome.with_it.plan_usd / HOURS_PER_MONTH - level
    return Opportunity(
        kind=Kind.COMMITMENT,
        resource=ACCOUNT,
        region="",
        change=f"Buy a Compute Savings Plan of {level:.3f} USD/h ({terms.term}).",
        target={"usd_per_hour": level, "term": terms.term},
        evidence_from=terms.evidence_from,
        evidence_to=terms.evidence_to,
        steps=(
            Step(
                what="commitment",
                formula=f"{terms.floor_share:.4f} of the floor x "
                f"{outcome.floor_usd_per_hour:.4f} USD/h - {existing:.4f} USD/h of existing plans",
                value=level,
                unit="USD/h",
            ),
            Step(
                what="paid for it",
                formula=f"{level:.4f} USD/h x 730 h",
                value=outcome.with_it.new_usd,
                unit="USD/month",
            ),
            Step(
                what="on-demand spend that it covers",
                formula=f"{outcome.without.on_demand_usd:.2f} - {outcome.with_it.on_demand_usd:.2f}",
                value=covers_usd,
                unit="USD/month",
            ),
            Step(
                what="share of it that has to be used for it to pay",
                formula=f"{outcome.with_it.new_usd:.2f} / {covers_usd:.2f}",
                value=break_even,
                unit="share",
            ),
            Step(
                what="saving",
                formula=f"{covers_usd:.2f} - {outcome.with_it.new_usd:.2f}",
                value=saved,
                unit="USD/month",
            ),
        ),
        saving=Usd(
            low=min(saved, used * covers_usd - outcome.with_it.new_usd),
            expected=saved,
            high=saved,
        ),
        effort=Effort.MEDIUM,
        restart=False,
        reversible=False,
        disruption=0.0,
        confidence=plan_confidence(terms),
        notes=_notes(outcome, terms, used=used, break_even=break_even, now=now),
    )


def plan_confidence(terms: PlanTerms) -> float:
    """Return how likely a plan's saving comes true, 0.5 to 0.9.

    It grows with the square root of the share of the term that was observed, less where one of the
    weeks was low.
    """
    observed = min(terms.days * 12.0 / (365.0 * terms.months), 1.0)
    return round(0.5 + 0.4 * terms.lowest_week_share * math.sqrt(observed), 2)


def low_use(outcome: PlanOutcome, terms: PlanTerms) -> float:
    """Return the share of a new plan that is used over its term in one case of ten, 0 to 1.

    The floor falls by `LEAST_SHRINK_PER_MONTH` a month, compounding, or as a walk does that
    changes as much from week to week as was observed, whichever is lower; plans that there are
    take theirs first.
    """
    months = np.arange(terms.months) + 0.5
    walk = EIGHTY_PERCENT * terms.weekly_deviation * np.sqrt(WEEKS_PER_MONTH * months)
    left = np.minimum((1.0 - LEAST_SHRINK_PER_MONTH) ** months, np.exp(-walk))
    existing = outcome.with_it.plan_usd / HOURS_PER_MONTH - outcome.usd_per_hour
    used = np.clip(outcome.floor_usd_per_hour * left - existing, 0.0, outcome.usd_per_hour)
    return float(used.mean()) / outcome.usd_per_hour


def break_even_use(outcome: PlanOutcome) -> float:
    """Return the share of a new plan that has to be used for it to pay, 0 to 1."""
    covers_usd = outcome.without.on_demand_usd - outcome.with_it.on_demand_usd
    return outcome.with_it.new_usd / covers_usd if covers_usd > 0.0 else 1.0


def _no_plan(outcome: PlanOutcome, terms: PlanTerms) -> Rejection:
    existing = outcome.without.plan_usd / HOURS_PER_MONTH
    why = (
        f"{terms.floor_share:.2f} of the stable floor of {outcome.floor_usd_per_hour:.4f} USD/h "
        f"(plan rates, known ones) less {existing:.4f} USD/h of existing plans leaves nothing that "
        "saves enough; more steady on-demand use, or a known plan rate, would change that"
    )
    if terms.unobserved:
        why += f"; {_unobserved(terms)}; wait for more"
    return Rejection(
        kind=Kind.COMMITMENT,
        resource=ACCOUNT,
        region="",
        why=why,
        facts={"floor_usd_per_hour": outcome.floor_usd_per_hour, "existing_usd_per_hour": existing},
    )


def _unobserved(terms: PlanTerms) -> str:
    return (
        f"observed for less than {terms.min_days} days, so in no floor: {terms.unobserved} of the "
        f"resources, {terms.unobserved_usd:.2f} USD a month on demand"
    )


def _notes(
    outcome: PlanOutcome, terms: PlanTerms, *, used: float, break_even: float, now: datetime
) -> tuple[str, ...]:
    coverage = outcome.with_it.coverage
    use = outcome.with_it.utilisation
    covers_usd = outcome.without.on_demand_usd - outcome.with_it.on_demand_usd
    paid_usd = outcome.with_it.new_usd
    notes = [
        f"pays as long as {break_even:.0%} of it is used; if use stopped for good after "
        f"{break_even * terms.months:.1f} of {terms.months} months, it would have cost what on demand had",
        "cannot be returned once bought, so buy it after the other changes are done",
        f"the history's lowest week had {terms.lowest_week_share:.0%} of the mean week's spend",
        f"{terms.days:.0f} days say little about {terms.months} months: in one case of ten the "
        f"fleet shrinks by {LEAST_SHRINK_PER_MONTH:.0%} a month or more (a belief), {used:.4f} of "
        f"the plan is used, and {used:.4f} x {covers_usd:.2f} - {paid_usd:.2f} = "
        f"{used * covers_usd - paid_usd:.2f} USD a month are saved",
        *([_unobserved(terms)] if terms.unobserved else []),
        *_ends(terms.existing, now=now),
    ]
    if coverage is not None and use is not None:
        notes.insert(1, f"coverage {coverage:.0%} of on-demand compute, utilisation {use:.0%}")
    return tuple(notes)


def _ends(existing: Sequence[Commitment], *, now: datetime) -> list[str]:
    active = sorted((one for one in existing if one.ends_at > now), key=lambda one: one.ends_at)
    return [
        f"{one.commitment_id} ({one.usd_per_hour:.3f} USD/h) ends on {one.ends_at:%Y-%m-%d}: "
        "size again then"
        for one in active
        if one.ends_at - now <= ENDS_SOON
    ]
