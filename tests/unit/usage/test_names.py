import numpy as np
import pytest

from tasks.domain.usage.archetypes import Archetype
from tasks.domain.usage.features import Feature
from tasks.domain.usage.names import NAMING_FEATURES, ORDER, median_row, names_of
from tasks.domain.usage.treatments import TREATMENTS

FLAT = {
    Feature.LEVEL: 30.0,
    Feature.MEDIAN: 30.0,
    Feature.P95: 35.0,
    Feature.P99: 40.0,
    Feature.REGULAR: 0.05,
    Feature.BURSTINESS: 0.1,
    Feature.WEEKEND_DROP: 0.0,
    Feature.NIGHT_SHARE: 0.5,
    Feature.BUSY_SHARE: 0.7,
    Feature.TREND: 0.0,
    Feature.MEMORY: 30.0,
    Feature.MEMORY_MINUS_CPU: 0.0,
}


def row(changes: dict[Feature, float], *, growth: float = 0.0) -> list[float]:
    values = FLAT | changes
    return [*(values[feature] for feature in NAMING_FEATURES), growth]


def named(changes: dict[Feature, float], *, growth: float = 0.0) -> Archetype:
    return ORDER[int(names_of(np.array([row(changes, growth=growth)]))[0])]


def test_a_flat_level_is_steady() -> None:
    assert named({}) is Archetype.STEADY


def test_hardly_anything_is_idle() -> None:
    assert named({Feature.LEVEL: 1.0, Feature.P95: 2.0, Feature.P99: 4.0}) is Archetype.IDLE


def test_a_small_mean_with_high_peaks_is_not_idle() -> None:
    shape = {Feature.LEVEL: 3.0, Feature.MEDIAN: 2.0, Feature.P99: 60.0, Feature.BURSTINESS: 2.0}
    assert named(shape) is Archetype.BURSTY


@pytest.mark.parametrize(
    ("median", "p99", "expected"),
    [
        (6.0, 10.5, Archetype.STEADY),  # one hour of 100 % in a month, all others near 6 %
        (6.0, 16.5, Archetype.BURSTY),
        (20.0, 35.0, Archetype.STEADY),
        (1.0, 9.0, Archetype.STEADY),  # nine times as much, and still hardly anything
    ],
)
def test_bursty_needs_peaks_well_above_the_usual_hour(
    median: float, p99: float, expected: Archetype
) -> None:
    shape = {Feature.LEVEL: 6.0, Feature.MEDIAN: median, Feature.P99: p99, Feature.BURSTINESS: 0.8}
    assert named(shape) is expected


def test_a_swing_that_weekends_leave_out_is_business_hours() -> None:
    assert named({Feature.REGULAR: 0.8, Feature.WEEKEND_DROP: 0.8}) is Archetype.BUSINESS_HOURS


def test_a_swing_on_all_days_is_daily() -> None:
    assert named({Feature.REGULAR: 0.4}) is Archetype.DAILY


def test_a_short_block_at_night_is_nightly_batch() -> None:
    shape = {Feature.REGULAR: 1.4, Feature.NIGHT_SHARE: 0.95, Feature.BUSY_SHARE: 0.2}
    assert named(shape) is Archetype.NIGHTLY_BATCH


@pytest.mark.parametrize(
    ("busy", "night", "weekend_drop", "expected"),
    [
        (0.2, 0.0, 0.0, Archetype.NIGHTLY_BATCH),  # night where its people are
        (0.2, 0.9, 0.8, Archetype.NIGHTLY_BATCH),  # nights before working days only
        (0.38, 0.9, 0.0, Archetype.NIGHTLY_BATCH),
        (0.38, 0.9, 0.8, Archetype.BUSINESS_HOURS),  # working days on the other side of the world
        (0.2, 0.0, 0.8, Archetype.BUSINESS_HOURS),
        (0.38, 0.0, 0.0, Archetype.DAILY),
        (0.5, 0.9, 0.0, Archetype.DAILY),
    ],
)
def test_a_block_of_work_is_told_by_its_shape_and_not_by_the_hour_alone(
    busy: float, night: float, weekend_drop: float, expected: Archetype
) -> None:
    shape = {
        Feature.REGULAR: 1.0,
        Feature.BUSY_SHARE: busy,
        Feature.NIGHT_SHARE: night,
        Feature.WEEKEND_DROP: weekend_drop,
    }
    assert named(shape) is expected


def test_growth_comes_before_the_shape_of_the_day() -> None:
    shape = {Feature.REGULAR: 0.4, Feature.TREND: 0.1}
    assert named(shape, growth=0.9) is Archetype.GROWING


def test_much_memory_and_little_processor_is_memory_bound() -> None:
    shape = {Feature.MEMORY: 85.0, Feature.MEMORY_MINUS_CPU: 77.0, Feature.LEVEL: 8.0}
    assert named(shape) is Archetype.MEMORY_BOUND


@pytest.mark.parametrize("unknown", [Feature.MEMORY, Feature.TREND, Feature.WEEKEND_DROP])
def test_an_unknown_median_is_no_reason_for_a_name(unknown: Feature) -> None:
    assert named({unknown: float("nan")}, growth=float("nan")) is Archetype.STEADY


def test_strong_pattern_and_strong_noise_without_a_rule_is_unusual() -> None:
    assert named({Feature.REGULAR: 0.3, Feature.BURSTINESS: 0.55}) is Archetype.UNUSUAL


def test_names_are_found_row_by_row() -> None:
    idle = {Feature.LEVEL: 1.0, Feature.P99: 4.0}
    found = names_of(np.array([row({}), row(idle), row({Feature.REGULAR: 0.4})]))
    assert [ORDER[at] for at in found] == [Archetype.STEADY, Archetype.IDLE, Archetype.DAILY]


def test_medians_are_of_what_is_known() -> None:
    members = np.array([row({Feature.LEVEL: level}) for level in (1.0, 2.0, 9.0)])
    memory = NAMING_FEATURES.index(Feature.MEMORY)
    members[:, memory] = [70.0, np.nan, 80.0]
    found = median_row(members)
    assert found[0] == 2.0
    assert found[memory] == 75.0


def test_memory_that_few_of_a_cluster_know_is_unknown() -> None:
    members = np.array([row({Feature.MEMORY: 85.0, Feature.MEMORY_MINUS_CPU: 77.0})] * 4)
    both = [NAMING_FEATURES.index(f) for f in (Feature.MEMORY, Feature.MEMORY_MINUS_CPU)]
    members[1:, both] = np.nan
    found = median_row(members)
    assert np.isnan(found[both]).all()
    assert ORDER[int(names_of(found[None])[0])] is Archetype.STEADY


def test_every_archetype_has_a_suggestion() -> None:
    assert set(TREATMENTS) == set(Archetype)
    assert TREATMENTS[Archetype.UNUSUAL].kinds == ()
