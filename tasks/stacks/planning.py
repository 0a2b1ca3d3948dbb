"""From opportunities to a stack: what may be changed, what exists of it, and its programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

from blocks import AwsAccount, SavingsOutlook, StackLedger
from tasks.adapters.aws import regional_client
from tasks.adapters.documents import from_json
from tasks.adapters.live_resources import live_account
from tasks.adapters.objects import Storage, load_object
from tasks.adapters.state import stored_object
from tasks.chunks import Sealed
from tasks.domain.errors import PermanentError
from tasks.domain.guardrails.check import Checked, check
from tasks.domain.guardrails.cooldown import Attempt, Outcome
from tasks.domain.guardrails.policy import GuardrailPolicy
from tasks.domain.savings.report import SavingsDocument
from tasks.domain.savings.selection.selection import Chosen
from tasks.domain.stacks.changes import Refused
from tasks.domain.stacks.live import LiveAccount
from tasks.domain.stacks.plan import stack_plans
from tasks.domain.stacks.program import StackPlan
from tasks.retries import remote_task
from tasks.stacks.ledger import managed

OLDEST_OPPORTUNITIES = timedelta(hours=48)
PURCHASES = "account"
"""In place of a region: what is bought for the whole account."""


class OpportunitiesUnknownError(PermanentError):
    """There are no fresh opportunities to make a stack of."""

    def __init__(self, name: str, *, reason: str) -> None:
        super().__init__(
            f"savings-outlook/{name} {reason}; run optimize-costs, then apply-savings again"
        )


@dataclass(frozen=True, kw_only=True)
class Planned:
    """What may be changed in a region, and what not.

    Attributes:
        plan: Of what may be; None where nothing may.
        checked: What the guardrails say of every change that could be made.
        applying: Whether it may come to an apply; otherwise it is shown only.
    """

    plan: StackPlan | None
    checked: Checked
    applying: bool


@remote_task("load-opportunities", run_name="load {name}")
def load_opportunities(
    storage: Storage, name: str, outlook: SavingsOutlook, now: datetime
) -> SavingsDocument:
    """Return what the last run of `optimize-costs` found.

    Raises:
        OpportunitiesUnknownError: It found nothing yet, or too long ago.
    """
    if outlook.opportunities is None or outlook.observed_at is None:
        raise OpportunitiesUnknownError(name, reason="is empty")
    age = now - outlook.observed_at
    if age > OLDEST_OPPORTUNITIES:
        hours, limit = (one / timedelta(hours=1) for one in (age, OLDEST_OPPORTUNITIES))
        raise OpportunitiesUnknownError(
            name, reason=f"is {hours:.0f} h old, at most {limit:.0f} h are allowed"
        )
    return from_json(SavingsDocument, load_object(storage, stored_object(outlook.opportunities)))


def wanted(found: SavingsDocument, *, region: str, only: Sequence[str]) -> tuple[Chosen, ...]:
    """Return the chosen opportunities of a region that a run is asked for.

    Args:
        found: Everything that was found.
        region: Or PURCHASES.
        only: Kinds, ids or names; empty for all.

    Raises:
        PermanentError: A word of `only` fits nothing that was chosen there.
    """
    place = "" if region == PURCHASES else region
    there = tuple(one for one in found.chosen if one.opportunity.region == place)
    if not only:
        return there
    called = {id(one): _words(one, found) for one in there}
    lost = [word for word in only if not any(word in words for words in called.values())]
    if lost:
        message = (
            f"nothing that was chosen in {region} is called {lost[0]!r}; name a kind such as "
            "volume-type, or a resource in the table of opportunities"
        )
        raise PermanentError(message)
    return tuple(one for one in there if called[id(one)].intersection(only))


def _words(one: Chosen, found: SavingsDocument) -> set[str]:
    opportunity = one.opportunity
    return {str(opportunity.kind), opportunity.resource, found.called(opportunity.resource)}


@remote_task("read-live-resources", run_name="read {region}")
def read_live(account: AwsAccount, region: str, chosen: Sealed[tuple[Chosen, ...]]) -> LiveAccount:
    """Return what exists of everything that would be changed, as the account has it now."""
    session = account.session()

    def client_for(service: str, of: str) -> Any:
        return regional_client(session, service, region=of, endpoint_url=account.endpoint_url)

    del region  # for the name of the run
    return live_account(client_for, [one.opportunity for one in chosen.value])


@task(name="plan-stack", timeout_seconds=300, cache_policy=NO_CACHE)
def plan_stack(
    chosen: Sealed[tuple[Chosen, ...]],
    live: Sealed[LiveAccount],
    policy: GuardrailPolicy,
    ledger: Sealed[StackLedger],
    *,
    population: int,
    names: Mapping[str, str],
    now: datetime,
) -> Planned:
    """Return the stack of what the guardrails let through, smallest disruption first.

    Where nothing may be applied, what may be shown.

    Args:
        chosen: What is asked for, of one region.
        live: What exists of it.
        policy: Guardrails.
        ledger: What other stacks manage, and what was tried before.
        population: Resources that were looked at.
        names: What people call resources.
        now: Aware UTC.
    """
    everything = _plan_of(chosen.value, live.value, ledger.value, now=now)
    changes = () if everything is None else everything.changes

    def held(*, applying: bool) -> Checked:
        return check(
            changes,
            policy,
            population=population,
            now=now,
            history=attempts_of(ledger.value),
            names=names,
            applying=applying,
        )

    checked = held(applying=True)
    applying = bool(checked.allowed)
    if not applying:
        shown = held(applying=False)
        checked = shown if shown.allowed else checked
    plan, checked = _fitting(chosen.value, live.value, ledger.value, checked, policy, now=now)
    impossible = () if everything is None else everything.refused
    refused = (*impossible, *checked.refused)
    for one in refused:
        get_run_logger().info(
            "stacks.refused kind=%s resource=%s why=%s", one.kind, one.resource, one.why
        )
    if plan is not None:
        plan = replace(plan, refused=tuple(dict.fromkeys((*plan.refused, *refused))))
    return Planned(plan=plan, checked=replace(checked, refused=refused), applying=applying)


def _fitting(
    chosen: Sequence[Chosen],
    live: LiveAccount,
    ledger: StackLedger,
    checked: Checked,
    policy: GuardrailPolicy,
    *,
    now: datetime,
) -> tuple[StackPlan | None, Checked]:
    """Return a plan that touches no more than a run may, without the most disruptive of too many.

    One change may touch several resources, which is known only when it is planned.
    """
    while True:
        plan = _allowed_plan(chosen, live, ledger, checked, now=now)
        touched = 0 if plan is None else sum(one.adopted for one in plan.change.resources)
        if touched <= policy.max_resources_per_run or not checked.allowed:
            return plan, checked
        last = checked.allowed[-1]
        why = (
            f"over the limit of {policy.max_resources_per_run} resources a run "
            "(max_resources_per_run): next run"
        )
        refused = Refused(kind=last.kind, resource=last.resource, region=last.region, why=why)
        checked = replace(
            checked, allowed=checked.allowed[:-1], refused=(*checked.refused, refused)
        )


def _allowed_plan(
    chosen: Sequence[Chosen],
    live: LiveAccount,
    ledger: StackLedger,
    checked: Checked,
    *,
    now: datetime,
) -> StackPlan | None:
    allowed = {(one.kind, one.resource) for one in checked.allowed}
    kept = [o for o in chosen if (o.opportunity.kind, o.opportunity.resource) in allowed]
    plan = _plan_of(kept, live, ledger, now=now)
    return plan if plan is not None and plan.changes else None


def _plan_of(
    chosen: Iterable[Chosen], live: LiveAccount, ledger: StackLedger, *, now: datetime
) -> StackPlan | None:
    found = stack_plans(chosen, live, now=now, managed_by=managed(ledger))
    return found[0] if found else None


def attempts_of(ledger: StackLedger) -> tuple[Attempt, ...]:
    """Return what was tried before, as the guardrails know it."""
    return tuple(
        Attempt(target=one.target, action=one.action, at=one.at, outcome=Outcome(one.outcome))
        for one in ledger.attempts
    )
