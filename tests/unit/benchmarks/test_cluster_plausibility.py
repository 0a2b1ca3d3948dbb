"""The judge of simulated metrics: its statistics by hand, and that it tells weeks apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.cluster_plausibility import SEEDS, Band, bands_of, is_inside, share_within, table
from benchmarks.cluster_plausibility_data import (
    AZURE,
    FILES,
    FINE_DAY,
    HOURLY_DAY,
    Half,
    Weeks,
    by_hour,
    cut,
    missing_files,
    recorded_weeks,
)
from benchmarks.cluster_plausibility_days import days_table, mean_day
from benchmarks.cluster_plausibility_shop import shop_of
from benchmarks.cluster_plausibility_statistics import (
    FAST,
    SLOW,
    Statistic,
    change_tail,
    daily_energy,
    hour_of_day_share,
    hours_above_mean,
    next_day_correlation,
    night_to_peak,
    of_weeks,
    peak_to_mean,
    spectral_slope,
    variation_of_days,
    variation_within,
    weekend_level,
)
from deployments.embedded.workloads.demonstration import PARTS
from tasks.domain.arrays import FloatArray

HOURS = np.arange(168)
DAILY = 10.0 + 5.0 * np.sin(2.0 * np.pi * HOURS / 24.0)


def statistic(key: str) -> Statistic:
    return next(one for one in (*SLOW, *FAST) if one.key == key)


def test_a_week_that_only_repeats_its_day_is_explained_by_the_hour() -> None:
    assert hour_of_day_share(DAILY, 24) == pytest.approx(1.0)
    assert daily_energy(DAILY, 24) == pytest.approx(1.0)
    assert next_day_correlation(DAILY, 24) == pytest.approx(1.0)
    assert variation_of_days(DAILY, 24) == pytest.approx(0.0, abs=1e-12)
    assert night_to_peak(DAILY, 24) == pytest.approx(5.0 / 15.0)
    assert peak_to_mean(DAILY, 24) == pytest.approx(1.5)
    assert hours_above_mean(DAILY, 24) == pytest.approx(11 / 24, abs=0.05)
    # A sine of 5 around 10 has a deviation of 5 / sqrt 2.
    assert variation_within(24.0)(DAILY, 24) == pytest.approx(0.5 / np.sqrt(2.0))


def test_noise_is_explained_by_the_hour_as_far_as_chance_goes() -> None:
    noise = np.random.default_rng(1).normal(10.0, 1.0, (200, 168))
    found = [hour_of_day_share(week, 24) or 0.0 for week in noise]
    assert np.mean(found) == pytest.approx(23 / 167, abs=0.01)


@pytest.mark.parametrize(("power", "slope"), [(0, 0.0), (1, -2.0)])
def test_the_slope_of_noise_and_of_a_random_walk_are_known(power: int, slope: float) -> None:
    rng = np.random.default_rng(2)
    steps = rng.normal(0.0, 1.0, (20, 7 * FINE_DAY))
    weeks = steps if power == 0 else np.cumsum(steps, axis=1)
    found = [spectral_slope(week, FINE_DAY) or 0.0 for week in weeks]
    assert np.mean(found) == pytest.approx(slope, abs=0.25)


def test_changes_of_normal_noise_have_the_tail_of_the_normal_distribution() -> None:
    week = np.random.default_rng(3).normal(0.0, 1.0, 7 * FINE_DAY)
    assert change_tail(week, FINE_DAY) == pytest.approx(2.576 / 0.6745, rel=0.1)


def test_a_weekend_is_saturday_and_sunday() -> None:
    week = np.where(HOURS // 24 >= 5, 3.0, 6.0)
    assert weekend_level(week, 24) == pytest.approx(0.5)


@pytest.mark.parametrize("one", [*SLOW, *FAST], ids=lambda one: one.key)
def test_what_stands_still_or_is_unknown_gives_no_nonsense(one: Statistic) -> None:
    flat = np.full((1, 7 * FINE_DAY), 5.0)
    found = of_weeks(one, flat, FINE_DAY)
    assert found is None or np.isfinite(found)
    assert of_weeks(one, np.full_like(flat, np.nan), FINE_DAY) is None


def test_unknown_steps_are_left_out_and_weeks_with_too_many_are_not_judged() -> None:
    few, many = DAILY.copy(), DAILY.copy()
    few[[5, 30, 77]] = np.nan
    many[:20] = np.nan
    assert of_weeks(statistic("hour_share"), few[None], 24) == pytest.approx(1.0)
    assert of_weeks(statistic("hour_share"), many[None], 24) is None


def test_a_median_inside_the_band_and_pods_inside_it_are_counted() -> None:
    recorded = Band(values=tuple(np.linspace(0.0, 1.0, 101)))
    inside, outside = Band(values=(0.05, 0.5, 0.6)), Band(values=(0.5, 0.95, 0.99))
    assert is_inside(inside, recorded)
    assert not is_inside(outside, recorded)
    assert share_within(inside, recorded) == pytest.approx(2 / 3)
    assert share_within(outside, recorded) == pytest.approx(1 / 3)


def test_weekends_are_judged_only_where_the_day_of_the_week_is_known() -> None:
    values = np.stack([DAILY, DAILY])[:, None, :]
    weeks = Weeks(values=values, per_day=24, clock=[True, False])
    found = bands_of({"cpu_hourly": weeks})
    assert len(found["cpu_hourly", "weekend"].values) == 1
    assert len(found["cpu_hourly", "mean"].values) == 2


def test_the_table_has_a_row_for_each_statistic_also_without_recordings() -> None:
    found = bands_of({"cpu_hourly": Weeks(values=DAILY[None, None], per_day=24, clock=[True])})
    lines = table(found, {})
    assert len(lines) == 2 + len(found)
    assert all(line.count("|") == 10 for line in lines)
    assert lines[2].split("|")[3].strip() == "-"


def test_weeks_are_cut_whole_and_hours_are_means_of_what_is_known() -> None:
    values: FloatArray = np.arange(2.5 * 7 * FINE_DAY)[None]
    assert cut(values, per_day=FINE_DAY, first=10).shape == (1, 2, 7 * FINE_DAY)
    week = np.tile(np.array([1.0, 3.0, np.nan]), 7 * FINE_DAY // 3)[None, None]
    hours = by_hour(Weeks(values=week, per_day=FINE_DAY, clock=[True]))
    assert hours.per_day == HOURLY_DAY
    assert hours.values == pytest.approx(2.0)


def test_missing_recordings_are_named_and_halves_share_no_machine(tmp_path: Path) -> None:
    assert missing_files(None) == list(FILES)
    (tmp_path / "load").mkdir()
    rng = np.random.default_rng(4)
    busy = rng.uniform(10.0, 20.0, (7 * FINE_DAY, 5))
    busy[:, 4] = 0.5
    pd.DataFrame(busy, columns=list("abcde")).to_parquet(tmp_path / AZURE)
    assert AZURE not in missing_files(tmp_path)
    even, odd = (recorded_weeks(tmp_path, half=half)["cpu_5min"].values for half in Half)
    # Columns a and c, for e is idle; b and d.
    assert np.array_equal(even[:, 0], busy[:, [0, 2]].T)
    assert np.array_equal(odd[:, 0], busy[:, [1, 3]].T)


def test_a_mean_day_is_turned_to_its_peak_and_a_multiple_of_its_mean() -> None:
    later = np.roll(DAILY, 7)
    weeks = Weeks(values=np.stack([DAILY, later])[:, None], per_day=24, clock=[True, True])
    day = mean_day(weeks)
    assert len(day) == 8
    assert day.mean() == pytest.approx(1.0)
    # The three hours around the peak of a sine: (1 + 2 cos 15 degrees) / 3 of its height.
    assert day[1] == pytest.approx(1.0 + 0.5 * (1.0 + 2.0 * np.cos(np.pi / 12)) / 3.0)
    assert days_table({"cpu_hourly": weeks}, {})[2].startswith("| processor, simulated |")


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS[:2])
def test_a_week_without_faults_keeps_the_shop_well(seed: int) -> None:
    shop = shop_of(seed=seed)
    answers = np.array([not part.profile.queue for part in PARTS])
    assert shop.ended == 0
    assert shop.worst_memory < 0.9
    assert shop.failed < 0.005
    # Consumers of queues may work at full speed for a while; who answers people may not.
    assert shop.cpu[answers].max() < 70.0
