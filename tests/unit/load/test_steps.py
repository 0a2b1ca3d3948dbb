"""Hours become steps: what a series does within its hours is repeated, the rest is spread."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from tasks.domain.arrays import FloatArray
from tasks.domain.load.panel import HOUR, Load, LoadPanel
from tasks.domain.load.steps import WithinHour, to_steps, within_hour

EACH = 12
DAY_STEPS = 24 * EACH


def panel_of(*rows: FloatArray, step: timedelta = HOUR / EACH) -> LoadPanel:
    """Return a panel without a clock."""
    return LoadPanel(
        load=Load.CPU,
        series=tuple(f"vm-{at}" for at in range(len(rows))),
        step=step,
        start=None,
        values=np.stack(rows).astype(np.float64),
    )


def peak_every(steps: int, *, days: int = 10, height: float = 12.0) -> FloatArray:
    """Return a level of 10 with a peak in the first of so many steps."""
    values = np.full(days * DAY_STEPS, 10.0)
    values[::steps] += height
    return values


def flat_hours(mean: float, *, half: float = 0.0, hours: int = 24) -> FloatArray:
    """Return (1, hours, 3) quantiles of an hourly mean."""
    return np.tile([mean - half, mean, mean + half], (1, hours, 1))


def nothing_within(*, below: float = 0.0, above: float = 0.0) -> WithinHour:
    return WithinHour(
        shape=np.zeros((1, DAY_STEPS)),
        newest=np.zeros(1),
        below=np.array([below]),
        above=np.array([above]),
    )


def test_a_peak_in_every_hour_is_forecast_in_every_hour() -> None:
    values = peak_every(EACH)
    found = to_steps(flat_hours(11.0), values[-1:], within_hour(panel_of(values)), each=EACH)
    assert found[0, :, 1] == pytest.approx(values[:DAY_STEPS])


def test_a_peak_once_a_day_is_forecast_once_a_day() -> None:
    values = peak_every(DAY_STEPS)
    shape = within_hour(panel_of(values)).shape[0]
    # The mean of its hour is 11, that of the hour before 10, and the path lies between.
    assert shape[0] == pytest.approx(22.0 - (10.5 + 0.5 / EACH))
    assert not shape[2 * EACH : -EACH].any()


def test_a_new_habit_of_a_day_ago_is_taken_up_when_it_is_the_better_rule() -> None:
    values = peak_every(EACH)
    values[-3 * DAY_STEPS :] = peak_every(DAY_STEPS // 2, days=3, height=36.0)
    found = within_hour(panel_of(values)).shape[0]
    assert found[0] == found[DAY_STEPS // 2] > 33.0
    assert not found[2 * EACH : 10 * EACH].any()


def test_a_daily_rise_is_the_path_and_no_spread() -> None:
    at = np.arange(10 * DAY_STEPS) / DAY_STEPS
    found = within_hour(panel_of(30.0 + 20.0 * np.sin(2.0 * np.pi * at)))
    assert max(found.below[0], found.above[0]) < 0.05


def test_noise_of_steps_is_their_spread() -> None:
    noise = np.random.default_rng(0).normal(0.0, 2.0, 10 * DAY_STEPS)
    found = within_hour(panel_of(40.0 + noise))
    assert found.below[0] == pytest.approx(1.28 * 2.0, rel=0.15)
    assert found.above[0] == pytest.approx(1.28 * 2.0, rel=0.15)


def test_rare_peaks_of_some_hours_do_not_widen_the_lower_end() -> None:
    values = np.full(10 * DAY_STEPS, 10.0)
    hours = np.random.default_rng(1).random(240) < 0.2
    values[::EACH] += np.where(hours, 60.0, 0.0)
    found = within_hour(panel_of(values))
    # Beside the mean of their own hour, the other steps of such an hour are 5 lower.
    assert found.below[0] < 0.5


def test_unknown_steps_are_no_shape() -> None:
    values = peak_every(EACH)
    values[5 * DAY_STEPS : 5 * DAY_STEPS + 100] = np.nan
    values[-3:] = np.nan
    gaps = within_hour(panel_of(values, np.full_like(values, np.nan)))
    assert gaps.shape[0] == pytest.approx(within_hour(panel_of(peak_every(EACH))).shape[0])
    assert np.isfinite(gaps.newest).all()
    assert not gaps.shape[1].any()


def test_a_peak_at_the_newest_step_is_not_where_the_path_begins() -> None:
    values = np.full(10 * DAY_STEPS, 10.0)
    values[-1] = 90.0
    found = to_steps(flat_hours(10.0), values[-1:], within_hour(panel_of(values)), each=EACH)
    assert found[0, :6, 1] == pytest.approx(10.0)


def test_a_new_level_of_the_newest_hour_is_where_the_path_begins() -> None:
    found = to_steps(flat_hours(10.0), np.array([16.0]), nothing_within(), each=EACH)
    assert found[0, :6, 1] == pytest.approx(16.0 - (np.arange(6) + 0.5))


def test_upwards_spreads_add_up_and_downwards_the_wider_one_counts() -> None:
    within = nothing_within(below=4.0, above=4.0)
    found = to_steps(flat_hours(20.0, half=3.0), np.array([20.0]), within, each=EACH)
    assert found[0, -1].tolist() == [16.0, 20.0, 25.0]


@pytest.mark.parametrize(("days", "step"), [(1, HOUR / EACH), (10, HOUR)])
def test_hours_and_a_single_day_have_no_steps_to_know(days: int, step: timedelta) -> None:
    found = within_hour(panel_of(np.arange(24.0 * days * (HOUR // step)), step=step))
    assert not found.shape.any()
    assert found.below.tolist() == found.above.tolist() == [0.0]


def test_two_days_are_enough() -> None:
    found = within_hour(panel_of(peak_every(EACH, days=2)))
    assert found.shape[0, 0] == pytest.approx(11.0)


@pytest.mark.parametrize("scale", [1024.0, 1.0 / 1024.0])
def test_the_unit_of_the_values_is_the_unit_of_shape_and_spread(scale: float) -> None:
    values = np.random.default_rng(2).gamma(2.0, 5.0, 10 * DAY_STEPS)
    one, other = within_hour(panel_of(values)), within_hour(panel_of(scale * values))
    assert other.shape == pytest.approx(scale * one.shape)
    assert other.below == pytest.approx(scale * one.below)
    assert other.above == pytest.approx(scale * one.above)
