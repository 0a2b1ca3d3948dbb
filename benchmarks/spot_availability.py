"""How well availability is foretold: Brier scores on recorded traces, beside naive forecasts.

Every forecast is out of sample: an origin is a tick of the second half of the recording, and
nothing at or after the ticks it foretells, of any trace, has been used. What is fitted is fitted
again for every day of origins, on the ticks before that day.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np

from benchmarks.harness import notice, parse_options, publish, show_table
from tasks.domain.arrays import BoolArray, FloatArray
from tasks.domain.spot.availability import (
    AvailabilityPanel,
    brier_score,
    last_state,
    long_run_rate,
    transition_table,
)
from tasks.domain.spot.availability_model import fit_availability_model, predict_availability
from tasks.domain.spot.coincidence import mean_loss_correlation
from tasks.domain.spot.pools import Pool

HORIZONS = {"1h": timedelta(hours=1), "6h": timedelta(hours=6), "24h": timedelta(hours=24)}
WARM_UP_FRACTION = 0.5
TYPE_NAMES = {
    "k80_1": "p2.xlarge",
    "k80_8": "p2.8xlarge",
    "v100_1": "p3.2xlarge",
    "v100_8": "p3.16xlarge",
}
"""What the traces' names mean on EC2."""

Forecast = Callable[[AvailabilityPanel, timedelta], FloatArray]
"""Returns (n, ticks), causal."""

BASELINES: dict[str, Forecast] = {
    "last_state": lambda panel, _: last_state(panel),
    "long_run": lambda panel, _: long_run_rate(panel),
    "two_state": lambda panel, horizon: transition_table(panel, steps=panel.steps(horizon)),
}


def load_traces(folder: Path | None, *, tick: timedelta | None = None) -> AvailabilityPanel:
    """Return the traces in folder/spot_availability, or a synthetic panel when there are none.

    Args:
        folder: Recordings in the layout of the data README.
        tick: Overrides the gap that the files state.
    """
    files = sorted((folder / "spot_availability").glob("*.json")) if folder else []
    if not files:
        notice("no availability traces found: synthetic ones, whose scores prove nothing")
        return synthetic_traces(pools=6, ticks=2000, seed=11)
    traces = [json.loads(file.read_text()) for file in files]
    ticks = min(len(trace["data"]) for trace in traces)
    return AvailabilityPanel(
        pools=tuple(_pool(file.stem) for file in files),
        tick=tick or timedelta(seconds=traces[0]["metadata"]["gap_seconds"]),
        up=np.array([np.asarray(trace["data"][:ticks]) > 0 for trace in traces]),
    )


def _pool(stem: str) -> Pool:
    zone, _, kind = stem.partition("_")
    return Pool(availability_zone=zone, instance_type=TYPE_NAMES.get(kind, kind.replace("_", ".")))


