"""What live scores say, and when they say nothing yet."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tasks.domain.models.live_scores import (
    FEWEST,
    LiveScore,
    Promise,
    Worth,
    block_days,
    live_scores,
)
from tasks.domain.models.scorecard_chart import coverage_by_day, scorecard_chart, skill_by_day
from tasks.domain.models.scorecard_report import verdict
from tests.unit.models.scoring_builders import MADE_AT, days_of_sums


def score(days: int = 14, **fields: Any) -> LiveScore:
    (found,) = live_scores(days_of_sums(days, **fields))
    return found


def test_a_model_that_keeps_its_promise_and_beats_the_naive_forecast_is_said_to() -> None:
    found = score()

    assert (found.promise, found.worth) == (Promise.KEPT, Worth.BETTER)
    assert found.skill == pytest.approx(0.4, abs=0.02)
    assert verdict(found) == "beats the naive forecast; interval as promised"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"covered": 0.5}, (Promise.NARROW, Worth.BETTER)),
        ({"covered": 1.0, "days": 28}, (Promise.WIDE, Worth.BETTER)),
        ({"error": 14.0}, (Promise.KEPT, Worth.WORSE)),
        ({"error": 10.0}, (Promise.KEPT, Worth.SAME)),
    ],
)
def test_what_is_wrong_is_said(fields: dict[str, Any], expected: tuple[Promise, Worth]) -> None:
    found = score(**fields)

    assert (found.promise, found.worth) == expected


def test_a_few_days_or_a_few_values_are_not_enough() -> None:
    young, thin = score(4, per_day=100), score(10, per_day=5)

    assert young.count >= FEWEST
    for found in (young, thin):
        assert (found.promise, found.worth, found.enough) == (
            Promise.UNKNOWN, Worth.UNKNOWN, False,
        )  # fmt: skip
    assert verdict(young) == "not enough yet: 4 of 5 days"
    assert verdict(thin) == "not enough yet: 50 of 100 values"


def test_a_naive_forecast_without_error_leaves_no_comparison_but_a_verdict_on_the_interval() -> (
    None
):
    daily = days_of_sums(14).assign(paired_naive_error=0.0)
    (found,) = live_scores(daily)

    assert found.skill is None
    assert "no comparison" in verdict(found)


def test_days_that_one_forecast_reaches_over_count_as_one() -> None:
    daily = days_of_sums(28).assign(up_to_hours=168.0)
    (found,) = live_scores(daily)

    assert (found.days, found.blocks) == (28, 5)
    assert [block_days(hours) for hours in (4.0, 24.0, 72.0, 168.0, np.inf)] == [1, 1, 3, 7, 14]


def test_roles_models_and_what_else_is_asked_for_are_told_apart() -> None:
    parts = [
        days_of_sums(2),
        days_of_sums(2, role="challenger"),
        days_of_sums(2, model="spot-24h", group="still"),
        days_of_sums(2, model="spot-24h", group="moving"),
    ]
    daily = pd.concat(parts, ignore_index=True)

    assert [(one.model, one.role, one.count) for one in live_scores(daily)] == [
        ("load-cpu", "challenger", 48), ("load-cpu", "champion", 48), ("spot-24h", "champion", 96),
    ]  # fmt: skip
    assert [one.group for one in live_scores(daily, by=["group"])] == [
        "all", "all", "moving", "still",
    ]  # fmt: skip


def test_the_chart_has_a_point_a_day_and_no_point_where_skill_is_undefined() -> None:
    daily = days_of_sums(3)
    daily.loc[1, "paired_naive_error"] = 0.0
    daily.loc[2, "paired_abs_error"] = 1e6

    assert coverage_by_day(daily).tolist() == pytest.approx([19 / 24] * 3)
    found = skill_by_day(daily)
    assert found[0] == pytest.approx(0.4, abs=0.05)
    assert np.isnan(found[1])
    assert found[2] == -1.0


def test_the_chart_is_a_picture_also_of_one_day_and_a_challenger() -> None:
    later = MADE_AT + timedelta(days=3)
    one = days_of_sums(1)
    both = pd.concat([one, days_of_sums(5, start=later, role="challenger")], ignore_index=True)

    for daily in (one, both):
        assert scorecard_chart(daily, title="Live forecasts").startswith(b"\x89PNG")
