import numpy as np
import pytest

from tasks.domain.load.history import filled, history_of, scales
from tests.unit.load.fleet import fleet, with_values

UNKNOWN = float("nan")


def test_a_gap_repeats_the_day_before() -> None:
    values = np.arange(72.0)[None].copy()
    values[0, 50:53] = np.nan
    assert filled(values)[0, 50:53].tolist() == [26.0, 27.0, 28.0]


def test_a_gap_in_the_first_day_repeats_the_last_value() -> None:
    assert filled(np.array([[1.0, 2.0, UNKNOWN, 4.0]])).tolist() == [[1.0, 2.0, 2.0, 4.0]]


def test_what_lies_before_the_first_value_repeats_the_day_after_it() -> None:
    values = np.arange(72.0)[None].copy()
    values[0, :30] = np.nan
    assert filled(values)[0, 6:30].tolist() == list(range(30, 54))


def test_a_gap_is_never_filled_from_the_future() -> None:
    values = np.arange(96.0)[None].copy()
    values[0, 60:66] = np.nan
    other = values.copy()
    other[0, 66:] = 1000.0
    assert np.array_equal(filled(values)[0, :66], filled(other)[0, :66])


def test_a_series_without_values_is_zero() -> None:
    assert filled(np.full((1, 30), np.nan)).tolist() == [[0.0] * 30]


def test_scales_have_floors() -> None:
    values = np.stack([np.full(72, 40.0), np.zeros(72), np.full(72, np.nan)])
    assert scales(values, floor=0.1) == pytest.approx([2.0, 0.1, 0.1])


def test_a_history_is_thirty_days_at_most() -> None:
    assert history_of(fleet(days=40)).hours == 720


def test_a_filled_hour_is_not_known() -> None:
    panel = fleet(days=4)
    values = panel.values.copy()
    values[0, 50] = np.nan
    assert not history_of(with_values(panel, values)).known[0, 50]


def test_without_a_clock_there_is_no_hour_of_the_week() -> None:
    assert history_of(fleet(days=4, clock=False)).hour is None


def test_the_hour_of_the_week_is_counted_from_monday() -> None:
    assert history_of(fleet(days=4)).hour == 0