def synthetic_traces(*, pools: int, ticks: int, seed: int) -> AvailabilityPanel:
    """Return two-state Markov traces that share their bad days."""
    rng = np.random.default_rng(seed)
    strain = np.repeat(rng.random(ticks // 144 + 1) < 0.4, 144)[:ticks]
    up = np.ones((pools, ticks), dtype=bool)
    for tick in range(1, ticks):
        leave = np.where(up[:, tick - 1], 0.005 + 0.1 * strain[tick], 0.06)
        up[:, tick] = up[:, tick - 1] ^ (rng.random(pools) < leave)
    names = [
        Pool(availability_zone="us-west-2a", instance_type=f"p{i}.xlarge") for i in range(pools)
    ]
    return AvailabilityPanel(pools=tuple(names), tick=timedelta(minutes=10), up=up)


def scored(panel: AvailabilityPanel, probability: FloatArray, *, steps: int) -> float | None:
    """Return the Brier score of forecasts made at every tick of the second half."""
    origins = np.arange(int(panel.ticks * WARM_UP_FRACTION), panel.ticks - steps)
    happened: BoolArray = panel.up[:, origins + steps]
    return brier_score(probability[:, origins], happened)


def rolling_forecasts(
    panel: AvailabilityPanel, *, horizons: Sequence[timedelta], refit_every: timedelta
) -> dict[timedelta, FloatArray]:
    """Return the model's forecasts at every tick of the second half, (n, ticks); NaN before.

    The model is fitted again at the given pace, each time on nothing but the ticks before.
    """
    found = {horizon: np.full(panel.up.shape, np.nan) for horizon in horizons}
    pace = panel.steps(refit_every)
    for first in range(int(panel.ticks * WARM_UP_FRACTION), panel.ticks, pace):
        model = fit_availability_model(panel.until(first), horizons=horizons)
        ticks = range(first, min(first + pace, panel.ticks))
        for horizon, probability in predict_availability(model, panel, at=ticks).items():
            found[horizon][:, ticks] = probability
    return found


def availability_metrics(data: Path | None, *, quick: bool) -> dict[str, float | None]:
    """Return Brier scores of the model and of naive forecasts, 1, 6, 24 hours and a tick ahead.

    Args:
        data: Folder in the layout of the data README; None for synthetic traces.
        quick: Score the stated tick length only, and fit every three days instead of daily.

    Returns:
        `availability_brier_<horizon>` and `baseline_<name>_brier_<horizon>`, and the latent
        `loss_correlation_{same_type,other}_1h`; the scores also, unless quick, with the suffix `_300s`, read with
        ticks of 300 s, which the authors' notes suggest where their files say 600.
    """
    pace = timedelta(days=3 if quick else 1)
    panel = load_traces(data)
    metrics = _panel_metrics(panel, pace=pace)
    for label, same_type in (("same_type", True), ("other", False)):
        metrics[f"loss_correlation_{label}_1h"] = mean_loss_correlation(
            panel, horizon=HORIZONS["1h"], same_type=same_type
        )
    if not quick:
        other = _panel_metrics(load_traces(data, tick=timedelta(seconds=300)), pace=pace)
        metrics |= {f"{key}_300s": value for key, value in other.items()}
    return metrics


def _panel_metrics(panel: AvailabilityPanel, *, pace: timedelta) -> dict[str, float | None]:
    horizons = {"1tick": panel.tick, **HORIZONS}
    model = rolling_forecasts(panel, horizons=tuple(horizons.values()), refit_every=pace)
    forecasts: dict[str, Forecast] = {"availability": lambda _, horizon: model[horizon]}
    forecasts |= {f"baseline_{name}": forecast for name, forecast in BASELINES.items()}
    return {
        f"{name}_brier_{label}": scored(panel, forecast(panel, horizon), steps=panel.steps(horizon))
        for name, forecast in forecasts.items()
        for label, horizon in horizons.items()
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Print the scores as a table, and as JSON when asked for."""
    options = parse_options("spot_availability", argv)
    metrics = availability_metrics(options.data, quick=options.quick)
    for suffix, title in (("", "as the files say"), ("_300s", "if a tick is 300 s")):
        if f"baseline_two_state_brier_1h{suffix}" in metrics:
            _show(metrics, suffix=suffix, title=f"Brier score of availability, {title}")
    rows = [[label, metrics[f"loss_correlation_{label}_1h"]] for label in ("same_type", "other")]
    show_table("Latent correlation of losses within an hour", ["pairs", "correlation"], rows)
    publish(options, metrics)


def _show(metrics: dict[str, float | None], *, suffix: str, title: str) -> None:
    labels = ("1tick", *HORIZONS)
    rows = [
        [name.replace("_", " "), *(metrics[f"{key}_brier_{label}{suffix}"] for label in labels)]
        for name, key in [("model", "availability"), *((n, f"baseline_{n}") for n in BASELINES)]
    ]
    show_table(title, ["forecast", *labels], rows)


if __name__ == "__main__":
    main()
