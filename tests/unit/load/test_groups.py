from datetime import timedelta

import numpy as np
import pytest

from tasks.domain.load import groups as module
from tasks.domain.load.groups import behaviour_groups
from tasks.domain.load.panel import HOUR, Load, LoadPanel
from tests.unit.load.builders import day_wave, panel_of

HOURS = 28 * 24
HOUR_OF = np.arange(HOURS)
RNG = np.random.default_rng(0)
NOISE = RNG.normal(0.0, 1.0, HOURS)


def group_of(row: np.ndarray, *, load: Load = Load.CPU, step: timedelta = HOUR) -> str:
    return str(behaviour_groups(panel_of(row, load=load, step=step))[0])


def test_a_processor_that_nobody_uses_is_idle_though_it_is_busy_one_hour_a_day() -> None:
    assert group_of(np.where(HOUR_OF % 24 == 3, 90.0, 1.0)) == "idle"


def test_two_busy_hours_a_day_are_not_idle() -> None:
    assert group_of(np.where(HOUR_OF % 24 < 2, 90.0, 1.0)) == "periodic"


def test_four_requests_a_second_are_not_idle_and_one_in_five_minutes_is() -> None:
    assert group_of(4.0 + 0.1 * NOISE, load=Load.REQUESTS) == "steady"
    assert group_of(np.full(HOURS, 1 / 300), load=Load.REQUESTS) == "idle"


def test_noise_around_a_level_is_steady() -> None:
    assert group_of(40.0 + 8.0 * NOISE) == "steady"


def test_a_ripple_of_a_few_per_cent_is_steady_though_the_clock_explains_it() -> None:
    assert group_of(day_wave(HOURS, level=50.0, height=5.0)) == "steady"


def test_a_daily_wave_under_as_much_noise_is_periodic() -> None:
    assert group_of(day_wave(HOURS) + 14.0 * np.clip(NOISE, -1.0, 1.0)) == "periodic"


def test_working_weeks_are_periodic() -> None:
    busy = (HOUR_OF % 24 < 9) & (HOUR_OF // 24 % 7 < 3)
    assert group_of(np.where(busy, 60.0, 20.0) + 5.0 * NOISE) == "periodic"


def test_peaks_at_random_are_bursty() -> None:
    assert group_of(np.where(RNG.random(HOURS) < 0.1, 90.0, 3.0)) == "bursty"


def test_one_hour_of_full_load_in_a_month_is_no_burst() -> None:
    row = 6.0 + 0.2 * NOISE
    row[100] = 100.0
    assert group_of(row) == "steady"


def test_one_day_alone_is_not_called_periodic() -> None:
    assert group_of(day_wave(24, height=25.0)) == "steady"


def test_unknown_hours_are_left_out_and_nothing_known_is_bursty() -> None:
    row = day_wave(HOURS)
    row[50:150] = np.nan
    assert group_of(row) == "periodic"
    assert group_of(np.full(HOURS, np.nan)) == "bursty"
    assert group_of(np.empty(0)) == "bursty"


def test_five_minutes_behave_like_their_hours() -> None:
    fine = np.repeat(day_wave(HOURS), 12) + RNG.normal(0.0, 15.0, HOURS * 12)
    assert group_of(fine, step=timedelta(minutes=5)) == "periodic"


@pytest.mark.parametrize("minutes", [18, 40, 120, 1440])
def test_any_step_that_divides_a_day_is_understood(minutes: int) -> None:
    step = timedelta(minutes=minutes)
    assert group_of(np.full(60 * 24 * 60 // minutes, 40.0), step=step) == "steady"


def test_only_the_last_four_weeks_count() -> None:
    assert group_of(np.concatenate([np.full(500, 90.0), np.full(HOURS, 1.0)])) == "idle"


def test_other_series_and_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [RNG.gamma(0.3, 40.0, HOURS) for _ in range(7)] + [day_wave(HOURS), np.ones(HOURS)]
    whole = behaviour_groups(panel_of(*rows))
    monkeypatch.setattr(module, "ROWS_PER_CHUNK", 4)
    np.testing.assert_array_equal(behaviour_groups(panel_of(*rows)), whole)
    np.testing.assert_array_equal(behaviour_groups(panel_of(*rows[2:8])), whole[2:8])


def test_no_series_have_no_groups() -> None:
    empty = LoadPanel(load=Load.CPU, series=(), step=HOUR, start=None, values=np.empty((0, HOURS)))
    assert len(behaviour_groups(empty)) == 0
