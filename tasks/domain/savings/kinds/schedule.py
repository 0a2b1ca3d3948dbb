"""Instances that are used in some hours of the week only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tasks.domain.arrays import BoolArray, FloatArray
from tasks.domain.inventory import Service
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
from tasks.domain.savings.kinds.idle import CAUTION_FACTOR, IDLE_NETWORK_BYTES_PER_SECOND
from tasks.domain.savings.kinds.stopping import may_lose_disks, production_forbids, stop_forbidden
from tasks.domain.savings.kinds.weekly import LEAST_REGULARITY, regularity
from tasks.domain.savings.machines import Machines
from tasks.domain.savings.money import HOURS_PER_WEEK, Usd
from tasks.domain.savings.opportunity import Effort, Kind, Opportunity, Rejection, Step
from tasks.domain.savings.running import days_known, quantile_by_hour_of_week
from tasks.domain.savings.selection.alternatives import Stage
from tasks.domain.usage.archetypes import Archetype
from tasks.domain.usage.panel import Metric

TREATED = frozenset({Archetype.BUSINESS_HOURS, Archetype.NIGHTLY_BATCH})
USED_QUANTILE = 0.9
"""An hour of the week counts as used when its use is above the quiet level this often."""
RISE_SHARE = 0.2
"""Of the range between quiet and busy: above it an hour is used."""
LEAST_RISE_PERCENT = 3.0
QUIET_PERCENT = 10.0
"""Processor use that is quiet on any machine: the system itself and its agents."""
MOST_QUIET_PERCENT = 20.0
"""Processor use that is not quiet on any machine."""
QUIET_SHARE = 1.0 / 3.0
"""Most use outside of the used hours, of that in them."""
LEAST_USED_HOURS = 10
"""A week with fewer used hours is that of an idle machine, or of one that works evenly."""
MOST_WEEKEND_SHARE = 0.2
"""Of the weekend's hours that are used, where nobody named the use; time zones shift some."""
MARGIN_HOURS = 1
LEAST_OFF_SHARE = 0.25
UNKNOWN_TRAFFIC_FACTOR = 0.8
"""Of the confidence: the hours rest on the processor alone."""
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def schedule(
    machines: Machines,
    evidence: Evidence,
    *,
    archetype: Archetype | None = None,
    services: Sequence[Service] = (),
) -> tuple[Stage, Machines] | Rejection | None:
    """Return the opportunity to run an instance in its hours only, and it as it would then be.

    Args:
        machines: A single instance; a group has a schedule of its own kind.
        evidence: Use, prices and policy.
        archetype: As the usage flow named it; None where it did not: then only hours of working
            days are enough.
        services: That it answers requests for.

    Returns:
        None where it is plainly used all the time.
    """
    row = evidence.panel.row(Metric.CPU_MEAN, machines.series)
    if row is None or not machines.is_alone or not machines.running.any():
        return None
    if archetype is not None and archetype not in TREATED:
        return None
    cpu = row.astype(np.float64)
    used = used_hours(cpu, evidence)
    if archetype is None and not _looks_scheduled(used):
        return None
    why = _why_not(machines, cpu, used, evidence, services=services)
    if why is not None:
        return why
    after = machines.during(used.astype(np.float64))
    return Stage(
        opportunity=_opportunity(machines, after, used, evidence), spend=after.spend
    ), after


def used_hours(cpu: FloatArray, evidence: Evidence) -> BoolArray:
    """Return (168,) whether each hour of the week is used, with a margin on both sides."""
    quiet, busy = np.nanquantile(cpu, [0.1, 0.98])
    threshold = quiet + max(RISE_SHARE * (busy - quiet), LEAST_RISE_PERCENT)
    high = quantile_by_hour_of_week(cpu, evidence.panel.hour_of_week(), quantile=USED_QUANTILE)
    used = ~(high <= threshold)  # an hour that was never observed counts as used
    wide = np.zeros(HOURS_PER_WEEK, dtype=np.bool_)
    for shift in range(-MARGIN_HOURS, MARGIN_HOURS + 1):
        wide |= np.roll(used, shift)
    return wide


