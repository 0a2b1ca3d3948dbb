"""Laws of intervals that learn."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tasks.domain.load.adaptive import LARGEST_FACTOR, AdaptiveWidth, scaled_quantiles

levels = st.floats(0.05, 0.95)
step_sizes = st.floats(0.01, 1.0)
within = st.floats(1.01 / LARGEST_FACTOR, LARGEST_FACTOR / 1.01)
scores = st.lists(within, min_size=1, max_size=300)


@given(scores=scores, level=levels, step=step_sizes)
def test_long_run_coverage_is_within_the_bound_whatever_the_sequence(
    scores: list[float], level: float, step: float
) -> None:
    """Gibbs and Candes (2021), proposition 4.1, for the logarithm of a width."""
    width = AdaptiveWidth(level=level, step=step)
    for score in scores:
        width = width.after(bool(score <= width.factor))
        assert width.coverage is not None
        assert width.largest_gap is not None
        assert abs(width.coverage - level) <= width.largest_gap + 1e-9


@given(seed=st.integers(0, 10_000), step=step_sizes, harm=st.floats(0.0, 1.0))
def test_an_adversary_who_sees_the_width_cannot_break_the_bound(
    seed: int, step: float, harm: float
) -> None:
    """Errors are just outside the interval wherever that is possible, else inside, at random."""
    rng = np.random.default_rng(seed)
    width = AdaptiveWidth(step=step)
    for _ in range(150):
        outside = rng.random() < harm and width.factor < LARGEST_FACTOR / 1.001
        inside = width.factor > 1.001 / LARGEST_FACTOR
        width = width.after(not outside if inside else False)
    assert width.coverage is not None
    assert width.largest_gap is not None
    assert abs(width.coverage - width.level) <= width.largest_gap + 1e-9


@given(
    groups=st.lists(arrays.arrays(np.float64, st.integers(1, 5), elements=within), min_size=1),
    level=levels,
)
def test_the_bound_holds_for_the_mean_share_of_a_group(
    groups: list[np.ndarray], level: float
) -> None:
    width = AdaptiveWidth(level=level)
    for errors in groups:
        width = width.after(errors <= width.factor)
    assert width.coverage is not None
    assert width.largest_gap is not None
    assert abs(width.coverage - level) <= width.largest_gap + 1e-9


@given(seen=st.lists(st.booleans(), max_size=500), step=step_sizes)
def test_any_sequence_leaves_a_factor_within_bounds_and_a_state_that_can_be_read(
    seen: list[bool], step: float
) -> None:
    width = AdaptiveWidth(step=step)
    for covered in seen:
        before, width = width, width.after(covered)
        assert width.factor <= before.factor if covered else width.factor >= before.factor
    assert width.factor * (1 + 1e-12) >= 1.0 / LARGEST_FACTOR
    assert width.factor <= LARGEST_FACTOR * (1 + 1e-12)
    assert AdaptiveWidth.from_state(width.to_state()) == width


@given(
    quantiles=arrays.arrays(np.float64, (2, 3, 3), elements=st.floats(0.0, 1e6)),
    factor=st.floats(0.125, 8.0),
)
def test_scaled_quantiles_neither_cross_nor_move_the_median(
    quantiles: np.ndarray, factor: float
) -> None:
    ordered = np.sort(quantiles, axis=2)
    found = scaled_quantiles(ordered, factor)
    np.testing.assert_array_equal(found[..., 1], ordered[..., 1])
    assert (np.diff(found, axis=2) >= 0.0).all()
    assert (found >= 0.0).all()
