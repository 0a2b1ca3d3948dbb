"""Laws of the parts of the load forecaster, whatever the loads."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from benchmarks.load_scoring import naive_forecasts
from tasks.domain.arrays import FloatArray
from tasks.domain.load.combine import SHARES, Blend
from tasks.domain.load.features_local import local_paths
from tasks.domain.load.history import filled, history_of
from tasks.domain.load.intervals import interval
from tasks.domain.load.own_record import weights_of
from tasks.domain.load.steps import WithinHour, to_steps
from tests.unit.load.fleet import fleet, with_values

HOURS = 24 * 9
loads = arrays.arrays(np.float64, (2, HOURS), elements=st.floats(0.0, 100.0, width=32))
holes = arrays.arrays(np.bool_, (2, HOURS))
spreads = arrays.arrays(np.float64, 6, elements=st.floats(-50.0, 50.0))


@given(load=loads, hole=holes)
def test_filling_keeps_what_is_known_and_leaves_nothing_unknown(
    load: FloatArray, hole: np.ndarray
) -> None:
    values = np.where(hole, np.nan, load)
    found = filled(values)
    assert np.array_equal(found[~hole], load[~hole])
    assert np.isfinite(found).all()
    assert found.max() <= max(np.nanmax(np.where(hole, 0.0, load)), 0.0)


@given(load=loads)
def test_local_paths_stay_within_what_was_seen(load: FloatArray) -> None:
    history = history_of(with_values(fleet(series=2, days=9), load))
    window = load[:, -192:]
    row, seen = np.arange(2), np.full(2, HOURS)
    found = local_paths(history, row, seen, window, horizon=24)
    for path in (found.alike, found.lagged):
        assert (path >= load.min(axis=1, keepdims=True)).all()
        assert (path <= load.max(axis=1, keepdims=True)).all()


@given(load=loads)
def test_naive_rules_repeat_values_that_were_seen(load: FloatArray) -> None:
    for found in naive_forecasts(load, horizon=24).values():
        assert all(np.isin(found[row], load[row]).all() for row in range(len(load)))


@given(
    median=spreads,
    low=spreads,
    high=spreads,
    factor=arrays.arrays(np.float64, 6, elements=st.floats(0.25, 4.0)),
)
def test_intervals_hold_their_median_and_grow_with_the_factor(
    median: FloatArray, low: FloatArray, high: FloatArray, factor: FloatArray
) -> None:
    below, above = interval(median, low, high, factor)
    wider = interval(median, low, high, 2.0 * factor)
    assert ((below < median) & (median < above)).all()
    assert ((wider[0] < below) & (above < wider[1])).all()


@given(
    median=spreads,
    naive=arrays.arrays(np.float64, (6, 3), elements=st.floats(-50.0, 50.0)),
    share=st.sampled_from(SHARES.tolist()),
    rule=st.integers(0, 2),
)
def test_a_blend_lies_between_the_model_and_its_rule(
    median: FloatArray, naive: FloatArray, share: float, rule: int
) -> None:
    shares = np.zeros((4, 6, 3))
    shares[..., rule] = share
    found = Blend(shares=shares).apply(median, naive, np.zeros(6, dtype=int), np.arange(6))
    assert (np.minimum(median, naive[:, rule]) - 1e-9 <= found).all()
    assert (found <= np.maximum(median, naive[:, rule]) + 1e-9).all()


@given(
    hourly=arrays.arrays(np.float64, (2, 5, 3), elements=st.floats(0.0, 100.0)),
    newest=arrays.arrays(np.float64, 2, elements=st.floats(0.0, 100.0)),
)
def test_steps_stay_between_hours_and_never_cross(hourly: FloatArray, newest: FloatArray) -> None:
    hourly = np.sort(hourly, axis=-1)
    within = WithinHour(
        shape=np.zeros((2, 288)),
        newest=np.zeros(2),
        below=np.full(2, 1.0),
        above=np.full(2, 2.0),
    )
    found = to_steps(hourly, newest, within, each=12)
    assert found.shape == (2, 60, 3)
    assert (np.diff(found, axis=-1) >= 0.0).all()
    assert found[..., 1].max() <= max(hourly[..., 1].max(), newest.max()) + 1e-9


@given(
    errors=arrays.arrays(np.float64, (3, 7, 4), elements=st.floats(0.0, 1e3)),
    rule=st.floats(0.01, 1.0),
    rate=st.floats(0.1, 2.0),
)
def test_on_its_record_a_mixture_is_near_the_best_that_it_is_made_of(
    errors: FloatArray, rule: float, rate: float
) -> None:
    first = np.array([1.0, rule, rule, rule])
    weights = weights_of(errors, first, rate=rate)
    assert weights.sum(axis=1) == pytest.approx(np.ones(3))
    total = errors.sum(axis=1)
    most = 1.0 + np.log(first.sum() / rule) / (rate * errors.shape[1])
    # An absolute error of a mixture is at most the mixture of the absolute errors.
    assert ((weights * total).sum(axis=1) <= most * total.min(axis=1) + 1e-6).all()
