"""Which opportunities go together, and what they would really save.

What is chosen makes `bill(now) - bill(after)` less every change's hurdle as large as possible: the
hurdle is the smallest saving that the policy accepts of a change, plus what it asks for its
disruption. With both limits at 0 that is the largest saving there is.

The saving is attributed in a fixed order, each step a difference of two bills: first what changes
size and running hours (right-size, stop, schedule, scaling, volumes, serverless), then spot, then
the commitment to what is left. So the nets of all steps add up to the total exactly.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from tasks.domain.savings.alternatives import Alternative, Stage, Unit
from tasks.domain.savings.attribution import Attributed, attributed
from tasks.domain.savings.bill import Bill, Ledger
from tasks.domain.savings.commitments import (
    ACCOUNT,
    PlanOutcome,
    PlanTerms,
    break_even_use,
    commitment_opportunity,
)
from tasks.domain.savings.cover import NO_COVER, Cover
from tasks.domain.savings.money import Usd
from tasks.domain.savings.opportunity import Kind, Opportunity, Rejection
from tasks.domain.savings.optimum import (
    TIME_LIMIT_SECONDS,
    Choice,
    best_choice,
)
from tasks.domain.savings.policy import SavingsPolicy
from tasks.domain.savings.valuation import Valuation

ATTRIBUTION = (
    "attributed in order: right-size, stop, schedule, scaling, volumes and serverless first, "
    "then spot, then the commitment"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """An opportunity to act on.

    Attributes:
        net: What it adds to the total in the order of attribution, USD a month; nets of all
            chosen add up to the total.
        alone: What it would save if nothing else were done, existing commitments counted.
        line: One sentence for a table.
    """

    opportunity: Opportunity
    net: Usd
    alone: Usd
    line: str


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
    allowed, set_aside = _allowed(found.alternatives, policy=policy, now=now)
    choice = _choice(found.units, allowed, policy, cover, terms=_wanted(terms, policy, now))
    optimum = best_choice(choice, time_limit_seconds=time_limit_seconds)
    worth = Valuation(choice)
    taken = worth.without_useless(optimum.taken)
    after = worth.plan(taken)
    steps = attributed(choice, taken)
    chosen = [_chosen(step, choice, worth) for step in steps]
    rejected = [*found.rejected, *set_aside, *_not_chosen(choice, taken, worth)]
    if terms is not None and choice.floor_share > 0.0:
        plan = commitment_opportunity(after, terms=terms, now=now)
        if isinstance(plan, Rejection):
            rejected.append(plan)
        else:
            chosen.append(_chosen_plan(plan, after, worth))
    before = worth.before
    return Selection(
        before=before,
        after=after.with_it,
        saving=_total(chosen, before.usd - after.with_it.usd),
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


def _wanted(terms: PlanTerms | None, policy: SavingsPolicy, now: datetime) -> PlanTerms | None:
    """Return the terms of a new plan; None where the policy does not want one."""
    allowed = Kind.COMMITMENT in policy.kinds
    left_alone = policy.ignored(Kind.COMMITMENT, ACCOUNT, now=now) is not None
    return terms if allowed and not left_alone else None


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


def _allowed(
    alternatives: Iterable[Alternative], *, policy: SavingsPolicy, now: datetime
) -> tuple[list[Alternative], list[Rejection]]:
    """Return alternatives that the policy allows, and why the others are left out."""
    allowed, set_aside = [], []
    for one in alternatives:
        reasons = [_left_alone(one, stage, policy=policy, now=now) for stage in one.stages]
        found = [reason for reason in reasons if reason is not None]
        set_aside.extend(found)
        if not found:
            allowed.append(one)
    return allowed, set_aside


def _left_alone(
    one: Alternative, stage: Stage, *, policy: SavingsPolicy, now: datetime
) -> Rejection | None:
    """Return why a change is left out: by its kind, its resource, or any that it would touch."""
    opportunity = stage.opportunity
    touched = dict.fromkeys([opportunity.resource, *(key[1] for key in one.resources)])
    rules = [policy.ignored(opportunity.kind, name, now=now) for name in touched]
    rule = next((found for found in rules if found is not None), None)
    if opportunity.kind not in policy.kinds:
        return _rejection(opportunity, f"the policy does not propose {opportunity.kind}")
    if rule is None:
        return None
    until = "for ever" if rule.expires_at is None else f"until {rule.expires_at:%Y-%m-%d}"
    saved = opportunity.saving.expected
    return _rejection(opportunity, f"ignored {until}: {rule.reason}; would save {saved:.2f} USD")


def _not_chosen(choice: Choice, taken: Sequence[int], worth: Valuation) -> list[Rejection]:
    """Return why each opportunity is not among the chosen, once each."""
    chosen = {s.opportunity.identity for at in taken for s in choice.alternatives[at].stages}
    instead = {
        key: choice.alternatives[at].name
        for at in taken
        for key in choice.alternatives[at].resources
    }
    found: dict[str, Rejection] = {}
    order = sorted(
        range(len(choice.alternatives)), key=lambda at: len(choice.alternatives[at].stages)
    )
    for at in order:
        for stage in choice.alternatives[at].stages:
            identity = stage.opportunity.identity
            if identity not in chosen and identity not in found:
                why = _why_not(choice, at, instead, worth)
                found[identity] = _rejection(stage.opportunity, why)
    return list(found.values())


def _why_not(choice: Choice, at: int, instead: dict[tuple[str, str], str], worth: Valuation) -> str:
    one, hurdle = choice.alternatives[at], choice.hurdles_usd[at]
    saved = worth.alone_usd(one)
    if saved < hurdle:
        return (
            f"saves {saved:.2f} USD a month by itself, existing commitments counted; it has to "
            f"save {hurdle:.2f}: the smallest saving per change, and disruption "
            f"{one.disruption:.2f} of what the resource costs"
        )
    others = sorted({instead[key] for key in one.resources if key in instead})
    if others:
        return f"{' and '.join(others)} saves more; this by itself {saved:.2f} USD a month"
    return (
        f"saves {saved:.2f} USD a month by itself, but less than the {hurdle:.2f} that it has to "
        "beside the commitment and the other changes"
    )


def _chosen(step: Attributed, choice: Choice, worth: Valuation) -> Chosen:
    alone_usd = worth.alone_usd(worth.by_itself(step))
    opportunity = step.stage.opportunity
    most = choice.before_of(step.alternative.resources).usd
    return Chosen(
        opportunity=opportunity,
        net=_like(opportunity.saving, step.net_usd, most=most),
        alone=_like(opportunity.saving, alone_usd, most=most),
        line=f"{opportunity.change} Saves {step.net_usd:.2f} USD a month ({alone_usd:.2f} alone).",
    )


def _chosen_plan(plan: Opportunity, outcome: PlanOutcome, worth: Valuation) -> Chosen:
    alone = worth.plan(()).saved_usd
    return Chosen(
        opportunity=plan,
        net=plan.saving,
        alone=_like(plan.saving, alone, most=math.inf),
        line=f"{plan.change} Saves {outcome.saved_usd:.2f} USD a month ({alone:.2f} on the fleet "
        "as it is).",
    )


def _like(saving: Usd, expected: float, *, most: float) -> Usd:
    """Return an amount with the relative interval of a saving."""
    if saving.expected <= 0.0:
        return Usd.exactly(expected)
    factor = expected / saving.expected
    ends = sorted((saving.low * factor, saving.high * factor))
    return Usd(low=ends[0], expected=expected, high=max(min(ends[1], most), expected))


def _total(chosen: Sequence[Chosen], expected: float) -> Usd:
    """Return the saving of all: its ends are those of the nets, added up."""
    nets = Usd.total(one.net for one in chosen)
    return Usd(low=min(nets.low, expected), expected=expected, high=max(nets.high, expected))


def _level(outcome: PlanOutcome, choice: Choice) -> CommitmentLevel:
    return CommitmentLevel(
        usd_per_hour=outcome.usd_per_hour,
        existing_usd_per_hour=choice.ledger.cover.everywhere_usd_per_hour,
        floor_usd_per_hour=outcome.floor_usd_per_hour,
        coverage=outcome.with_it.coverage,
        utilisation=outcome.with_it.utilisation,
        break_even_use=break_even_use(outcome),
    )


def _rejection(opportunity: Opportunity, why: str) -> Rejection:
    return Rejection(
        kind=opportunity.kind,
        resource=opportunity.resource,
        region=opportunity.region,
        why=why,
        facts={"saving_usd": opportunity.saving.expected},
    )


def _once(rejected: Iterable[Rejection]) -> list[Rejection]:
    """Return the first rejection of each kind and resource."""
    found: dict[tuple[str, str, str], Rejection] = {}
    for one in rejected:
        found.setdefault((one.kind, one.region, one.resource), one)
    return list(found.values())
