"""Laws of behaviour groups, gaps, counters and level shifts."""

from datetime import timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tasks.domain.load.cleaning import cleaned, rates_of_counters
from tasks.domain.load.groups import Behaviour, behaviour_groups
from tasks.domain.load.panel import HOUR, Load, LoadPanel
from tasks.domain.load.shifts import last_level_shift

load_values = st.one_of(st.floats(0.0, 1e6), st.just(float("nan")), st.just(0.0))
rows = arrays.arrays(
    np.float64,
    st.tuples(st.integers(1, 4), st.integers(0, 80)),
    elements=load_values,
    fill=st.just(12.5),
)


def panel_of(values: np.ndarray) -> LoadPanel:
    names = tuple(f"w{row}" for row in range(len(values)))
    return LoadPanel(load=Load.CPU, series=names, step=HOUR, start=None, values=values)


def walks(seed: int, count: int, steps: int) -> np.ndarray:
    """Return loads that wander, jump and have gaps."""
    rng = np.random.default_rng(seed)
    jumps = np.where(rng.random((count, steps)) < 0.01, rng.normal(0, 20, (count, steps)), 0.0)
    values = np.abs(30.0 + np.cumsum(jumps, axis=1) + rng.normal(0, 2, (count, steps)))
    values[rng.random((count, steps)) < 0.1] = np.nan
    return np.asarray(values)


@given(values=rows)
def test_measured_values_are_never_changed_and_filled_ones_lie_between_neighbours(
    values: np.ndarray,
) -> None:
    found = cleaned(panel_of(values))
    known = ~np.isnan(values)
    np.testing.assert_array_equal(found.values[known], values[known])
    np.testing.assert_array_equal(found.observed, known)
    for row, step in np.argwhere(found.imputed):
        left = values[row, :step][known[row, :step]][-1]
        right = values[row, step + 1 :][known[row, step + 1 :]][0]
        slack = 1e-9 * max(left, right)
        assert min(left, right) - slack <= found.values[row, step] <= max(left, right) + slack


@given(values=rows)
def test_cleaning_again_changes_nothing(values: np.ndarray) -> None:
    once = cleaned(panel_of(values))
    again = cleaned(panel_of(once.values))
    np.testing.assert_array_equal(again.values, once.values)
    assert not again.imputed.any()


@given(values=rows, minutes=st.integers(1, 60))
def test_rates_of_what_only_grows_add_up_to_the_growth(values: np.ndarray, minutes: int) -> None:
    counters = np.cumsum(np.nan_to_num(values), axis=1)
    step = timedelta(minutes=minutes)
    rates = rates_of_counters(counters, step=step)
    if counters.shape[1] > 1:
        total = np.nansum(rates, axis=1) * step.total_seconds()
        np.testing.assert_allclose(total, counters[:, -1] - counters[:, 0], rtol=1e-9, atol=1e-6)


@given(values=rows)
def test_rates_are_never_negative(values: np.ndarray) -> None:
    rates = rates_of_counters(values, step=HOUR)
    assert rates.shape == values.shape
    assert not (rates < 0.0).any()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), cut=st.integers(0, 500))
def test_what_comes_later_moves_the_last_shift_only_forward(seed: int, cut: int) -> None:
    values = walks(seed, 3, 500)
    before, after = last_level_shift(values[:, :cut]), last_level_shift(values)
    assert (before <= after).all()
    assert (before < cut).all()
    for row in np.flatnonzero(after < cut - 36):
        assert before[row] == after[row]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), power=st.integers(-3, 3))
def test_shifts_do_not_depend_on_the_unit(seed: int, power: int) -> None:
    values = walks(seed, 3, 300)
    np.testing.assert_array_equal(last_level_shift(values * 2.0**power), last_level_shift(values))


@given(values=rows)
def test_a_group_is_the_series_own_whatever_stands_beside_it(
    values: np.ndarray,
) -> None:
    whole = behaviour_groups(panel_of(values))
    assert set(whole) <= set(Behaviour)
    for row in range(len(values)):
        assert behaviour_groups(panel_of(values[row : row + 1]))[0] == whole[row]
