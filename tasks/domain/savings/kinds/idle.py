"""Instances that nobody uses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from tasks.domain.arrays import FloatArray
from tasks.domain.inventory import Service
from tasks.domain.savings.bill import Spend
from tasks.domain.savings.evidence import (
    Evidence,
    confidence,
    is_production,
    known_window,
    reject,
    saving_step,
    too_short,
    usd_step,
)
from tasks.domain.savings.kinds.stopping import may_lose_disks, production_forbids, stop_forbidden
from tasks.domain.savings.machines import Machines
from tasks.domain.savings.money import HOURS_PER_WEEK, Usd
from tasks.domain.savings.opportunity import Effort, Kind, Opportunity, Rejection, Step
from tasks.domain.savings.running import days_known, quantile_by_hour_of_week
from tasks.domain.savings.selection.alternatives import Stage
from tasks.domain.usage.archetypes import Archetype
from tasks.domain.usage.panel import Metric

IDLE_CPU_PERCENT = 3.0
"""95 of 100 hours have at most this mean."""
IDLE_PEAK_PERCENT = 15.0
"""95 of 100 hours have at most this maximum."""
IDLE_NETWORK_BYTES_PER_SECOND = 10_000.0
IDLE_DISK_BYTES_PER_SECOND = 50_000.0
"""95 of 100 hours have at most this; agents and logs write some."""
WORST_FACTOR = 5.0
"""Of these limits, that an hour may reach: a job at the end of the month has no quantile."""
LONE_PERCENT = 50.0
LONE_HOURS_PER_WEEK = 1.0
"""An update or a restart takes more processor than that, for an hour, and moves few bytes: so few
hours with at most this mean pass, where traffic and disk keep their bounds; they are named."""
RECURRING_QUANTILE = 1.0 / 3.0
"""An hour of the week with more than a limit in two of three weeks or more is one of work."""
UNKNOWN_DISK_FACTOR = 0.9
UNNAMED_FACTOR = 0.9
LONE_FACTOR = 0.8
CAUTION_FACTOR = 0.8
"""Of the confidence: disk traffic is unknown, nobody named its use idle, single hours stood out, it
may be production."""

_LIMITS = (
    (Metric.CPU_MEAN, IDLE_CPU_PERCENT, "% processor, mean"),
    (Metric.CPU_MAX, IDLE_PEAK_PERCENT, "% processor, maximum"),
    (Metric.NETWORK, IDLE_NETWORK_BYTES_PER_SECOND, "B/s network"),
    (Metric.DISK, IDLE_DISK_BYTES_PER_SECOND, "B/s disk"),
)
_WORK = tuple(one for one in _LIMITS if one[0] is not Metric.CPU_MAX)
"""A start of a service takes a whole processor for seconds, and is no work."""


def stop_idle(
    machines: Machines,
    evidence: Evidence,
    *,
    archetype: Archetype | None = None,
    services: Sequence[Service] = (),
) -> Stage | Rejection | None:
    """Return the opportunity to stop an idle instance; None where it plainly works.

    Args:
        machines: A single instance; groups scale by themselves.
        evidence: Use, prices and policy.
        archetype: As the usage flow named it; None where it did not.
        services: That it answers requests for.
    """
    used = _used(machines.series, evidence)
    cpu = used.get(Metric.CPU_MEAN)
    looks_idle = cpu is not None and cpu <= IDLE_CPU_PERCENT
    if not machines.is_alone or not machines.running.any():
        return None
    if not looks_idle and archetype is not Archetype.IDLE:
        return None
    why = _why_not_idle(machines, used, evidence, archetype=archetype, services=services)
    return why if why is not None else _stop(machines, used, evidence, archetype)


def _used(name: str, evidence: Evidence) -> dict[Metric, float]:
    """Return the 95 % quantile of each known metric."""
    rows = {metric: evidence.panel.row(metric, name) for metric, _, _ in _LIMITS}
    return {
        metric: float(np.nanquantile(row, 0.95)) for metric, row in rows.items() if row is not None
    }


def _why_not_idle(
    machines: Machines,
    used: dict[Metric, float],
    evidence: Evidence,
    *,
    archetype: Archetype | None,
    services: Sequence[Service],
) -> Rejection | None:
    key = machines.key
    forbidden = stop_forbidden(machines)
    if forbidden:
        return reject(Kind.STOP, key, f"looks idle, but {forbidden}")
    days = days_known(evidence.panel, machines.series, Metric.CPU_MEAN)
    short = too_short(Kind.STOP, key, days, evidence.policy)
    if short is not None:
        return short
    above = [
        f"{used[metric]:,.1f} {unit} (limit {limit:,.0f})"
        for metric, limit, unit in _LIMITS
        if metric in used and used[metric] > limit
    ]
    if above:
        return reject(Kind.STOP, key, f"looks idle, but {', '.join(above)}")
    if Metric.NETWORK not in used:
        why = "the processor is idle, but its network traffic is unknown; make it known first"
        return reject(Kind.STOP, key, why, {"cpu_percent": used.get(Metric.CPU_MEAN, -1.0)})
    if archetype not in {None, Archetype.IDLE, Archetype.UNUSUAL, Archetype.STEADY}:
        why = f"hardly uses its processor, but its use is {archetype}: something works at times"
        return reject(Kind.STOP, key, why)
    work = _work(machines.series, evidence)
    if work:
        return reject(Kind.STOP, key, f"mostly idle, but {work}")
    asked = next((one for one in services if _requests(one, evidence) != 0.0), None)
    if asked is not None:
        why = f"answers for {asked.service_id}, which has or may have requests"
        return reject(Kind.STOP, key, why)
    forbidden = production_forbids(machines.tags)
    return reject(Kind.STOP, key, f"looks idle, but {forbidden}") if forbidden else None


def _work(name: str, evidence: Evidence) -> str:
    """Return what it did in few hours, which quantiles of all hours do not show; empty if nothing."""
    hours = evidence.panel.hour_of_week()
    for metric, limit, unit in _WORK:
        row = evidence.panel.row(metric, name)
        if row is None:
            continue
        values = row.astype(np.float64)
        mean, worst = float(np.nanmean(values)), float(np.nanmax(values))
        again = quantile_by_hour_of_week(values, hours, quantile=RECURRING_QUANTILE)
        passed = metric is Metric.CPU_MEAN and _passes_alone(name, values, evidence)
        if worst > WORST_FACTOR * limit and not passed:
            return f"its busiest hour had {worst:,.1f} {unit} (limit {WORST_FACTOR * limit:,.0f})"
        if (busy := int((again > limit).sum())) > 0:
            return f"{busy} hours of the week come back with more than {limit:,.0f} {unit}"
        if mean > limit:
            return f"all hours together had {mean:,.1f} {unit} on average (limit {limit:,.0f})"
    return ""


def _passes_alone(name: str, cpu: FloatArray, evidence: Evidence) -> bool:
    """Return whether hours above the bound are few and moderate; the disk has to be known too."""
    weeks = float(np.isfinite(cpu).sum()) / HOURS_PER_WEEK
    return (
        len(_lone_hours(cpu)) <= LONE_HOURS_PER_WEEK * weeks
        and float(np.nanmax(cpu)) <= LONE_PERCENT
        and evidence.panel.row(Metric.DISK, name) is not None
    )


def _lone_hours(cpu: FloatArray) -> list[int]:
    return [int(at) for at in np.flatnonzero(cpu > WORST_FACTOR * IDLE_CPU_PERCENT)]


def _lone_note(name: str, evidence: Evidence) -> str:
    """Return which hours stood out, to ask what ran then; empty where none did."""
    row = evidence.panel.row(Metric.CPU_MEAN, name)
    hours = [] if row is None else _lone_hours(row.astype(np.float64))
    if row is None or not hours:
        return ""
    named = ", ".join(
        f"{evidence.panel.start + timedelta(hours=at):%Y-%m-%d %H:%M} UTC ({row[at]:.0f}%)"
        for at in hours
    )
    return f"single hours with more processor use, ask what ran then: {named}"


def _requests(service: Service, evidence: Evidence) -> float | None:
    row = evidence.panel.row(Metric.REQUESTS, service.service_id)
    return None if row is None else float(np.nansum(row))


def _stop(
    machines: Machines,
    used: dict[Metric, float],
    evidence: Evidence,
    archetype: Archetype | None,
) -> Stage:
    production = is_production(machines.tags) is not False
    disk_known = Metric.DISK in used
    lost = may_lose_disks(machines, evidence)
    window = known_window(evidence, machines.series, Metric.CPU_MEAN)
    steps = tuple(
        Step(
            what=f"{metric}, 95 of 100 hours at most",
            formula=f"limit {limit:.0f}",
            value=used[metric],
            unit=unit,
        )
        for metric, limit, unit in _LIMITS
        if metric in used
    )
    now_usd = machines.spend.usd
    notes = ["its volumes stay and go on costing; addresses that are not elastic change"]
    if not disk_known:
        notes.append("disk traffic is unknown")
    lone = _lone_note(machines.series, evidence)
    notes.extend(note for note in (lost, lone) if note)
    days = days_known(evidence.panel, machines.series, Metric.CPU_MEAN)
    factor = (
        (CAUTION_FACTOR if production else 1.0)
        * (1.0 if disk_known else UNKNOWN_DISK_FACTOR)
        * (LONE_FACTOR if lone else 1.0)
        * (1.0 if archetype is Archetype.IDLE else UNNAMED_FACTOR)
    )
    opportunity = Opportunity(
        kind=Kind.STOP,
        resource=machines.name,
        region=machines.region,
        change=f"Stop {machines.name} ({machines.instance_type}), which nobody uses.",
        target={"state": "stopped"},
        evidence_from=window[0],
        evidence_to=window[1],
        steps=(
            *steps,
            usd_step(
                "now",
                f"{machines.usd_per_hour or 0:.4f} USD/h x {machines.hours_per_month:.1f} h",
                now_usd,
            ),
            saving_step(now_usd, 0.0),
        ),
        saving=Usd.exactly(now_usd),
        effort=Effort.MEDIUM if production else Effort.LOW,
        restart=True,
        reversible=not lost,
        disruption=(0.3 if production else 0.1) + (0.2 if lost else 0.0),
        confidence=confidence(Kind.STOP, days, factor=factor),
        notes=tuple(notes),
    )
    return Stage(opportunity=opportunity, spend=Spend())
