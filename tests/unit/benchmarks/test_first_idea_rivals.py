from __future__ import annotations

import numpy as np
import pytest

from benchmarks.anomalies_autoencoder import rebuilding_errors
from benchmarks.anomalies_originals import CONTAMINATION, fitted_threshold, measured
from benchmarks.anomalies_scoring import probation_rows
from benchmarks.harness import Options
from benchmarks.load_lstm import LOOK_BACK, training_windows
from tasks.domain.arrays import FloatArray


def waves(rows: int, *, seed: int = 0) -> FloatArray:
    noise = np.random.default_rng(seed).normal(0.0, 0.05, rows)
    return np.asarray(np.sin(np.arange(rows) / 8.0) + noise, dtype=np.float64)


def test_a_window_of_another_shape_is_rebuilt_worse() -> None:
    values = waves(1_200)
    values[900:932] = np.tile([2.0, -2.0], 16)
    errors = rebuilding_errors(values, seed=0)
    assert errors[931] > 2.0 * np.quantile(errors[200:890], 0.95)


def test_errors_of_earlier_rows_know_nothing_of_later_ones() -> None:
    values = waves(600)
    later = values.copy()
    later[400:] += 5.0
    before, after = (rebuilding_errors(one, seed=0)[:400] for one in (values, later))
    assert before == pytest.approx(after)


def test_a_still_series_has_errors_that_are_numbers() -> None:
    assert np.isfinite(rebuilding_errors(np.full(300, 7.0), seed=0)).all()


def test_the_fitted_threshold_leaves_its_share_of_probation_above() -> None:
    scores = np.arange(2_000.0)
    first = probation_rows(len(scores))
    above = (scores[:first] > fitted_threshold(scores)).mean()
    assert above == pytest.approx(CONTAMINATION, abs=0.005)


def test_a_detector_is_judged_as_meant_with_a_rest_and_at_thresholds_looked_for() -> None:
    options = Options(data=None, quick=True, as_json=False)
    found = measured("distance", lambda values: np.abs(values - values[:300].mean()), options)
    meant, rested = (found[f"rival_distance_nab_standard{end}"] for end in ("", "_with_rest"))
    best, other = (found[f"rival_distance_nab_{end}"] for end in ("best_threshold", "cross_half"))
    assert meant is not None
    assert rested is not None
    assert best is not None
    assert other is not None
    # A distance finds the level shifts; alarms all along one cost what it is worth.
    assert meant < rested
    assert best > meant
    assert 0.0 < other <= 100.0


def test_windows_are_scaled_by_what_was_known_at_their_end() -> None:
    filled = np.arange(200.0)[None, :]
    inputs, targets = training_windows(filled, np.array([1.0]))
    assert inputs.shape[1] == LOOK_BACK
    # A straight line: every target is the same distance above the mean of the day before.
    assert np.allclose(targets[:, 0], 12.5)
    assert np.allclose(inputs[:, -1], 11.5)
