"""Intervals follow how often those before them held, and nothing that was not known yet."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.domain.models.live_widths import LiveWidths, adapted, adapted_width, live_widths
from tasks.domain.models.scorecard import no_sums
from tests.unit.models.scoring_builders import MADE_AT, days_of_sums, flat, load_forecasts

NOW = MADE_AT + timedelta(days=60)


def widths(daily: pd.DataFrame, *, days_later: float = 60.0, version: str = "abc") -> LiveWidths:
    known_at = MADE_AT + timedelta(days=days_later)
    return live_widths(daily, name="load-cpu", version=version, known_at=known_at)


def test_without_any_score_intervals_stay_as_they_are() -> None:
    found = load_forecasts(flat())
    assert widths(no_sums()) == LiveWidths(factors={}, coverage={})
    same = adapted(found, ["all", "all"], widths(no_sums()))
    np.testing.assert_allclose(same.quantiles, found.quantiles)
    assert np.isnan(same.confidence).all()


@pytest.mark.parametrize(("covered", "low", "high"), [(0.5, 2.0, 8.0), (1.0, 0.125, 0.4)])
def test_too_narrow_is_widened_and_too_wide_is_narrowed(
    covered: float, low: float, high: float
) -> None:
    factor = widths(days_of_sums(30, covered=covered)).factors["all", 4.0]
    assert low < factor <= high


def test_what_held_as_promised_stays() -> None:
    # 19 of 24 is as near to 80 % as hours of a day come.
    assert widths(days_of_sums(30)).factors["all", 4.0] == pytest.approx(1.0, abs=0.12)


def test_only_days_that_were_over_and_judged_are_known() -> None:
    daily = days_of_sums(30, covered=0.5)
    early = widths(daily, days_later=10.0)
    # At noon of the tenth day the ninth is over, but its last hours may not have been judged.
    cut = pd.Timestamp(MADE_AT).floor("D") + pd.Timedelta(days=9)
    assert early.factors == widths(daily[daily["day"] < cut]).factors
    assert early.factors["all", 4.0] < widths(daily).factors["all", 4.0]


def test_a_new_version_begins_with_its_own_widths() -> None:
    assert widths(days_of_sums(30, covered=0.5), version="def").factors == {}


def test_a_range_without_scores_and_another_group_stay() -> None:
    found = load_forecasts(flat())
    told = adapted(found, ["all", "idle"], widths(days_of_sums(30, covered=0.5)))
    spread = told.quantiles[..., 2] - told.quantiles[..., 0]
    assert (spread[0, :4] > 30.0).all()
    np.testing.assert_allclose(spread[0, 4:], 20.0)
    np.testing.assert_allclose(spread[1], 20.0)
    np.testing.assert_allclose(told.median, found.median)


def test_confidence_is_what_intervals_covered_lately() -> None:
    told = adapted(
        load_forecasts(flat()), ["all", "idle"], widths(days_of_sums(30), days_later=30.0)
    )
    assert told.confidence[0] == pytest.approx(19 / 24, abs=1e-9)
    assert np.isnan(told.confidence[1])


def test_a_few_days_are_no_coverage() -> None:
    assert widths(days_of_sums(4), days_later=4.0).coverage == {}


@given(st.lists(st.floats(0.0, 1.0), max_size=60))
def test_any_sequence_of_days_leaves_a_width_within_bounds(shares: list[float]) -> None:
    width = adapted_width(shares)
    assert 1 / 8 <= width.factor <= 8
    assert width.updates == len(shares)
