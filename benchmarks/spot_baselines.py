"""Naive forecasts and rivals at the same origins, scored like the forecaster."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from benchmarks.harness import Metrics, progress, show_table
from benchmarks.spot_data import Recording
from benchmarks.spot_rivals import Rival, rivals
from tasks.domain.arrays import FloatArray, IntArray
from tasks.domain.scores import skill
from tasks.domain.spot.baselines import empirical_quantiles, seasonal_naive
from tasks.domain.spot.forecaster import forecast_panel
from tasks.domain.spot.forecasts import HORIZONS_HOURS
from tasks.domain.spot.pools import PricePanel

ErrorPairs = dict[str, tuple[FloatArray, FloatArray]]
"""Per forecaster: its errors and those of the last value, both over each pool's mean price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subset:
    """Where forecasters are judged that take too long to fit on every pool.

    Attributes:
        pools: Pools drawn at random among those that moved in the window, at each origin.
        origins: Origins, spread evenly over all.
        seed: Seed of the draw.
    """

    pools: int
    origins: int
    seed: int


def baseline_metrics(recording: Recording, *, step_hours: int, subset: Subset) -> Metrics:
    """Judge naive forecasts on every pool and origin, rivals fitted per pool on a subset."""
    found: Metrics = {}
    for horizon in HORIZONS_HOURS:
        origins = recording.origins(horizon_hours=horizon, step_hours=step_hours)
        if not origins:
            continue
        few = origins[:: max(1, -(-len(origins) // subset.origins))]
        naive = [_naive_errors(recording, at, horizon) for at in origins]
        slow = [_rival_errors(recording, at, horizon, subset=subset) for at in few]
        skills = _skills(naive) | _skills([one.rivals for one in slow])
        found |= {f"baseline_{name}_mae_skill_{horizon}h": skills[name] for name in skills}
        same = _skills([one.same for one in slow])
        found |= {f"sample_{name}_mae_skill_{horizon}h": same[name] for name in same}
    title = (
        "Baselines, MAE skill over last value (random forest, AutoETS, Theta: "
        f"{subset.pools} random pools that moved, at up to {subset.origins} origins)"
    )
    show_table(title, ["baseline", "skill"], list(found.items()))
    return found


def _skills(per_origin: list[ErrorPairs]) -> Metrics:
    return {
        name: skill(
            float(np.concatenate([one[name][0] for one in per_origin]).mean()),
            reference_error=float(np.concatenate([one[name][1] for one in per_origin]).mean()),
        )
        for name in per_origin[0]
    }


def _naive_errors(recording: Recording, cutoff: datetime, horizon: int) -> ErrorPairs:
    panel = recording.window(cutoff)
    actual = recording.truth(panel, horizon_hours=horizon)
    scale = np.nanmean(panel.prices, axis=1)
    held = np.abs(actual - panel.prices[:, -1:]).mean(axis=1) / scale
    seasonal = seasonal_naive(panel.prices, horizon_hours=horizon)
    forecasts = {
        "last_value_empirical": empirical_quantiles(panel.prices, horizon_hours=horizon)[..., 1],
        # A pool announced within the last day has no price of yesterday; the last one stands in.
        "seasonal_naive": np.where(np.isnan(seasonal), panel.prices[:, -1:], seasonal),
    }
    return {
        name: (np.abs(actual - forecast).mean(axis=1) / scale, held)
        for name, forecast in forecasts.items()
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleErrors:
    """Errors on the pools that rivals were fitted on.

    Attributes:
        rivals: Theirs.
        same: Of the forecaster and of the seasonal naive, on the very same pools.
    """

    rivals: ErrorPairs
    same: ErrorPairs


def _rival_errors(
    recording: Recording, cutoff: datetime, horizon: int, *, subset: Subset
) -> SampleErrors:
    progress(f"{recording.name} {horizon} h {cutoff:%m-%d %H}: rivals")
    panel = recording.window(cutoff)
    moved = np.nanmax(panel.prices, axis=1) > np.nanmin(panel.prices, axis=1)
    candidates = np.flatnonzero(moved & ~np.isnan(panel.prices).any(axis=1))
    rng = np.random.default_rng([subset.seed, horizon, int(cutoff.timestamp())])
    rows = rng.choice(candidates, size=min(subset.pools, len(candidates)), replace=False)
    rows = np.sort(rows)
    actual = recording.truth(panel, horizon_hours=horizon)
    _, ours = forecast_panel(panel, horizon_hours=horizon, seed=subset.seed)
    scale = np.nanmean(panel.prices, axis=1)
    held = np.abs(actual - panel.prices[:, -1:]).mean(axis=1) / scale
    everywhere = {
        "homeostat": ours.quantiles[:, :, 1],
        "seasonal_naive": seasonal_naive(panel.prices, horizon_hours=horizon),
    }
    return SampleErrors(
        rivals={
            name: _one_by_one(rival, panel, actual, rows=rows) for name, rival in rivals().items()
        },
        same={
            name: ((np.abs(actual - forecast).mean(axis=1) / scale)[rows], held[rows])
            for name, forecast in everywhere.items()
        },
    )


def _one_by_one(
    rival: Rival, panel: PricePanel, actual: FloatArray, *, rows: IntArray
) -> tuple[FloatArray, FloatArray]:
    pairs = np.zeros((len(rows), 2))
    for i, row in enumerate(rows):
        history, truth = panel.prices[row], actual[row]
        forecast = rival(history, panel.cutoff, len(truth))
        pairs[i, 0] = np.abs(truth - forecast).mean() / history.mean()
        pairs[i, 1] = np.abs(truth - history[-1]).mean() / history.mean()
    return pairs[:, 0], pairs[:, 1]
