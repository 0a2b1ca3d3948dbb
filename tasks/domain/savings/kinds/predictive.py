"""Groups whose demand returns by the hour of the week, and that could follow it ahead of time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.domain.arrays import FloatArray
from tasks.domain.inventory import ScalingGroup
from tasks.domain.savings.bill import MONTHS_HOURS
from tasks.domain.savings.evidence import (
    Evidence,
    confidence,
    known_window,
    reject,
    saving_step,
    usd_step,
)
from tasks.domain.savings.kinds.weekly import LEAST_REGULARITY, regularity
from tasks.domain.savings.machines import Machines
from tasks.domain.savings.money import HOURS_PER_WEEK, Usd
from tasks.domain.savings.opportunity import Effort, Kind, Opportunity, Rejection, Step
from tasks.domain.savings.running import days_known, quantile_by_hour_of_week
from tasks.domain.savings.selection.alternatives import Stage
from tasks.domain.usage.panel import Metric

TARGET_UTILISATION = 0.7
NO_DYNAMIC_FACTOR = 0.75
"""Of the confidence, where nothing has ever made the group smaller or larger."""
QUANTILE = 0.95
"""Of the demand in each hour of the week that is planned for."""
LEAST_WEEKS = 3
MOST_EXCEEDED = 0.05
"""Share of the held-out week's hours that may need more than was planned."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Plan:
    """What the hour of the week says about a group.

    Attributes:
        capacity: (168,) instances to have.
        regularity: Out of sample, 1 less the error of the weekly profile over that of the mean.
        exceeded: Share of the held-out week's hours that needed more than planned from the others.
    """

    capacity: FloatArray
    generous: FloatArray
    tight: FloatArray
    regularity: float
    exceeded: float


def predictive_scaling(
    machines: Machines, evidence: Evidence
) -> tuple[Stage, Machines] | Rejection | None:
    """Return the opportunity to scale a group ahead of its demand, and it as it would then be.

    Demand is instances times processor use; it is served at 70 % use of each. The week before now
    is held out to measure how regular the demand is.

    A predictive policy never makes a group smaller: a dynamic one has to. Where there is none,
    target tracking is proposed with it; where there is one, only what would be saved beyond it is
    counted, which is what the group runs now, less what it needs.

    Returns:
        None for single instances.
    """
    group = machines.group
    if group is None or not machines.running.any():
        return None
    if group.predictive_policies:
        why = f"it has a predictive policy: {', '.join(group.predictive_policies)}"
        return reject(Kind.PREDICTIVE_SCALING, machines.key, why)
    demand = busy_instances(group, evidence)
    if isinstance(demand, str):
        return reject(Kind.PREDICTIVE_SCALING, machines.key, demand)
    days = max(float(LEAST_WEEKS * 7), float(evidence.policy.min_days))
    known = float(np.isfinite(demand).sum()) / 24.0
    if known < days:
        why = f"{known:.1f} days of demand are known, {days:.0f} are needed; wait for more"
        return reject(Kind.PREDICTIVE_SCALING, machines.key, why, {"days": known})
    plan = _plan(demand, group, evidence)
    why_not = _why_not(machines, group, plan)
    if why_not is not None:
        return why_not
    after = machines.during(_ratio(plan.capacity, machines.running))
    found = _opportunity(machines, after, plan, evidence)
    return Stage(opportunity=found, spend=after.spend), after


