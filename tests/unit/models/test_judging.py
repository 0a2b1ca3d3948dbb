"""Rows and their truth: judged once, waiting, or expired."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tasks.domain.models.live_scores import live_scores
from tasks.domain.models.scorecard import (
    EXPIRE_AFTER,
    KEPT_DAYS,
    judged,
    merged,
    no_sums,
    recent,
    up_to_hours,
)
from tests.unit.models.scoring_builders import MADE_AT, days_of_sums, rows, truth_of

NOW = MADE_AT + timedelta(hours=30)


def test_scores_are_those_of_hand_computed_numbers() -> None:
    # 30 within 20 to 40 and a naive of 40, in units of 10; the second truth lies outside.
    stored = rows([1, 2])
    found = judged(stored, truth_of(stored, [32.0, 45.0]), now=NOW)
    (score,) = live_scores(found.daily)

    assert found.judged == score.count == 2
    assert score.mae == pytest.approx((2 + 15) / 2)
    assert score.mase == pytest.approx((0.2 + 1.5) / 2)
    assert score.bias == pytest.approx((-0.2 - 1.5) / 2)
    assert score.skill == pytest.approx(1 - (2 + 15) / (8 + 5))
    assert score.coverage == 0.5
    # Quantile losses of 20, 30, 40: 1.2, 1.0, 0.8 and 2.5, 7.5, 4.5.
    assert score.pinball == pytest.approx((3.0 / 3 + 14.5 / 3) / 2 / 10)


def test_a_row_is_judged_once_and_then_waits_no_more() -> None:
    stored = rows([1, 2])
    first = judged(stored, truth_of(stored.iloc[:1], 32.0), now=NOW)
    again = judged(first.waiting, truth_of(stored.iloc[:1], 32.0), now=NOW)
    rest = judged(first.waiting, truth_of(stored, 32.0), now=NOW)

    assert (first.judged, again.judged, rest.judged) == (1, 0, 1)
    assert rest.waiting.empty
    assert rest.waiting.dtypes.equals(stored.dtypes)


def test_a_truth_that_is_given_twice_counts_once_and_the_later_one_holds() -> None:
    stored = rows()
    twice = pd.concat([truth_of(stored, 99.0), truth_of(stored, 32.0)])
    found = judged(stored, twice, now=NOW)

    assert found.daily["abs_error"].tolist() == [2.0]


def test_one_truth_judges_every_model_that_forecast_it() -> None:
    stored = pd.concat([rows(), rows(role="challenger"), rows(version="def")], ignore_index=True)

    assert judged(stored, truth_of(rows(), 32.0), now=NOW).judged == 3


def test_an_unknown_truth_leaves_a_row_waiting() -> None:
    stored = rows([1, 2])
    unknown = truth_of(stored, 1.0).assign(truth=[np.nan, np.inf])
    found = judged(stored, unknown, now=NOW)

    assert (found.judged, len(found.waiting), found.expired) == (0, 2, 0)


def test_what_lies_ahead_is_not_judged_even_if_somebody_claims_to_know() -> None:
    stored = rows([29, 30, 31])
    found = judged(stored, truth_of(stored, 32.0), now=NOW)

    assert (found.judged, found.waiting["horizon_hours"].tolist()) == (2, [31.0])


def test_a_row_whose_truth_does_not_come_expires_and_is_counted() -> None:
    stored = rows([1, 2])
    at_last = MADE_AT + timedelta(hours=1) + EXPIRE_AFTER
    nothing = truth_of(stored, np.nan)

    assert judged(stored, nothing, now=at_last).expired == 0
    after = judged(stored, nothing, now=at_last + timedelta(seconds=1))
    assert (after.expired, len(after.waiting)) == (1, 1)


def test_a_truth_that_comes_late_is_accepted_while_the_row_is_there() -> None:
    stored = rows()
    found = judged(stored, truth_of(stored, 32.0), now=MADE_AT + 2 * EXPIRE_AFTER)

    assert (found.judged, found.expired) == (1, 0)


def test_without_a_scale_or_a_naive_forecast_what_hangs_on_them_is_undefined() -> None:
    def score(**columns: Any) -> dict[str, object]:
        stored = rows(**columns)
        (found,) = live_scores(judged(stored, truth_of(stored, 32.0), now=NOW).daily)
        return {name: getattr(found, name) for name in ("mae", "mase", "bias", "skill", "pinball")}

    assert score(scale=np.nan) == {
        "mae": 2.0, "mase": None, "bias": None, "skill": None, "pinball": None,
    }  # fmt: skip
    assert score(naive=np.nan)["skill"] is None
    assert score(naive=np.nan)["mase"] == pytest.approx(0.2)
    assert score(naive=32.0)["skill"] is None  # nothing beats a naive forecast without error


def test_skill_compares_both_on_the_same_values() -> None:
    stored = rows([1, 2], naive=[40.0, np.nan])
    (score,) = live_scores(judged(stored, truth_of(stored, [34.0, 90.0]), now=NOW).daily)

    assert score.skill == pytest.approx(1 - 4 / 6)


def test_a_price_that_stood_still_is_inside_an_interval_of_no_width() -> None:
    price = 0.0317
    stored = rows(q10=price, q50=price, q90=price, naive=price, scale=0.001)
    (score,) = live_scores(judged(stored, truth_of(stored, price), now=NOW).daily)

    assert (score.coverage, score.mae) == (1.0, 0.0)


def test_sums_belong_to_the_day_of_the_target() -> None:
    stored = rows([11, 12, 13])
    found = judged(stored, truth_of(stored, 32.0), now=NOW).daily

    assert found["day"].dt.day.tolist() == [1, 2]
    assert found["count"].tolist() == [1, 1 + 1]


@pytest.mark.parametrize(
    ("hours", "upper"), [(1, 4), (4, 4), (5, 24), (24, 24), (25, 72), (168, 168), (169, np.inf)]
)
def test_a_horizon_belongs_to_the_range_that_ends_at_or_after_it(
    hours: float, upper: float
) -> None:
    assert up_to_hours(np.array([hours]))[0] == upper


def test_days_that_are_too_old_are_dropped() -> None:
    daily = days_of_sums(3)
    kept = recent(daily, now=MADE_AT + timedelta(days=KEPT_DAYS))

    assert kept["day"].dt.day.tolist() == [2, 3]


def test_sums_of_nothing_have_the_types_of_sums_of_something() -> None:
    assert merged([]).empty
    assert no_sums().dtypes.equals(merged([days_of_sums(1)]).dtypes)
    assert live_scores(no_sums()) == ()
