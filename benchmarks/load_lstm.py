"""The first idea's LSTM on hourly load, for the record: same origins, same scorer.

Run with `python -m benchmarks.load_lstm [--data DIR] [--quick] [--json]`. One network for all series,
fitted anew at each origin on windows of the last 30 days; each window is centred on its last day and
divided by the scale of its series. Keras is no dependency of the project: install it with
`uv pip install "keras>=3.10" "jax>=0.7"`. Without it the figures are left out.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Sequence
from types import ModuleType

import numpy as np

from benchmarks.harness import (
    Metrics,
    Options,
    notice,
    parse_options,
    progress,
    publish,
    show_table,
)
from benchmarks.load_data import HORIZON, Recording, load_recordings, usable_rows
from benchmarks.load_scoring import HORIZONS, naive_forecasts, scales
from tasks.domain.arrays import FloatArray
from tasks.domain.scores import skill

SEED = 20
LOOK_BACK = 48
UNITS = 32
PASSES = 4
BATCH = 256
EVERY = 13
"""Hours between the windows that are learned from; no divisor of a day."""
FARTHEST = 20.0
"""Scaled values are cut off here: single spikes would decide the fit."""
ORIGINS = 3
QUICK_SERIES = 40
NEEDED = ("keras", "jax")


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print tables, and with --json one line of figures."""
    options = parse_options("load_lstm", argv)
    publish(options, measure(options))


def measure(options: Options) -> Metrics:
    """Return the skill of the network over the daily naive; empty without Keras."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        notice(
            f"{' and '.join(missing)} not installed, rival_lstm_* are left out; "
            'uv pip install "keras>=3.10" "jax>=0.7" brings them'
        )
        return {}
    metrics: Metrics = {}
    for recording in load_recordings(options.data):
        metrics |= lstm_metrics(recording, quick=options.quick)
    show_table("LSTM against the daily naive", ["", "skill"], list(metrics.items()))
    return metrics


def lstm_metrics(recording: Recording, *, quick: bool) -> Metrics:
    """Return the skill at some of the later origins, of all usable series."""
    origins = recording.origins(later=True)
    at = np.unique(np.linspace(0, len(origins) - 1, 1 if quick else ORIGINS).astype(int))
    ours: list[FloatArray] = []
    naive: list[FloatArray] = []
    for origin in (origins[one] for one in at):
        history = recording.seen(origin).values
        rows = np.flatnonzero(usable_rows(history))[: QUICK_SERIES if quick else None]
        history, actual = history[rows], recording.truth(origin)[rows]
        scale = scales(history)[:, None]
        daily = naive_forecasts(history, horizon=HORIZON)["daily_naive"]
        naive.append(np.abs(actual - daily) / scale)
        ours.append(np.abs(actual - lstm_forecasts(history, seed=SEED)) / scale)
        shown = _skills(ours[-1:], naive[-1:])
        progress(f"{recording.name} hour {origin}, LSTM on {len(rows)} series: {shown}")
    return {
        f"rival_lstm_{recording.name}_mase_skill_{horizon}h": found
        for horizon, found in _skills(ours, naive).items()
    }


def _skills(ours: Sequence[FloatArray], naive: Sequence[FloatArray]) -> dict[int, float | None]:
    """Return the skill over the daily naive at each horizon."""
    return {
        horizon: skill(_mean(ours, horizon), reference_error=_mean(naive, horizon))
        for horizon in HORIZONS
    }


def lstm_forecasts(history: FloatArray, *, seed: int) -> FloatArray:
    """Return (n, HORIZON) forecasts of (n, hours) histories; gaps are bridged by straight lines."""
    keras = _keras()
    keras.utils.set_random_seed(seed)
    filled = np.stack([_filled(one) for one in history])
    scale = scales(history)
    windows, targets = training_windows(filled, scale)
    model = keras.Sequential(
        [
            keras.Input((LOOK_BACK, 1)),
            keras.layers.LSTM(UNITS),
            keras.layers.Dense(HORIZON),
        ]
    )
    model.compile(optimizer=keras.optimizers.Adam(3e-3), loss="mae")
    model.fit(windows[..., None], targets, epochs=PASSES, batch_size=BATCH, verbose=0)
    centre = filled[:, -24:].mean(axis=1)
    latest = _scaled(filled[:, -LOOK_BACK:], centre, scale)
    found = model.predict(latest[..., None], batch_size=BATCH, verbose=0)
    forecast = np.asarray(found, dtype=np.float64) * scale[:, None] + centre[:, None]
    return np.asarray(np.maximum(forecast, 0.0), dtype=np.float64)


def training_windows(filled: FloatArray, scale: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return (windows, LOOK_BACK) inputs and (windows, HORIZON) targets, scaled alike.

    Args:
        filled: (n, hours) without gaps; nothing after its end is touched.
        scale: (n,) above 0.
    """
    inputs, targets = [], []
    for end in range(LOOK_BACK, filled.shape[1] - HORIZON + 1, EVERY):
        seen = filled[:, end - LOOK_BACK : end]
        centre = seen[:, -24:].mean(axis=1)
        inputs.append(_scaled(seen, centre, scale))
        targets.append(_scaled(filled[:, end : end + HORIZON], centre, scale))
    return np.concatenate(inputs), np.concatenate(targets)


def _scaled(values: FloatArray, centre: FloatArray, scale: FloatArray) -> FloatArray:
    scaled = (values - centre[:, None]) / scale[:, None]
    return np.asarray(np.clip(scaled, -FARTHEST, FARTHEST), dtype=np.float64)


def _filled(history: FloatArray) -> FloatArray:
    known = np.flatnonzero(~np.isnan(history))
    return np.interp(np.arange(len(history)), known, history[known])


def _keras() -> ModuleType:
    # Read by Keras when it is imported; TensorFlow is its default and not needed.
    os.environ.setdefault("KERAS_BACKEND", "jax")
    return importlib.import_module("keras")


def _mean(errors: Sequence[FloatArray], horizon: int) -> float:
    return float(np.nanmean(np.concatenate(errors)[:, :horizon]))


if __name__ == "__main__":
    main()
