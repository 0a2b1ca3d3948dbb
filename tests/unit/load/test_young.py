"""Young series of a panel: forecast by what others of their archetype do."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from tasks.domain.errors import PermanentError
from tasks.domain.load.cold_start import ANY, cold_start_forecast
from tasks.domain.load.forecaster import (
    LoadModel,
    fit_load_model,
    forecast_load,
    load_model_from_state,
)
from tasks.domain.load.panel import HOUR, Load, LoadPanel
from tasks.domain.load.resampling import hourly
from tasks.domain.load.young import ARCHETYPE, profiles_of, young_forecasts
from tests.unit.load.builders import MONDAY, day_wave

NAN = float("nan")
DAYS = 12
WEB, BATCH, FEW = "web", "batch", "few"
KINDS = (*[WEB] * 6, *[BATCH] * 6, FEW, FEW, ANY)
YOUNG = 0
"""Row of a web server whose history is hidden in `aged`."""


def fleet(*, days: int = DAYS, step: timedelta = HOUR, clock: bool = True) -> LoadPanel:
    """Return web servers that are busy by day, batch machines by night, all with some noise."""
    per_day = timedelta(days=1) // step
    steps = days * per_day
    wave = day_wave(steps, per_day=per_day, level=1.0, height=0.5)
    rng = np.random.default_rng(4)
    level = np.where(np.array(KINDS) == BATCH, 4.0, 20.0) * rng.uniform(0.9, 1.1, len(KINDS))
    day = np.where((np.array(KINDS) == BATCH)[:, None], 2.0 - wave, wave)
    noise = rng.normal(0.0, 0.03, (len(KINDS), steps))
    return LoadPanel(
        load=Load.CPU,
        series=tuple(f"vm-{row}" for row in range(len(KINDS))),
        step=step,
        start=MONDAY if clock else None,
        values=level[:, None] * np.maximum(day + noise, 0.0),
        archetypes=KINDS,
    )


def aged(panel: LoadPanel, known: int, row: int = YOUNG) -> LoadPanel:
    """Return a panel in which only so many of a series' last values are known."""
    values = panel.values.copy()
    values[row, : panel.steps - known] = NAN
    return replace(panel, values=values)


@pytest.fixture(scope="module")
def model() -> LoadModel:
    return fit_load_model(fleet(), horizon_steps=24, seed=3)


@pytest.mark.parametrize("later", [0, 5, 30])
@pytest.mark.parametrize("known", [3, 12, 36])
def test_a_young_series_follows_the_day_of_its_archetype_at_whatever_hour(
    model: LoadModel, known: int, later: int
) -> None:
    panel = fleet(days=DAYS + 3).until(DAYS * 24 + later)
    found = forecast_load(aged(panel, known), model)
    actual = fleet(days=DAYS + 3).values[YOUNG, panel.steps : panel.steps + 24]
    assert found.method[YOUNG] == ARCHETYPE
    assert found.method[1] != ARCHETYPE
    assert np.abs(found.median[YOUNG] - actual).mean() < 0.1 * actual.mean()


def test_its_confidence_is_what_was_measured_in_the_rehearsal(model: LoadModel) -> None:
    assert model.profiles is not None
    found = forecast_load(aged(fleet(), 12), model).confidence[YOUNG]
    assert found == model.profiles.of(WEB).coverage[2]
    assert 0.5 < found <= 1.0


def test_forecasts_of_older_series_do_not_depend_on_profiles(model: LoadModel) -> None:
    panel = aged(fleet(), 12)
    one, other = (forecast_load(panel, m) for m in (model, replace(model, profiles=None)))
    np.testing.assert_array_equal(one.quantiles[1:], other.quantiles[1:])
    np.testing.assert_array_equal(one.confidence[1:], other.confidence[1:])
    assert (one.method[1:] == other.method[1:]).all()
    assert (other.method[YOUNG], one.method[YOUNG]) == ("last-value", ARCHETYPE)


@pytest.mark.parametrize("rows", [[YOUNG], [YOUNG, 7], [9, YOUNG, 14]])
def test_a_chunk_tells_the_same_of_a_young_series_as_the_whole(
    model: LoadModel, rows: list[int]
) -> None:
    panel = aged(fleet(), 12)
    whole, chunk = forecast_load(panel, model), forecast_load(panel.take(rows), model)
    at = rows.index(YOUNG)
    np.testing.assert_array_equal(chunk.quantiles[at], whole.quantiles[YOUNG])
    assert chunk.confidence[at] == whole.confidence[YOUNG]


def test_a_stored_model_forecasts_young_series_the_same_bit_for_bit(model: LoadModel) -> None:
    panel = aged(aged(fleet(), 12), 0, row=7)
    one, other = (forecast_load(panel, m) for m in (model, load_model_from_state(model.to_state())))
    np.testing.assert_array_equal(one.quantiles, other.quantiles)
    np.testing.assert_array_equal(one.confidence, other.confidence)
    assert load_model_from_state(model.to_state()).to_state().keys() == model.to_state().keys()


@pytest.mark.parametrize("minutes", [5, 15])
def test_finer_steps_are_forecast_in_their_own_steps(minutes: int) -> None:
    step = timedelta(minutes=minutes)
    panel, each = fleet(days=4, step=step), 60 // minutes
    profiles = profiles_of(panel.until(3 * 24 * each))
    assert profiles is not None
    known = aged(panel.until(3 * 24 * each + 7), 5 * each)
    young = np.arange(len(panel)) == YOUNG
    found = young_forecasts(known, profiles, young, horizon_steps=12 * each)
    actual = panel.values[YOUNG, known.steps : known.steps + 12 * each]
    assert found.rows.tolist() == [YOUNG]
    assert np.abs(found.quantiles[0, :, 1] - actual).mean() < 0.1 * actual.mean()


