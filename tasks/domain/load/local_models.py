"""Statistical models of one workload's hours, fitted by statsforecast."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from enum import StrEnum
from typing import Protocol, cast

import numpy as np

from tasks.domain.arrays import FloatArray
from tasks.domain.load.panel import HOUR, LoadPanel
from tasks.domain.load.resampling import hourly

WINDOW_DAYS = 28
HIGHEST = 2.0
"""A forecast stays below so many times the highest value seen: a trend in a load ends."""


class LocalModel(StrEnum):
    """A model of statsforecast."""

    THETA = "Theta"
    """Assimakopoulos and Nikolopoulos (2000), on what a multiplicative or additive day leaves."""
    AUTO_ETS = "AutoETS"
    """Exponential smoothing (Hyndman et al., 2008), trend chosen by AICc. Additive: multiplicative
    errors have no meaning for a load that is 0 at times, and cost ten times the time."""
    MSTL = "MSTL"
    """Bandara, Hyndman and Bergmeir (2021): day and week apart, exponential smoothing of the rest."""


class _Model(Protocol):
    def forecast(self, *, y: FloatArray, h: int) -> dict[str, FloatArray]: ...


def fitted_forecasts(panel: LoadPanel, *, horizon_steps: int, model: LocalModel) -> FloatArray:
    """Return (n, H) forecasts, at least 0; rows of NaN where the model could not be fitted.

    Hours are modelled: seasons of 288 steps are beyond these models, and a series that is known by 5
    minutes gets each hour's forecast for all of its steps. Gaps are filled by the median of the same
    hour for the fit alone. A model needs two known days, and half of the hours since the first one.

    Args:
        panel: The history; its last four weeks are fitted.
        horizon_steps: H, at least 1.
        model: What to fit.
    """
    each = HOUR // panel.step if panel.step < HOUR and not HOUR % panel.step else 1
    hours = hourly(panel) if each > 1 else panel
    season = hours.steps_per_day
    ahead = -(-horizon_steps // each)
    values = hours.values[:, -WINDOW_DAYS * season :]
    found = np.full((len(panel), ahead), np.nan)
    for row, history in enumerate(values):
        usable = _without_gaps(history, season)
        if usable is not None:
            found[row] = _forecast(usable, ahead=ahead, season=season, model=model)
    return np.repeat(found, each, axis=1)[:, :horizon_steps]


def _without_gaps(history: FloatArray, season: int) -> FloatArray | None:
    """Return the history from its first known value on, filled; None where too little is known."""
    known = np.flatnonzero(~np.isnan(history))
    if not known.size:
        return None
    values = history[known[0] :]
    if known.size < max(2 * season, len(values) / 2):
        return None
    filled = values.copy()
    for at in np.flatnonzero(np.isnan(values)):
        same = values[at % season :: season]
        filled[at] = np.nanmedian(values if np.isnan(same).all() else same)
    return filled


def _forecast(values: FloatArray, *, ahead: int, season: int, model: LocalModel) -> FloatArray:
    if np.ptp(values) == 0.0:
        return np.full(ahead, values[-1])
    highest = HIGHEST * float(values.max())
    try:
        # Their numerical warnings are judged by the result, below.
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            fitted = _built(model, season=season, weeks=len(values) // (7 * season))
            found = np.asarray(fitted.forecast(y=values, h=ahead)["mean"], dtype=np.float64)
    except Exception:  # noqa: BLE001 - the library raises bare Exception where nothing fits
        return np.full(ahead, np.nan)
    whole = np.isfinite(found).all()
    return np.clip(found, 0.0, highest) if whole else np.full(ahead, np.nan)


def _built(model: LocalModel, *, season: int, weeks: int) -> _Model:
    # Slow to import, and most runs need none of it.
    from statsforecast import models

    seasons = [season, 7 * season] if weeks >= 2 and season > 1 else season
    build: dict[LocalModel, Callable[[], object]] = {
        LocalModel.THETA: lambda: models.Theta(season_length=season),
        LocalModel.AUTO_ETS: lambda: models.AutoETS(
            season_length=season, model="AZA" if season > 1 else "AZN"
        ),
        LocalModel.MSTL: lambda: models.MSTL(
            season_length=seasons, trend_forecaster=models.AutoETS(model="AZN")
        ),
    }
    return cast("_Model", build[model]())
