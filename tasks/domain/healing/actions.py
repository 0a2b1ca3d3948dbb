"""What is proposed: actions as data, with their reason, what they change and what undoes them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum

from tasks.domain.autonomous import HealingPlan
from tasks.domain.healing.causes import Cause, Remedy


class Concern(IntEnum):
    """Why something is done; of two that conflict the lower one holds."""

    SAFETY = 0
    HEALTH = 1
    PERFORMANCE = 2
    COST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """New values of a workload's specification; None where it stays.

    Attributes:
        replicas: Wanted.
        cpu_request, cpu_limit: Cores.
        memory_request, memory_limit: Bytes.
        startup_failures: Failures that its startup probe forgives.
        revision: Number of the revision whose template it gets; what else is said of the template is void.
    """

    replicas: int | None = None
    cpu_request: float | None = None
    cpu_limit: float | None = None
    memory_request: float | None = None
    memory_limit: float | None = None
    startup_failures: int | None = None
    revision: int | None = None

    @property
    def names(self) -> frozenset[str]:
        """Those that change; a revision is the whole template."""
        said = {name for name in self.__slots__ if getattr(self, name) is not None}
        template = set(self.__slots__) - {"replicas"}
        return frozenset(said | template if self.revision is not None else said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing to be done to one workload or machine.

    Attributes:
        subject: Key of the workload, or name of the machine.
        operation: Who proposes it: healing, anomalies, scaling, cost, tuning, hardening.
        remedy: What is done.
        cause: Why.
        concern: For what.
        evidence: Sentences.
        fields: What of the specification changes.
        pods: That are restarted or replaced, one after the other.
        expected: What is then seen, for people.
        reason: Of telling a person; empty for other remedies.
    """

    subject: str
    operation: str
    remedy: Remedy
    cause: Cause
    concern: Concern = Concern.HEALTH
    evidence: tuple[str, ...] = ()
    fields: Fields = field(default_factory=Fields)
    pods: tuple[str, ...] = ()
    expected: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overruled:
    """An action that is left out, because another one is in its way.

    Attributes:
        action: That is left out.
        by: That holds.
    """

    action: Action
    by: Action


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What remains of a plan.

    Attributes:
        actions: That do not conflict, by concern and then as proposed.
        overruled: The others.
    """

    actions: tuple[Action, ...]
    overruled: tuple[Overruled, ...] = ()


def resolve(plan: HealingPlan[Action]) -> Resolved:
    """Return a plan without conflicts.

    Two actions on one subject conflict when they change the same field, or when both end pods. Telling a
    person is in nobody's way.
    """
    kept: list[Action] = []
    overruled: list[Overruled] = []
    for action in sorted(plan.actions, key=lambda one: one.concern):
        winner = next((one for one in kept if conflict(one, action)), None)
        if winner is None:
            kept.append(action)
        else:
            overruled.append(Overruled(action=action, by=winner))
    return Resolved(actions=tuple(kept), overruled=tuple(overruled))


def conflict(one: Action, other: Action) -> bool:
    """Return whether two actions cannot be done together; the same either way round."""
    if one.subject != other.subject or Remedy.TELL in (one.remedy, other.remedy):
        return False
    # A new template replaces every pod by itself.
    ends = [bool(each.pods) or bool(each.fields.names - {"replicas"}) for each in (one, other)]
    return bool(one.fields.names & other.fields.names) or all(ends)


def merged(actions: Iterable[Action]) -> Fields:
    """Return what several actions on one workload change, together.

    Args:
        actions: Of one subject, without conflicts.

    Raises:
        ValueError: Two of them change one field.
    """
    found: dict[str, object] = {}
    for action in actions:
        for name in Fields.__slots__:
            value = getattr(action.fields, name)
            if value is None:
                continue
            if name in found:
                msg = f"{name} of {action.subject} is changed twice"
                raise ValueError(msg)
            found[name] = value
    return Fields(**found)  # type: ignore[arg-type]
