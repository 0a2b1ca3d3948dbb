"""Laws of forecasts of a panel in which some series are young."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tasks.domain.arrays import FloatArray
from tasks.domain.load.forecaster import fit_load_model, forecast_load, load_model_from_state
from tasks.domain.load.panel import LoadPanel
from tasks.domain.load.young import ARCHETYPE
from tests.unit.load.fleet import fleet

GROWN = 8
YOUNG = 3
HOURS = 4 * 24
NAMES = ("web", "batch", "")
OLD = replace(fleet(series=GROWN, days=4), archetypes=("web",) * 5 + ("",) * 3)
MODEL = fit_load_model(OLD, horizon_steps=30, seed=1)
"""Of too little history for trees, so that it is made at once; it has profiles of web and of all."""

histories = arrays.arrays(
    np.float64,
    (YOUNG, 47),
    elements=st.one_of(st.floats(0.0, 100.0), st.just(float("nan")), st.just(0.0)),
)
kinds = st.lists(st.sampled_from(NAMES), min_size=YOUNG, max_size=YOUNG)


def panel_with(recent: FloatArray, names: list[str]) -> LoadPanel:
    """The old series, then young ones."""
    values = np.full((GROWN + YOUNG, HOURS), np.nan)
    values[:GROWN] = OLD.values
    values[GROWN:, -recent.shape[1] :] = recent
    return replace(
        OLD,
        series=tuple(f"vm-{row}" for row in range(len(values))),
        values=values,
        archetypes=(*(OLD.archetypes or ()), *names),
    )


@given(recent=histories, names=kinds)
def test_quantiles_of_young_series_are_ordered_and_between_nothing_and_all(
    recent: FloatArray, names: list[str]
) -> None:
    found = forecast_load(panel_with(recent, names), MODEL)
    told = found.quantiles[found.method == ARCHETYPE]
    assert (np.diff(told, axis=2) >= 0.0).all()
    assert ((told >= 0.0) & (told <= 100.0)).all()


@given(recent=histories, names=kinds)
def test_a_young_series_is_told_something_of_unless_nothing_at_all_is_known(
    recent: FloatArray, names: list[str]
) -> None:
    found = forecast_load(panel_with(recent, names), MODEL)
    some = ~np.isnan(recent).all(axis=1) | (np.array(names) == "web")
    assert (np.isfinite(found.quantiles[GROWN:]).all(axis=(1, 2)) == some).all()
    assert ((found.method[GROWN:] == ARCHETYPE) == some).all()


@given(recent=histories, names=kinds, rows=st.permutations(range(GROWN + YOUNG)))
def test_chunks_tell_the_same_as_the_whole(
    recent: FloatArray, names: list[str], rows: list[int]
) -> None:
    panel = panel_with(recent, names)
    whole = forecast_load(panel, MODEL)
    for chunk in (rows[:4], rows[4:]):
        found = forecast_load(panel.take(chunk), MODEL)
        np.testing.assert_array_equal(found.quantiles, whole.quantiles[chunk])
        np.testing.assert_array_equal(found.confidence, whole.confidence[chunk])
        assert (found.method == whole.method[chunk]).all()


@given(recent=histories, names=kinds)
def test_older_series_are_forecast_as_if_there_were_no_profiles(
    recent: FloatArray, names: list[str]
) -> None:
    panel = panel_with(recent, names)
    one, other = (forecast_load(panel, m) for m in (MODEL, replace(MODEL, profiles=None)))
    np.testing.assert_array_equal(one.quantiles[:GROWN], other.quantiles[:GROWN])


@given(recent=histories, names=kinds)
def test_a_stored_model_tells_the_same_of_young_series(
    recent: FloatArray, names: list[str]
) -> None:
    panel = panel_with(recent, names)
    again = load_model_from_state(MODEL.to_state())
    one, other = (forecast_load(panel, m) for m in (MODEL, again))
    np.testing.assert_array_equal(one.quantiles, other.quantiles)
    np.testing.assert_array_equal(one.confidence, other.confidence)
