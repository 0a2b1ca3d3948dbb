"""Demand from outside: a function of time alone, shaped as a shop's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.embedded.workloads.physics.arrays import Floats, InvalidValueError
from deployments.embedded.workloads.physics.demand import Demand, DemandPattern
from deployments.embedded.workloads.physics.noise import key_of, normals, uniforms, wander

PATTERN = DemandPattern(base_rps=100.0, peak_hour=19.0, weekend_factor=0.7)
CALM = replace(PATTERN, noise_fraction=0.0, bursts_per_day=0.0)
MONDAY = 4 * 86_400.0


def series(pattern: DemandPattern, seconds: Floats, *, seed: int = 1) -> Floats:
    demand = Demand.of([pattern], ["shop/web"], seed=seed)
    return np.array([demand.rps(float(one))[0] for one in seconds])


@given(at=st.lists(st.floats(0, 4e9), min_size=2, max_size=5))
def test_demand_does_not_depend_on_what_was_asked_before(at: list[float]) -> None:
    demand = Demand.of([PATTERN], ["shop/web"], seed=1)
    for one in at:
        demand.rps(one)
    assert demand.rps(at[0]) == Demand.of([PATTERN], ["shop/web"], seed=1).rps(at[0])


def test_it_peaks_at_its_hour_and_is_lower_at_weekends() -> None:
    hours = np.arange(0, 24, 0.25)
    monday, saturday = (series(CALM, start + hours * 3600) for start in (MONDAY, 9 * 86_400.0))
    assert hours[np.argmax(monday)] == pytest.approx(19.0, abs=0.5)
    assert saturday[:80].mean() == pytest.approx(0.7 * monday[:80].mean(), rel=1e-6)


def test_noise_leaves_the_mean_as_it_is() -> None:
    wild = replace(CALM, daily_amplitude=0.0, weekend_factor=1.0, noise_fraction=0.6)
    values = series(wild, MONDAY + np.arange(0, 60 * 86_400, 1_800.0))
    # 2,880 draws that forget half an hour by 86 percent: the mean is known to about 2 percent.
    assert values.mean() == pytest.approx(100.0, rel=0.06)


def test_its_mean_over_a_weekday_is_its_base() -> None:
    assert series(CALM, MONDAY + np.arange(0, 86_400, 600.0)).mean() == pytest.approx(100, rel=0.01)


@pytest.mark.slow
def test_noise_is_as_wide_and_as_slow_as_asked_for() -> None:
    flat = replace(CALM, daily_amplitude=0.0, weekend_factor=1.0, noise_fraction=0.1)
    logs = np.log(series(flat, MONDAY + np.arange(0, 30 * 86_400, 300.0)) / 100.0)
    assert logs.std() == pytest.approx(0.1, rel=0.1)
    # exp(-300 / 900) is 0.717 from one draw to the next.
    assert np.corrcoef(logs[1:], logs[:-1])[0, 1] == pytest.approx(0.717, abs=0.05)


@pytest.mark.slow
def test_crowds_come_as_often_as_asked_for() -> None:
    flat = replace(CALM, daily_amplitude=0.0, weekend_factor=1.0, bursts_per_day=6.0)
    values = series(replace(flat, burst_factor=5.0), MONDAY + np.arange(0, 20 * 86_400, 60.0))
    extra = (values / 100.0 - 1.0).sum() * 60.0 / 20.0
    # Each adds 5 on average, dying away over two minutes.
    assert extra == pytest.approx(6 * 5 * 120, rel=0.35)


def test_another_seed_is_another_day_and_each_workload_has_its_own() -> None:
    at = MONDAY + np.arange(0, 3600, 60.0)
    assert not np.array_equal(series(PATTERN, at), series(PATTERN, at, seed=2))
    both = Demand.of([PATTERN, PATTERN], ["shop/a", "shop/b"], seed=1).rps(MONDAY)
    assert both[0] != both[1]


@pytest.mark.parametrize(
    "wrong",
    [
        {"base_rps": -1.0},
        {"daily_amplitude": 1.0},
        {"weekend_factor": 0.0},
        {"rushes_per_day": 5.0},
    ],
)
def test_a_pattern_out_of_bounds_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError, match=next(iter(wrong))):
        replace(PATTERN, **wrong)


def test_hashes_are_uniform_and_normal() -> None:
    keys = np.array([key_of("a")], dtype=np.uint64)
    counters = np.arange(-50_000, 50_000)
    flat, bell = uniforms(keys, counters, stream=1), normals(keys, counters, stream=1)
    assert np.histogram(flat, bins=10, range=(0, 1))[0] == pytest.approx(10_000, rel=0.05)
    assert (bell.mean(), bell.std()) == pytest.approx((0.0, 1.0), abs=0.015)
    assert abs(np.corrcoef(bell[1:], bell[:-1])[0, 1]) < 0.01


def test_wandering_noise_joins_its_knots() -> None:
    keys = np.array([key_of("a"), key_of("b")], dtype=np.uint64)
    left, middle, right = (
        wander(keys, at, knot_seconds=30.0, stream=1) for at in (60.0, 75.0, 90.0)
    )
    assert middle == pytest.approx((left + right) / 2)


def test_drift_makes_days_differ_and_stays_within_two_deviations() -> None:
    drifting = replace(CALM, daily_amplitude=0.0, weekend_factor=1.0, drift_fraction=0.3)
    values = series(drifting, MONDAY + np.arange(0, 120 * 86_400, 3_600.0))
    days = values.reshape(120, 24).mean(axis=1)
    assert values.mean() == pytest.approx(100.0, rel=0.1)
    assert days.std() / days.mean() == pytest.approx(0.2, abs=0.07)
    assert values.max() < 100.0 * np.exp(0.3 * 2.0)
    # A day's memory: an hour later little has changed.
    assert np.corrcoef(values[1:], values[:-1])[0, 1] > 0.93


def test_a_rush_comes_within_minutes_stays_for_an_hour_and_has_an_end() -> None:
    flat = replace(CALM, daily_amplitude=0.0, weekend_factor=1.0)
    rushed = replace(flat, rushes_per_day=4.0, rush_factor=1.0)
    values = series(rushed, MONDAY + np.arange(0, 30 * 86_400, 300.0)) / 100.0 - 1.0
    # Of a size of two means at most half is there at once, and two may meet.
    assert 0.3 < values.max() < 2.2
    # 4 a day, of mean 1 - exp(-2), for the decay less what the rise takes.
    expected = 4.0 * (1.0 - np.exp(-2.0)) * (4_320.0 - 1.0 / (1 / 4_320.0 + 1 / 1_200.0)) / 86_400.0
    assert values.mean() == pytest.approx(expected, rel=0.2)
    assert np.abs(np.diff(values)).max() < 0.5
    assert values.min() >= 0.0


def test_doors_of_one_crowd_share_its_drift_and_its_rushes() -> None:
    calm = replace(CALM, drift_fraction=0.3, rushes_per_day=2.0)
    together = replace(calm, crowd="shop")
    demand = Demand.of([together, together, calm], ["shop/web", "shop/api", "shop/x"], seed=1)
    web, api, alone = np.array([demand.rps(MONDAY + 3600.0 * at) for at in range(48)]).T
    assert web == pytest.approx(api)
    assert not np.allclose(web, alone)


def test_without_drift_and_rushes_a_crowd_changes_nothing() -> None:
    at = MONDAY + np.arange(0, 7_200, 60.0)
    assert np.array_equal(series(PATTERN, at), series(replace(PATTERN, crowd="shop"), at))
