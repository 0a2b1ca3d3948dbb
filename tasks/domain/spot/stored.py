"""A spot forecaster as plain values, and back: what a registry stores instead of pickled objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import lightgbm as lgb
import numpy as np

from tasks.domain.spot.backtest import Backtest
from tasks.domain.spot.forecaster import HorizonForecaster
from tasks.domain.spot.forecasts import BacktestScores
from tasks.domain.spot.quantile_models import Market, QuantileModel

KIND = "spot/1"
"""What this release writes and reads."""

State = Mapping[str, Any]


def forecaster_state(forecaster: HorizonForecaster) -> dict[str, Any]:
    """Return a forecaster as strings, numbers, lists and arrays; boosters as LightGBM's own text."""
    check = forecaster.check
    return {
        "horizon_hours": forecaster.horizon_hours,
        "model": None if forecaster.model is None else _model_state(forecaster.model),
        "check": None if check is None else _check_state(check),
        "backtest": asdict(forecaster.backtest),
    }


def forecaster_from_state(state: State) -> HorizonForecaster:
    """Return the forecaster that `forecaster_state` was given; its forecasts are the same bits.

    Raises:
        KeyError, TypeError, ValueError, lightgbm.basic.LightGBMError: It is something else.
    """
    model, check = state["model"], state["check"]
    return HorizonForecaster(
        horizon_hours=int(state["horizon_hours"]),
        model=None if model is None else _model(model),
        check=None if check is None else _check(check),
        backtest=BacktestScores(**state["backtest"]),
    )


def _model_state(model: QuantileModel) -> dict[str, Any]:
    return {
        "market": model.market.value,
        "weights": model.weights,
        "boosters": [one.model_to_string() for one in model.boosters],
        "horizon_hours": model.horizon_hours,
    }


def _model(state: State) -> QuantileModel:
    low, middle, high = (lgb.Booster(model_str=text) for text in state["boosters"])
    return QuantileModel(
        market=Market(state["market"]),
        weights=np.asarray(state["weights"], dtype=np.float64),
        boosters=(low, middle, high),
        horizon_hours=int(state["horizon_hours"]),
    )


def _check_state(check: Backtest) -> dict[str, Any]:
    return {
        "model": _model_state(check.model),
        "scores": asdict(check.scores),
        "belief": check.belief,
        "width": check.width,
    }


def _check(state: State) -> Backtest:
    return Backtest(
        model=_model(state["model"]),
        scores=BacktestScores(**state["scores"]),
        belief=float(state["belief"]),
        width=float(state["width"]),
    )
