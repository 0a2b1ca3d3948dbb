"""What every kind of opportunity says in the same way."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from tasks.domain.savings.money import PriceBook
from tasks.domain.savings.opportunity import Kind, Rejection, Step
from tasks.domain.savings.policy import SavingsPolicy
from tasks.domain.savings.selection.alternatives import ResourceKey
from tasks.domain.usage.panel import Metric, UsagePanel

ENVIRONMENT_TAGS = frozenset({"env", "environment", "stage"})
"""In any case."""
PRODUCTION = frozenset({"prod", "production", "prd", "live"})
OTHER = frozenset(
    {"dev", "development", "test", "testing", "staging", "stage", "qa", "sandbox", "lab", "demo"}
)
NEGATIONS = frozenset({"no", "non", "not", "pre"})

HALF_KNOWN_DAYS = 7.0
"""After so many days half of what could be known is."""
LIKELY = {
    Kind.STOP: 0.95,
    Kind.SCHEDULE: 0.9,
    Kind.VOLUME_TYPE: 0.97,
    Kind.SPOT: 0.95,
    Kind.PREDICTIVE_SCALING: 0.8,
    Kind.SERVERLESS: 0.6,
}
"""How likely a kind does what it promises where everything is known: a stated belief."""


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
    """Return whether tags call something production; None where they do not say it plainly.

    The words of a value count: "prod-eu", "PROD1" and "eu/live" are production. Of several tags
    the one that says production decides.
    """
    found = {_named(value) for key, value in tags.items() if key.lower() in ENVIRONMENT_TAGS}
    if True in found:
        return True
    return False if found == {False} else None


def _named(value: str) -> bool | None:
    words = set(re.split(r"[^a-z]+", value.lower()))
    live, other = bool(words & PRODUCTION), bool(words & OTHER)
    if live == other or words & NEGATIONS:
        return None
    return live


def tag_says(tags: Mapping[str, str], tag: str) -> str:
    """Return a tag's value in small letters; empty where it is not set."""
    return tags.get(tag, "").strip().lower()


def confidence(kind: Kind, days: float | None, *, factor: float = 1.0) -> float:
    """Return how likely an opportunity saves what it says and harms nothing.

    It is days / (days + 7), what is known of how the resource is used, times `LIKELY`, what is
    believed of the kind, times what else is known of this one. Nothing in it is measured: it puts
    opportunities in an order, and says that a month of observation is worth more than two weeks.

    Args:
        kind: Of the opportunity.
        days: Of observation that it rests on; None where it rests on none, but on prices and what
            the service is.
        factor: 0 to 1, for what speaks against this one.
    """
    known = 1.0 if days is None else max(days, 0.0) / (max(days, 0.0) + HALF_KNOWN_DAYS)
    return round(known * LIKELY[kind] * factor, 2)


def known_window(evidence: Evidence, resource: str, *metrics: Metric) -> tuple[datetime, datetime]:
    """Return the first and the end of the last hour of which a resource's use is known.

    Args:
        evidence: Use by the hour.
        resource: As in the panel.
        metrics: Any of which is enough.

    Returns:
        Now, twice, where nothing is known.
    """
    rows = [evidence.panel.row(metric, resource) for metric in metrics]
    seen = [np.flatnonzero(np.isfinite(row)) for row in rows if row is not None]
    if not seen:
        return evidence.now, evidence.now
    first, last = (int(pick(np.concatenate(seen))) for pick in (np.min, np.max))
    start = evidence.panel.start
    return start + timedelta(hours=first), start + timedelta(hours=last + 1)
