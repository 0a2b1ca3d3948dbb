"""Requests have no full scale: a thousand times as many are forecast a thousand times as high."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tasks.domain.arrays import FloatArray
from tasks.domain.load.features import ahead_of, origins_of
from tasks.domain.load.forecaster import fit_load_model, forecast_load
from tasks.domain.load.history import history_of
from tasks.domain.load.panel import Load, LoadPanel
from tests.unit.load.fleet import fleet

DAYS = 9


def requests(factor: float, *, days: int = 14) -> LoadPanel:
    """Return some 20 requests a second of each of six services, times a factor."""
    panel = fleet(days=days)
    return replace(panel, load=Load.REQUESTS, values=factor * panel.values)


def turned(panel: LoadPanel) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return what rules expect of the day after a panel, in each series' own spreads."""
    history = history_of(panel)
    row = np.arange(len(panel))
    origins = origins_of(history, row, np.full(len(panel), history.hours), horizon=24)
    found = ahead_of(history, origins, np.repeat(row, 24), np.tile(np.arange(1, 25), len(row)))
    return found.rules, found.anchors, found.naive


# Never nothing for long: what is asked less than once a day has no scale but the floor.
@given(
    load=arrays.arrays(np.float64, (2, DAYS * 24), elements=st.floats(1.0, 100.0, width=32)),
    power=st.integers(-10, 10),
)
def test_what_rules_expect_of_requests_does_not_depend_on_how_many_there_are(
    load: FloatArray, power: int
) -> None:
    panel = replace(requests(1.0, days=DAYS).take([0, 1]), values=load)
    scaled = replace(panel, values=2.0**power * load)
    for one, other in zip(turned(panel), turned(scaled), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("factor", [1_000.0, 0.001])
def test_the_whole_forecast_of_requests_scales_with_them(factor: float) -> None:
    found = []
    for panel in (requests(1.0), requests(factor)):
        model = fit_load_model(panel, horizon_steps=24, seed=3)
        found.append(forecast_load(panel, model).quantiles)
    # Trees split between values that differ by less than rounding: now and then one splits elsewhere.
    np.testing.assert_allclose(found[1] / factor, found[0], rtol=0.05)
    assert np.abs(found[1] / factor / found[0] - 1.0).mean() < 0.01
