"""How well availability is foretold: Brier scores on recorded traces, beside naive forecasts.

Every forecast is out of sample: an origin is a tick of the second half of the recording, and
nothing at or after the ticks it foretells, of any trace, has been used. What is fitted is fitted
again for every day of origins, on the ticks before that day.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from benchmarks.harness import parse_options, publish, show_table
from benchmarks.spot_losses import loss_metrics
from benchmarks.spot_traces import load_traces, origins, rolling_forecasts
from tasks.domain.arrays import FloatArray
from tasks.domain.spot.availability import (
    AvailabilityPanel,
    brier_score,
    last_state,
    long_run_rate,
    outcomes,
    transition_table,
)

HORIZONS = {"1h": timedelta(hours=1), "6h": timedelta(hours=6), "24h": timedelta(hours=24)}

Forecast = Callable[[AvailabilityPanel, timedelta], FloatArray]
"""Returns (n, ticks), causal."""

BASELINES: dict[str, Forecast] = {
    "last_state": lambda panel, _: last_state(panel),
    "long_run": lambda panel, _: long_run_rate(panel),
    "two_state": lambda panel, horizon: transition_table(panel, steps=panel.steps(horizon)),
}


def scored(panel: AvailabilityPanel, probability: FloatArray, *, steps: int) -> float | None:
    """Return the Brier score of forecasts made at every tick of the second half."""
    ticks = origins(panel, steps=steps)
    return brier_score(probability[:, ticks], outcomes(panel, steps=steps)[:, ticks])


def availability_metrics(data: Path | None, *, quick: bool) -> dict[str, float | None]:
    """Return Brier scores of the model and of naive forecasts, 1, 6, 24 hours and a tick ahead.

    Args:
        data: Folder in the layout of the data README; None for synthetic traces.
        quick: Score the stated tick length only, and fit every three days instead of daily.

    Returns:
        `availability_brier_<horizon>` and `baseline_<name>_brier_<horizon>`, and what
        `loss_metrics` gives; the Brier scores also, unless quick, with the suffix `_300s`, read with
        ticks of 300 s, which the authors' notes suggest where their files say 600.
    """
    pace = timedelta(days=3 if quick else 1)
    panel = load_traces(data)
    metrics = _panel_metrics(panel, pace=pace)
    metrics |= loss_metrics(panel, horizons=HORIZONS, pace=pace)
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
    _show_losses(metrics)
    publish(options, metrics)


def _show(metrics: dict[str, float | None], *, suffix: str, title: str) -> None:
    labels = ("1tick", *HORIZONS)
    rows = [
        [name.replace("_", " "), *(metrics[f"{key}_brier_{label}{suffix}"] for label in labels)]
        for name, key in [("model", "availability"), *((n, f"baseline_{n}") for n in BASELINES)]
    ]
    show_table(title, ["forecast", *labels], rows)


def _show_losses(metrics: dict[str, float | None]) -> None:
    """Print how well interruptions and joint losses are foretold; every row has its rival."""
    pairs = [(f"interruption_brier_{label}", "two_state") for label in HORIZONS]
    pairs += [(f"losses_{score}_1h", "independent") for score in ("crps", "log_score")]
    rows = [[key, metrics[key], rival, metrics[f"baseline_{rival}_{key}"]] for key, rival in pairs]
    show_table("Interruptions of pools that are up", ["score", "ours", "rival", "its"], rows)
    rows = [[kind, metrics[f"loss_correlation_{kind}_1h"]] for kind in ("same_type", "other")]
    show_table("Latent correlation of losses in 1 h", ["pairs", "correlation"], rows)


if __name__ == "__main__":
    main()
