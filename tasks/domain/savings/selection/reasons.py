"""Why an opportunity is not among the chosen, in a sentence with the numbers that decided it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from tasks.domain.inventory import CommitmentKind
from tasks.domain.savings.kinds.commitments import ACCOUNT
from tasks.domain.savings.opportunity import Kind, Opportunity, Rejection
from tasks.domain.savings.policy import Ignore, SavingsPolicy
from tasks.domain.savings.selection.alternatives import Alternative, Stage
from tasks.domain.savings.selection.choice import Choice
from tasks.domain.savings.selection.valuation import Valuation


def allowed_by(
    alternatives: Iterable[Alternative], *, policy: SavingsPolicy, now: datetime
) -> tuple[list[Alternative], list[Rejection]]:
    """Return alternatives that the policy allows, and why the others are left out.

    Args:
        alternatives: In any order.
        policy: Kinds and resources to leave alone.
        now: Decides which ignore rules still hold.
    """
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
    saved = opportunity.saving.expected
    return _rejection(opportunity, f"{_ignored(rule)}; would save {saved:.2f} USD")


def plan_left_alone(policy: SavingsPolicy, *, now: datetime) -> Rejection | None:
    """Return why no commitment is looked for; None where the policy allows one."""
    rule = policy.ignored(Kind.COMMITMENT, ACCOUNT, now=now)
    if Kind.COMMITMENT not in policy.kinds:
        why = f"the policy does not propose {Kind.COMMITMENT}"
    elif rule is not None:
        why = _ignored(rule)
    else:
        return None
    return Rejection(kind=Kind.COMMITMENT, resource=ACCOUNT, region="", why=why)


def _ignored(rule: Ignore) -> str:
    until = "for ever" if rule.expires_at is None else f"until {rule.expires_at:%Y-%m-%d}"
    return f"ignored {until}: {rule.reason}"


def not_chosen(choice: Choice, taken: Sequence[int], worth: Valuation) -> list[Rejection]:
    """Return why each opportunity is not among the chosen, once each.

    Args:
        choice: What was chosen from.
        taken: Positions of the chosen alternatives.
        worth: For what each saves by itself.
    """
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
    hidden = _hidden_until(choice, at) if choice.listed_saving_usd(at) >= hurdle else ""
    if saved < hurdle:
        return (
            f"saves {saved:.2f} USD a month by itself, existing commitments counted; it has to "
            f"save {hurdle:.2f}: the smallest saving per change, and disruption "
            f"{one.disruption:.2f} of what the resource costs{hidden}"
        )
    others = sorted({instead[key].partition(":")[0] for key in one.resources if key in instead})
    if others:
        return f"{' and '.join(others)} saves more; this by itself {saved:.2f} USD a month"
    return (
        f"saves {saved:.2f} USD a month by itself; beside the commitment and the other changes less "
        f"than the {hurdle:.2f} that it has to{hidden}"
    )


def _hidden_until(choice: Choice, at: int) -> str:
    """Return when a commitment ends that an alternative's resources are paid by; "" for none."""
    before = choice.before_of(choice.alternatives[at].resources)
    found = choice.ledger.cover.first_to_end(line.scope for line in before.lines)
    if found is None or not before.lines:
        return ""
    reserved = found.kind is CommitmentKind.RESERVED_INSTANCE
    name = "reservation" if reserved else "Savings Plan"
    return (
        f"; the {name} {found.commitment_id} ends on {found.ends_at:%d %b %Y}: look again then, it "
        f"would save {choice.listed_saving_usd(at):.2f} at list prices"
    )


def _rejection(opportunity: Opportunity, why: str) -> Rejection:
    return Rejection(
        kind=opportunity.kind,
        resource=opportunity.resource,
        region=opportunity.region,
        why=why,
        facts={"saving_usd": opportunity.saving.expected},
    )
