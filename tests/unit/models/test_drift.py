"""Whether what a model was trained on is still what it sees."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from scipy.stats import betabinom, ks_2samp

from tasks.domain.errors import InsufficientHistoryError
from tasks.domain.models.drift import DriftPolicy, DriftReport, Observed, check_drift
from tasks.domain.models.drift_features import (
    INPUTS,
    Feature,
    days_of,
    input_features,
    residual_features,
)
from tasks.domain.models.drift_tests import (
    LEVEL,
    SMALLEST_COMMON,
    common_share,
    few_p_value,
    independent_share,
    ks_distances,
    share_p_value,
    usual_share,
)

DAY = 24
NOW = datetime(2026, 3, 30, tzinfo=UTC)


def load(days: int, *, seed: int, series: int = 20) -> np.ndarray:
    """Return load with days and weekends, (series, days * 24)."""
    rng = np.random.default_rng(seed)
    hours = np.arange(days * DAY)
    season = 20.0 + 6.0 * np.sin(2.0 * np.pi * hours / DAY) - 4.0 * (hours // DAY % 7 >= 5)
    return np.asarray(season + 2.0 * rng.standard_normal((series, days * DAY)))


def errors_of(residuals: np.ndarray | None) -> np.ndarray | None:
    if residuals is None:
        return None
    return residual_features(days_of(residuals, steps_per_day=DAY))


def checked(
    live: np.ndarray, *, residuals: np.ndarray | None = None, **given: object
) -> DriftReport:
    rng = np.random.default_rng(9)
    before = load(28, seed=0, series=len(live))
    of_training = None if residuals is None else rng.standard_normal(before.shape)
    return check_drift(
        Observed(values=before, residuals=errors_of(of_training)),
        Observed(values=live, residuals=errors_of(residuals)),
        steps_per_day=DAY,
        **given,  # type: ignore[arg-type]
    )


def test_more_of_the_same_is_no_drift() -> None:
    found = checked(load(14, seed=1))
    assert not found.drifted
    assert found.what == ()
    assert found.reason.startswith("no drift: ")


def test_a_higher_level_of_all_series_is_drift_and_is_named() -> None:
    found = checked(load(14, seed=1) + 10.0)
    assert found.drifted
    assert Feature.LEVEL in {one.feature for one in found.what}
    level = next(one for one in found.what if one.feature is Feature.LEVEL)
    assert level.share == 1.0
    assert level.change > 1.0
    assert "level of 100% of 20 series is +" in found.reason
    assert found.p_value <= 0.5


def test_drift_of_few_series_is_not_drift_of_the_panel() -> None:
    live = load(14, seed=1)
    live[:6] += 10.0
    assert not checked(live).drifted
    assert checked(live, policy=DriftPolicy(min_share=0.3)).drifted


def test_a_night_shift_keeps_the_level_and_is_seen_in_the_rhythm() -> None:
    live = np.roll(load(15, seed=1), 12, axis=1)[:, DAY:]
    found = checked(live)
    assert {one.feature for one in found.what} >= {Feature.RHYTHM}
    assert Feature.LEVEL not in {one.feature for one in found.what}


def test_biased_errors_are_drift_while_the_load_is_the_same() -> None:
    errors = np.random.default_rng(3).standard_normal((20, 14 * DAY)) + 1.0
    found = checked(load(14, seed=1), residuals=errors)
    assert {one.feature for one in found.what} == {Feature.BIAS, Feature.ERROR}


def test_errors_alone_are_compared_where_too_little_is_left_of_the_training() -> None:
    rng = np.random.default_rng(3)
    calm, biased = rng.standard_normal((2, 20, 14 * DAY))
    for shift, drifted in ((0.0, False), (1.0, True)):
        found = check_drift(
            Observed(values=load(10, seed=0), residuals=errors_of(calm)),
            Observed(values=load(18, seed=1) + 20.0, residuals=errors_of(biased + shift)),
            steps_per_day=DAY,
        )
        assert found.drifted is drifted
        assert {one.feature for one in found.what} <= {Feature.BIAS, Feature.ERROR}
    assert (
        "for a month of looks at forecast errors, above 0.5"
        in check_drift(
            Observed(values=load(10, seed=0), residuals=errors_of(calm)),
            Observed(values=load(18, seed=1), residuals=errors_of(biased)),
            steps_per_day=DAY,
        ).reason
    )


@pytest.mark.parametrize("residual_days", [None, 6, 7])
def test_errors_share_the_allowance_only_where_they_are_compared(
    residual_days: int | None,
) -> None:
    live = load(14, seed=1)
    live += 5.0
    alone = check_drift(Observed(values=load(28, seed=0)), Observed(values=live), steps_per_day=DAY)
    rng = np.random.default_rng(9)
    errors = [errors_of(rng.standard_normal((20, days * DAY))) for days in (14, residual_days or 7)]
    beside = check_drift(
        Observed(values=load(28, seed=0), residuals=errors[0]),
        Observed(values=live, residuals=errors[1] if residual_days else None),
        steps_per_day=DAY,
    )
    assert 0.0 < alone.p_value < 1.0
    shared = 7.0 / 5.0 if residual_days == 7 else 1.0
    assert beside.p_value == pytest.approx(shared * alone.p_value)


def test_a_single_series_can_drift() -> None:
    assert checked(load(28, seed=1, series=1) + 20.0).drifted
    assert not checked(load(28, seed=2, series=1)).drifted


def test_nothing_is_seen_in_the_cool_down() -> None:
    found = checked(load(14, seed=1) + 10.0, trained_at=NOW - timedelta(days=6), now=NOW)
    assert not found.drifted
    assert (
        found.reason == "no drift: trained 2026-03-24 00:00, not looked at before 2026-03-31 00:00"
    )
    assert checked(load(14, seed=1) + 10.0, trained_at=NOW - timedelta(days=7), now=NOW).drifted


def test_a_few_days_are_too_little_to_say_anything() -> None:
    found = checked(load(6, seed=1) + 10.0)
    assert found.reason == "no drift: 6 days since the training, 7 are needed"


def test_a_training_of_less_than_two_weeks_is_an_error() -> None:
    with pytest.raises(InsufficientHistoryError, match="found 312 h"):
        check_drift(
            Observed(values=load(13, seed=0)), Observed(values=load(7, seed=1)), steps_per_day=DAY
        )


def test_unknown_days_are_left_out_and_an_unknown_week_says_nothing() -> None:
    live = load(14, seed=1) + 10.0
    live[:, 9 * DAY : 10 * DAY] = np.nan
    assert checked(live).drifted
    assert not checked(np.full((20, 14 * DAY), np.nan)).drifted


def test_idle_machines_do_not_drift() -> None:
    zero = np.zeros((20, 28 * DAY))
    found = check_drift(Observed(values=zero), Observed(values=zero), steps_per_day=DAY)
    assert not found.drifted


def test_machines_that_were_idle_and_work_now_have_drifted() -> None:
    found = check_drift(
        Observed(values=np.zeros((20, 28 * DAY))),
        Observed(values=load(14, seed=1)),
        steps_per_day=DAY,
    )
    assert found.drifted
    assert "level of 100% of 20 series is no longer what it always was" in found.reason


def test_a_training_that_never_was_the_same_twice_shows_no_drift() -> None:
    weeks = 1e3 * np.repeat([0.0, 1.0, 2.0, 3.0], 7 * DAY)
    before = load(28, seed=0) + weeks
    found = check_drift(
        Observed(values=before), Observed(values=load(14, seed=1) - 1e3), steps_per_day=DAY
    )
    assert Feature.LEVEL not in {one.feature for one in found.what}


def test_distances_are_those_of_scipy_ties_and_gaps_included() -> None:
    rng = np.random.default_rng(2)
    before = rng.integers(0, 6, size=(30, 28)).astype(np.float64)
    after = rng.integers(1, 8, size=(30, 7)).astype(np.float64)
    before[::3, :5] = np.nan
    for one, other, found in zip(before, after, ks_distances(before, after), strict=True):
        expected = ks_2samp(one[np.isfinite(one)], other).statistic
        assert found == pytest.approx(expected)


def test_a_distance_to_nothing_is_unknown() -> None:
    assert np.isnan(ks_distances(np.full((1, 7), np.nan), np.ones((1, 7)))).all()


def test_days_that_resemble_their_neighbours_count_for_fewer() -> None:
    rng = np.random.default_rng(4)
    steps = rng.standard_normal((200, 60))
    following = steps.copy()
    for at in range(1, 60):
        following[:, at] = 0.7 * following[:, at - 1] + np.sqrt(1 - 0.49) * steps[:, at]
    # (1 - .7) / (1 + .7) is .18.
    assert independent_share(following).mean() == pytest.approx(0.18, abs=0.05)
    assert independent_share(steps).mean() > 0.75
    assert independent_share(np.ones((1, 28)))[0] > 0.9


def test_series_that_move_together_are_told_from_those_that_do_not() -> None:
    rng = np.random.default_rng(5)
    own, shared = rng.standard_normal((30, 1, 28)), rng.standard_normal((1, 1, 28))
    assert common_share(own)[0] == SMALLEST_COMMON
    assert common_share(own + shared)[0] == pytest.approx(0.25, abs=0.12)


def test_a_training_that_changes_itself_makes_differences_usual() -> None:
    rng = np.random.default_rng(6)
    steady = rng.standard_normal((30, 1, 28))
    weeks = steady + 5.0 * np.repeat([0.0, 1.0, 2.0, 3.0], 7)
    worth = np.ones((30, 1))
    assert usual_share(steady, worth=worth)[0] == pytest.approx(LEVEL, abs=0.03)
    assert usual_share(weeks, worth=worth)[0] > 0.4


@pytest.mark.parametrize(("differing", "common"), [(0, 0.05), (3, 0.02), (8, 0.3), (20, 0.1)])
def test_the_count_of_differing_series_is_beta_binomial(differing: int, common: float) -> None:
    spread = 1.0 / common - 1.0
    expected = betabinom.sf(differing - 1, 20, 0.04 * spread, 0.96 * spread)
    found = share_p_value(differing, series=20, usual=0.04, common=common)
    assert found == pytest.approx(expected, rel=1e-6)


def test_without_series_nothing_differs() -> None:
    assert share_p_value(0, series=0, usual=0.02, common=0.1) == 1.0
    assert few_p_value(np.array([np.nan]), share=0.5) == 1.0


def test_a_share_of_few_series_pays_for_being_chosen() -> None:
    assert few_p_value(np.array([0.001, 0.9, 0.01, 0.2]), share=0.5) == pytest.approx(0.02)
    assert few_p_value(np.array([0.001, np.nan]), share=0.4) == pytest.approx(0.001)


def test_a_day_is_reduced_to_the_numbers_worked_out_by_hand() -> None:
    training = np.array([[[1.0, 1.0, 3.0, 3.0], [2.0, 2.0, 6.0, 6.0]]])
    live = np.array([[[5.0, 5.0, 5.0, 5.0], [np.nan, np.nan, np.nan, 1.0]]])
    before, after = input_features(training, live)
    assert before.shape == (1, len(INPUTS), 2)
    # Level, spread, shape, share above the mean, and the distance from the other day.
    assert before[0, :, 0] == pytest.approx([2.0, 1.0, 1.0, 0.5, 1.0])
    assert before[0, :, 1] == pytest.approx([4.0, 2.0, 1.0, 0.5, 1.0])
    # The usual day is 1.5 below and above its mean; a constant day has no shape.
    assert after[0, :, 0] == pytest.approx([5.0, 0.0, np.nan, np.nan, 1.5], nan_ok=True)
    assert np.isnan(after[0, :, 1]).all()
