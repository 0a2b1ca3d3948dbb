from datetime import UTC, datetime

import numpy as np
import pytest

from tasks.domain.usage.archetypes import Archetype
from tasks.domain.usage.clock import Clock, utc_offset_hours
from tasks.domain.usage.fleet import DEFAULT_MIX, RESOURCES_PER_CHUNK, synthetic_fleet
from tasks.domain.usage.injection import inject, injected_fleet, irregular_part
from tasks.domain.usage.panel import Metric, UsagePanel
from tasks.domain.usage.patterns import block_coverage, pattern

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
WEEKS = 4 * 168


def clock(count: int = 50, *, offset: int = 0) -> Clock:
    return Clock.local(MONDAY, WEEKS, np.full(count, offset))


def test_the_same_seed_gives_the_same_fleet() -> None:
    one, two = (synthetic_fleet(20, start=MONDAY, hours=WEEKS, seed=3) for _ in range(2))
    assert one.archetypes == two.archetypes
    for metric, values in one.panel.values.items():
        np.testing.assert_array_equal(values, two.panel.of(metric))


def test_a_fleet_larger_than_a_chunk_has_values_in_every_row() -> None:
    fleet = synthetic_fleet(RESOURCES_PER_CHUNK + 3, start=MONDAY, hours=48, seed=1)
    assert len(fleet.archetypes) == len(fleet.panel) == RESOURCES_PER_CHUNK + 3
    assert np.isfinite(fleet.panel.of(Metric.NETWORK)).any(axis=1).mean() > 0.95


def test_every_archetype_of_the_mix_occurs_about_as_often_as_it_says() -> None:
    fleet = synthetic_fleet(2000, start=MONDAY, hours=24, seed=0)
    for archetype, share in DEFAULT_MIX.items():
        assert fleet.archetypes.count(archetype) / 2000 == pytest.approx(share, abs=0.03)


def test_two_in_five_have_no_agent_but_every_memory_bound_resource_has_one() -> None:
    fleet = synthetic_fleet(1000, start=MONDAY, hours=100, seed=0)
    unknown = np.asarray(np.isnan(fleet.panel.of(Metric.MEMORY_MEAN)).all(axis=1))
    bound = np.array([one is Archetype.MEMORY_BOUND for one in fleet.archetypes])
    assert not unknown[bound & ~np.isnan(fleet.panel.of(Metric.CPU_MEAN)).all(axis=1)].any()
    assert unknown[~bound].mean() == pytest.approx(0.4, abs=0.05)


def test_local_hours_follow_the_offset() -> None:
    assert clock(1).hour()[0, 0] == 0
    assert clock(1, offset=-5).hour()[0, 0] == 19
    assert clock(1, offset=9).hour()[0, 0] == 9


def test_sunday_evening_in_america_is_no_working_day_although_it_is_monday_utc() -> None:
    assert clock(1).working_day()[0, 0]
    assert not clock(1, offset=-5).working_day()[0, 0]


def test_an_unknown_region_is_read_as_utc() -> None:
    assert utc_offset_hours(["us-east-1", "xx-nowhere-1"]).tolist() == [-5, 0]


def test_a_block_past_midnight_covers_parts_of_its_first_and_last_hour() -> None:
    covered = block_coverage(clock(1), begin=np.array([[22.5]]), length=np.array([[3.0]]))[0, :24]
    assert covered.sum() == pytest.approx(3.0)
    assert covered[[22, 23, 0, 1]].tolist() == pytest.approx([0.5, 1.0, 1.0, 0.5])


def test_business_hours_are_busy_on_working_days_only() -> None:
    when = clock(offset=9)
    cpu = pattern(Archetype.BUSINESS_HOURS, when, np.random.default_rng(0))
    midday = (when.hour() >= 11) & (when.hour() < 13)
    working = when.working_day()
    assert cpu[midday & working].mean() > 5 * cpu[midday & ~working].mean()


def test_nightly_work_is_at_night() -> None:
    when = clock()
    cpu = pattern(Archetype.NIGHTLY_BATCH, when, np.random.default_rng(0))
    night = (when.hour() >= 20) | (when.hour() < 9)
    assert cpu[~night].max() <= 8.0
    assert cpu[night].max() > 60.0


def test_growth_is_at_least_an_eighth_by_the_week_on_average() -> None:
    cpu = pattern(Archetype.GROWING, clock(400), np.random.default_rng(0))
    ratio = cpu[:, -168:].mean(axis=1) / cpu[:, :168].mean(axis=1)
    assert ratio.min() > 1.15
    assert np.mean(ratio) > 1.0 + 3 / 8


def test_unusual_has_no_pattern() -> None:
    with pytest.raises(KeyError):
        pattern(Archetype.UNUSUAL, clock(), np.random.default_rng(0))


def test_the_irregular_part_has_no_weekly_profile_and_unit_size() -> None:
    hour = np.arange(WEEKS)
    rng = np.random.default_rng(0)
    regular = 20 + 10 * np.sin(hour * 2 * np.pi / 24)
    recorded = (regular + rng.normal(0, 2, (3, WEEKS))).astype(np.float32)
    found = irregular_part(recorded)
    assert found.std(axis=1) == pytest.approx(np.ones(3), abs=0.01)
    profile = found.reshape(3, 4, 168).mean(axis=1)
    assert np.abs(np.corrcoef(profile[0], regular[:168])[0, 1]) < 0.35


def test_what_was_missing_stays_missing_and_a_still_series_adds_nothing() -> None:
    recorded = np.full((2, WEEKS), 5.0, dtype=np.float32)
    recorded[0, 10:20] = np.nan
    shape = np.full((2, WEEKS), 40.0, dtype=np.float32)
    found = inject(recorded, shape, rng=np.random.default_rng(0))
    assert np.isnan(found[0, 10:20]).all()
    np.testing.assert_array_equal(found[1], shape[1])


def test_an_injected_fleet_leaves_out_series_without_data_and_says_what_it_injected() -> None:
    cpu = np.random.default_rng(0).uniform(0, 50, (6, WEEKS)).astype(np.float32)
    cpu[2] = np.nan
    recorded = UsagePanel(resources=tuple("abcdef"), start=MONDAY, values={Metric.CPU_MEAN: cpu})
    fleet = injected_fleet(recorded, seed=0, copies=2)
    assert len(fleet.panel) == len(fleet.archetypes) == 10
    assert not any(name.startswith("c#") for name in fleet.panel.resources)
