"""Laws of local candidates."""

from datetime import timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tasks.domain.load.members import NAIVE, local_forecasts
from tasks.domain.load.panel import HOUR, Load, LoadPanel

rows = arrays.arrays(
    np.float64,
    st.tuples(st.integers(1, 4), st.integers(0, 60)),
    elements=st.one_of(st.floats(0.0, 1e6), st.just(float("nan"))),
    fill=st.just(12.5),
)
steps = st.sampled_from([HOUR, timedelta(hours=4), timedelta(hours=12)])
horizons = st.integers(1, 40)


def panel_of(values: np.ndarray, step: timedelta) -> LoadPanel:
    names = tuple(f"w{row}" for row in range(len(values)))
    return LoadPanel(load=Load.CPU, series=names, step=step, start=None, values=values)


@given(values=rows, step=steps, horizon=horizons)
def test_naive_forecasts_lie_within_what_was_seen(
    values: np.ndarray, step: timedelta, horizon: int
) -> None:
    found = local_forecasts(panel_of(values, step), horizon_steps=horizon)
    for member in NAIVE:
        for row, forecast in zip(values, found[member], strict=True):
            known = row[~np.isnan(row)]
            if known.size:
                assert known.min() <= forecast.min()
                assert forecast.max() <= known.max()
            else:
                assert np.isnan(forecast).all()


@given(values=rows, step=steps, horizon=horizons)
def test_a_shorter_horizon_is_the_begin_of_a_longer_one(
    values: np.ndarray, step: timedelta, horizon: int
) -> None:
    panel = panel_of(values, step)
    short, long = (local_forecasts(panel, horizon_steps=h) for h in (horizon, horizon + 7))
    for member in NAIVE:
        np.testing.assert_array_equal(short[member], long[member][:, :horizon])


@given(values=rows, step=steps, horizon=horizons)
def test_a_forecast_does_not_depend_on_the_series_beside_it(
    values: np.ndarray, step: timedelta, horizon: int
) -> None:
    panel = panel_of(values, step)
    together = local_forecasts(panel, horizon_steps=horizon)
    alone = local_forecasts(panel.take([0]), horizon_steps=horizon)
    for member in NAIVE:
        np.testing.assert_array_equal(alone[member][0], together[member][0])
