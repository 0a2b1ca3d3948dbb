"""Small fleets of options for tests of the selection."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from tasks.domain.arrays import FloatArray
from tasks.domain.savings.bill import Line, Spend, monthly_bill
from tasks.domain.savings.cover import Cover
from tasks.domain.savings.kinds.commitments import PlanTerms
from tasks.domain.savings.money import Usd
from tasks.domain.savings.opportunity import Effort, Kind, Opportunity
from tasks.domain.savings.policy import SavingsPolicy
from tasks.domain.savings.selection.alternatives import Alternative, Stage, Unit, single
from tasks.domain.savings.selection.selection import hurdle_usd

NOW = datetime(2026, 3, 2, tzinfo=UTC)
REGION = "us-east-1"
ALWAYS: FloatArray = np.ones(168)
OFFICE: FloatArray = np.array([float(h % 24 in range(8, 18) and h < 120) for h in range(168)])
NO_LIMITS = SavingsPolicy(min_saving_usd=0.0, min_saving_per_disruption=0.0)


def opportunity(
    resource: str, kind: Kind, *, saving: float = 10.0, disruption: float = 0.0
) -> Opportunity:
    return Opportunity(
        kind=kind,
        resource=resource,
        region=REGION,
        change=f"Do {kind} to {resource}.",
        target={},
        evidence_from=NOW,
        evidence_to=NOW,
        steps=(),
        saving=Usd(low=0.8 * saving, expected=saving, high=1.1 * saving),
        effort=Effort.LOW,
        restart=False,
        reversible=True,
        disruption=disruption,
        confidence=0.9,
    )


def compute(
    usd: float,
    *,
    ratio: float | None = 0.7,
    running: FloatArray = ALWAYS,
    scope: str = "",
    other: float = 0.0,
) -> Spend:
    line = Line(usd_per_hour=usd, running=running, plan_ratio=ratio, scope=scope)
    return Spend(lines=(line,), other_usd=other)


def unit(resource: str, spend: Spend) -> Unit:
    return Unit(key=(REGION, resource), spend=spend)


def option(resource: str, kind: Kind, spend: Spend, *, disruption: float = 0.0) -> Alternative:
    found = opportunity(resource, kind, disruption=disruption)
    return single((REGION, resource), found, spend)


def chain(resource: str, *steps: tuple[Kind, Spend]) -> Alternative:
    stages = tuple(Stage(opportunity=opportunity(resource, k), spend=s) for k, s in steps)
    return Alternative(resources=((REGION, resource),), stages=stages)


def terms(floor_share: float) -> PlanTerms:
    return PlanTerms(
        floor_share=floor_share,
        lowest_week_share=1.0,
        term="1 year, no upfront",
        evidence_from=NOW,
        evidence_to=NOW,
    )


def brute_force(
    units: Sequence[Unit],
    alternatives: Sequence[Alternative],
    *,
    cover: Cover,
    floor_share: float,
    policy: SavingsPolicy,
) -> float:
    """The smallest bill plus hurdles, by trying everything: the oracle."""
    listed = {one.key: one.spend for one in units}
    best = np.inf
    for taken in itertools.product((False, True), repeat=len(alternatives)):
        chosen = [one for one, yes in zip(alternatives, taken, strict=True) if yes]
        touched = [key for one in chosen for key in one.resources]
        if len(touched) == len(set(touched)):
            spends = [s for key, s in listed.items() if key not in touched]
            spends += [one.spend for one in chosen]
            hurdle = sum(
                hurdle_usd(o, before_usd=sum(listed[k].usd for k in o.resources), policy=policy)
                for o in chosen
            )
            best = min(best, _smallest(spends, cover, floor_share, policy) + hurdle)
    return best


def _smallest(
    spends: list[Spend], cover: Cover, floor_share: float, policy: SavingsPolicy
) -> float:
    without = monthly_bill(spends, cover=cover).usd
    floor = np.zeros(168)
    for spend in spends:
        for line in spend.lines:
            ratio = 1.0 if line.plan_ratio is None else np.ceil(line.plan_ratio * 50 - 1e-9) / 50
            if ratio < 1.0 and line.scope not in cover.scoped_usd_per_hour:
                floor += ratio * line.usd_per_hour * line.running
    most = max(floor_share * floor.min() - cover.everywhere_usd_per_hour, 0.0)
    levels = [most * share for share in (0.25, 0.5, 0.75, 1.0)]
    found = [
        monthly_bill(spends, cover=cover, commitment_usd_per_hour=level).usd + policy.min_saving_usd
        for level in levels
        if level > 0.0
    ]
    return min([without, *found])
