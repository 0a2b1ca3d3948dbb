"""Recorded availability traces, and forecasts on them that never see what they foretell."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np

from benchmarks.harness import notice
from tasks.domain.arrays import FloatArray
from tasks.domain.spot.availability import AvailabilityPanel, Question
from tasks.domain.spot.availability_model import fit_availability_model, predict_availability
from tasks.domain.spot.pools import Pool

WARM_UP_FRACTION = 0.5
TYPE_NAMES = {
    "k80_1": "p2.xlarge",
    "k80_8": "p2.8xlarge",
    "v100_1": "p3.2xlarge",
    "v100_8": "p3.16xlarge",
}
"""What the traces' names mean on EC2."""


def load_traces(folder: Path | None, *, tick: timedelta | None = None) -> AvailabilityPanel:
    """Return the traces in folder/spot_availability, or a synthetic panel when there are none.

    Args:
        folder: Recordings in the layout of the data README.
        tick: Overrides the gap that the files state.
    """
    files = sorted((folder / "spot_availability").glob("*.json")) if folder else []
    if not files:
        notice("no availability traces found: synthetic ones, whose scores prove nothing")
        return synthetic_traces(pools=4, ticks=1600, seed=11)
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


def origins(panel: AvailabilityPanel, *, steps: int) -> range:
    """Return the ticks of the second half whose horizon ends within the recording."""
    return range(int(panel.ticks * WARM_UP_FRACTION), panel.ticks - steps)


def rolling_forecasts(
    panel: AvailabilityPanel,
    *,
    horizons: Sequence[timedelta],
    refit_every: timedelta,
    question: Question = Question.AVAILABLE,
) -> dict[timedelta, FloatArray]:
    """Return the model's forecasts at every tick of the second half, (n, ticks); NaN before.

    The model is fitted again at the given pace, each time on nothing but the ticks before.
    """
    found = {horizon: np.full(panel.up.shape, np.nan) for horizon in horizons}
    pace = panel.steps(refit_every)
    for first in range(int(panel.ticks * WARM_UP_FRACTION), panel.ticks, pace):
        model = fit_availability_model(panel.until(first), horizons=horizons, question=question)
        ticks = range(first, min(first + pace, panel.ticks))
        for horizon, probability in predict_availability(model, panel, at=ticks).items():
            found[horizon][:, ticks] = probability
    return found
