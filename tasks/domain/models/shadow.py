"""Whether a challenger leaves its shadow period, looked at every day."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from tasks.domain.models.promotion import (
    PromotionPolicy,
    PromotionVerdict,
    Trial,
    judge_challenger,
)

DAY = timedelta(days=1)


class Step(StrEnum):
    """What happens to a challenger."""

    WAIT = "keep waiting"
    PROMOTE = "promote"
    TURN_DOWN = "turn down"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowPolicy:
    """How long a shadow period lasts, and what ends it.

    Attributes:
        shortest: Nothing is decided before.
        longest: Without proof until then the challenger is turned down.
        significance: Largest probability, over all looks, that a challenger which is no better is
            promoted; half is kept for the last day, the rest is spent on the days before, the later
            the more. A backtest has been won before, so it need not be small.
        promotion: What else is asked for; its significance is not used.
    """

    shortest: timedelta = timedelta(days=7)
    longest: timedelta = timedelta(days=28)
    significance: float = 0.1
    promotion: PromotionPolicy = field(default_factory=PromotionPolicy)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowVerdict:
    """What happens to a challenger, with the evidence.

    Attributes:
        step: The verdict.
        evidence: How it compares so far; None before the shortest period.
        reason: The verdict in words.
    """

    step: Step
    evidence: PromotionVerdict | None
    reason: str


def judge_shadow(
    champion: Trial,
    challenger: Trial,
    *,
    groups: Sequence[str] | NDArray[np.str_],
    critical_groups: Collection[str] = (),
    started_at: datetime,
    now: datetime,
    overlap: int = 1,
    policy: ShadowPolicy | None = None,
) -> ShadowVerdict:
    """Return whether the challenger is promoted, turned down or goes on forecasting.

    One look a day is foreseen: whatever the looks have in common, and however many are missed, the
    p-values asked for add up to the policy's significance.

    Args:
        champion: Live errors and hits since the period began, (origins, series).
        challenger: The same of the challenger.
        groups: (series,) what each series belongs to.
        critical_groups: Those that may not become worse.
        started_at: Aware UTC.
        now: Aware UTC.
        overlap: Neighbouring origins whose horizons share time, itself included.
        policy: How long, and what is asked for.
    """
    policy = policy or ShadowPolicy()
    age = now - started_at
    if age < policy.shortest:
        reason = f"keep waiting: in its shadow for {_days(age)}, at least {_days(policy.shortest)}"
        return ShadowVerdict(step=Step.WAIT, evidence=None, reason=reason)
    today = replace(policy.promotion, significance=significance_of_look(age, policy=policy))
    found = judge_challenger(
        champion,
        challenger,
        groups=groups,
        critical_groups=critical_groups,
        overlap=overlap,
        policy=today,
    )
    if found.promote:
        return ShadowVerdict(step=Step.PROMOTE, evidence=found, reason=found.reason)
    if age >= policy.longest:
        reason = f"turned down after {_days(age)}: {found.reason}"
        return ShadowVerdict(step=Step.TURN_DOWN, evidence=found, reason=reason)
    opposite = judge_challenger(challenger, champion, policy=today, groups=groups, overlap=overlap)
    if opposite.p_value <= today.significance:
        reason = f"turned down after {_days(age)}: {-found.better_percent:.1f} % worse"
        return ShadowVerdict(step=Step.TURN_DOWN, evidence=found, reason=reason)
    reason = f"keep waiting until {started_at + policy.longest:%Y-%m-%d}: {found.reason}"
    return ShadowVerdict(step=Step.WAIT, evidence=found, reason=reason)


def significance_of_look(age: timedelta, *, policy: ShadowPolicy) -> float:
    """Return the p-value that a look at this age of the shadow period may have.

    Those of one look a day, from the first to the last, add up to the policy's significance.
    """
    last = max(policy.longest // DAY, 1)
    day = min(max(age // DAY, 1), last)
    if day == last:
        return policy.significance / 2.0
    first = max(policy.shortest // DAY, 1)
    return policy.significance / 2.0 * day / sum(range(first, last))


def _days(age: timedelta) -> str:
    return f"{age / DAY:.1f} days"
