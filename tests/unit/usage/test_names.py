import numpy as np
import pytest

from tasks.domain.usage.archetypes import Archetype
from tasks.domain.usage.features import Feature
from tasks.domain.usage.names import NAMING_FEATURES, Profile, archetype_of, profile_of
from tasks.domain.usage.treatments import TREATMENTS

FLAT = {
    Feature.LEVEL: 30.0,
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


def named(changes: dict[Feature, float], *, growth: float = 0.0, known: float = 1.0) -> Archetype:
    return archetype_of(Profile(values=FLAT | changes, growth=growth, memory_known_share=known))


def test_a_flat_level_is_steady() -> None:
    assert named({}) is Archetype.STEADY


def test_hardly_anything_is_idle() -> None:
    assert named({Feature.LEVEL: 1.0, Feature.P95: 2.0, Feature.P99: 4.0}) is Archetype.IDLE


def test_a_small_mean_with_high_peaks_is_not_idle() -> None:
    shape = {Feature.LEVEL: 3.0, Feature.P99: 60.0, Feature.BURSTINESS: 2.0}
    assert named(shape) is Archetype.BURSTY


def test_a_swing_that_weekends_leave_out_is_business_hours() -> None:
    assert named({Feature.REGULAR: 0.8, Feature.WEEKEND_DROP: 0.8}) is Archetype.BUSINESS_HOURS


def test_a_swing_on_all_days_is_daily() -> None:
    assert named({Feature.REGULAR: 0.4}) is Archetype.DAILY


def test_a_short_block_at_night_is_nightly_batch() -> None:
    shape = {Feature.REGULAR: 1.4, Feature.NIGHT_SHARE: 0.95, Feature.BUSY_SHARE: 0.2}
    assert named(shape) is Archetype.NIGHTLY_BATCH


def test_growth_comes_before_the_shape_of_the_day() -> None:
    shape = {Feature.REGULAR: 0.4, Feature.TREND: 0.1}
    assert named(shape, growth=0.9) is Archetype.GROWING


def test_much_memory_and_little_processor_is_memory_bound() -> None:
    shape = {Feature.MEMORY: 85.0, Feature.MEMORY_MINUS_CPU: 77.0, Feature.LEVEL: 8.0}
    assert named(shape) is Archetype.MEMORY_BOUND


def test_memory_that_few_know_names_nothing() -> None:
    shape = {Feature.MEMORY: 85.0, Feature.MEMORY_MINUS_CPU: 77.0}
    assert named(shape, known=0.2) is Archetype.STEADY


@pytest.mark.parametrize("unknown", [Feature.MEMORY, Feature.TREND, Feature.WEEKEND_DROP])
def test_an_unknown_median_is_no_reason_for_a_name(unknown: Feature) -> None:
    assert named({unknown: float("nan")}, growth=float("nan")) is Archetype.STEADY


def test_strong_pattern_and_strong_noise_without_a_rule_is_unusual() -> None:
    assert named({Feature.REGULAR: 0.3, Feature.BURSTINESS: 0.55}) is Archetype.UNUSUAL


def test_a_profile_is_the_medians_of_what_is_known() -> None:
    table = np.zeros((3, len(NAMING_FEATURES) + 1))
    table[:, 0] = [1.0, 2.0, 9.0]
    memory = NAMING_FEATURES.index(Feature.MEMORY)
    table[:, memory] = [70.0, np.nan, 80.0]
    profile = profile_of(table)
    assert profile[Feature.LEVEL] == 2.0
    assert profile[Feature.MEMORY] == 75.0
    assert profile.memory_known_share == pytest.approx(2 / 3)


def test_every_archetype_has_a_suggestion() -> None:
    assert set(TREATMENTS) == set(Archetype)
    assert TREATMENTS[Archetype.UNUSUAL].kinds == ()
