import dataclasses
from datetime import UTC, datetime
from functools import cache

import numpy as np
import pytest

from tasks.domain.usage.archetypes import Archetype
from tasks.domain.usage.clustering import MIN_KNOWN_HOURS, UsageArchetypes, usage_archetypes
from tasks.domain.usage.features import Feature, UsageFeatures, usage_features
from tasks.domain.usage.fleet import Fleet, synthetic_fleet
from tasks.domain.usage.membership import Membership
from tasks.domain.usage.panel import Metric, UsagePanel

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
HOURS = 4 * 168


@cache
def fleet() -> tuple[Fleet, UsageFeatures, UsageArchetypes]:
    made = synthetic_fleet(160, start=MONDAY, hours=HOURS, seed=0)
    features = usage_features(made.panel, utc_offsets=made.utc_offsets)
    return made, features, usage_archetypes(features, seed=0)


def flat(*levels: float, known: int = HOURS) -> UsageFeatures:
    cpu = np.repeat(np.array(levels, dtype=np.float32)[:, None], HOURS, axis=1)
    cpu[:, known:] = np.nan
    names = tuple(f"i-{at}" for at in range(len(levels)))
    panel = UsagePanel(resources=names, start=MONDAY, values={Metric.CPU_MEAN: cpu})
    return usage_features(panel)


@pytest.mark.slow
def test_known_archetypes_are_found_and_named() -> None:
    made, _, found = fleet()
    right = [a is b for a, b in zip(made.archetypes, found.found, strict=True)]
    assert np.mean(right) > 0.9


@pytest.mark.slow
def test_a_small_fleet_is_named_as_well_as_a_large_one() -> None:
    # Fewer clusters than archetypes: no cluster's medians are any resource's.
    made = synthetic_fleet(30, start=MONDAY, hours=HOURS, seed=100_030)
    features = usage_features(made.panel, utc_offsets=made.utc_offsets)
    found = usage_archetypes(features, seed=0)
    right = [a is b for a, b in zip(made.archetypes, found.found, strict=True)]
    assert found.cluster_count < len(set(made.archetypes))
    assert np.mean(right) > 0.95


def test_a_clear_resource_keeps_its_name_in_any_company() -> None:
    found = usage_archetypes(flat(2.0, *[60.0] * 11), seed=0)
    assert found.found[0] is Archetype.IDLE
    assert found.margins[0] == 1.0


@pytest.mark.slow
def test_every_resource_is_in_one_profile() -> None:
    _, features, found = fleet()
    assert sum(one.resources for one in found.profiles) == len(features)
    for one in found.profiles:
        assert one.resources == found.found.count(one.archetype)
        assert one.stability is None or 0.0 <= one.stability <= 1.0


@pytest.mark.slow
def test_the_week_of_business_hours_is_high_at_noon_and_low_on_sunday() -> None:
    _, _, found = fleet()
    office = next(p for p in found.profiles if p.archetype is Archetype.BUSINESS_HOURS)
    assert office.week_percent[12] > 3 * office.week_percent[6 * 24 + 12]


@pytest.mark.slow
def test_memberships_outlast_a_single_run_that_finds_something_else() -> None:
    _, features, found = fleet()
    wrong = {
        resource: Membership(archetype=Archetype.GROWING, margin=1.0)
        for resource in features.resources
    }
    again = usage_archetypes(features, seed=0, previous=wrong)
    kept = [one.archetype for one in again.memberships.values()]
    assert set(kept) == {Archetype.GROWING}
    assert not again.moved
    assert len(again.held) == sum(one is not Archetype.GROWING for one in found.found)
    third = usage_archetypes(features, seed=0, previous=again.memberships)
    sure = [r for r, m in zip(found.resources, found.margins, strict=True) if m >= 0.6]
    moved = {r for r in sure if found.memberships[r].archetype is not Archetype.GROWING}
    assert moved <= set(third.moved)
    assert set(third.moved.values()) == {Archetype.GROWING}


def test_too_little_history_is_unusual_with_the_reason_and_keeps_what_it_was() -> None:
    features = flat(1.0, 2.0, 50.0, known=MIN_KNOWN_HOURS - 1)
    before = {"i-2": Membership(archetype=Archetype.STEADY, margin=0.9)}
    found = usage_archetypes(features, seed=0, previous=before)
    assert set(found.found) == {Archetype.UNUSUAL}
    assert found.reasons["i-0"].startswith("251 of 672 hours are known, needs 252")
    assert found.memberships == before
    assert found.stability is None
    assert found.profiles[0].stability is None


def test_a_single_resource_has_nothing_to_compare_with() -> None:
    found = usage_archetypes(flat(1.0), seed=0)
    assert found.found == (Archetype.UNUSUAL,)
    assert found.reasons == {"i-0": "nothing to compare it with"}


def test_nothing_at_all_is_an_answer_too() -> None:
    found = usage_archetypes(flat(), seed=0)
    assert found.profiles == ()
    assert found.cluster_count == 0


def test_a_handful_of_resources_is_named() -> None:
    found = usage_archetypes(flat(0.0, 0.5, 1.0, 60.0, 61.0, 62.0), seed=0)
    assert found.found == (Archetype.IDLE,) * 3 + (Archetype.STEADY,) * 3


def test_identical_resources_are_one_archetype() -> None:
    found = usage_archetypes(flat(*[40.0] * 20), seed=0)
    assert set(found.found) == {Archetype.STEADY}
    assert found.stability == 0.0  # one name for everything says nothing


def test_unknown_memory_is_counted_and_names_nobody_memory_bound() -> None:
    found = usage_archetypes(flat(*[1.0] * 5, *[50.0] * 5), seed=0)
    assert [one.memory_known for one in found.profiles] == [0, 0]
    assert all(np.isnan(one.quartiles[Feature.MEMORY]).all() for one in found.profiles)


def test_what_moves_much_data_is_not_idle_however_little_processor_it_uses() -> None:
    features = flat(*[1.0] * 5, *[50.0] * 5)
    features.values[Feature.NETWORK][0] = 5e6
    found = usage_archetypes(features, seed=0)
    assert found.found[0] is Archetype.UNUSUAL
    assert found.found[1] is Archetype.IDLE
    assert found.reasons == {"i-0": "hardly any processor, but 5.0 MB/s of network or disk"}


def test_unknown_traffic_is_no_reason_not_to_be_idle() -> None:
    found = usage_archetypes(flat(*[1.0] * 5, *[50.0] * 5), seed=0)
    assert found.found[0] is Archetype.IDLE
    assert found.reasons == {}


def test_an_answer_cannot_be_changed() -> None:
    found = usage_archetypes(flat(1.0), seed=0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.cluster_count = 3  # type: ignore[misc]
