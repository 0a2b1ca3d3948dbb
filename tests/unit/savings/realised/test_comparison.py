from __future__ import annotations

import numpy as np
import pytest

from tasks.domain.savings.realised.comparison import (
    COMMON_VARIANCE,
    PRIOR_SPREAD,
    interrupted,
    predicted,
    score_limit,
    scores,
)

EQUAL = np.full((4, 4), 0.2 + COMMON_VARIANCE) + 0.8 * np.eye(4)
"""Four resources, none more like another."""


def test_a_trend_that_all_controls_share_is_expected_of_the_changed_one() -> None:
    found = predicted(np.array([9.0, 0.5, 0.5, 0.5]), EQUAL, [], scale=2.0)
    assert found.deviation == pytest.approx(1.0, rel=0.05)


def test_the_changed_resource_itself_is_not_read() -> None:
    one, other = (
        predicted(np.array([own, 0.1, 0.2, 0.3]), EQUAL, [], scale=1.0) for own in (0.0, -5.0)
    )
    assert one == other


def test_what_moves_alike_has_the_most_weight() -> None:
    alike = EQUAL.copy()
    alike[0, 2] = alike[2, 0] = 0.9 + COMMON_VARIANCE
    found = predicted(np.array([0.0, 0.0, 1.0, 0.0]), alike, [], scale=1.0)
    assert found.order[0] == 1
    assert found.deviation > 0.5


def test_nothing_costs_less_than_nothing() -> None:
    assert predicted(np.full(4, -2.0), EQUAL, [], scale=3.0).deviation == -1.0


def test_scores_are_how_far_each_is_from_the_others_in_predicted_errors() -> None:
    pair = np.array([[1.0, 0.6], [0.6, 1.0]])
    # Each predicts the other as 0.6 of itself, with a standard deviation of 0.8.
    assert scores(np.array([1.0, 0.0]), pair) == pytest.approx([1.0 / 0.8, 0.6 / 0.8])


def test_controls_that_went_wild_widen_the_interval_and_calm_ones_narrow_it() -> None:
    none = score_limit(np.empty(0), [])
    assert score_limit(np.full(20, 3.0), []) > none > score_limit(np.full(20, 0.05), [])


def test_without_any_placebo_the_limit_is_that_of_development() -> None:
    # The 95 % quantile of a Student law with 8 degrees of freedom is 1.86.
    assert score_limit(np.empty(0), []) == pytest.approx(1.86 * PRIOR_SPREAD, rel=0.03)


def test_earlier_stretches_that_were_wild_widen_an_interrupted_series() -> None:
    calm = interrupted([np.array([0.1])] * 3, scale=1.0)
    wild = interrupted([np.array([5.0])] * 3, scale=1.0)
    assert wild.half_width > calm.half_width
    assert calm.deviation == wild.deviation == 0.0
