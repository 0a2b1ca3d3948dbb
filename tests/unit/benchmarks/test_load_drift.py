"""Stable load stays stable, and a shift is as large as it says."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.load_drift import QUIET_DAYS, Watcher, delay, stable_looks
from benchmarks.load_drift_data import (
    AFFECTED,
    Kind,
    LoadPath,
    Size,
    drawn_days,
    residuals_of,
    shifted,
)
from benchmarks.load_drift_rivals import plain_ks

CHANGE = 21


def path(days: int = 35, *, seed: int = 0) -> LoadPath:
    rng = np.random.default_rng(seed)
    values = 50.0 + rng.standard_normal((10, days + 7, 24))
    whole = LoadPath(values=values, residuals=residuals_of(values))
    return whole.between(7, days + 7)


def changed_rows(before: LoadPath, after: LoadPath) -> np.ndarray:
    return np.flatnonzero((before.values != after.values).any(axis=(1, 2)))


def test_days_are_drawn_at_their_place_in_the_week_and_never_from_a_bad_one() -> None:
    good = np.ones(40, dtype=np.bool_)
    good[10:13] = False
    drawn = np.array(drawn_days(good, days=200, clock=True, rng=np.random.default_rng(0)))
    assert (drawn % 7 == np.arange(200) % 7).all()
    assert good[drawn].all()
    # Blocks of a week: six in seven days follow the one before.
    assert np.mean(np.diff(drawn) == 1) > 0.7


def test_the_errors_of_the_simple_forecast_are_worked_out_by_hand() -> None:
    values = np.zeros((1, 8, 24))
    values[0, 6], values[0, 7] = 7.0, 10.0
    # Half of yesterday's 7 and half of the week's mean of 1.
    assert residuals_of(values)[0, 7, 0] == pytest.approx(10.0 - 3.5 - 0.5)


OF_ERRORS_ALONE = (Kind.RESIDUAL_BIAS, Kind.RESIDUAL_SCALE)


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in OF_ERRORS_ALONE])
def test_a_shift_begins_on_its_day_in_a_share_of_the_series(kind: Kind) -> None:
    before = path()
    after = shifted(before, kind=kind, size=Size.MEDIUM, day=CHANGE, seed=0)
    assert len(changed_rows(before, after)) == round(AFFECTED * 10)
    np.testing.assert_array_equal(before.values[:, :CHANGE], after.values[:, :CHANGE])


def test_days_in_another_order_are_the_same_days_and_their_errors_grow() -> None:
    before = path()
    level = np.repeat(np.sin(np.arange(35) / 3.0), 24).reshape(35, 24)
    before = LoadPath(values=before.values + 5.0 * level, residuals=before.residuals)
    after = shifted(before, kind=Kind.ORDER, size=Size.LARGE, day=CHANGE, seed=0)
    rows = changed_rows(before, after)
    for row in rows:
        one, other = (np.sort(part.values[row, CHANGE:, 0]) for part in (before, after))
        np.testing.assert_array_equal(one, other)
    errors = [np.abs(part.residuals[rows, CHANGE:]).mean() for part in (before, after)]
    assert errors[1] > 1.5 * errors[0]


def test_what_comes_hours_later_is_what_came_before() -> None:
    before = path()
    after = shifted(before, kind=Kind.LATER, size=Size.MEDIUM, day=CHANGE, seed=0)
    rows = changed_rows(before, after)
    np.testing.assert_array_equal(after.values[rows, CHANGE, 6:], before.values[rows, CHANGE, :-6])
    np.testing.assert_array_equal(
        after.values[rows, CHANGE, :6], before.values[rows, CHANGE - 1, -6:]
    )


def test_a_medium_shift_of_the_mean_is_one_standard_deviation() -> None:
    before = path()
    after = shifted(before, kind=Kind.MEAN, size=Size.MEDIUM, day=CHANGE, seed=0)
    rows = changed_rows(before, after)
    step = (after.values - before.values)[rows, CHANGE:]
    np.testing.assert_allclose(step.mean(axis=(1, 2)), 1.0, atol=0.1)


def test_a_change_of_shape_keeps_mean_and_spread() -> None:
    before = path()
    after = shifted(before, kind=Kind.SHAPE, size=Size.LARGE, day=CHANGE, seed=0)
    for moment in (np.mean, np.std):
        one, other = (moment(part.values[:, CHANGE:], axis=(1, 2)) for part in (before, after))
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_a_bias_is_laid_over_the_errors_alone() -> None:
    before = path()
    after = shifted(before, kind=Kind.RESIDUAL_BIAS, size=Size.LARGE, day=CHANGE, seed=0)
    np.testing.assert_array_equal(before.values, after.values)
    assert np.abs(after.residuals[:, CHANGE:].mean(axis=(1, 2))).max() > 1.5


def test_errors_of_another_size_leave_the_load_as_it_was() -> None:
    before = path()
    after = shifted(before, kind=Kind.RESIDUAL_SCALE, size=Size.MEDIUM, day=CHANGE, seed=0)
    np.testing.assert_array_equal(before.values, after.values)
    grown = np.abs(after.residuals - 2.0 * before.residuals).max(axis=2) < 1e-9
    assert not grown[:, :CHANGE].any()
    assert grown[:, CHANGE:].all(axis=1).sum() == round(AFFECTED * 10)


def test_a_delay_counts_from_the_shift_and_an_early_alarm_does_not_count() -> None:
    quiet = [1.0] * QUIET_DAYS
    assert delay([*quiet, 1.0, 1.0, 0.01, 1.0], 0.05) == 3.0
    assert delay([*quiet, 1.0], 0.05) == math.inf
    assert delay([0.01, *quiet], 0.05) is None


def test_each_alarm_on_a_stable_path_is_a_retrain_after_a_cool_down() -> None:
    always = Watcher(name="always", test=lambda _training, _live: 0.0, threshold=0.5, others=())
    never = Watcher(name="never", test=lambda _training, _live: 1.0, threshold=0.5, others=())
    assert stable_looks(path(28 + 22), always)[0] == 3
    assert stable_looks(path(28 + 22), never) == (0, (1.0,) * 22)


def test_the_plain_test_sees_a_shift_and_waits_for_a_week() -> None:
    before = path()
    after = shifted(before, kind=Kind.MEAN, size=Size.LARGE, day=CHANGE, seed=0)
    assert plain_ks(before.between(0, 21), after.between(21, 27), share=0.4) == 1.0
    assert plain_ks(before.between(0, 21), after.between(21, 28), share=0.4) < 1e-6
