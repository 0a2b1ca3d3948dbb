"""Other forecasters of one pool at a time, fitted in the same run: what people try first."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable
from datetime import datetime

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestRegressor

from tasks.domain.arrays import FloatArray

Rival = Callable[[FloatArray, datetime, int], FloatArray]
"""(hours,) prices up to the cutoff, the cutoff, H -> (H,) prices."""

SEASON_HOURS = 24


def rivals() -> dict[str, Rival]:
    """Return the rivals that can run here, by name; those of statsforecast only when installed."""
    found: dict[str, Rival] = {"random_forest": random_forest}
    if importlib.util.find_spec("statsforecast") is not None:
        found |= {"auto_ets": auto_ets, "theta": theta}
    return found


def random_forest(prices: FloatArray, cutoff: datetime, horizon_hours: int) -> FloatArray:
    """Forecast with a forest on hour, weekday and month: the original idea of this project."""
    ahead = pd.date_range(cutoff, periods=horizon_hours + 1, freq="h")[1:]
    behind = pd.date_range(end=cutoff, periods=len(prices), freq="h")
    forest = RandomForestRegressor(n_estimators=100, random_state=0, n_jobs=1)
    forest.fit(_calendar(behind), prices)
    return np.asarray(forest.predict(_calendar(ahead)), dtype=np.float64)


def auto_ets(prices: FloatArray, cutoff: datetime, horizon_hours: int) -> FloatArray:  # noqa: ARG001
    """Forecast with exponential smoothing, its form chosen by AICc (Hyndman et al., 2002)."""
    from statsforecast.models import AutoETS  # an optional dependency

    return _forecast(AutoETS(season_length=SEASON_HOURS, model="ZZN"), prices, horizon_hours)


def theta(prices: FloatArray, cutoff: datetime, horizon_hours: int) -> FloatArray:  # noqa: ARG001
    """Forecast with the theta method (Assimakopoulos and Nikolopoulos, 2000)."""
    from statsforecast.models import Theta  # an optional dependency

    return _forecast(Theta(season_length=SEASON_HOURS), prices, horizon_hours)


def _forecast(model: object, prices: FloatArray, horizon_hours: int) -> FloatArray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = model.forecast(y=prices, h=horizon_hours)  # type: ignore[attr-defined]
    return np.asarray(found["mean"], dtype=np.float64)


def _calendar(at: pd.DatetimeIndex) -> FloatArray:
    return np.column_stack([at.hour, at.weekday, at.month]).astype(np.float64)
