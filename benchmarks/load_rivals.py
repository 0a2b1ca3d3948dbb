"""Forecasters of one series at a time, on a subset: what people reach for first."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.harness import Metrics, show_table
from benchmarks.load_data import HORIZON, Recording, usable_rows
from benchmarks.load_scoring import DAY, HORIZONS, WEEK, naive_forecasts, scales
from tasks.domain.arrays import FloatArray, IntArray
from tasks.domain.load.forecaster import fit_load_model, forecast_load
from tasks.domain.load.panel import LoadPanel
from tasks.domain.scores import skill

Rival = Callable[[FloatArray, int], FloatArray]
"""(hours,) filled history, H -> (H,) forecast."""

SEED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Subset:
    """Where slow rivals are judged."""

    series: int
    origins: int


def rivals() -> dict[str, Rival]:
    """Return the rivals by name."""
    return {"theta": theta, "auto_ets": auto_ets, "mstl": mstl}


def theta(history: FloatArray, horizon: int) -> FloatArray:
    """Forecast with the theta method (Assimakopoulos and Nikolopoulos, 2000)."""
    from statsforecast.models import Theta  # slow to import

    return _forecast(Theta(season_length=DAY), history, horizon)


def auto_ets(history: FloatArray, horizon: int) -> FloatArray:
    """Forecast with exponential smoothing, its form chosen by AICc (Hyndman et al., 2002)."""
    from statsforecast.models import AutoETS  # slow to import

    return _forecast(AutoETS(season_length=DAY), history, horizon)


def mstl(history: FloatArray, horizon: int) -> FloatArray:
    """Forecast with seasons of a day and a week by LOESS (Bandara, Hyndman and Bergmeir, 2021)."""
    from statsforecast.models import MSTL  # slow to import

    return _forecast(MSTL(season_length=[DAY, WEEK]), history, horizon)


def rival_metrics(recording: Recording, subset: Subset) -> Metrics:
    """Return skill over the daily naive, ours and each rival's, same series and origins for all."""
    origins = recording.origins(later=True)
    at = np.unique(np.linspace(0, len(origins) - 1, subset.origins).astype(int))
    errors: dict[str, list[FloatArray]] = {}
    for origin in (origins[one] for one in at):
        seen = recording.seen(origin)
        history = seen.values
        rows = _chosen(history, count=subset.series)
        actual, scale = recording.truth(origin)[rows], scales(history[rows])
        naive = naive_forecasts(history[rows], horizon=HORIZON)
        found = {"daily_naive": naive["daily_naive"], "last_value": naive["last_value"]}
        found |= {"homeostat": _ours(seen)[rows]} | _forecasts(history[rows])
        for name, forecast in found.items():
            error = np.abs(actual - forecast) / scale[:, None]
            errors.setdefault(name, []).append(error)
    return _skills(recording.name, errors)


def _chosen(history: FloatArray, *, count: int) -> IntArray:
    rows = np.flatnonzero(usable_rows(history))
    rng = np.random.default_rng(SEED)
    return np.sort(rng.choice(rows, size=min(count, len(rows)), replace=False))


def _forecasts(history: FloatArray) -> dict[str, FloatArray]:
    filled = [_filled(one) for one in history]
    return {
        name: np.stack([rival(one, HORIZON) for one in filled]) for name, rival in rivals().items()
    }


def _skills(name: str, errors: dict[str, list[FloatArray]]) -> Metrics:
    means = {
        rival: {h: float(np.nanmean(np.concatenate(e)[:, :h])) for h in HORIZONS}
        for rival, e in errors.items()
    }
    naive = means.pop("daily_naive")
    found: Metrics = {
        f"{name}_part_{rival}_mase_skill_{h}h": skill(error[h], reference_error=naive[h])
        for rival, error in means.items()
        for h in HORIZONS
    }
    _show(name, found)
    return found


def _ours(seen: LoadPanel) -> FloatArray:
    """Return (n, HORIZON) medians of every series: ours is fitted to all of them."""
    model = fit_load_model(seen, horizon_steps=HORIZON, seed=SEED, threads=2)
    return forecast_load(seen, model, threads=2).median


def _show(name: str, found: Metrics) -> None:
    show_table(f"Rivals on a part of {name}", ["", "skill"], list(found.items()))


def _filled(history: FloatArray) -> FloatArray:
    """Return a history from its first known hour, gaps bridged by straight lines."""
    known = np.flatnonzero(~np.isnan(history))
    hours = np.arange(known[0], len(history))
    return np.interp(hours, known, history[known])


def _forecast(model: object, history: FloatArray, horizon: int) -> FloatArray:
    if np.ptp(history) == 0.0:
        return np.full(horizon, history[-1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = model.forecast(y=history, h=horizon)  # type: ignore[attr-defined]
    return np.maximum(np.asarray(found["mean"], dtype=np.float64), 0.0)
