import numpy as np
import pytest

from tasks.domain.load import shifts as module
from tasks.domain.load.shifts import last_level_shift
from tests.unit.load.builders import day_wave

HOURS = 20 * 24
HOUR_OF = np.arange(HOURS)


def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def shifted(at: int, by: float) -> np.ndarray:
    return 20.0 + by * (at <= HOUR_OF)


def last_of(row: np.ndarray, *, steps_per_day: int = 24) -> int:
    return int(last_level_shift(row[None], steps_per_day=steps_per_day)[0])


@pytest.mark.parametrize("by", [10.0, -10.0])
def test_a_step_is_found_where_it_begins(by: float) -> None:
    assert last_of(shifted(200, by)) == 200


def test_a_step_under_a_daily_wave_and_noise_is_found_within_two_hours() -> None:
    noise = rng().normal(0.0, 2.0, (50, HOURS))
    found = last_level_shift(day_wave(HOURS, level=10.0, height=8.0) + shifted(200, 10.0) + noise)
    assert (np.abs(found - 200) <= 2).all()


def test_the_last_of_two_steps_counts() -> None:
    assert last_of(shifted(200, 10.0) + np.where(HOUR_OF < 350, 0.0, 30.0)) == 350


def test_waves_noise_and_rare_peaks_are_no_shifts() -> None:
    peaks = np.where(rng().random((50, HOURS)) < 0.05, 70.0, 0.0)
    noise = rng().normal(0.0, 2.0, (50, HOURS))
    assert (last_level_shift(day_wave(HOURS) + peaks + noise) == -1).all()


def test_a_weekend_is_a_shift_only_until_one_was_seen() -> None:
    row = np.where(HOUR_OF // 24 % 7 < 5, 40.0, 10.0)
    assert last_of(row) == 5 * 24


def test_a_shift_is_found_half_a_day_late() -> None:
    row = shifted(200, 10.0)
    assert last_of(row[:211]) == -1
    assert last_of(row[:213]) == 200


def test_a_tenth_more_is_no_shift() -> None:
    assert last_of(shifted(200, 2.0)) == -1


def test_a_step_is_found_across_a_gap_of_some_days_at_its_end() -> None:
    row = shifted(200, 10.0)
    row[150:250] = np.nan
    assert last_of(row) == 250


def test_five_minutes_give_the_step_at_which_the_hour_begins() -> None:
    fine = np.repeat(shifted(200, 10.0), 12)
    assert last_of(fine, steps_per_day=288) == 200 * 12


def test_steps_of_two_hours_are_looked_at_one_by_one() -> None:
    assert last_of(shifted(100, 10.0)[:200], steps_per_day=12) == 100


def test_too_short_or_unknown_a_history_has_no_shift() -> None:
    assert last_of(np.empty(0)) == -1
    assert last_of(shifted(20, 50.0)[:40]) == -1
    assert last_of(np.full(HOURS, np.nan)) == -1


def test_chunks_do_not_change_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.cumsum(rng().normal(0.0, 1.0, (7, HOURS)), axis=1) + 50.0
    at_once = last_level_shift(rows)
    monkeypatch.setattr(module, "ROWS_PER_CHUNK", 3)
    np.testing.assert_array_equal(last_level_shift(rows), at_once)
    assert (at_once >= 0).any()
