"""Laws of comparing two models."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.domain.models.paired import gain
from tasks.domain.models.promotion import PromotionVerdict, Trial, judge_challenger

law = settings(max_examples=40, deadline=None)
seeds = st.integers(0, 10_000)
unknowns = st.floats(0.0, 0.3)


def errors(seed: int, unknown: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    both = np.exp(rng.standard_t(3.0, size=(20, 12)).clip(-4.0, 4.0))
    champion, challenger = (both * np.exp(0.2 * rng.standard_normal(both.shape)) for _ in "ab")
    challenger[rng.random(both.shape) < unknown] = np.nan
    return champion, challenger


def judged(champion: np.ndarray, challenger: np.ndarray) -> PromotionVerdict:
    return judge_challenger(
        Trial(errors=champion),
        Trial(errors=challenger),
        groups=["a"] * 6 + ["b"] * 6,
        critical_groups={"a", "b"},
    )


@law
@given(seed=seeds, unknown=unknowns)
def test_of_two_models_at_most_one_is_better(seed: int, unknown: float) -> None:
    champion, challenger = errors(seed, unknown)
    verdicts = judged(champion, challenger), judged(challenger, champion)
    assert not all(one.promote for one in verdicts)


@law
@given(seed=seeds, unknown=unknowns, power=st.integers(-6, 6))
def test_the_unit_of_the_errors_does_not_matter(seed: int, unknown: float, power: int) -> None:
    champion, challenger = errors(seed, unknown)
    one = judged(champion, challenger)
    other = judged(champion * 2.0**power, challenger * 2.0**power)
    np.testing.assert_allclose(one.better_percent, other.better_percent)
    np.testing.assert_allclose(one.p_value, other.p_value)
    assert one.promote == other.promote


@law
@given(seed=seeds, unknown=unknowns)
def test_the_order_of_the_series_does_not_matter(seed: int, unknown: float) -> None:
    champion, challenger = errors(seed, unknown)
    order = np.random.default_rng(seed).permutation(12)
    one, other = gain(champion, challenger), gain(champion[:, order], challenger[:, order])
    np.testing.assert_allclose(one.fraction, other.fraction)
    np.testing.assert_allclose(one.standard_error, other.standard_error)


@law
@given(seed=seeds, unknown=unknowns, factor=st.floats(0.3, 1.0))
def test_smaller_errors_never_look_worse(seed: int, unknown: float, factor: float) -> None:
    champion, challenger = errors(seed, unknown)
    before, after = judged(champion, challenger), judged(champion, challenger * factor)
    assert after.better_percent >= before.better_percent - 1e-9
    assert after.p_value <= before.p_value + 1e-9 or before.better_percent > 0.0


@law
@given(seed=seeds, unknown=unknowns)
def test_a_promotion_keeps_what_it_promises(seed: int, unknown: float) -> None:
    champion, challenger = errors(seed, unknown)
    found = judged(champion, challenger * 0.8)
    assert found.low_percent <= found.better_percent <= found.high_percent
    if found.promote:
        assert found.p_value <= 0.025
        assert all(one.at_least_percent >= -2.0 for one in found.groups)


@law
@given(seed=seeds)
def test_values_that_one_model_does_not_know_do_not_count(seed: int) -> None:
    champion, challenger = errors(seed, 0.2)
    both = np.where(np.isnan(challenger), np.nan, champion)
    assert gain(champion, challenger) == gain(both, challenger)
