from functools import partial

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tasks.domain import scores
from tasks.domain.arrays import FloatArray

values = arrays(np.float64, st.integers(1, 30), elements=st.floats(-1e3, 1e3))
levels = st.floats(0.05, 0.95)


@given(y=values, quantile=levels)
def test_no_constant_forecast_beats_the_empirical_quantile(y: FloatArray, quantile: float) -> None:
    best = np.quantile(y, quantile, method="inverted_cdf")
    loss = partial(scores.pinball_losses, y, quantile=quantile)
    for rival in (best - 1.0, best + 1.0, y.mean(), y[0]):
        assert loss(np.full_like(y, best)).sum() <= loss(np.full_like(y, rival)).sum() + 1e-6


@given(y=values, quantile=levels, factor=st.floats(0.01, 100.0))
def test_pinball_loss_scales_with_the_unit(y: FloatArray, quantile: float, factor: float) -> None:
    forecast = np.zeros_like(y)
    scaled = scores.pinball_losses(factor * y, forecast, quantile=quantile)
    np.testing.assert_allclose(
        scaled, factor * scores.pinball_losses(y, forecast, quantile=quantile), rtol=1e-9
    )


@given(y=values, level=levels, width=st.floats(0.0, 100.0))
def test_an_interval_score_is_never_below_the_width(
    y: FloatArray, level: float, width: float
) -> None:
    low = np.zeros_like(y)
    found = scores.interval_scores(y, low=low, high=low + width, level=level)
    assert (found >= width).all()
    inside = scores.covered(y, low=low, high=low + width)
    assert (found[inside] == width).all()


@given(error=st.floats(0.0, 1e6), reference=st.floats(1e-6, 1e6))
def test_skill_is_positive_exactly_when_the_error_is_smaller(
    error: float, reference: float
) -> None:
    found = scores.skill(error, reference_error=reference)
    assert found is not None
    assert found <= 1.0
    if abs(error - reference) > 1e-9 * reference:
        assert (found > 0.0) == (error < reference)


@given(y=values, shift=st.floats(-10.0, 10.0))
def test_mase_ignores_the_level_of_the_series(y: FloatArray, shift: float) -> None:
    history = np.array([0.0, 1.0, 3.0, 2.0])
    base = scores.mase(y, np.zeros_like(y), history=history)
    moved = scores.mase(y + shift, np.zeros_like(y) + shift, history=history + shift)
    assert base is not None
    assert moved is not None
    np.testing.assert_allclose(moved, base, rtol=1e-6, atol=1e-9)
