"""Which opportunities go together, and what they would really save.

What is chosen makes `bill(now) - bill(after)` less every change's hurdle as large as possible: the
hurdle is the smallest saving that the policy accepts of a change, plus what it asks for its
disruption. With both limits at 0 that is the largest saving there is.

The saving is attributed in a fixed order, each step a difference of two bills: first what changes
size and running hours (right-size, stop, schedule, scaling, volumes, serverless), then spot, then
the commitment to what is left. So the nets of all steps add up to the total exactly. Their
intervals follow from each one's own and from its confidence: `realisation`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from tasks.domain.savings.bill import Bill, Ledger
from tasks.domain.savings.cover import NO_COVER, Cover
from tasks.domain.savings.kinds.commitments import (
    PlanOutcome,
    PlanTerms,
    break_even_use,
    commitment_opportunity,
)
from tasks.domain.savings.money import Usd
from tasks.domain.savings.opportunity import Opportunity, Rejection
from tasks.domain.savings.policy import SavingsPolicy
from tasks.domain.savings.selection.alternatives import Alternative, Unit
from tasks.domain.savings.selection.attribution import Attributed, attributed
from tasks.domain.savings.selection.choice import Choice
from tasks.domain.savings.selection.net_steps import net_steps
from tasks.domain.savings.selection.optimum import TIME_LIMIT_SECONDS, best_choice
from tasks.domain.savings.selection.realisation import Doubtful, realised, realised_together
from tasks.domain.savings.selection.reasons import allowed_by, not_chosen, plan_left_alone
from tasks.domain.savings.selection.valuation import Valuation

ATTRIBUTION = (
    "attributed in order: right-size, stop, schedule, scaling, volumes and serverless first, "
    "then spot, then the commitment"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """An opportunity to act on.

    Attributes:
        opportunity: Its last step is the net.
        net: What it adds to the total in the order of attribution, USD a month; nets of all
            chosen add up to the total.
        alone: What it would save if nothing else were done, existing commitments counted.
        line: One sentence for a table.
        own: The net as if it were sure to come true; None in documents of before it was kept.
    """

    opportunity: Opportunity
    net: Usd
    alone: Usd
    line: str
    own: Usd | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitmentLevel:
    """The Savings Plan that is proposed for what is left.

    Attributes:
        usd_per_hour: To commit to, in addition to what there is.
        existing_usd_per_hour: Of Compute Savings Plans that there are.
        floor_usd_per_hour: Spend at plan rates that the least busy hour of the week has left.
        coverage: Share of on-demand compute that is covered then; None without any.
        utilisation: Share of all plans that is used then.
        break_even_use: Share of the new plan that has to be used for it to pay, 0 to 1.
    """

    usd_per_hour: float
    existing_usd_per_hour: float
    floor_usd_per_hour: float
    coverage: float | None
    utilisation: float | None
    break_even_use: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What to do, what it saves together, and what was left out and why.

    Attributes:
        before: The bill of everything that has a known price.
        after: The same when all chosen are done.
        saving: The difference; its expected value is the sum of the nets.
        chosen: Largest net first.
        rejected: Everything that was looked at and not chosen.
        unknown: Resources without a price, with the reason: never touched, in no bill.
        commitment: None where none is proposed.
        hurdle_usd: What the policy asked of the chosen changes together.
        gap_usd: How much more a better choice could save at most; 0.0 when this is the optimum.
    """

    before: Bill
    after: Bill
    saving: Usd
    chosen: tuple[Chosen, ...]
    rejected: tuple[Rejection, ...]
    unknown: tuple[str, ...]
    commitment: CommitmentLevel | None
    hurdle_usd: float
    gap_usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was looked at.

    Attributes:
        units: Resources with a known price, as they are.
        alternatives: To leaving them as they are.
        rejected: What was looked at and is no opportunity.
        unknown: Resources without a price, with the reason.
    """

    units: tuple[Unit, ...]
    alternatives: tuple[Alternative, ...] = ()
    rejected: tuple[Rejection, ...] = ()
    unknown: tuple[str, ...] = ()


def select(
    found: Found,
    *,
    policy: SavingsPolicy,
    now: datetime,
    cover: Cover = NO_COVER,
    terms: PlanTerms | None = None,
    time_limit_seconds: float = TIME_LIMIT_SECONDS,
) -> Selection:
    """Return what to do: the choice with the largest saving less hurdles.

    Args:
        found: In any order.
        policy: Hurdles, kinds and resources to leave alone.
        now: Decides which ignore rules still hold.
        cover: The commitments that there are.
        terms: Of a new Savings Plan; None proposes none.
        time_limit_seconds: For the solver; what it may have missed then is in `gap_usd`.
    """
    allowed, set_aside = allowed_by(found.alternatives, policy=policy, now=now)
    no_plan = plan_left_alone(policy, now=now) if terms is not None else None
    choice = _choice(found.units, allowed, policy, cover, terms=terms if no_plan is None else None)
    optimum = best_choice(choice, time_limit_seconds=time_limit_seconds)
    worth = Valuation(choice)
    taken = worth.without_useless(optimum.taken)
    after = worth.plan(taken)
    steps = attributed(choice, taken)
    chosen = [_chosen(step, choice, worth) for step in steps]
    rejected = [*found.rejected, *set_aside, *not_chosen(choice, taken, worth)]
    if no_plan is not None:
        rejected.append(no_plan)
    elif terms is not None:
        plan = commitment_opportunity(after, terms=terms, now=now)
        if isinstance(plan, Rejection):
            rejected.append(plan)
        else:
            chosen.append(_chosen_plan(plan, after, worth))
    before = worth.before
    return Selection(
        before=before,
        after=after.with_it,
        saving=together(chosen, expected=before.usd - after.with_it.usd, most=max(before.usd, 0.0)),
        chosen=tuple(sorted(chosen, key=lambda c: (-c.net.expected, c.opportunity.identity))),
        rejected=tuple(sorted(_once(rejected), key=lambda r: (r.kind, r.region, r.resource))),
        unknown=tuple(sorted(found.unknown)),
        commitment=_level(after, choice) if after.usd_per_hour > 0.0 else None,
        hurdle_usd=math.fsum(choice.hurdles_usd[at] for at in taken),
        gap_usd=worth.gap_usd(taken, optimum.bound_usd),
    )


def hurdle_usd(alternative: Alternative, *, before_usd: float, policy: SavingsPolicy) -> float:
    """Return what an alternative has to save at least, USD a month.

    Args:
        alternative: Each of its changes has to earn the policy's smallest saving.
        before_usd: What its resources cost now at on-demand prices: disruption is weighed by it.
        policy: The limits.
    """
    for_disruption = policy.min_saving_per_disruption * alternative.disruption * before_usd
    return policy.min_saving_usd * len(alternative.stages) + for_disruption


def _choice(
    units: Iterable[Unit],
    alternatives: Iterable[Alternative],
    policy: SavingsPolicy,
    cover: Cover,
    *,
    terms: PlanTerms | None,
) -> Choice:
    """Return the choice in an order that does not depend on that of the input."""
    ordered = tuple(sorted(units, key=lambda unit: unit.key))
    options = tuple(sorted(alternatives, key=lambda one: one.name))
    by_key = {unit.key: unit.spend.usd for unit in ordered}
    spends = [unit.spend for unit in ordered]
    spends += [stage.spend for one in options for stage in one.stages]
    return Choice(
        units=ordered,
        alternatives=options,
        hurdles_usd=tuple(
            hurdle_usd(one, before_usd=sum(by_key[key] for key in one.resources), policy=policy)
            for one in options
        ),
        ledger=Ledger.of(spends, cover=cover),
        floor_share=0.0 if terms is None else terms.floor_share,
        commitment_hurdle_usd=policy.min_saving_usd,
    )


def _chosen(step: Attributed, choice: Choice, worth: Valuation) -> Chosen:
    alone_usd = worth.alone_usd(worth.by_itself(step))
    opportunity = step.stage.opportunity
    most = choice.before_of(step.alternative.resources).usd
    own = _like(opportunity.saving, step.net_usd, most=most)
    alone = _like(opportunity.saving, alone_usd, most=most)
    lines = net_steps(
        opportunity,
        alone_usd=alone_usd if step.stage is step.alternative.stages[0] else None,
        net_usd=step.net_usd,
        committed=choice.ledger.cover.paid_usd_per_hour > 0.0,
    )
    return Chosen(
        opportunity=replace(opportunity, steps=(*opportunity.steps, *lines)),
        net=realised(_doubtful(opportunity, own), most=most),
        alone=realised(_doubtful(opportunity, alone), most=most),
        own=own,
        line=f"{opportunity.change} Saves {step.net_usd:.2f} USD a month ({alone_usd:.2f} alone).",
    )


def _chosen_plan(plan: Opportunity, outcome: PlanOutcome, worth: Valuation) -> Chosen:
    alone = worth.plan(()).saved_usd
    return Chosen(
        opportunity=plan,
        net=realised(_doubtful(plan, plan.saving)),
        alone=realised(_doubtful(plan, _like(plan.saving, alone, most=math.inf))),
        own=plan.saving,
        line=f"{plan.change} Saves {outcome.saved_usd:.2f} USD a month ({alone:.2f} on the fleet "
        "as it is).",
    )


def _like(saving: Usd, expected: float, *, most: float) -> Usd:
    """Return an amount with the relative interval of a saving."""
    if saving.expected <= 0.0:
        return Usd.exactly(expected)
    factor = expected / saving.expected
    ends = sorted((saving.low * factor, saving.high * factor))
    low, high = min(ends[0], expected), max(min(ends[1], most), expected)
    return Usd(low=low, expected=expected, high=high)


def _doubtful(opportunity: Opportunity, own: Usd) -> Doubtful:
    return Doubtful(own=own, confidence=opportunity.confidence, kind=opportunity.kind)


def together(chosen: Iterable[Chosen], *, expected: float, most: float = math.inf) -> Usd:
    """Return what some of the chosen add to the total, with the interval of their sum.

    Args:
        chosen: In any order.
        expected: The sum of their nets.
        most: It cannot be more.
    """
    ordered = sorted(chosen, key=lambda one: one.opportunity.identity)
    every = [_doubtful(one.opportunity, one.net if one.own is None else one.own) for one in ordered]
    return realised_together(every, expected=expected, most=most)


def _level(outcome: PlanOutcome, choice: Choice) -> CommitmentLevel:
    return CommitmentLevel(
        usd_per_hour=outcome.usd_per_hour,
        existing_usd_per_hour=choice.ledger.cover.everywhere_usd_per_hour,
        floor_usd_per_hour=outcome.floor_usd_per_hour,
        coverage=outcome.with_it.coverage,
        utilisation=outcome.with_it.utilisation,
        break_even_use=break_even_use(outcome),
    )


def _once(rejected: Iterable[Rejection]) -> list[Rejection]:
    """Return the first rejection of each kind and resource."""
    found: dict[tuple[str, str, str], Rejection] = {}
    for one in rejected:
        found.setdefault((one.kind, one.region, one.resource), one)
    return list(found.values())
