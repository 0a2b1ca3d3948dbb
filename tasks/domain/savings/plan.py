"""What an account could save: from inventory, use and prices to a selection, in one pure function."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np

from tasks.domain.arrays import BoolArray, FloatArray
from tasks.domain.inventory import Inventory
from tasks.domain.savings.cover import existing_cover
from tasks.domain.savings.evidence import Evidence
from tasks.domain.savings.kinds.commitments import ACCOUNT, PlanTerms
from tasks.domain.savings.machines import Machines, machines_of
from tasks.domain.savings.money import HOURS_PER_WEEK, PriceBook
from tasks.domain.savings.opportunity import Kind, Rejection
from tasks.domain.savings.options import Options, add_machines, add_services, add_volumes
from tasks.domain.savings.policy import SavingsPolicy
from tasks.domain.savings.running import hours_reported, hours_run
from tasks.domain.savings.selection.optimum import TIME_LIMIT_SECONDS
from tasks.domain.savings.selection.selection import Found, Selection, select
from tasks.domain.savings.sizing.needs import CapacityNeeds
from tasks.domain.usage.archetypes import Archetype
from tasks.domain.usage.panel import Metric, UsagePanel


def find_savings(
    inventory: Inventory,
    panel: UsagePanel,
    *,
    archetypes: Mapping[str, Archetype],
    needs: CapacityNeeds,
    prices: PriceBook,
    policy: SavingsPolicy,
    now: datetime,
    time_limit_seconds: float = TIME_LIMIT_SECONDS,
) -> Selection:
    """Return what to do in an account, what it saves together, and what was left out and why.

    Args:
        inventory: What runs.
        panel: Use by the hour: instances by id, groups by `series`, services by id.
        archetypes: By instance id or group name, as far as they are named.
        needs: For right-sizing, from `capacity_needs`.
        prices: Whatever is not in them is unknown, and not touched.
        policy: Limits and permissions.
        now: Aware UTC.
        time_limit_seconds: For the solver.
    """
    evidence = Evidence(panel=panel, prices=prices, policy=policy, now=now)
    machines, unknown = machines_of(inventory, panel, prices, min_days=policy.min_days)
    options = Options(unknown=list(unknown))
    add_machines(
        options,
        machines,
        evidence,
        needs=needs,
        archetypes=archetypes,
        services_of=inventory.services_of,
    )
    add_volumes(options, inventory.volumes, evidence)
    add_services(options, inventory, machines, evidence)
    terms = plan_terms(inventory, machines, evidence)
    if isinstance(terms, Rejection):
        options.rejected.append(terms)
    return select(
        Found(
            units=tuple(options.units),
            alternatives=tuple(options.alternatives),
            rejected=tuple(options.rejected),
            unknown=tuple(options.unknown),
        ),
        policy=policy,
        now=now,
        cover=existing_cover(inventory.commitments, prices=prices, now=now),
        terms=None if isinstance(terms, Rejection) else terms,
        time_limit_seconds=time_limit_seconds,
    )


def plan_terms(
    inventory: Inventory, machines: Sequence[Machines], evidence: Evidence
) -> PlanTerms | Rejection:
    """Return what a commitment is sized by; why there is none where too few days were observed."""
    panel, policy = evidence.panel, evidence.policy
    needed = max(policy.min_days, 7)
    if panel.hours < 24 * needed:
        why = (
            f"use was observed for {panel.hours / 24:.1f} days, {needed} are needed; wait for more"
        )
        return Rejection(kind=Kind.COMMITMENT, resource=ACCOUNT, region="", why=why)
    weekly = weekly_usd(machines, panel)
    share = lowest_week_share(weekly)
    unobserved = [one.spend for one in machines if not one.in_floor and one.spend.lines]
    return PlanTerms(
        floor_share=policy.commitment_coverage * share,
        lowest_week_share=share,
        term=evidence.prices.plan_term,
        evidence_from=panel.start,
        evidence_to=panel.end,
        existing=inventory.commitments,
        weekly_deviation=weekly_deviation(weekly),
        unobserved=len(unobserved),
        unobserved_usd=math.fsum(line.usd for spend in unobserved for line in spend.lines),
        min_days=policy.min_days,
    )


def weekly_usd(machines: Sequence[Machines], panel: UsagePanel) -> FloatArray:
    """Return (weeks,) on-demand spend of each whole week, of what counts in a floor.

    At today's prices, of what runs today: an instance counts with its mean in the hours before it
    was first seen, so that a growing fleet does not look like a falling one.
    """
    reported = hours_reported(panel)
    total = np.zeros(panel.hours)
    for one in machines:
        usd_per_hour = one.spend.usd / one.hours_per_month if one.hours_per_month > 0.0 else 0.0
        if one.in_floor and one.spend.lines and usd_per_hour > 0.0:
            total += usd_per_hour * _history(one, panel, reported)
    weeks = panel.hours // HOURS_PER_WEEK
    whole = total[panel.hours - weeks * HOURS_PER_WEEK :].reshape(weeks, HOURS_PER_WEEK)
    found: FloatArray = whole.sum(axis=1)
    return found


def lowest_week_share(weekly: FloatArray) -> float:
    """Return the lowest week's spend over the mean week's, 0 to 1; 1 where nothing is spent."""
    mean = float(weekly.mean()) if len(weekly) else 0.0
    return float(weekly.min()) / mean if mean > 0.0 else 1.0


def weekly_deviation(weekly: FloatArray) -> float:
    """Return the relative change from week to week, root mean square; infinite after a week of 0."""
    if len(weekly) < 2 or not weekly.any():
        return 0.0
    if not weekly.all():
        return math.inf
    return float(np.sqrt(np.mean(np.diff(np.log(weekly)) ** 2)))


def _history(one: Machines, panel: UsagePanel, reported: BoolArray) -> FloatArray:
    """Return (hours,) instances that ran; where nothing is known, the mean of that hour."""
    usual: FloatArray = one.running[panel.hour_of_week()]
    if one.group is not None:
        count = panel.row(Metric.INSTANCES, one.group.series)
        if count is None:
            return usual
        return np.where(np.isfinite(count), count, usual).astype(np.float64)
    ran = hours_run(one.instances[0], panel, reported=reported)
    return np.where(np.isfinite(ran), ran, usual)
