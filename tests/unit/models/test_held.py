"""Each forecast counts once."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd

from tasks.domain.models.held import (
    KNOWN_FOR,
    REMEMBER_WITHIN,
    Held,
    acceptable,
    joined,
    nothing_held,
)
from tests.unit.models.scoring_builders import MADE_AT, rows

NOW = MADE_AT + timedelta(hours=1)


def held(*parts: pd.DataFrame) -> Held:
    return joined(nothing_held(), parts, now=NOW)


def test_the_same_forecast_twice_counts_once() -> None:
    once = held(rows([1, 2]))

    assert len(held(rows([1, 2]), rows([1, 2])).rows) == 2
    assert len(joined(once, [rows([1, 2])], now=NOW).rows) == 2
    assert len(held(pd.concat([rows([1, 2]), rows([1, 2])])).rows) == 2


def test_another_version_role_series_or_origin_is_another_forecast() -> None:
    others = [
        rows(version="def"),
        rows(role="challenger"),
        rows(series="cpu_percent/i-1"),
        rows(made_at=MADE_AT + timedelta(minutes=30)),
    ]

    assert len(held(rows(), *others).rows) == 5


def test_of_one_forecast_in_two_parts_the_first_counts_whatever_the_second_says() -> None:
    found = held(rows([1], q50=31.0), rows([1, 2], q50=32.0)).rows

    assert found["q50"].tolist() == [31.0]


def test_a_forecast_that_was_judged_is_not_taken_again() -> None:
    before = held(rows([1, 2]))
    judged = Held(rows=before.rows.iloc[:0], known=before.known)

    assert joined(judged, [rows([1, 2])], now=NOW).rows.empty


def test_a_second_region_adds_its_series_to_the_same_origin() -> None:
    both = pd.concat([rows(), rows(series="cpu_percent/i-1")])

    assert len(joined(held(rows()), [both], now=NOW).rows) == 2


def test_only_what_was_made_by_now_and_lately_is_taken() -> None:
    parts = [
        rows(made_at=NOW + timedelta(hours=1)),
        rows(made_at=NOW),
        rows(made_at=NOW - REMEMBER_WITHIN),
        rows(made_at=NOW - REMEMBER_WITHIN - timedelta(hours=1)),
    ]
    taken = acceptable(pd.concat(parts, ignore_index=True), now=NOW)

    assert taken["made_at"].tolist() == [pd.Timestamp(NOW), pd.Timestamp(NOW - REMEMBER_WITHIN)]


def test_what_was_taken_is_forgotten_only_when_it_would_not_be_taken_any_more() -> None:
    before = held(rows())
    later = MADE_AT + KNOWN_FOR
    kept = joined(before, [], now=later)
    gone = joined(before, [], now=later + timedelta(seconds=1))

    assert (len(kept.known), len(gone.known)) == (1, 0)
    assert acceptable(rows(), now=later).empty
