"""Volumes of an older kind that a newer one replaces without getting slower."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.domain.inventory import Volume
from tasks.domain.savings.bill import Spend
from tasks.domain.savings.evidence import Evidence, confidence, reject, saving_step, usd_step
from tasks.domain.savings.money import Usd, VolumePrice
from tasks.domain.savings.opportunity import Effort, Kind, Opportunity, Rejection
from tasks.domain.savings.selection.alternatives import Stage

GP3_MOST_IOPS = 16_000.0
GP3_MOST_MIB_PER_SECOND = 1_000.0
GP3_LEAST_IOPS = 3_000.0
GP3_LEAST_MIB_PER_SECOND = 125.0
GP2_IOPS_PER_GIB = 3.0
GP2_LEAST_IOPS = 100.0
GP2_BURST_IOPS = 3_000.0
GP2_SMALL_GIB = 170.0
GP2_SMALL_MIB_PER_SECOND = 128.0
GP2_MIB_PER_SECOND = 250.0
IO1_MIB_PER_IO = 0.25
IO1_MIB_PER_SECOND = 500.0
IO1_FACTOR = 0.9
"""Of the confidence: gp3 promises less even latency."""
MIB_PER_SECOND_PER_IOPS = 0.25
"""Most throughput that gp3 can have for each operation per second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """What a volume can do at best."""

    iops: float
    mib_per_second: float


def volume_usd(volume: Volume, price: VolumePrice | None) -> float | None:
    """Return what a volume costs, USD a month; None where its kind has no price."""
    if price is None:
        return None
    iops = 0.0 if volume.kind == "gp2" else float(volume.iops or 0)
    return _usd(
        volume.size_gib,
        Performance(iops=iops, mib_per_second=volume.throughput_mib_per_second or 0.0),
        price,
    )


def best_of(volume: Volume) -> Performance | None:
    """Return what a gp2 or io1 volume can do, bursts included; None of other kinds."""
    if volume.kind == "gp2":
        base = max(GP2_LEAST_IOPS, GP2_IOPS_PER_GIB * volume.size_gib)
        small = volume.size_gib <= GP2_SMALL_GIB
        return Performance(
            iops=min(max(base, GP2_BURST_IOPS), GP3_MOST_IOPS),
            mib_per_second=GP2_SMALL_MIB_PER_SECOND if small else GP2_MIB_PER_SECOND,
        )
    if volume.kind == "io1" and volume.iops is not None:
        return Performance(
            iops=float(volume.iops),
            mib_per_second=min(volume.iops * IO1_MIB_PER_IO, IO1_MIB_PER_SECOND),
        )
    return None


def newer_kind(volume: Volume, usd: float, evidence: Evidence) -> Stage | Rejection | None:
    """Return the opportunity to make a volume gp3; None of kinds that gp3 does not replace.

    Args:
        volume: Any.
        usd: What it costs, USD a month.
        evidence: Prices.
    """
    key = (volume.region, volume.volume_id)
    needed = best_of(volume)
    if needed is None:
        return None
    if volume.multi_attach:
        why = "several instances may share it (Multi-Attach), which gp3 cannot do"
        return reject(Kind.VOLUME_TYPE, key, why)
    price = evidence.prices.volumes.get((volume.region, "gp3"))
    if price is None:
        return reject(Kind.VOLUME_TYPE, key, f"no price of gp3 in {volume.region} is known")
    if needed.iops > GP3_MOST_IOPS:
        why = f"{needed.iops:.0f} IOPS provisioned, gp3 has at most {GP3_MOST_IOPS:.0f}"
        return reject(Kind.VOLUME_TYPE, key, why, {"iops": needed.iops})
    wanted = Performance(
        iops=max(needed.iops, GP3_LEAST_IOPS, needed.mib_per_second / MIB_PER_SECOND_PER_IOPS),
        mib_per_second=max(needed.mib_per_second, GP3_LEAST_MIB_PER_SECOND),
    )
    new_usd = _usd(volume.size_gib, wanted, price)
    if new_usd >= usd:
        why = (
            f"gp3 with {wanted.iops:.0f} IOPS and {wanted.mib_per_second:.0f} MiB/s, so that "
            f"nothing gets slower, costs {new_usd:.2f} USD a month, {volume.kind} {usd:.2f}"
        )
        return reject(Kind.VOLUME_TYPE, key, why, {"gp3_usd": new_usd, "now_usd": usd})
    found = _opportunity(volume, wanted, price, usd, new_usd, evidence)
    return Stage(opportunity=found, spend=Spend(other_usd=new_usd))


def _usd(size_gib: float, wanted: Performance, price: VolumePrice) -> float:
    iops = max(wanted.iops - price.free_iops, 0.0)
    throughput = max(wanted.mib_per_second - price.free_mib_per_second, 0.0)
    return (
        size_gib * price.usd_per_gib
        + iops * price.usd_per_iops
        + throughput * price.usd_per_mib_per_second
    )


def _opportunity(
    volume: Volume,
    wanted: Performance,
    price: VolumePrice,
    usd: float,
    new_usd: float,
    evidence: Evidence,
) -> Opportunity:
    io1 = volume.kind == "io1"
    formula = (
        f"{volume.size_gib:.0f} GiB x {price.usd_per_gib:.4f} + "
        f"({wanted.iops:.0f} - {price.free_iops:.0f}) IOPS x {price.usd_per_iops:.4f} + "
        f"({wanted.mib_per_second:.0f} - {price.free_mib_per_second:.0f}) MiB/s x "
        f"{price.usd_per_mib_per_second:.4f}"
    )
    notes = ["changes online; the next change of the same volume has to wait 6 hours"]
    if io1:
        notes.append("io1 keeps its latency more evenly: watch the slowest reads after the change")
    return Opportunity(
        kind=Kind.VOLUME_TYPE,
        resource=volume.volume_id,
        region=volume.region,
        change=f"Change {volume.volume_id} from {volume.kind} to gp3 with {wanted.iops:.0f} IOPS "
        f"and {wanted.mib_per_second:.0f} MiB/s.",
        target={
            "kind": "gp3",
            "iops": wanted.iops,
            "throughput_mib_per_second": wanted.mib_per_second,
        },
        # It rests on prices and on what the kinds can do, not on what was observed.
        evidence_from=evidence.now,
        evidence_to=evidence.now,
        steps=(
            usd_step(f"{volume.kind} now", f"{volume.size_gib:.0f} GiB, IOPS {volume.iops}", usd),
            usd_step("gp3 that is as fast at its best", formula, new_usd),
            saving_step(usd, new_usd),
        ),
        saving=Usd.exactly(usd - new_usd),
        effort=Effort.LOW,
        restart=False,
        reversible=True,
        disruption=0.1 if io1 else 0.02,
        confidence=confidence(Kind.VOLUME_TYPE, None, factor=IO1_FACTOR if io1 else 1.0),
        notes=tuple(notes),
    )
