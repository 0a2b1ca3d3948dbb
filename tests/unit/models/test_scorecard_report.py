"""What the scorecard says in words."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd

from tasks.domain.models.live import no_rows
from tasks.domain.models.scorecard import no_sums
from tasks.domain.models.scorecard_report import NOTHING, scorecard, scorecard_markdown, waiting_of
from tests.unit.models.scoring_builders import MADE_AT, days_of_sums, rows

NOW = MADE_AT + timedelta(days=14)


def text(daily: pd.DataFrame, stored: pd.DataFrame, *, expired: int = 0) -> str:
    card = scorecard(daily, stored, now=NOW, window_days=56, expired=expired)
    return scorecard_markdown(card)


def test_before_the_first_forecast_it_says_so() -> None:
    assert text(no_sums(), no_rows()) == f"# Forecast scorecard\n\n{NOTHING}\n"


def test_before_the_first_truth_it_says_when_that_is_due() -> None:
    found = text(no_sums(), rows([30, 31], made_at=NOW))

    assert "**Not enough yet:** no forecast has met its truth so far" in found
    assert "the first value is due 16 Mar 2026 18:00 UTC." in found
    assert "| load-cpu | 2 | 16 Mar 18:00 | 16 Mar 19:00 | 13 Apr 2026 |" in found


def test_scores_that_are_all_older_than_the_window_are_not_called_no_forecasts() -> None:
    card = scorecard(days_of_sums(3), no_rows(), now=MADE_AT + timedelta(days=100), window_days=56)

    assert "No forecast of the last 56 days waits or was judged." in scorecard_markdown(card)


def test_a_challenger_is_called_one() -> None:
    assert "| load-cpu (challenger) | up to 4 h |" in text(
        days_of_sums(3, role="challenger"), no_rows()
    )


def test_one_group_of_everything_is_no_table_of_groups() -> None:
    assert "By group" not in text(days_of_sums(3), no_rows())
    assert "| load-cpu | idle |" in text(days_of_sums(3, group="idle"), no_rows())


def test_what_expired_is_told_also_where_nothing_waits() -> None:
    assert "7 values expired unjudged so far" in text(no_sums(), no_rows(), expired=7)


def test_what_waits_is_counted_by_model_and_role() -> None:
    stored = pd.concat([rows([1, 5]), rows([2], role="challenger"), rows([3], model="spot-24h")])
    found = waiting_of(stored)

    assert [(one.model, one.role, one.count) for one in found] == [
        ("load-cpu", "challenger", 1), ("load-cpu", "champion", 2), ("spot-24h", "champion", 1),
    ]  # fmt: skip
    assert found[1].last_target_at == MADE_AT + timedelta(hours=5)
    assert waiting_of(no_rows()) == ()
