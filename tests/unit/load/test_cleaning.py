from datetime import timedelta

import numpy as np
import pytest

from tasks.domain.errors import PermanentError
from tasks.domain.load.cleaning import cleaned, rates_of_counters
from tasks.domain.load.panel import HOUR
from tests.unit.load.builders import panel_of

NAN = float("nan")
FIVE_MINUTES = timedelta(minutes=5)


def test_a_gap_of_three_hours_is_bridged_by_a_line_and_marked() -> None:
    found = cleaned(panel_of(np.array([1.0, NAN, NAN, NAN, 5.0])))
    assert found.values[0].tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert found.imputed[0].tolist() == [False, True, True, True, False]
    assert found.observed[0].tolist() == [True, False, False, False, True]


def test_a_gap_of_four_hours_stays_unknown() -> None:
    found = cleaned(panel_of(np.array([1.0, NAN, NAN, NAN, NAN, 5.0])))
    assert np.isnan(found.values[0, 1:5]).all()
    assert not found.imputed.any()
    assert found.observed[0].tolist() == [True, False, False, False, False, True]


def test_gaps_at_the_ends_stay_unknown() -> None:
    found = cleaned(panel_of(np.array([NAN, 1.0, NAN])))
    assert np.isnan(found.values[0, [0, 2]]).all()
    assert not found.imputed.any()


def test_a_gap_that_ends_one_series_is_not_bridged_to_the_next() -> None:
    found = cleaned(panel_of(np.array([1.0, 1.0, NAN]), np.array([NAN, 9.0, 9.0])))
    assert not found.imputed.any()


def test_three_hours_are_thirty_six_steps_of_five_minutes() -> None:
    row = np.full(100, 8.0)
    row[10:46] = NAN
    assert cleaned(panel_of(row, step=FIVE_MINUTES)).imputed.sum() == 36
    row[46] = NAN
    assert not cleaned(panel_of(row, step=FIVE_MINUTES)).imputed.any()


def test_at_steps_longer_than_three_hours_a_single_step_is_bridged() -> None:
    row = np.array([2.0, NAN, 4.0, NAN, NAN, 4.0])
    found = cleaned(panel_of(row, step=6 * HOUR))
    assert found.values[0, 1] == 3.0
    assert found.imputed.sum() == 1


def test_the_panel_itself_keeps_its_gaps() -> None:
    panel = panel_of(np.array([1.0, NAN, 3.0]))
    cleaned(panel)
    assert np.isnan(panel.values[0, 1])


def test_nothing_at_all_is_clean() -> None:
    found = cleaned(panel_of(np.empty(0)))
    assert found.values.shape == found.imputed.shape == (1, 0)


@pytest.mark.parametrize(("wrong", "shown"), [(-0.5, "-0.5"), (np.inf, "inf"), (-np.inf, "-inf")])
def test_impossible_values_are_refused_by_series_and_step(wrong: float, shown: str) -> None:
    rows = np.ones((2, 4))
    rows[1, 2] = wrong
    with pytest.raises(PermanentError, match=f"w1 is {shown} at step 2"):
        cleaned(panel_of(*rows))


def test_a_counter_is_turned_into_its_increase_per_second() -> None:
    found = rates_of_counters(np.array([[0.0, 600.0, 600.0, 900.0]]), step=FIVE_MINUTES)
    np.testing.assert_array_equal(found, [[NAN, 2.0, 0.0, 1.0]])


def test_a_restart_makes_one_rate_unknown_and_no_other() -> None:
    found = rates_of_counters(np.array([[900.0, 1200.0, 60.0, 360.0]]), step=FIVE_MINUTES)
    np.testing.assert_array_equal(found, [[NAN, 1.0, NAN, 1.0]])


def test_rates_are_unknown_in_a_gap_and_at_its_end_for_it_may_hide_a_restart() -> None:
    found = rates_of_counters(np.array([[0.0, 300.0, NAN, 900.0, 1200.0]]), step=FIVE_MINUTES)
    np.testing.assert_array_equal(found, [[NAN, 1.0, NAN, NAN, 1.0]])


def test_a_counter_below_zero_is_refused() -> None:
    with pytest.raises(PermanentError, match="counter in row 0 is -1 at step 1"):
        rates_of_counters(np.array([[0.0, -1.0]]), step=HOUR)
