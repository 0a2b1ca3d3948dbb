"""The availability model looks back only, learns what is there, and distrusts itself otherwise."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from tasks.domain.arrays import BoolArray
from tasks.domain.errors import InsufficientHistoryError
from tasks.domain.spot.availability import (
    AvailabilityPanel,
    brier_score,
    transition_table,
)
from tasks.domain.spot.availability_features import (
    availability_features,
    clock_rate,
    recent_rate,
)
from tasks.domain.spot.availability_model import fit_availability_model, predict_availability
from tasks.domain.spot.pools import Pool

HOUR = timedelta(hours=1)


def panel(up: BoolArray, *, tick: timedelta = HOUR) -> AvailabilityPanel:
    pools = [Pool(availability_zone=f"z{i}", instance_type="p3.2xlarge") for i in range(len(up))]
    return AvailabilityPanel(pools=tuple(pools), tick=tick, up=up)


def market(*, days: int = 30, pools: int = 4, seed: int = 5) -> AvailabilityPanel:
    """Short by day and plentiful by night, with noise of its own in each pool."""
    rng = np.random.default_rng(seed)
    night = np.arange(24 * days) % 24 < 12
    return panel(rng.random((pools, 24 * days)) < np.where(night, 0.9, 0.2))


def test_recent_rate_fades_with_its_half_life() -> None:
    found = recent_rate(panel(np.array([[True, False]])), HOUR)
    np.testing.assert_allclose(found, [[(1 + 0.5) / 2, (0.5 + 0.5) / 2.5]])


def test_clock_rate_remembers_the_hour_of_the_day() -> None:
    up = np.tile(np.arange(24) < 12, 10)[None, :]
    rate = clock_rate(panel(up), steps=6)
    # At 22:00 the target is 04:00, always up; at 10:00 it is 16:00, always down.
    assert rate[0, 9 * 24 + 22] > 0.85
    assert rate[0, 9 * 24 + 10] < 0.15


@pytest.mark.parametrize("steps", [1, 6, 24])
def test_no_feature_depends_on_a_later_tick(steps: int) -> None:
    known = market(days=8)
    altered = known.up.copy()
    altered[:, 100:] = ~altered[:, 100:]
    before = availability_features(known, steps=steps)
    after = availability_features(panel(altered), steps=steps)
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one[:, :100], other[:, :100])
        assert not np.array_equal(one[:, 100:], other[:, 100:])


def test_a_forecast_does_not_change_when_the_future_becomes_known() -> None:
    whole = market()
    model = fit_availability_model(whole.until(400), horizons=[6 * HOUR])
    then = predict_availability(model, whole.until(451), at=[450])[6 * HOUR]
    later = predict_availability(model, whole, at=[450])[6 * HOUR]
    np.testing.assert_array_equal(then, later)
    assert then.shape == (4, 1)


def test_without_ticks_the_last_one_is_meant() -> None:
    whole = market()
    model = fit_availability_model(whole, horizons=[HOUR])
    last = predict_availability(model, whole)[HOUR]
    np.testing.assert_array_equal(last, predict_availability(model, whole, at=[719])[HOUR])


def test_it_beats_the_table_where_the_clock_decides() -> None:
    whole, steps = market(), 6
    model = fit_availability_model(whole.until(480), horizons=[6 * HOUR])
    ticks = range(480, whole.ticks - steps)
    happened = whole.up[:, 480 + steps :]
    found = brier_score(predict_availability(model, whole, at=ticks)[6 * HOUR], happened)
    table = brier_score(transition_table(whole, steps=steps)[:, ticks], happened)
    assert found is not None
    assert table is not None
    assert found < 0.8 * table


def test_it_stays_with_the_table_where_there_is_nothing_to_learn() -> None:
    rng = np.random.default_rng(1)
    whole = panel(rng.random((4, 720)) < 0.6)
    model = fit_availability_model(whole.until(480), horizons=[6 * HOUR])
    ticks = range(480, 714)
    happened = whole.up[:, 486:]
    found = brier_score(predict_availability(model, whole, at=ticks)[6 * HOUR], happened)
    table = brier_score(transition_table(whole, steps=6)[:, ticks], happened)
    assert found is not None
    assert table is not None
    assert found < 1.02 * table


def test_it_trusts_itself_only_as_far_as_the_trial_bears_out() -> None:
    steady = market(days=20)
    reversed_late = steady.up.copy()
    late = int(0.7 * steady.ticks)
    reversed_late[:, late:] = ~reversed_late[:, late:]
    trusted, doubted = (
        fit_availability_model(given, horizons=[6 * HOUR]).horizons[6 * HOUR].trust
        for given in (steady, panel(reversed_late))
    )
    assert trusted > 0.8
    assert doubted < trusted - 0.2


@pytest.mark.parametrize("up", [True, False])
def test_a_pool_that_never_changed_gets_neither_zero_nor_one(up: bool) -> None:
    whole = panel(np.full((1, 400), up))
    model = fit_availability_model(whole, horizons=[HOUR])
    found = float(predict_availability(model, whole)[HOUR][0, 0])
    assert 0.0 < found < 1.0
    assert (found > 0.9) is up


def test_equal_panels_give_equal_models() -> None:
    one, other = (fit_availability_model(market(), horizons=[HOUR]) for _ in range(2))
    np.testing.assert_array_equal(one.horizons[HOUR].weights, other.horizons[HOUR].weights)
    assert 0.0 <= one.horizons[HOUR].trust <= 1.0


def test_too_short_a_history_is_refused_with_what_it_takes() -> None:
    with pytest.raises(
        InsufficientHistoryError, match="found 100 h of history, needs at least 120"
    ):
        fit_availability_model(market().until(100), horizons=[24 * HOUR])
