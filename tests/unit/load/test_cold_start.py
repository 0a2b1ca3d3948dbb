from datetime import timedelta

import numpy as np
import pytest

from tasks.domain.errors import InsufficientHistoryError, PermanentError
from tasks.domain.load.cold_start import (
    ANY,
    ArchetypeProfiles,
    archetype_profiles,
    cold_start_confidence,
    cold_start_forecast,
)
from tests.unit.load.builders import day_wave, panel_of

DAYS = 12
HOURS = DAYS * 24
SEEN = (DAYS - 3) * 24
"""Hours that profiles are made from; young workloads are forecast in the three days after."""
NAN = float("nan")


def fleet(count: int, *, seed: int, noise: float = 0.15, per_hour: int = 1) -> np.ndarray:
    """Return workloads of one daily shape, at levels from 1 to 60, with lasting deviations."""
    rng = np.random.default_rng(seed)
    steps = HOURS * per_hour
    day = day_wave(steps, per_day=24 * per_hour, level=1.0, height=0.5)
    levels = np.exp(rng.uniform(0.0, 4.0, (count, 1)))
    shocks = rng.normal(0.0, noise, (count, steps))
    deviation = np.zeros((count, steps))
    for at in range(1, steps):
        deviation[:, at] = 0.7 * deviation[:, at - 1] + shocks[:, at]
    found: np.ndarray = levels * np.maximum(day + deviation, 0.0)
    return found


def profiles_of(values: np.ndarray, name: str = "daily") -> ArchetypeProfiles:
    return archetype_profiles(panel_of(*values[:, :SEEN]), np.full(len(values), name))


PROFILES = profiles_of(fleet(40, seed=1))