def week_text(used: BoolArray) -> str:
    """Return hours of the week in words, for example "Mon 07-19, Tue 07-19"; UTC."""
    parts = []
    for day, name in enumerate(DAYS):
        today = np.concatenate(([False], used[24 * day : 24 * day + 24], [False]))
        edges = np.flatnonzero(np.diff(today.astype(np.int8)))
        spans = [f"{a:02d}-{b:02d}" for a, b in zip(edges[::2], edges[1::2], strict=True)]
        if spans:
            parts.append(f"{name} {' '.join(spans)}")
    return ", ".join(parts)


def _why_not(
    machines: Machines,
    cpu: FloatArray,
    used: BoolArray,
    evidence: Evidence,
    *,
    services: Sequence[Service],
) -> Rejection | None:
    key = machines.key
    forbidden = stop_forbidden(machines) or may_lose_disks(machines, evidence)
    if forbidden:
        return reject(Kind.SCHEDULE, key, forbidden)
    days = days_known(evidence.panel, machines.series, Metric.CPU_MEAN)
    short = too_short(Kind.SCHEDULE, key, days, evidence.policy)
    if short is not None:
        return short
    if used.sum() < LEAST_USED_HOURS:
        why = (
            f"{used.sum()} hours of the week stand out from its usual level, {LEAST_USED_HOURS} "
            "are needed: it works evenly or not at all"
        )
        return reject(Kind.SCHEDULE, key, why, {"hours": float(used.sum())})
    off = 1.0 - float(used.mean())
    if off < LEAST_OFF_SHARE:
        why = f"{off:.0%} of the hours of a week are unused, {LEAST_OFF_SHARE:.0%} are needed"
        return reject(Kind.SCHEDULE, key, why, {"off_share": off})
    why = (
        _work_outside(cpu, used, evidence)
        or _irregular(cpu, evidence)
        or _traffic_outside(machines.series, used, evidence)
        or production_forbids(machines.tags)
    )
    if why:
        return reject(Kind.SCHEDULE, key, why)
    found = (_requests_outside(one, machines, used, evidence) for one in services)
    return next((each for each in found if each is not None), None)


def _work_outside(cpu: FloatArray, used: BoolArray, evidence: Evidence) -> str:
    """Return why its use outside of its hours speaks against it; empty where it does not."""
    inside = used[evidence.panel.hour_of_week()]
    busy, quiet = (float(np.nanquantile(cpu[at], q)) for at, q in ((inside, 0.5), (~inside, 0.95)))
    limit = min(max(QUIET_SHARE * busy, QUIET_PERCENT), MOST_QUIET_PERCENT)
    if not quiet > limit:
        return ""
    return (
        f"outside of its busy hours it still uses {quiet:.1f}% of its processor "
        f"(limit {limit:.1f}%): something runs there"
    )


def _irregular(cpu: FloatArray, evidence: Evidence) -> str:
    """Return why the hours cannot be relied on; empty where they can."""
    found = regularity(cpu, evidence.panel.hour_of_week())
    if found >= LEAST_REGULARITY:
        return ""
    return (
        f"the hour of the week explains {max(found, 0.0):.0%} of the last week's use beyond its "
        f"mean, {LEAST_REGULARITY:.0%} are needed: its hours are not regular enough"
    )


def _traffic_outside(name: str, used: BoolArray, evidence: Evidence) -> str:
    """Return why its traffic speaks against it; empty where it does not or is unknown."""
    row = evidence.panel.row(Metric.NETWORK, name)
    if row is None:
        return ""
    inside = used[evidence.panel.hour_of_week()]
    levels = [row[inside], row[~inside]]
    if not all(np.isfinite(level).any() for level in levels):
        return ""
    busy, quiet = (float(np.nanquantile(level, 0.95)) for level in levels)
    limit = max(QUIET_SHARE * busy, IDLE_NETWORK_BYTES_PER_SECOND)
    if quiet <= limit:
        return ""
    return (
        f"outside of its busy hours it still has {quiet:,.0f} B/s of traffic (limit {limit:,.0f})"
    )


