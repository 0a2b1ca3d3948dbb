from datetime import timedelta

import pytest

from tasks.domain.errors import PermanentError
from tasks.domain.tuning.observed import TuningBounds
from tasks.domain.tuning.report import amount, tuning_report
from tasks.domain.tuning.suggestions import (
    Change,
    Effect,
    Evidence,
    Figure,
    Kind,
    Measure,
    NotSuggested,
    Suggestion,
)


def suggestion(workload: str) -> Suggestion:
    return Suggestion(
        workload=workload,
        change=Change(kind=Kind.MEMORY_LIMIT, before=2.0**30, after=1.5 * 2.0**30),
        effect=Effect(measure=Measure.OOM, before=0.9, expected=0.012, low=0.0, high=0.04),
        promised=0.05,
        confidence=0.93,
        evidence=Evidence(
            window=timedelta(days=14),
            samples=4032,
            figures=(Figure(what="OOM kills", value=3.0),),
            method="daily peaks",
        ),
    )


def test_a_suggestion_is_a_row_with_effect_confidence_and_undo() -> None:
    text = tuning_report([suggestion("shop")])
    assert (
        "| shop | memory-limit | 1.00 GiB | 1.50 GiB | weeks with an OOM kill: 90 % → 1.2 %" in text
    )
    assert "(0 % to 4 %) | at most 5 % | 93% | set to 1.00 GiB |" in text
    assert "| shop | memory-limit | 14.0 days | 4,032 | OOM kills 3 | daily peaks |" in text


def test_what_is_left_alone_is_listed_with_its_reason() -> None:
    kept = NotSuggested(
        workload="shop",
        kind=Kind.CACHE_SIZE,
        why="too few",
        figures=(Figure(what="seen", value=2),),
    )
    text = tuning_report([kept])
    assert "Nothing is suggested." in text
    assert "| shop | cache-size | too few (seen 2) |" in text


def test_a_name_with_a_bar_stays_in_its_column() -> None:
    assert "| a\\|b |" in tuning_report([suggestion("a|b")])


def test_bytes_are_shown_in_the_largest_unit_they_fill() -> None:
    assert amount(512 * 2.0**20, "bytes") == "512.00 MiB"
    assert amount(100.0, "bytes") == "100 bytes"
    assert amount(None, "cores") == "none"
    assert amount(0.25, "cores") == "0.25 cores"


def test_bounds_that_contradict_themselves_are_refused() -> None:
    with pytest.raises(PermanentError, match="must be above 0"):
        TuningBounds(largest_step_down=1.5)
    with pytest.raises(PermanentError, match="margin"):
        TuningBounds(memory_margin=0.9)
    with pytest.raises(PermanentError, match="1 days"):
        TuningBounds(least_days=1.0)
