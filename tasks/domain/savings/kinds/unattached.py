"""Volumes that nothing is attached to."""

from __future__ import annotations

from tasks.domain.inventory import Volume
from tasks.domain.savings.bill import Spend
from tasks.domain.savings.evidence import (
    Evidence,
    confidence,
    reject,
    saving_step,
    tag_says,
    too_short,
    usd_step,
)
from tasks.domain.savings.kinds.stopping import production_forbids
from tasks.domain.savings.money import Usd
from tasks.domain.savings.opportunity import Effort, Kind, Opportunity, Rejection
from tasks.domain.savings.policy import SCHEDULE_TAG
from tasks.domain.savings.selection.alternatives import Stage

SNAPSHOT_SHARE = 0.65
"""Most that a GiB of snapshot costs, of a GiB of gp3: 0.05 to 0.08 USD in us-east-1."""

UNATTACHED_FACTOR = 0.3
"""Of the confidence: that a volume is unattached was seen once."""


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
    if tag_says(volume.tags, SCHEDULE_TAG) == "never":
        return reject(Kind.STOP, key, f"unattached, but the tag {SCHEDULE_TAG} says never")
    forbidden = production_forbids(volume.tags)
    if forbidden:
        return reject(Kind.STOP, key, f"unattached, but {forbidden}")
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
