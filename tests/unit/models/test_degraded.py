"""Models that serve worse than they may are told of; others are not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from tasks.domain.models.degraded import degraded_models
from tasks.domain.models.scorecard import no_sums
from tests.unit.models.scoring_builders import MADE_AT, days_of_sums

DAYS = 20
NOW = MADE_AT + timedelta(days=DAYS)
SERVING = {"load-cpu": "abc" + "0" * 61}


def told(daily: pd.DataFrame, champions: dict[str, str] = SERVING) -> dict[str, str]:
    return degraded_models(daily, champions, now=NOW)


def days(**columns: Any) -> pd.DataFrame:
    return days_of_sums(DAYS, version=SERVING["load-cpu"][:12], **columns)


def test_a_model_that_keeps_its_promise_is_not_told_of() -> None:
    assert told(days()) == {}
    assert told(no_sums()) == {}


def test_intervals_that_hold_too_little_are_told_of() -> None:
    found = told(days(covered=0.6))
    assert "its 80 % intervals held 58" in found["load-cpu"]
    assert "in the last 7 days" in found["load-cpu"]


def test_intervals_that_hold_everything_are_no_fault() -> None:
    assert told(days(covered=1.0)) == {}


def test_errors_above_the_naive_forecasts_are_told_of() -> None:
    assert "of that of the naive forecast" in told(days(error=14.0))["load-cpu"]


def test_what_served_before_and_what_waits_do_not_count() -> None:
    assert told(days(covered=0.5), {"load-cpu": "def" + "0" * 61}) == {}
    assert told(days(covered=0.5), {}) == {}
    assert told(days(covered=0.5, role="challenger")) == {}


def test_an_honest_model_is_hardly_ever_told_of_however_often_one_looks() -> None:
    rng = np.random.default_rng(20)
    version = SERVING["load-cpu"][:12]
    stream = days_of_sums(60, per_day=100, version=version).reset_index(drop=True)
    told_of = 0
    for _ in range(20):
        shares = rng.normal(0.8, 0.08, len(stream)).clip(0.0, 1.0)
        daily = stream.assign(covered=(shares * stream["count"]).round().astype(np.int64))
        told_of += any(
            degraded_models(daily[:known], SERVING, now=MADE_AT + timedelta(days=known))
            for known in range(10, len(daily), 5)
        )
    # Forty months of days: two are the bound.
    assert told_of <= 2


def test_what_was_bad_long_ago_is_forgotten() -> None:
    assert degraded_models(days(covered=0.5), SERVING, now=NOW + timedelta(days=20)) == {}
