"""Instances that nobody uses, and volumes that nothing is attached to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tasks.domain.inventory import InstanceState, Lifecycle, Service, Volume
from tasks.domain.savings.alternatives import Stage
from tasks.domain.savings.bill import Spend
from tasks.domain.savings.evidence import (
    Evidence,
    confidence,
    is_production,
    known_window,
    reject,
    saving_step,
    tag_says,
    too_short,
    usd_step,
)
from tasks.domain.savings.machines import Machines
from tasks.domain.savings.money import Usd
from tasks.domain.savings.opportunity import Effort, Kind, Opportunity, Rejection, Step
from tasks.domain.savings.policy import SCHEDULE_TAG
from tasks.domain.savings.running import days_known, quantile_by_hour_of_week
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
"""Of these limits, that no single hour may exceed: a job at the end of the month is one too."""
RECURRING_QUANTILE = 1.0 / 3.0
"""An hour of the week with more than a limit in two of three weeks or more is one of work."""
SNAPSHOT_SHARE = 0.65
"""Most that a GiB of snapshot costs, of a GiB of gp3: 0.05 to 0.08 USD in us-east-1."""

UNKNOWN_DISK_FACTOR = 0.9
UNNAMED_FACTOR = 0.9
CAUTION_FACTOR = 0.8
"""Of the confidence: disk traffic is unknown, nobody named its use idle, it may be production."""
UNATTACHED_FACTOR = 0.3
"""Of the confidence: that a volume is unattached was seen once."""

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
    return None


def stop_forbidden(machines: Machines) -> str:
    """Return why an instance cannot or must not be stopped, ever; empty where it may be.

    Args:
        machines: A single instance.
    """
    one, said = machines.instances[0], tag_says(machines.tags, SCHEDULE_TAG)
    if said == "never":
        return f"the tag {SCHEDULE_TAG} says never"
    if one.state is not InstanceState.RUNNING:
        return f"it is {one.state} and not running"
    if one.lifecycle is not Lifecycle.ON_DEMAND:
        return (
            f"it is a {one.lifecycle} instance, which cannot be stopped and started again like one "
            "on demand: end its request if nobody needs it"
        )
    if one.root_device != "ebs":
        return f"its root device is {one.root_device}: it cannot be stopped, only terminated"
    if is_production(machines.tags) is True and said != "allowed":
        return f"it is tagged as production: set the tag {SCHEDULE_TAG} to allowed if it may stop"
    return ""


def may_lose_disks(machines: Machines, evidence: Evidence) -> str:
    """Return why stopping loses what is on local disks; empty where there are none."""
    facts = evidence.prices.types.get(machines.instances[0].instance_type)
    if facts is None:
        return "whether it has local disks is unknown: data on local disks is lost"
    if facts.local_storage_gb > 0.0:
        return f"data on local disks ({facts.local_storage_gb:,.0f} GB) is lost"
    return ""


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
        if worst > WORST_FACTOR * limit:
            return f"its busiest hour had {worst:,.1f} {unit} (limit {WORST_FACTOR * limit:,.0f})"
        if (busy := int((again > limit).sum())) > 0:
            return f"{busy} hours of the week come back with more than {limit:,.0f} {unit}"
        if mean > limit:
            return f"all hours together had {mean:,.1f} {unit} on average (limit {limit:,.0f})"
    return ""


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
    if lost:
        notes.append(lost)
    days = days_known(evidence.panel, machines.series, Metric.CPU_MEAN)
    factor = (
        (CAUTION_FACTOR if production else 1.0)
        * (1.0 if disk_known else UNKNOWN_DISK_FACTOR)
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


def delete_unattached(volume: Volume, usd: float, evidence: Evidence) -> Stage | Rejection | None:
    """Return the opportunity to keep a snapshot instead of a volume; None where it is attached.

    A snapshot holds the same data, so that nothing is lost; it is reckoned as large as the volume,
    though it only holds blocks that were written.

    Args:
        volume: Any.
        usd: What it costs, USD a month.
        evidence: Prices and policy.
    """
    key = (volume.region, volume.volume_id)
    if volume.attached_to is not None:
        return None
    said = tag_says(volume.tags, SCHEDULE_TAG)
    if said == "never":
        return reject(Kind.STOP, key, f"unattached, but the tag {SCHEDULE_TAG} says never")
    if is_production(volume.tags) is True and said != "allowed":
        why = f"unattached, but tagged as production: set the tag {SCHEDULE_TAG} to allowed"
        return reject(Kind.STOP, key, why)
    age = (evidence.now - volume.created_at).total_seconds() / 86_400
    short = too_short(Kind.STOP, key, age, evidence.policy)
    if short is not None:
        return short
    gp3 = evidence.prices.volumes.get((volume.region, "gp3"))
    if gp3 is None:
        why = "unattached, but what a snapshot costs is unknown without a price of gp3"
        return reject(Kind.STOP, key, why)
    snapshot_usd = volume.size_gib * gp3.usd_per_gib * SNAPSHOT_SHARE
    if snapshot_usd >= usd:
        why = f"a full snapshot may cost {snapshot_usd:.2f} USD a month, the volume {usd:.2f}"
        return reject(Kind.STOP, key, why, {"snapshot_usd": snapshot_usd, "volume_usd": usd})
    return Stage(
        opportunity=_delete(volume, usd, snapshot_usd, gp3.usd_per_gib, evidence),
        spend=Spend(other_usd=snapshot_usd),
    )


def _delete(
    volume: Volume, usd: float, snapshot_usd: float, gib_usd: float, evidence: Evidence
) -> Opportunity:
    return Opportunity(
        kind=Kind.STOP,
        resource=volume.volume_id,
        region=volume.region,
        change=f"Take a snapshot of {volume.volume_id} ({volume.kind}, {volume.size_gib:.0f} GiB), "
        "which nothing is attached to, then delete it.",
        target={"state": "deleted", "first": "snapshot"},
        # Since when it has been unattached is not known: it was seen once.
        evidence_from=evidence.now,
        evidence_to=evidence.now,
        steps=(
            usd_step("volume now", f"{volume.size_gib:.0f} GiB of {volume.kind}", usd),
            usd_step(
                "full snapshot at most",
                f"{volume.size_gib:.0f} GiB x {gib_usd:.4f} USD x {SNAPSHOT_SHARE}",
                snapshot_usd,
            ),
            saving_step(usd, snapshot_usd),
        ),
        saving=Usd(low=usd - snapshot_usd, expected=usd - snapshot_usd, high=usd),
        effort=Effort.MEDIUM,
        restart=False,
        reversible=False,
        disruption=0.05,
        confidence=confidence(Kind.STOP, None, factor=UNATTACHED_FACTOR),
        notes=(
            "the data comes back from the snapshot only, as another volume that is slow at first: "
            "verify that the snapshot is complete before deleting",
            "0 days observed: how long it has been unattached is not known; ask whose it is",
        ),
    )
