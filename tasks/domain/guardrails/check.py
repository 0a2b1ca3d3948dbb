"""Which of the changes wanted may be made in this run, and why the others may not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tasks.domain.guardrails.cooldown import (
    Attempt,
    ineffective_in_a_row,
    resting_until,
    target_of,
)
from tasks.domain.guardrails.modes import Mode, most_cautious
from tasks.domain.guardrails.policy import (
    KILLED,
    GuardrailPolicy,
    closed,
    effective_mode,
    most_resources,
)
from tasks.domain.stacks.changes import Change, Refused

NEXT_RUN = "next run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Changes that may be made, and those that may not.

    Attributes:
        allowed: Smallest disruption first.
        refused: With the first thing that stands against each.
        mode: The most cautious of what is allowed; OFF where nothing is.
    """

    allowed: tuple[Change, ...]
    refused: tuple[Refused, ...]
    mode: Mode


def check(
    changes: Sequence[Change],
    policy: GuardrailPolicy,
    *,
    population: int,
    now: datetime,
    history: Iterable[Attempt],
    names: Mapping[str, str] | None = None,
    stack: str = "",
    applying: bool = True,
) -> Checked:
    """Return which changes may be made.

    Looked at in this order: kill switch, change windows, mode, worth, cooldown; then limits of
    the run, smallest disruption first and among equals the largest saving.

    Args:
        changes: Wanted.
        policy: The operator's.
        population: Resources that were looked at, of which at most a percentage is changed.
        now: Aware.
        history: Earlier attempts, of these and of other targets.
        names: What people call resources, by id: scopes may use either.
        stack: That the changes are in, which scopes may name as well; empty for none yet.
        applying: False where changes are proposed only: from `recommend` on, in any window.
    """
    known = names or {}
    attempts = _by_action(history)
    modes = {
        one.change_id: effective_mode(
            policy,
            kind=one.kind,
            region=one.region,
            resource=one.resource,
            names=[known.get(one.resource, one.resource), stack],
        )
        for one in changes
    }
    shut = closed(policy, now) if applying else KILLED if policy.kill_switch else None
    budget = _Budget(policy=policy, population=population)
    allowed: list[Change] = []
    refused: list[Refused] = []
    for one in sorted(changes, key=_least_disruptive):
        made = attempts[target_of(region=one.region, resource=one.resource), str(one.kind)]
        why = (
            shut
            or _mode_refusal(modes[one.change_id], applying=applying)
            or _worth_refusal(one, policy)
            or _rest_refusal(made, policy, now=now)
            or budget.refusal(one)
        )
        if why is None:
            allowed.append(one)
        else:
            refused.append(
                Refused(kind=one.kind, resource=one.resource, region=one.region, why=why)
            )
    return Checked(
        allowed=tuple(allowed),
        refused=tuple(refused),
        mode=most_cautious((modes[one.change_id] for one in allowed), default=Mode.OFF),
    )


def _by_action(history: Iterable[Attempt]) -> defaultdict[tuple[str, str], list[Attempt]]:
    found: defaultdict[tuple[str, str], list[Attempt]] = defaultdict(list)
    for one in history:
        found[one.target, one.action].append(one)
    return found


def _least_disruptive(one: Change) -> tuple[float, float, str]:
    return one.disruption, -one.saving.expected, one.change_id


def _mode_refusal(mode: Mode, *, applying: bool) -> str | None:
    needed = Mode.APPROVE if applying else Mode.RECOMMEND
    if mode >= needed:
        return None
    return f"its mode is {mode}, needs {needed}: set mode or a scope in the Guardrails block"


def _worth_refusal(one: Change, policy: GuardrailPolicy) -> str | None:
    worth = one.saving if one.later is None else one.later
    # Put so that NaN is refused.
    if worth.expected >= policy.min_saving_usd:
        return None
    return (
        f"saves {worth.expected:.2f} USD a month, less than min_saving_usd = "
        f"{policy.min_saving_usd:.2f}"
    )


def _rest_refusal(made: Sequence[Attempt], policy: GuardrailPolicy, *, now: datetime) -> str | None:
    failed = ineffective_in_a_row(made)
    if failed and failed >= policy.max_ineffective:
        return (
            f"the last {failed} attempts had no verified effect, allowed are "
            f"{policy.max_ineffective}: a person has to look at it"
        )
    until = resting_until(made, cooldown=policy.cooldown)
    if until is None or now >= until:
        return None
    tried = f", after {failed} attempts without verified effect" if failed else ""
    return f"was changed lately and rests until {until:%Y-%m-%d %H:%M} UTC{tried}"


class _Budget:
    """What one run may still spend."""

    def __init__(self, *, policy: GuardrailPolicy, population: int) -> None:
        self._policy = policy
        self._population = population
        self._most = most_resources(policy, population=population)
        self._resources: set[tuple[str, str]] = set()
        self._usd = 0.0

    def refusal(self, one: Change) -> str | None:
        """Return why a change does not fit; otherwise count it and return None."""
        resource, amount = (one.region, one.resource), abs(one.saving.expected)
        if resource not in self._resources and len(self._resources) >= self._most:
            return self._over_resources()
        limit = self._policy.max_usd_per_run
        if not self._usd + amount <= limit + 1e-9:
            return self._over_usd(amount, limit)
        self._resources.add(resource)
        self._usd += amount
        return None

    def _over_resources(self) -> str:
        policy = self._policy
        if self._most == policy.max_resources_per_run:
            limit = f"over the limit of {self._most} resources a run"
        else:
            limit = (
                f"over the limit of {self._most} resources a run "
                f"({policy.max_percent_per_run:g} % of {self._population})"
            )
        setting = "raise max_resources_per_run or max_percent_per_run"
        return f"{limit}: {NEXT_RUN if self._most else setting}"

    def _over_usd(self, amount: float, limit: float) -> str:
        if not amount <= limit:
            return (
                f"moves {amount:.2f} USD a month, over the limit of {limit:.2f} a run by itself: "
                "raise max_usd_per_run"
            )
        return f"over the limit of {limit:.2f} USD a month a run, {self._usd:.2f} are taken: {NEXT_RUN}"
