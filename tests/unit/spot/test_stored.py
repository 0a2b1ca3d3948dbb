"""What a registry stores of a spot forecaster brings back the same forecasts."""

from __future__ import annotations

import json

import numpy as np

from tasks.domain.spot.forecaster import forecast_panel, forecast_pools
from tasks.domain.spot.stored import forecaster_from_state, forecaster_state
from tests.unit.spot.market import panel_of, smooth_prices


def test_a_stored_forecaster_forecasts_the_same_bits() -> None:
    panel = panel_of(smooth_prices(24, 400))
    forecaster, found = forecast_panel(panel, horizon_hours=24, seed=1, threads=1)

    back = forecaster_from_state(forecaster_state(forecaster))

    assert back.backtest == forecaster.backtest
    again = forecast_pools(panel, back)
    np.testing.assert_array_equal(again.quantiles, found.quantiles)
    np.testing.assert_array_equal(again.source, found.source)


def test_a_forecaster_without_a_model_is_stored_as_one() -> None:
    forecaster, _ = forecast_panel(panel_of(smooth_prices(2, 80)), horizon_hours=24, seed=1)
    assert forecaster.model is None

    state = forecaster_state(forecaster)

    assert json.loads(json.dumps(state)) == state
    assert forecaster_from_state(state) == forecaster