def _looks_scheduled(used: BoolArray) -> bool:
    """Return whether hours are those of working days, for machines whose use has no name."""
    share = 1.0 - float(used.mean())
    weekend = float(used[5 * 24 :].mean())
    return (
        used.sum() >= LEAST_USED_HOURS
        and share >= LEAST_OFF_SHARE
        and weekend <= MOST_WEEKEND_SHARE
    )


def _requests_outside(
    service: Service, machines: Machines, used: BoolArray, evidence: Evidence
) -> Rejection | None:
    row = evidence.panel.row(Metric.REQUESTS, service.service_id)
    if row is None:
        why = f"answers for {service.service_id}, whose requests are unknown"
        return reject(Kind.SCHEDULE, machines.key, why)
    outside = float(np.nansum(row[~used[evidence.panel.hour_of_week()]]))
    if outside > 0.0:
        why = f"{service.service_id} had {outside:.0f} requests outside of its busy hours"
        return reject(Kind.SCHEDULE, machines.key, why, {"requests": outside})
    return None


def _opportunity(
    machines: Machines, after: Machines, used: BoolArray, evidence: Evidence
) -> Opportunity:
    production = is_production(machines.tags)
    before_usd, after_usd = machines.spend.usd, after.spend.usd
    saving = before_usd - after_usd
    hours = int(used.sum())
    effort = {True: Effort.HIGH, None: Effort.MEDIUM, False: Effort.LOW}[production]
    network_known = evidence.panel.row(Metric.NETWORK, machines.series) is not None
    days = days_known(evidence.panel, machines.series, Metric.CPU_MEAN)
    window = known_window(evidence, machines.series, Metric.CPU_MEAN)
    notes = [
        "whoever works late starts it by hand; its volumes go on costing",
        "its public address changes with every start unless it is an Elastic IP",
    ]
    if production:
        notes.append("tagged as production: ask who relies on it outside of these hours")
    if not network_known:
        notes.append("its traffic is unknown; the hours rest on the processor alone")
    factor = 1.0 if production is False else CAUTION_FACTOR
    return Opportunity(
        kind=Kind.SCHEDULE,
        resource=machines.name,
        region=machines.region,
        change=f"Run {machines.name} ({machines.instance_type}) {hours} of {HOURS_PER_WEEK} hours "
        "a week.",
        target={"hours_utc": week_text(used), "hours_per_week": hours},
        evidence_from=window[0],
        evidence_to=window[1],
        steps=(
            Step(
                what="hours of the week that are used",
                formula=f"use above the quiet level in 1 of 10 weeks, {MARGIN_HOURS} h of margin",
                value=hours,
                unit="h/week",
            ),
            usd_step(
                "now",
                f"{machines.usd_per_hour or 0:.4f} USD/h x {machines.hours_per_month:.1f} h",
                before_usd,
            ),
            usd_step(
                "scheduled",
                f"{machines.usd_per_hour or 0:.4f} USD/h x {after.hours_per_month:.1f} h",
                after_usd,
            ),
            saving_step(before_usd, after_usd),
        ),
        # People keep it on longer now and then: a tenth of the hours off are given back.
        saving=Usd(low=0.9 * saving, expected=saving, high=saving),
        effort=effort,
        restart=True,
        reversible=True,
        disruption={True: 0.5, None: 0.3, False: 0.15}[production],
        confidence=confidence(
            Kind.SCHEDULE, days, factor=factor * (1.0 if network_known else UNKNOWN_TRAFFIC_FACTOR)
        ),
        notes=tuple(notes),
    )
