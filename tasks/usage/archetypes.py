"""Archetypes: found in one task, published under the lock, newest observation wins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

from blocks import ArchetypeSize, UsageProfile
from tasks.adapters.documents import UnreadableDocumentError, from_json, to_json
from tasks.adapters.objects import (
    CorruptObjectError,
    MissingObjectError,
    Storage,
    frame_to_parquet,
    load_object,
    store_object,
)
from tasks.adapters.state import object_pointer, publish_state, stored_object
from tasks.chunks import Sealed
from tasks.domain.inventory import Inventory
from tasks.domain.usage.clock import utc_offset_hours
from tasks.domain.usage.clustering import UsageArchetypes, usage_archetypes
from tasks.domain.usage.features import Feature, UsageFeatures, usage_features
from tasks.domain.usage.membership import Membership, Memberships
from tasks.domain.usage.panel import UsagePanel
from tasks.domain.usage.panel_frames import panel_frame
from tasks.retries import remote_task


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What an account runs and how it was used.

    Attributes:
        inventory: Listed once.
        panel: Hourly use of instances, groups and services, by id.
    """

    inventory: Inventory
    panel: UsagePanel


@dataclass(frozen=True, kw_only=True)
class Found:
    """Archetypes, and the features that they rest on."""

    features: UsageFeatures
    archetypes: UsageArchetypes

    @property
    def memory_unknown(self) -> int:
        """Resources without any memory metric."""
        return int(np.isnan(self.features.of(Feature.MEMORY)).sum())


def held_memberships(storage: Storage, profile: UsageProfile) -> Mapping[str, Membership]:
    """Return the memberships of the last run; none where they cannot be read any more."""
    if profile.membership is None:
        return {}
    try:
        content = load_object(storage, stored_object(profile.membership))
        return from_json(Memberships, content).by_resource
    except (MissingObjectError, CorruptObjectError, UnreadableDocumentError) as error:
        # This run writes them anew, so that an old document must not stand in its way.
        get_run_logger().warning("usage.memberships.lost reason=%s next=starting_afresh", error)
        return {}


@task(name="find-archetypes", timeout_seconds=900, cache_policy=NO_CACHE)
def find_archetypes(
    observed: Sealed[Observed], previous: Sealed[Mapping[str, Membership]], *, seed: int
) -> Found:
    """Return the archetypes of an account's instances."""
    inventory, panel = observed.value.inventory, observed.value.panel
    instances = panel.take(
        [row for row, one in enumerate(panel.resources) if one in inventory.instance]
    )
    regions = [inventory.instance[one].region for one in instances.resources]
    features = usage_features(instances, utc_offsets=utc_offset_hours(regions))
    found = usage_archetypes(features, seed=seed, previous=previous.value)
    get_run_logger().info(
        "usage.archetypes.found resources=%d clusters=%d stability=%s moved=%d",
        len(features),
        found.cluster_count,
        found.stability,
        len(found.moved),
    )
    return Found(features=features, archetypes=found)


@remote_task("publish-usage", run_name="publish {name}")
def publish_usage(
    storage: Storage, name: str, observed: Sealed[Observed], found: Sealed[Found]
) -> UsageProfile:
    """Store what was observed and found, then point the profile at it.

    Repeating it changes nothing: the same bytes have the same key. A run that ends after one that
    looked later leaves the later one's profile.
    """
    inventory, panel = observed.value.inventory, observed.value.panel
    archetypes = found.value.archetypes
    kept = Memberships(by_resource=archetypes.memberships)
    stored = {
        "inventory": (to_json(Inventory, inventory), "usage/inventory", ".json"),
        "metrics": (frame_to_parquet(panel_frame(panel)), "usage/metrics", ".parquet"),
        "membership": (to_json(Memberships, kept), "usage/membership", ".json"),
    }
    pointers = {
        what: object_pointer(store_object(storage, content, prefix=prefix, suffix=suffix))
        for what, (content, prefix, suffix) in stored.items()
    }

    def change(current: UsageProfile) -> UsageProfile:
        if _is_newer(current.observed_at, inventory.observed_at):
            get_run_logger().info("usage.profile.kept newer=%s", current.observed_at)
            return current
        return current.model_copy(update={**_summary(observed.value, found.value), **pointers})

    return publish_state(UsageProfile, name, change)


def _is_newer(there: datetime | None, ours: datetime) -> bool:
    return there is not None and there > ours


def _summary(observed: Observed, found: Found) -> dict[str, object]:
    return {
        "observed_at": observed.inventory.observed_at,
        "window_start": observed.panel.start,
        "window_end": observed.panel.end,
        "regions": list(observed.inventory.regions),
        "resources": len(found.features),
        "memory_unknown": found.memory_unknown,
        "stability": found.archetypes.stability,
        "archetypes": [
            ArchetypeSize(name=str(one.archetype), resources=one.resources, stability=one.stability)
            for one in found.archetypes.profiles
        ],
        "moved": len(found.archetypes.moved),
    }
