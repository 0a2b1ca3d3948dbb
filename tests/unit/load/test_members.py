from datetime import timedelta

import numpy as np
import pytest

from tasks.domain.errors import PermanentError
from tasks.domain.load.members import FITTED, NAIVE, Member, local_forecasts
from tasks.domain.load.panel import HOUR, Load, LoadPanel
from tests.unit.load.builders import day_wave, panel_of

NAN = float("nan")
FIVE_MINUTES = timedelta(minutes=5)
RNG = np.random.default_rng(5)


def forecast_of(row: np.ndarray, member: Member, *, steps: int = 3) -> list[float]:
    found = local_forecasts(panel_of(row), horizon_steps=steps, members=[member])
    return [float(value) for value in found[member][0]]


def test_the_last_value_is_the_last_known_one() -> None:
    assert forecast_of(np.array([5.0, 7.0, NAN]), Member.LAST_VALUE) == [7.0, 7.0, 7.0]


def test_the_day_before_is_repeated_and_again_past_a_day() -> None:
    row = np.arange(48.0)
    found = forecast_of(row, Member.SEASONAL_DAY, steps=26)
    assert found == [*range(24, 48), 24.0, 25.0]


def test_a_step_unknown_a_day_before_is_the_last_value() -> None:
    row = np.arange(48.0)
    row[25] = NAN
    assert forecast_of(row, Member.SEASONAL_DAY) == [24.0, 47.0, 26.0]


def test_a_step_unknown_a_week_before_is_that_of_the_day_before() -> None:
    row = np.arange(168.0)
    row[1] = NAN
    assert forecast_of(row, Member.SEASONAL_WEEK) == [0.0, 145.0, 2.0]


def test_less_than_a_week_of_history_repeats_the_day() -> None:
    row = np.arange(48.0)
    assert forecast_of(row, Member.SEASONAL_WEEK) == [24.0, 25.0, 26.0]


def test_the_median_day_is_taken_over_the_known_ones_of_seven() -> None:
    days = np.zeros((9, 24))
    days[:, 0] = [99.0, 99.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 70.0]
    days[:, 1] = [99.0, 99.0, NAN, NAN, NAN, NAN, NAN, 6.0, 8.0]
    days[:, 2] = [99.0, 99.0, NAN, NAN, NAN, NAN, NAN, NAN, NAN]
    days[8, 23] = 42.0
    assert forecast_of(days.reshape(-1), Member.DAY_MEDIAN) == [4.0, 7.0, 42.0]


def test_the_median_day_repeats_past_a_day() -> None:
    found = forecast_of(day_wave(240), Member.DAY_MEDIAN, steps=30)
    assert found[24:] == found[:6]


@pytest.mark.parametrize("member", list(Member))
def test_a_series_without_any_value_has_no_forecast(member: Member) -> None:
    assert np.isnan(forecast_of(np.full(200, NAN), member)).all()
    assert np.isnan(forecast_of(np.empty(0), member)).all()


def test_all_naive_members_are_made_unless_others_are_asked_for() -> None:
    found = local_forecasts(panel_of(np.ones(50)), horizon_steps=2)
    assert tuple(found) == NAIVE
    assert len(found) == 4


def test_a_horizon_of_nothing_is_refused() -> None:
    with pytest.raises(PermanentError, match="horizon of 0 steps"):
        local_forecasts(panel_of(np.ones(5)), horizon_steps=0)


def test_no_series_have_no_forecasts() -> None:
    empty = LoadPanel(load=Load.CPU, series=(), step=HOUR, start=None, values=np.empty((0, 99)))
    found = local_forecasts(empty, horizon_steps=4, members=list(Member))
    assert {one.shape for one in found.by_member.values()} == {(0, 4)}


@pytest.mark.parametrize("member", list(FITTED))
def test_fitted_models_continue_a_clean_daily_wave_across_gaps(member: Member) -> None:
    row = day_wave(15 * 24) + RNG.normal(0.0, 0.5, 15 * 24)
    row[100:110] = NAN
    found = local_forecasts(panel_of(row), horizon_steps=24, members=[member])
    np.testing.assert_allclose(found[member][0], day_wave(24), atol=2.5)
    assert not found.fell_back[member].any()


@pytest.mark.parametrize("member", list(FITTED))
def test_where_nothing_can_be_fitted_the_day_before_stands_in_and_is_named(member: Member) -> None:
    long, short = day_wave(72), day_wave(72)
    short[:30] = NAN
    found = local_forecasts(panel_of(long, short), horizon_steps=24, members=[member])
    assert found.fell_back[member].tolist() == [False, True]
    np.testing.assert_array_equal(found[member][1], day_wave(72)[48:])


@pytest.mark.parametrize("member", list(FITTED))
def test_a_load_that_never_moved_is_forecast_to_stay(member: Member) -> None:
    assert forecast_of(np.full(100, 7.0), member) == [7.0, 7.0, 7.0]


def test_fitted_models_see_hours_and_hold_them_for_all_steps_within() -> None:
    row = np.repeat(day_wave(72), 12)
    fine = local_forecasts(
        panel_of(row, step=FIVE_MINUTES), horizon_steps=30, members=[Member.THETA]
    )[Member.THETA][0]
    hours = forecast_of(day_wave(72), Member.THETA)
    np.testing.assert_allclose(fine, np.repeat(hours, 12)[:30])


def test_steps_of_a_day_have_no_season_to_fit() -> None:
    panel = panel_of(10.0 + np.arange(40.0) % 2, step=timedelta(days=1))
    found = local_forecasts(panel, horizon_steps=2, members=list(FITTED))
    assert all(np.isfinite(one).all() for one in found.by_member.values())


def test_a_falling_load_is_not_forecast_below_zero() -> None:
    assert min(forecast_of(np.linspace(50.0, 0.5, 120), Member.AUTO_ETS, steps=48)) >= 0.0