def test_without_a_clock_the_panel_that_was_fitted_is_known_and_another_length_is_not() -> None:
    panel = fleet(clock=False)
    profiles = profiles_of(panel)
    assert profiles is not None
    young = np.arange(len(panel)) == YOUNG
    known = aged(panel, 12)
    told = young_forecasts(known, profiles, young, horizon_steps=24)
    recent = known.values[[YOUNG], -48:]
    np.testing.assert_array_equal(
        told.quantiles, cold_start_forecast(profiles, recent, np.array([WEB]), horizon_steps=24)
    )
    for other in (known.until(known.steps - 1), aged(fleet(), 12)):
        assert not young_forecasts(other, profiles, young, horizon_steps=24).rows.size


def test_naive_rules_stand_in_where_too_few_series_were_known(model: LoadModel) -> None:
    few = fleet(days=3).take([1, 2, 3, 4])
    assert profiles_of(few) is None
    assert profiles_of(fleet(days=1)) is None
    found = forecast_load(aged(fleet(), 12), replace(model, profiles=None))
    assert found.method[YOUNG] == "last-value"
    assert np.isnan(found.confidence[YOUNG])


def test_a_series_without_any_value_gets_the_level_of_an_archetype_that_is_known(
    model: LoadModel,
) -> None:
    rows = {WEB: 0, BATCH: 6, FEW: 12, ANY: 14}
    panel = fleet()
    for row in rows.values():
        panel = aged(panel, 0, row=row)
    found = forecast_load(panel, model)
    assert found.median[rows[WEB]].mean() == pytest.approx(20.0, rel=0.15)
    assert found.median[rows[BATCH]].mean() == pytest.approx(4.0, rel=0.15)
    assert np.isnan(found.quantiles[[rows[FEW], rows[ANY]]]).all()
    nameless = forecast_load(replace(panel, archetypes=None), model)
    assert np.isnan(nameless.quantiles[list(rows.values())]).all()


def test_a_series_that_fell_silent_long_ago_is_not_young_again(model: LoadModel) -> None:
    values = fleet(days=40).values.copy()
    values[YOUNG, 24:] = NAN
    found = forecast_load(replace(fleet(days=40), values=values), model)
    assert (found.method[YOUNG], found.median[YOUNG, 0]) == ("last-value", values[YOUNG, 23])


def test_a_share_of_a_machine_is_at_most_all_of_it(model: LoadModel) -> None:
    values = aged(fleet(), 3).values.copy()
    values[YOUNG, -3:] = 99.0
    found = forecast_load(replace(fleet(), values=values), model)
    assert found.quantiles[YOUNG].max() == 100.0
    assert model.profiles is not None
    young = np.arange(len(values)) == YOUNG
    requests = replace(fleet(), load=Load.REQUESTS, values=values)
    free = young_forecasts(requests, model.profiles, young, horizon_steps=24)
    assert free.quantiles.max() > 100.0


def test_archetypes_stay_with_their_series() -> None:
    panel = fleet(days=2, step=timedelta(minutes=5))
    assert panel.take([0, 6, 14]).archetypes == (WEB, BATCH, ANY)
    assert panel.take(slice(11, 13)).archetypes == (BATCH, FEW)
    assert panel.until(24, window=12).archetypes == KINDS
    assert hourly(panel).archetypes == KINDS


def test_a_panel_has_one_archetype_a_series() -> None:
    with pytest.raises(PermanentError, match="2 archetypes for 15 series"):
        replace(fleet(), archetypes=(WEB, BATCH))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("archetypes", [WEB, BATCH]),
        ("archetypes", [WEB, WEB, ANY]),
        ("archetypes", "web"),
        ("archetypes_end", "2026-03-02T00:00:00"),
        ("archetypes_end", "yesterday"),
        ("archetypes_steps", -1),
        ("archetype_series", np.zeros(3)),
        ("archetype_level", np.full(3, NAN)),
        ("archetype_shape", np.full((3, 24), -1.0)),
        ("archetype_shape", np.ones((3, 23))),
        ("archetype_carry", np.full((3, 4, 4), 1.5)),
        ("archetype_own", np.full((3, 4, 4), NAN)),
        ("archetype_quantiles", np.broadcast_to([1.0, 0.0, 2.0], (3, 4, 4, 3))),
        ("archetype_quantiles", np.full((3, 4, 4, 3), NAN)),
        ("archetype_coverage", np.full((3, 4), 1.5)),
    ],
)
def test_broken_profiles_are_refused(model: LoadModel, key: str, value: object) -> None:
    state = {**model.to_state(), key: value}
    with pytest.raises(PermanentError, match="cannot be read"):
        load_model_from_state(state)  # type: ignore[arg-type]


def test_a_model_of_the_release_before_is_refused_with_what_to_do(model: LoadModel) -> None:
    state = {k: v for k, v in model.to_state().items() if not k.startswith("archetype")}
    with pytest.raises(PermanentError, match=r"schema 1, this version reads 3.*retrain"):
        load_model_from_state({**state, "schema": 1})
