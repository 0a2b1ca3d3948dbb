"""What every kind of opportunity says in the same way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tasks.domain.savings.alternatives import ResourceKey
from tasks.domain.savings.money import PriceBook
from tasks.domain.savings.opportunity import Kind, Rejection, Step
from tasks.domain.savings.policy import SavingsPolicy
from tasks.domain.usage.panel import UsagePanel

ENVIRONMENT_TAGS = ("env", "environment", "Env", "Environment", "stage")
PRODUCTION = frozenset({"prod", "production", "prd", "live"})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evidence:
    """What a decision rests on.

    Attributes:
        panel: Use by the hour.
        now: Aware UTC.
    """

    panel: UsagePanel
    prices: PriceBook
    policy: SavingsPolicy
    now: datetime


def reject(
    kind: Kind, key: ResourceKey, why: str, facts: Mapping[str, str | float] | None = None
) -> Rejection:
    """Return why a resource has no opportunity of a kind."""
    return Rejection(kind=kind, resource=key[1], region=key[0], why=why, facts=facts or {})


def usd_step(what: str, formula: str, value: float) -> Step:
    """Return a line of arithmetic in USD a month."""
    return Step(what=what, formula=formula, value=value, unit="USD/month")


def saving_step(before: float, after: float) -> Step:
    """Return the last line: the expected saving."""
    return usd_step("saving", f"{before:.2f} - {after:.2f}", before - after)


def too_short(kind: Kind, key: ResourceKey, days: float, policy: SavingsPolicy) -> Rejection | None:
    """Return the rejection for too few days of observation; None when they suffice."""
    if days >= policy.min_days:
        return None
    why = f"observed for {days:.1f} days, {policy.min_days} are needed; wait for more"
    return reject(kind, key, why, {"days": days})


def is_production(tags: Mapping[str, str]) -> bool | None:
    """Return whether tags call something production; None where they do not say."""
    found = [tags[name] for name in ENVIRONMENT_TAGS if name in tags]
    return found[0].lower() in PRODUCTION if found else None
