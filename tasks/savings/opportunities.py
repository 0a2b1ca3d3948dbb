"""Opportunities: found and chosen in one task, published under the lock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pandas as pd
from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

from blocks import ObjectPointer, SavingsOutlook, SavingsSettings, SpotOutlook, UsageProfile
from tasks.adapters.documents import from_json, to_json
from tasks.adapters.objects import (
    CorruptObjectError,
    MissingObjectError,
    Storage,
    frame_from_parquet,
    frame_to_parquet,
    load_object,
    store_object,
)
from tasks.adapters.state import object_pointer, publish_state, stored_object
from tasks.chunks import Sealed
from tasks.domain.errors import PermanentError
from tasks.domain.inventory import Inventory
from tasks.domain.savings.kinds.commitments import ACCOUNT
from tasks.domain.savings.kinds.spot_quotes import spot_quotes
from tasks.domain.savings.money import PriceBook, SpotQuote
from tasks.domain.savings.opportunity import Kind
from tasks.domain.savings.plan import find_savings
from tasks.domain.savings.policy import Ignore, SavingsPolicy
from tasks.domain.savings.report import SavingsDocument, savings_document
from tasks.domain.savings.sizing.capacity_needs import capacity_needs
from tasks.domain.savings.sizing.expected_use import ExpectedUse, with_expected
from tasks.domain.usage.archetypes import Archetype
from tasks.domain.usage.membership import Memberships
from tasks.domain.usage.panel import UsagePanel
from tasks.domain.usage.panel_frames import panel_from_frame
from tasks.retries import remote_task

OLDEST_USE = timedelta(hours=48)
OLDEST_QUOTES = timedelta(hours=24)


@dataclass(frozen=True, kw_only=True)
class ObservedUse:
    """What `cluster-usage` left behind.

    Attributes:
        archetypes: By instance id.
    """

    inventory: Inventory
    panel: UsagePanel
    archetypes: Mapping[str, Archetype]


class UseUnknownError(PermanentError):
    """There is no fresh observation of use to find savings in."""

    def __init__(self, profile: str, *, reason: str) -> None:
        super().__init__(
            f"usage-profile/{profile} {reason}; run cluster-usage, then optimize-costs again"
        )


@remote_task("load-use", run_name="load {name}")
def load_use(
    storage: Storage,
    name: str,
    profile: UsageProfile,
    now: datetime,
    oldest: timedelta = OLDEST_USE,
) -> ObservedUse:
    """Return what the last run of `cluster-usage` observed.

    Args:
        storage: Where it lies.
        name: Of the profile, for messages.
        profile: Its pointers.
        now: Aware UTC.
        oldest: That it may be.

    Raises:
        UseUnknownError: Nothing was observed yet, it is too old, or the data is gone.
    """
    if profile.observed_at is None:
        raise UseUnknownError(name, reason="is empty: no use was observed yet")
    age = now - profile.observed_at
    if age > oldest:
        hours = age / timedelta(hours=1)
        limit = oldest / timedelta(hours=1)
        raise UseUnknownError(
            name, reason=f"was observed {hours:.0f} h ago, at most {limit:.0f} h are allowed"
        )

    def stored(pointer: ObjectPointer | None) -> bytes:
        if pointer is None:
            raise UseUnknownError(name, reason="points to no data")
        return load_object(storage, stored_object(pointer))

    try:
        memberships = from_json(Memberships, stored(profile.membership)).by_resource
        return ObservedUse(
            inventory=from_json(Inventory, stored(profile.inventory)),
            panel=panel_from_frame(frame_from_parquet(stored(profile.metrics))),
            archetypes={one: found.archetype for one, found in memberships.items()},
        )
    except (MissingObjectError, CorruptObjectError) as error:
        raise UseUnknownError(name, reason=f"points to data that is lost ({error})") from error


@remote_task("load-spot-quotes", run_name="load {name}")
def load_spot_quotes(
    storage: Storage, name: str, outlook: SpotOutlook, now: datetime
) -> dict[tuple[str, str], tuple[SpotQuote, ...]]:
    """Return spot quotes by region and type; none where there is no fresh forecast."""
    logger = get_run_logger()
    if outlook.forecast is None or outlook.observed_at is None:
        logger.warning("savings.spot.unknown outlook=%s next=run_forecast-spot-prices", name)
        return {}
    if now - outlook.observed_at > OLDEST_QUOTES:
        logger.warning("savings.spot.old outlook=%s observed_at=%s", name, outlook.observed_at)
        return {}
    try:
        frame = frame_from_parquet(load_object(storage, stored_object(outlook.forecast)))
    except (MissingObjectError, CorruptObjectError) as error:
        logger.warning("savings.spot.lost reason=%s", error)
        return {}
    return dict(spot_quotes(frame))


def savings_policy(settings: SavingsSettings) -> SavingsPolicy:
    """Return a block's settings as the domain knows them."""
    return SavingsPolicy(
        min_saving_usd=settings.min_saving_usd,
        min_saving_per_disruption=settings.min_saving_per_disruption,
        exceed_share=settings.exceed_share,
        worst_exceed_share=settings.worst_exceed_share,
        min_days=settings.min_days,
        spot_floor_share=settings.spot_floor_share,
        spot_pools=settings.spot_pools,
        spot_interruptions_per_month=settings.spot_interruptions_per_month,
        allow_arm64=settings.allow_arm64,
        commitment_coverage=settings.commitment_coverage,
        kinds=frozenset(map(Kind, settings.kinds)) or frozenset(Kind),
        ignores=tuple(
            Ignore(
                resource=one.resource,
                kinds=frozenset(map(Kind, one.kinds)),
                reason=one.reason,
                expires_at=one.expires_at,
            )
            for one in settings.ignored
        ),
    )


