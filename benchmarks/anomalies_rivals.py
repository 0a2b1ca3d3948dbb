"""What the detector is compared with: scores of other detectors, from the same rows only.

- Windowed Gaussian: how unlikely a value is under a normal distribution over the window before it,
  with the window and the step that its authors published for the benchmark; at a threshold of 1 and
  without rest its published standard score is 39.6, which checks scorer and loader together.
- IsolationForest on lags and rolling statistics, fitted once on the rows of probation.
- A blind alarm every half probation: what alarms without looking are worth.
"""

from __future__ import annotations

import numpy as np
from scipy.special import erfc
from sklearn.ensemble import IsolationForest

from benchmarks.anomalies_scoring import probation_rows
from tasks.domain.arrays import FloatArray, IntArray

GAUSSIAN_WINDOW = 6_400
GAUSSIAN_STEP = 100
GAUSSIAN_DECIMALS = 12
"""The published scores were written with that many: what is nearer to 1 became 1."""
GAUSSIAN_PUBLISHED = 39.6
LEAST_DEVIATION = 1e-6
LAGS = (1, 2, 3, 6, 12)
SPANS = (6, 24)
TREES = 50


def windowed_gaussian(values: FloatArray) -> FloatArray:
    """Return 1 less the tail probability of each value, 0 to 1; 0 for the first."""
    found = 1.0 - 0.5 * erfc(windowed_deviations(values) / np.sqrt(2.0))
    found[0] = 0.0
    rounded: FloatArray = np.round(found, GAUSSIAN_DECIMALS)
    return rounded


def windowed_deviations(values: FloatArray) -> FloatArray:
    """Return how many deviations of the window before it each value is from its mean.

    The same order as `windowed_gaussian` gives, without the end of the scale at 1.
    """
    start, end = _window(len(values))
    centred = values - values.mean()
    sums = np.concatenate([[0.0], np.cumsum(centred)])
    squares = np.concatenate([[0.0], np.cumsum(centred**2)])
    count = np.maximum(end - start, 1)
    mean = (sums[end] - sums[start]) / count
    variance = (squares[end] - squares[start]) / count - mean**2
    # Differences of running sums leave a little where there is no variance at all.
    still = variance <= 1e-12 * np.maximum(squares[end] / np.maximum(end, 1), 1e-300)
    deviation = np.where(still, LEAST_DEVIATION, np.sqrt(np.maximum(variance, 0.0)))
    distance = np.where(np.isclose(centred, mean, rtol=1e-12), 0.0, np.abs(centred - mean))
    found: FloatArray = distance / deviation
    found[0] = 0.0
    return found


def _window(rows: int) -> tuple[IntArray, IntArray]:
    """Return first row, and row after the last, of the window that each row is judged by."""
    at = np.arange(rows)
    steps = np.maximum(at - GAUSSIAN_WINDOW, 0) // GAUSSIAN_STEP * GAUSSIAN_STEP
    return steps, np.minimum(at, GAUSSIAN_WINDOW) + steps


def isolation_forest(values: FloatArray, *, seed: int) -> FloatArray:
    """Return the forest's anomaly scores, about 0.3 to 0.8; fitted on the rows of probation."""
    features = _features(values)
    forest = IsolationForest(n_estimators=TREES, random_state=seed)
    forest.fit(features[: probation_rows(len(values))])
    scores: FloatArray = -forest.score_samples(features)
    return scores


def _features(values: FloatArray) -> FloatArray:
    """Return (rows, features): the value, its lags, and what rolling windows end with it."""
    columns = [values, *(_lagged(values, lag) for lag in LAGS)]
    for span in SPANS:
        windows = np.lib.stride_tricks.sliding_window_view(
            np.concatenate([np.full(span - 1, values[0]), values]), span
        )
        columns += [windows.mean(axis=1), windows.std(axis=1), windows.min(axis=1)]
        columns += [windows.max(axis=1), values - windows.mean(axis=1)]
    return np.column_stack(columns)


def _lagged(values: FloatArray, lag: int) -> FloatArray:
    return np.concatenate([np.full(lag, values[0]), values[:-lag]])


def blind_alarms(rows: int) -> IntArray:
    """Return the rows of an alarm every half probation, from the first row on."""
    return np.arange(0, rows, max(1, probation_rows(rows) // 2))