def young(known: int, *, begin: int = 0, seed: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Return (recent, actual day) of workloads that are in no profile."""
    values = fleet(60, seed=seed)
    cutoff = SEEN + begin
    return values[:, cutoff - known : cutoff], values[:, cutoff : cutoff + 24]


def relative_error(forecast: np.ndarray, actual: np.ndarray) -> float:
    return float(np.mean(np.abs(forecast - actual) / actual.mean(axis=1, keepdims=True)))


@pytest.mark.parametrize("begin", [0, 5, 17, 40])
@pytest.mark.parametrize("known", [3, 12, 36])
def test_young_workloads_are_forecast_better_than_by_their_last_value(
    known: int, begin: int
) -> None:
    recent, actual = young(known, begin=begin)
    found = cold_start_forecast(PROFILES, recent, horizon_steps=24, steps_since=begin)
    ours = relative_error(found[..., 1], actual)
    assert ours < 0.75 * relative_error(recent[:, -1:], actual)


@pytest.mark.parametrize("known", [0, 3, 12, 36])
def test_intervals_of_young_workloads_hold_at_least_as_often_as_they_say(known: int) -> None:
    hits = []
    for begin in (0, 9, 20, 33, 47):
        recent, actual = young(known, begin=begin)
        found = cold_start_forecast(PROFILES, recent, horizon_steps=24, steps_since=begin)
        hits.append((found[..., 0] <= actual) & (actual <= found[..., 2]))
    assert 0.78 < np.mean(hits) < 0.97


def test_more_known_hours_mean_less_error() -> None:
    errors = []
    for known in (0, 3, 36):
        recent, actual = young(known)
        found = cold_start_forecast(PROFILES, recent, horizon_steps=24)
        errors.append(relative_error(found[..., 1], actual))
    assert errors[0] > 2.0 * errors[1] > 2.0 * errors[2]


def test_a_workload_of_which_nothing_is_known_gets_the_usual_level_and_a_wide_interval() -> None:
    found = cold_start_forecast(PROFILES, np.full((1, 5), NAN), horizon_steps=24)[0]
    levels = fleet(40, seed=1)[:, :SEEN].mean(axis=1)
    assert found[:, 1].mean() == pytest.approx(np.median(levels), rel=0.25)
    assert (found[:, 2] > 3.0 * found[:, 1]).all()
    np.testing.assert_array_equal(
        found, cold_start_forecast(PROFILES, np.empty((1, 0)), horizon_steps=24)[0]
    )


def test_workloads_without_a_common_day_are_not_given_one() -> None:
    rng = np.random.default_rng(3)
    rows = [np.roll(row, int(rng.integers(0, 24))) for row in fleet(60, seed=3, noise=0.02)]
    flat = profiles_of(np.stack(rows)).of("daily").shape
    assert np.ptp(flat) < 0.2
    assert np.ptp(PROFILES.of("daily").shape) > 0.7


def test_a_day_of_a_workload_s_own_is_repeated_once_it_is_known() -> None:
    rng = np.random.default_rng(3)
    rows = [np.roll(row, int(rng.integers(0, 24))) for row in fleet(60, seed=3, noise=0.02)]
    profiles = profiles_of(np.stack(rows[:40]))
    assert (profiles.of("daily").own[0] == 0.0).all()
    values = np.stack(rows[40:])
    recent, actual = values[:, SEEN - 36 : SEEN], values[:, SEEN : SEEN + 24]
    found = cold_start_forecast(profiles, recent, horizon_steps=24)[..., 1]
    assert relative_error(found, actual) < 0.25 * relative_error(
        recent.mean(axis=1, keepdims=True), actual
    )


@pytest.mark.parametrize(("known", "age"), [(3, 1), (12, 2), (36, 3)])
def test_how_often_intervals_hold_is_known_from_the_rehearsal(known: int, age: int) -> None:
    hits = []
    for begin in (0, 9, 20, 33, 47):
        recent, actual = young(known, begin=begin)
        found = cold_start_forecast(PROFILES, recent, horizon_steps=24, steps_since=begin)
        hits.append((found[..., 0] <= actual) & (actual <= found[..., 2]))
    told = cold_start_confidence(PROFILES, recent)
    assert (told == PROFILES.of("daily").coverage[age]).all()
    assert np.mean(hits) == pytest.approx(told[0], abs=0.05)


def test_few_series_do_not_tell_how_often_intervals_hold() -> None:
    assert np.isnan(profiles_of(fleet(3, seed=1)).of("daily").coverage).all()


def test_profiles_may_be_older_than_the_cutoff() -> None:
    late = archetype_profiles(panel_of(*fleet(40, seed=1)[:, 7:SEEN]), np.full(40, "daily"))
    recent, _ = young(12, begin=0)
    early = archetype_profiles(panel_of(*fleet(40, seed=1)[:, : SEEN - 5]), np.full(40, "daily"))
    one = cold_start_forecast(late, recent, horizon_steps=24)
    other = cold_start_forecast(early, recent, horizon_steps=24, steps_since=5)
    assert np.mean(np.abs(one - other)) < 0.1 * one.mean()


def test_an_archetype_of_few_series_or_an_unknown_one_is_forecast_as_any() -> None:
    values = fleet(14, seed=4)
    names = np.array(["daily"] * 10 + ["rare"] * 4)
    profiles = archetype_profiles(panel_of(*values[:, :SEEN]), names)
    assert set(profiles.by_name) == {"daily", ANY}
    recent, _ = young(12)
    asked = np.where(np.arange(len(recent)) % 2 == 0, "rare", "never-heard-of")
    np.testing.assert_array_equal(
        cold_start_forecast(profiles, recent, asked, horizon_steps=24),
        cold_start_forecast(profiles, recent, horizon_steps=24),
    )


def test_archetypes_are_forecast_by_their_own_profiles() -> None:
    daily, flat = fleet(10, seed=5), np.full((10, HOURS), 20.0)
    names = np.repeat(["daily", "flat"], 10)
    profiles = archetype_profiles(panel_of(*np.concatenate([daily, flat])[:, :SEEN]), names)
    recent = np.full((1, 24), 7.0)
    found = cold_start_forecast(profiles, recent, np.array(["flat"]), horizon_steps=3)
    np.testing.assert_allclose(found, 7.0)


def test_a_horizon_past_a_day_repeats_the_day_and_one_of_a_step_is_its_begin() -> None:
    recent, _ = young(36)
    long = cold_start_forecast(PROFILES, recent, horizon_steps=48)
    short = cold_start_forecast(PROFILES, recent, horizon_steps=1)
    np.testing.assert_array_equal(long[:, :1], short)
    np.testing.assert_allclose(long[:, 46], long[:, 22])


def test_what_the_last_value_deviates_by_fades_with_the_horizon() -> None:
    usual = 10.0 * day_wave(SEEN, level=1.0, height=0.5)[None, -36:]
    raised = usual.copy()
    raised[0, -1] += 4.0
    found = [
        cold_start_forecast(PROFILES, row, horizon_steps=24)[0, :, 1] for row in (usual, raised)
    ]
    more = (found[1] - found[0]) / 4.0
    assert 0.4 < more[0] < 1.0
    assert abs(more[-1]) < 0.2


def test_only_the_last_two_days_are_looked_at() -> None:
    recent, _ = young(48)
    older = np.concatenate([np.full((len(recent), 30), 1e6), recent], axis=1)
    np.testing.assert_array_equal(
        cold_start_forecast(PROFILES, older, horizon_steps=24),
        cold_start_forecast(PROFILES, recent, horizon_steps=24),
    )


def test_unknown_values_are_left_out() -> None:
    recent, actual = young(36)
    recent = recent.copy()
    recent[:, ::3] = NAN
    recent[:, -1] = NAN
    found = cold_start_forecast(PROFILES, recent, horizon_steps=24)[..., 1]
    assert relative_error(found, actual) < 0.4


def test_quantiles_do_not_cross_and_a_dead_workload_is_not_below_zero() -> None:
    found = cold_start_forecast(PROFILES, np.zeros((1, 10)), horizon_steps=24)
    assert (np.diff(found, axis=2) >= 0.0).all()
    assert (found >= 0.0).all()


@pytest.mark.parametrize("minutes", [15, 240])
def test_other_steps_are_understood(minutes: int) -> None:
    step = timedelta(minutes=minutes)
    per_day = 24 * 60 // minutes
    values = np.abs(day_wave(per_day * 6, per_day=per_day) * np.arange(1.0, 7.0)[:, None])
    panel = panel_of(*values, step=step)
    found = cold_start_forecast(
        archetype_profiles(panel, np.full(6, "daily")), values[:1, -per_day:], horizon_steps=per_day
    )
    np.testing.assert_allclose(found[0, :, 1], day_wave(per_day, per_day=per_day), rtol=0.02)


def test_series_without_load_or_with_an_hour_never_seen_are_left_out() -> None:
    values = fleet(7, seed=6)[:, :SEEN]
    values[5] = 0.0
    values[6, 3::24] = NAN
    profiles = archetype_profiles(panel_of(*values), np.full(7, "daily"))
    assert profiles.of("daily").series == 5


def test_a_single_day_makes_no_profile() -> None:
    with pytest.raises(InsufficientHistoryError, match="found 24 h"):
        archetype_profiles(panel_of(day_wave(24)), np.array(["daily"]))


def test_an_archetype_must_be_given_for_each_series() -> None:
    with pytest.raises(PermanentError, match="2 archetypes for 1 series"):
        archetype_profiles(panel_of(day_wave(240)), np.array(["daily", "daily"]))