@task(name="find-savings", timeout_seconds=900, cache_policy=NO_CACHE)
def find_opportunities(
    use: Sealed[ObservedUse],
    prices: Sealed[PriceBook],
    policy: SavingsPolicy,
    expected: Sealed[Mapping[str, ExpectedUse]],
) -> SavingsDocument:
    """Return what could be saved in an account, with the overlap taken out.

    Args:
        use: What was observed.
        prices: What things cost.
        policy: Limits and permissions.
        expected: What a forecast says of instances, by id; right-sizing leaves room for it.
    """
    inventory, panel = use.value.inventory, use.value.panel
    names = names_of(inventory)
    policy = replace(policy, names=names)
    types = prices.value.types
    needs = with_expected(
        capacity_needs(panel, inventory, types, policy), expected.value, inventory, types
    )
    selection = find_savings(
        inventory,
        panel,
        archetypes=use.value.archetypes,
        needs=needs,
        prices=prices.value,
        policy=policy,
        now=inventory.observed_at,
    )
    get_run_logger().info(
        "savings.found bill_usd=%.2f saving_usd=%.2f chosen=%d rejected=%d unknown=%d gap_usd=%.2f",
        selection.before.usd,
        selection.saving.expected,
        len(selection.chosen),
        len(selection.rejected),
        len(selection.unknown),
        selection.gap_usd,
    )
    return savings_document(
        selection,
        observed_at=inventory.observed_at,
        evidence_days=panel.hours // 24,
        names=names,
        rules_without_match=policy.matching_nothing(
            resources_of(inventory), now=inventory.observed_at
        ),
    )


def names_of(inventory: Inventory) -> dict[str, str]:
    """Return what people call resources: Name tags, a volume without one by its instance's."""
    names = {one.instance_id: one.tags.get("Name", "") for one in inventory.instances}
    for volume in inventory.volumes:
        host = names.get(volume.attached_to or "", "")
        names[volume.volume_id] = volume.tags.get("Name") or (f"of {host}" if host else "")
    # "targetgroup/reports/92cadd" is called reports.
    names |= {one.service_id: one.service_id.split("/")[-2] for one in inventory.services}
    return {resource: name for resource, name in names.items() if name}


def resources_of(inventory: Inventory) -> tuple[str, ...]:
    """Return the id of everything that a saving could be proposed for."""
    return (
        ACCOUNT,
        *(one.instance_id for one in inventory.instances),
        *(one.name for one in inventory.groups),
        *(one.volume_id for one in inventory.volumes),
        *(one.service_id for one in inventory.services),
    )


@remote_task("publish-savings", run_name="publish {name}")
def publish_savings(
    storage: Storage, name: str, found: SavingsDocument, costs: Sealed[pd.DataFrame | None]
) -> SavingsOutlook:
    """Store opportunities, then point the outlook at them; a newer observation's stay.

    Repeating it changes nothing: the same bytes have the same key.
    """
    opportunities = object_pointer(
        store_object(
            storage,
            to_json(SavingsDocument, found),
            prefix="savings/opportunities",
            suffix=".json",
        )
    )
    spend = None
    if costs.value is not None:
        content = frame_to_parquet(costs.value)
        spend = object_pointer(
            store_object(storage, content, prefix="savings/spend", suffix=".parquet")
        )

    def change(current: SavingsOutlook) -> SavingsOutlook:
        if current.observed_at is not None and current.observed_at > found.observed_at:
            get_run_logger().info("savings.outlook.kept newer=%s", current.observed_at)
            return current
        return current.model_copy(
            update={
                "observed_at": found.observed_at,
                "usage_observed_at": found.observed_at,
                "bill_usd_per_month": found.before_usd,
                "saving_usd_per_month": found.saving.expected,
                "saving_low_usd_per_month": found.saving.low,
                "saving_high_usd_per_month": found.saving.high,
                "chosen": len(found.chosen),
                "rejected": len(found.rejected),
                "opportunities": opportunities,
                "spend": spend,
            }
        )

    return publish_state(SavingsOutlook, name, change)
