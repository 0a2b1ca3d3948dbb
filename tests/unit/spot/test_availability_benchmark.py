"""The judge of availability forecasts: nothing it scores has seen what it foretells."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from benchmarks.spot_availability import HORIZONS, availability_metrics, scored
from benchmarks.spot_traces import load_traces, origins, rolling_forecasts, synthetic_traces
from tasks.domain.spot.availability import last_state, transition_table

DAY = timedelta(days=1)


def test_forecasts_of_earlier_origins_do_not_know_later_ticks() -> None:
    whole = synthetic_traces(pools=3, ticks=1600, seed=1)
    altered = whole.up.copy()
    altered[:, 1200:] = ~altered[:, 1200:]
    horizons = [timedelta(hours=6)]
    before, after = (
        rolling_forecasts(given, horizons=horizons, refit_every=DAY)[horizons[0]]
        for given in (whole, replace(whole, up=altered))
    )
    assert np.isnan(before[:, :800]).all()
    assert np.isfinite(before[:, 800:]).all()
    np.testing.assert_array_equal(before[:, 800:1200], after[:, 800:1200])
    assert not np.array_equal(before[:, 1200:], after[:, 1200:])


def test_origins_are_the_second_half_up_to_the_last_full_horizon() -> None:
    assert origins(synthetic_traces(pools=1, ticks=10, seed=1), steps=3) == range(5, 7)


def test_the_score_of_the_last_state_is_the_share_of_changes() -> None:
    panel = synthetic_traces(pools=2, ticks=400, seed=1)
    changes = (panel.up[:, 200:399] != panel.up[:, 201:]).mean()
    assert scored(panel, last_state(panel), steps=1) == pytest.approx(float(changes))
    assert scored(panel, transition_table(panel, steps=1), steps=1) != pytest.approx(changes)


def test_without_a_folder_the_keys_are_there_and_it_says_that_nothing_is_proved(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert load_traces(None).ticks == 1600
    metrics = availability_metrics(None, quick=True)
    assert "prove nothing" in capsys.readouterr().out
    for label in HORIZONS:
        assert 0.0 < (metrics[f"availability_brier_{label}"] or 0.0) < 0.25
        assert f"baseline_two_state_brier_{label}" in metrics
        assert f"interruption_brier_{label}" in metrics
