from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from tasks.domain.errors import InsufficientHistoryError, PermanentError
from tasks.domain.load.forecaster import (
    LoadModel,
    fit_load_model,
    forecast_load,
    load_model_from_state,
)
from tasks.domain.load.panel import Load
from tests.unit.load.fleet import fleet, with_values

FIVE_MINUTES = timedelta(minutes=5)


@pytest.fixture(scope="module")
def model() -> LoadModel:
    return fit_load_model(fleet(), horizon_steps=24, seed=3)


def test_waves_are_forecast_better_than_by_the_day_before(model: LoadModel) -> None:
    found = forecast_load(fleet(), model)
    actual = fleet(days=15).values[:, -24:]
    assert np.abs(actual - found.median).mean() < np.abs(actual - found.naive).mean()


def test_quantiles_do_not_cross_and_are_at_least_zero(model: LoadModel) -> None:
    found = forecast_load(with_values(fleet(), np.maximum(fleet().values - 22.0, 0.0)), model)
    assert (np.diff(found.quantiles, axis=2) >= 0.0).all()
    assert (found.quantiles >= 0.0).all()


def test_a_stored_model_forecasts_the_same_bit_for_bit(model: LoadModel) -> None:
    again = load_model_from_state(model.to_state())
    first, second = (forecast_load(fleet(), one) for one in (model, again))
    assert np.array_equal(first.quantiles, second.quantiles)
    assert np.array_equal(first.confidence, second.confidence)


def test_threads_change_nothing(model: LoadModel) -> None:
    other = fit_load_model(fleet(), horizon_steps=24, seed=3, threads=2)
    assert other.to_state()["members"] == model.to_state()["members"]
    assert other.to_state()["tails"] == model.to_state()["tails"]


def test_a_chunk_is_forecast_like_the_whole(model: LoadModel) -> None:
    whole = forecast_load(fleet(), model)
    chunk = forecast_load(fleet().take([1, 4]), model)
    assert chunk.quantiles == pytest.approx(whole.quantiles[[1, 4]], abs=1e-9)


def test_gaps_are_forecast_across(model: LoadModel) -> None:
    values = fleet().values.copy()
    values[0, -3:] = np.nan
    values[1, 100:160] = np.nan
    found = forecast_load(with_values(fleet(), values), model)
    assert np.isfinite(found.quantiles).all()


def test_a_young_series_without_profiles_gets_a_naive_rule_without_confidence(
    model: LoadModel,
) -> None:
    values = fleet().values.copy()
    values[0, :-10] = np.nan
    found = forecast_load(with_values(fleet(), values), replace(model, profiles=None))
    assert (found.method[0], found.method[1]) == ("last-value", "global")
    assert np.isnan(found.confidence[0])
    assert found.median[0].tolist() == [values[0, -1]] * 24


def test_a_series_without_values_is_unknown(model: LoadModel) -> None:
    values = fleet().values.copy()
    values[2] = np.nan
    found = forecast_load(with_values(fleet(), values), model)
    assert np.isnan(found.quantiles[2]).all()
    assert np.isfinite(found.quantiles[3]).all()


def test_two_days_with_a_gap_are_enough() -> None:
    values = fleet(days=2).values.copy()
    values[:, 10:14] = np.nan
    panel = with_values(fleet(days=2), values)
    found = forecast_load(panel, fit_load_model(panel, horizon_steps=4, seed=0))
    assert np.isfinite(found.quantiles).all()


def test_confidence_is_a_share(model: LoadModel) -> None:
    found = forecast_load(fleet(), model).confidence
    known = found[~np.isnan(found)]
    assert ((known >= 0.0) & (known <= 1.0)).all()


def test_a_short_panel_gets_naive_rules() -> None:
    panel = fleet(series=1, days=3)
    model = fit_load_model(panel, horizon_steps=4, seed=0)
    assert model.trees is None
    assert forecast_load(panel, model).method.tolist() == ["day-median"]
    again = load_model_from_state(model.to_state())
    assert again.trees is None


def test_less_than_two_days_are_refused() -> None:
    with pytest.raises(InsufficientHistoryError, match="found 24 h"):
        fit_load_model(fleet(days=1), horizon_steps=4, seed=0)


def test_five_minute_steps_are_forecast_through_their_hours() -> None:
    panel = fleet(series=4, days=8, step=FIVE_MINUTES, clock=False)
    model = fit_load_model(panel, horizon_steps=40, seed=0)
    found = forecast_load(panel, model)
    actual = fleet(series=4, days=9, step=FIVE_MINUTES, clock=False).values[:, 8 * 288 :][:, :40]
    assert found.quantiles.shape == (4, 40, 3)
    assert np.abs(actual - found.median).mean() < 1.5
    inside = (found.quantiles[..., 0] <= actual) & (actual <= found.quantiles[..., 2])
    assert inside.mean() > 0.6


def test_a_model_refuses_what_it_was_not_fitted_to(model: LoadModel) -> None:
    memory = replace_load(Load.MEMORY)
    with pytest.raises(PermanentError, match="fit one for it"):
        forecast_load(memory, model)
    with pytest.raises(PermanentError, match="with a wall clock"):
        forecast_load(fleet(clock=False), model)
    with pytest.raises(PermanentError, match="steps of 1:00:00"):
        forecast_load(fleet(days=3, step=FIVE_MINUTES), model)


def replace_load(load: Load):  # type: ignore[no-untyped-def]
    return replace(fleet(), load=load)


@pytest.mark.parametrize("steps", [0, 169])
def test_impossible_horizons_are_refused(steps: int) -> None:
    with pytest.raises(PermanentError, match="out of bounds"):
        fit_load_model(fleet(days=3), horizon_steps=steps, seed=0)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("schema", 99),
        ("anchors", ["level", "unknown"]),
        ("members", [1, 2]),
        ("members", ["not a booster"] * 4),
        ("factors", [1.0]),
        ("horizon_steps", "24"),
        ("load", "nothing"),
    ],
)
def test_a_broken_state_is_refused(model: LoadModel, key: str, value: object) -> None:
    with pytest.raises(PermanentError, match="cannot be read"):
        load_model_from_state({**model.to_state(), key: value})  # type: ignore[dict-item]
