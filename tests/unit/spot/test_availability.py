"""Naive availability forecasts, by hand-computed numbers."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from tasks.domain.errors import PermanentError
from tasks.domain.spot.availability import (
    AvailabilityPanel,
    Question,
    brier_score,
    last_state,
    long_run_rate,
    outcomes,
    transition_table,
)
from tasks.domain.spot.pools import Pool


def panel(*rows: str) -> AvailabilityPanel:
    return AvailabilityPanel(
        pools=tuple(Pool(availability_zone="z", instance_type=f"t{i}") for i in range(len(rows))),
        tick=timedelta(minutes=10),
        up=np.array([[c == "1" for c in row] for row in rows]),
    )


def test_last_state_repeats_what_is() -> None:
    assert last_state(panel("10")).tolist() == [[1.0, 0.0]]


def test_long_run_rate_is_laplaces_rule() -> None:
    np.testing.assert_allclose(long_run_rate(panel("110")), [[2 / 3, 3 / 4, 3 / 5]])


def test_transition_table_counts_only_completed_pairs() -> None:
    # Pairs two ticks apart, complete at t=2: (1, 1); at t=3: (0, 0) as well; at t=4: (1, 0).
    found = transition_table(panel("10100"), steps=2)
    np.testing.assert_allclose(found, [[1 / 2, 1 / 2, 2 / 3, 1 / 3, 1 / 3]])


def test_transition_table_of_a_trace_shorter_than_the_horizon_knows_nothing() -> None:
    np.testing.assert_allclose(transition_table(panel("101"), steps=5), 0.5)


def test_uninterrupted_is_capacity_at_every_tick_until_then() -> None:
    found = outcomes(panel("10111"), steps=2, question=Question.UNINTERRUPTED)
    assert found.tolist() == [[False, True, True]]
    assert outcomes(panel("10111"), steps=2).tolist() == [[True, True, True]]
    assert outcomes(panel("1"), steps=2, question=Question.UNINTERRUPTED).shape == (1, 0)


def test_the_table_of_survival_counts_what_lasted() -> None:
    # Up at 0: lost at 1; up at 2: lasted until 4; so one of two, by Laplace's rule 2/4.
    found = transition_table(panel("10111"), steps=2, question=Question.UNINTERRUPTED)
    assert found[0, -1] == 2 / 4


def test_no_forecast_depends_on_what_comes_later() -> None:
    known, other = panel("1101000110"), panel("1101011001")
    for forecast in (last_state, long_run_rate, lambda p: transition_table(p, steps=2)):
        np.testing.assert_array_equal(forecast(known)[:, :5], forecast(other)[:, :5])


def test_brier_score_is_the_mean_squared_error() -> None:
    assert brier_score(np.array([0.5, 1.0]), np.array([True, False])) == pytest.approx(0.625)
    assert brier_score(np.array([]), np.array([], dtype=bool)) is None


def test_horizons_round_to_whole_ticks() -> None:
    assert panel("1").steps(timedelta(hours=1)) == 6
    assert panel("1").steps(timedelta(seconds=1)) == 1


def test_rows_that_do_not_fit_the_pools_are_refused() -> None:
    with pytest.raises(PermanentError, match="one row of ticks per pool"):
        AvailabilityPanel(pools=(), tick=timedelta(minutes=1), up=np.ones((2, 3), dtype=bool))
