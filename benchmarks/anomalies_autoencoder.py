"""The first idea's autoencoder, which calls windows strange that it cannot rebuild, for the record.

Run with `python -m benchmarks.anomalies_autoencoder [--data DIR] [--quick] [--json]`. A perceptron
with a narrow middle learns to rebuild the windows of probation; the score of a row is the error on
the window that ends there. How it is judged is in anomalies_originals.py.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

from benchmarks.anomalies_originals import measured
from benchmarks.anomalies_scoring import probation_rows
from benchmarks.harness import Metrics, Options, parse_options, publish
from tasks.domain.arrays import FloatArray

SEED = 20
WINDOW = 32
LAYERS = (16, 4, 16)
ROUNDS = 60
"""Passes over the windows; more learns the noise of a few hundred of them."""


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print a table, and with --json one line of figures."""
    options = parse_options("anomalies_autoencoder", argv)
    publish(options, measure(options))


def measure(options: Options) -> Metrics:
    """Return the figures of the autoencoder, keys starting with rival_autoencoder_."""
    return measured("autoencoder", lambda values: rebuilding_errors(values, seed=SEED), options)


def rebuilding_errors(values: FloatArray, *, seed: int) -> FloatArray:
    """Return (rows,) root mean square error of the window ending at each row, in deviations.

    Args:
        values: (rows,); scaled by mean and deviation of the rows of probation, which are the only
            ones learned from.
        seed: Of the first weights.
    """
    fitted = max(probation_rows(len(values)), 2)
    deviation = float(values[:fitted].std()) or 1.0
    scaled = (values - values[:fitted].mean()) / deviation
    windows = np.lib.stride_tricks.sliding_window_view(
        np.concatenate([np.full(WINDOW - 1, scaled[0]), scaled]), WINDOW
    )
    model = MLPRegressor(
        hidden_layer_sizes=LAYERS, activation="tanh", max_iter=ROUNDS, random_state=seed
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(windows[:fitted], windows[:fitted])
    errors: FloatArray = np.sqrt(((model.predict(windows) - windows) ** 2).mean(axis=1))
    return errors


if __name__ == "__main__":
    main()