def busy_instances(group: ScalingGroup, evidence: Evidence) -> FloatArray | str:
    """Return (hours,) instances that would be busy all the time, or what is missing.

    It is instances times processor use, NaN in hours in which either is unknown.
    """
    count = evidence.panel.row(Metric.INSTANCES, group.series)
    if count is None:
        return "its number of instances by the hour is unknown; enable its group metrics"
    cpu = evidence.panel.row(Metric.CPU_MEAN, group.series)
    if cpu is not None:
        return count.astype(np.float64) * cpu.astype(np.float64) / 100.0
    known = [evidence.panel.row(Metric.CPU_MEAN, id_) for id_ in group.instance_ids]
    rows = [row for row in known if row is not None]
    if not rows:
        return "its processor use is unknown"
    stacked = np.array(rows, dtype=np.float64)
    seen = np.isfinite(stacked)
    mean = np.where(seen, stacked, 0.0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    found: FloatArray = np.where(seen.any(axis=0), count.astype(np.float64) * mean / 100.0, np.nan)
    return found


def _plan(demand: FloatArray, group: ScalingGroup, evidence: Evidence) -> _Plan:
    hours = evidence.panel.hour_of_week()
    last = slice(len(demand) - HOURS_PER_WEEK, len(demand))
    before = slice(0, len(demand) - HOURS_PER_WEEK)
    held_out = demand[last]
    known = np.isfinite(held_out)
    planned = _capacity(demand[before], hours[before], group, quantile=QUANTILE)[hours[last]]
    needed = np.minimum(_needed(held_out), group.max_size)
    return _Plan(
        capacity=_capacity(demand, hours, group, quantile=QUANTILE),
        generous=_capacity(demand, hours, group, quantile=1.0),
        tight=_capacity(demand, hours, group, quantile=0.8),
        regularity=regularity(demand, hours),
        exceeded=float((needed[known] > planned[known]).mean()) if known.any() else 1.0,
    )


def _needed(demand: FloatArray) -> FloatArray:
    needed: FloatArray = np.ceil(demand / TARGET_UTILISATION - 1e-9)
    return needed


def _capacity(
    demand: FloatArray, hours: np.ndarray, group: ScalingGroup, *, quantile: float
) -> FloatArray:
    """Return (168,) instances; an hour of the week without data has the most there is."""
    level = quantile_by_hour_of_week(demand, hours, quantile=quantile)
    needed = np.where(np.isfinite(level), _needed(level), group.max_size)
    found: FloatArray = np.clip(needed, max(group.min_size, 0), max(group.max_size, 1))
    return found


def _ratio(capacity: FloatArray, running: FloatArray) -> FloatArray:
    """Return (168,) instances then over instances now; where none runs now, none does then."""
    return np.divide(capacity, running, out=np.zeros(HOURS_PER_WEEK), where=running > 0.0)


def _why_not(machines: Machines, group: ScalingGroup, plan: _Plan) -> Rejection | None:
    key = machines.key
    facts: dict[str, str | float] = {
        "regularity": plan.regularity,
        "exceeded_share": plan.exceeded,
        "min_size": group.min_size,
    }
    if plan.regularity < LEAST_REGULARITY:
        why = (
            f"the hour of the week explains {max(plan.regularity, 0.0):.0%} of the last week's demand beyond "
            f"its mean, {LEAST_REGULARITY:.0%} are needed: it is not regular enough"
        )
        return reject(Kind.PREDICTIVE_SCALING, key, why, facts)
    if plan.exceeded > MOST_EXCEEDED:
        why = (
            f"{plan.exceeded:.0%} of the last week's hours needed more than the weeks before "
            f"foretold, at most {MOST_EXCEEDED:.0%} may"
        )
        return reject(Kind.PREDICTIVE_SCALING, key, why, facts)
    spared = float((machines.running - plan.capacity).sum()) * MONTHS_HOURS
    if spared <= 0.0:
        why = (
            f"it runs {machines.running.mean():.2f} instances on average and would need "
            f"{plan.capacity.mean():.2f}, at least {group.min_size} at any time"
        )
        return reject(Kind.PREDICTIVE_SCALING, key, why, facts)
    return None


def _change(name: str, dynamic: str) -> str:
    first = (
        f"Set {dynamic} of {name} to a target of {TARGET_UTILISATION:.0%} processor use"
        if dynamic
        else f"Add target tracking at {TARGET_UTILISATION:.0%} processor use to {name}, which has "
        "no dynamic scaling policy"
    )
    return f"{first}, together with a predictive scaling policy in forecast-only mode first."


def _start(dynamic: str) -> str:
    """Return what has to happen before anything is saved."""
    if dynamic:
        return f"{dynamic} follows the new target"
    return "target tracking is added"


def _opportunity(
    machines: Machines, after: Machines, plan: _Plan, evidence: Evidence
) -> Opportunity:
    policies = () if machines.group is None else machines.group.dynamic_policies
    before_usd, after_usd = machines.spend.usd, after.spend.usd
    generous = machines.during(_ratio(plan.generous, machines.running)).spend.usd
    tight = machines.during(_ratio(plan.tight, machines.running)).spend.usd
    saving, now_hours = before_usd - after_usd, machines.hours_per_month
    per_hour = before_usd / now_hours
    series, dynamic = machines.series, ", ".join(policies)
    window = known_window(evidence, series, Metric.INSTANCES)
    days = days_known(evidence.panel, series, Metric.INSTANCES)
    factor = (1.0 if policies else NO_DYNAMIC_FACTOR) * min(0.5 + 0.5 * plan.regularity, 1.0)
    return Opportunity(
        kind=Kind.PREDICTIVE_SCALING,
        resource=machines.name,
        region=machines.region,
        change=_change(machines.name, dynamic),
        target={
            "mode": "ForecastOnly",
            "dynamic": dynamic or "add TargetTrackingScaling",
            "metric": "ASGAverageCPUUtilization",
            "target_percent": 100.0 * TARGET_UTILISATION,
        },
        evidence_from=window[0],
        evidence_to=window[1],
        steps=(
            usd_step("saving while it only forecasts", "a forecast changes nothing", 0.0),
            Step(
                what="instances now",
                formula="mean over the hours of the week",
                value=float(machines.running.mean()),
                unit="instances",
            ),
            Step(
                what="instances needed",
                formula=f"instances x processor use / {TARGET_UTILISATION:g}, "
                f"{QUANTILE:.0%} quantile of each hour of the week, rounded up",
                value=float(plan.capacity.mean()),
                unit="instances",
            ),
            usd_step("now", f"{now_hours:.1f} h x {per_hour:.4f} USD/h", before_usd),
            usd_step(
                f"from when {_start(dynamic)}",
                f"{after.hours_per_month:.1f} h x {per_hour:.4f} USD/h",
                after_usd,
            ),
            saving_step(before_usd, after_usd),
        ),
        saving=Usd(
            low=min(before_usd - generous, saving),
            expected=saving,
            high=max(before_usd - tight, saving),
        ),
        effort=Effort.MEDIUM if policies else Effort.HIGH,
        restart=False,
        reversible=True,
        disruption=0.1 if policies else 0.2,
        confidence=confidence(Kind.PREDICTIVE_SCALING, days, factor=factor),
        notes=(
            "the forecast by itself changes and saves nothing; switch it to forecast-and-scale when "
            "it has held for two weeks: it then adds instances ahead of demand and takes none away",
            f"the saving starts when {_start(dynamic)}: only a dynamic policy scales in",
            f"the last week was foretold from the weeks before: regularity {plan.regularity:.0%}, "
            f"{plan.exceeded:.1%} of its hours needed more than planned",
            "demand is reckoned from the processor alone; memory is not known to follow it",
        ),
    )
