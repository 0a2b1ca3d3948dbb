"""The whole page of a scorecard; REGENERATE_GOLDEN=1 writes it anew, to be reviewed as a diff."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pandas as pd

from tasks.domain.models.scorecard_report import scorecard, scorecard_markdown
from tests.unit.models.scoring_builders import MADE_AT, days_of_sums, rows

GOLDEN = Path(__file__).parent / "scorecard.md"
NOW = MADE_AT + timedelta(days=43)


def page() -> str:
    daily = pd.concat(
        [
            days_of_sums(42, group="steady"),
            days_of_sums(42, group="bursty", covered=0.5, error=12.0),
            days_of_sums(42, group="steady").assign(up_to_hours=24.0),
            days_of_sums(12, role="challenger", start=MADE_AT + timedelta(days=30)),
            days_of_sums(42, model="spot-168h", group="moving", error=9.9).assign(
                up_to_hours=168.0
            ),
            days_of_sums(42, model="spot-168h", group="still", covered=1.0).assign(
                up_to_hours=168.0, paired_naive_error=0.0, paired_abs_error=0.0
            ),
            days_of_sums(3, model="load-memory", start=MADE_AT + timedelta(days=40)),
        ],
        ignore_index=True,
    )
    waiting = pd.concat(
        [rows(range(1, 25), made_at=NOW), rows([90], made_at=NOW, model="spot-168h")],
        ignore_index=True,
    )
    card = scorecard(
        daily,
        waiting,
        now=NOW,
        window_days=56,
        judged=168,
        expired=24,
        notes=["No announced prices could be read: run forecast-spot-prices; prices wait."],
    )
    return scorecard_markdown(card)


def test_the_page_of_a_scorecard_is_as_it_was_reviewed() -> None:
    text = page()

    if os.environ.get("REGENERATE_GOLDEN"):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()
