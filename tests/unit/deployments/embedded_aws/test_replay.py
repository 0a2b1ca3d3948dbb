from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from deployments.embedded.aws.errors import InvalidInputError
from deployments.embedded.aws.replay import replay_end, shift_to_end

NOW = datetime(2026, 6, 1, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("now", NOW),
        ("+7d", NOW + timedelta(days=7)),
        ("-2h", NOW - timedelta(hours=2)),
        ("+90m", NOW + timedelta(minutes=90)),
        ("-1w", NOW - timedelta(weeks=1)),
        ("2026-01-31T12:00Z", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31T12:00", datetime(2026, 1, 31, 12, tzinfo=UTC)),
    ],
)
def test_the_end_of_a_replay_is_an_offset_or_an_instant(text: str, end: datetime) -> None:
    assert replay_end(text, now=NOW) == end


@pytest.mark.parametrize("text", ["", "soon", "7d", "+7", "+7y"])
def test_what_is_no_time_is_refused_with_examples(text: str) -> None:
    with pytest.raises(InvalidInputError, match=r"\+7d or -2h"):
        replay_end(text, now=NOW)


def test_a_recording_moves_by_whole_hours_up_to_the_end() -> None:
    recorded = pd.to_datetime(["2021-03-02T00:05:01Z", "2021-04-25T23:48:40Z"])
    frame = pd.DataFrame({"timestamp": recorded, "price": [1.0, 2.0]})

    moved = shift_to_end(frame, end=NOW)["timestamp"]

    assert moved.iloc[1] == pd.Timestamp("2026-06-01T11:48:40Z")
    assert moved.iloc[1] - moved.iloc[0] == recorded[1] - recorded[0]
    assert (moved.dt.minute == recorded.minute).all()
    assert (moved.dt.second == recorded.second).all()


def test_a_recording_can_move_back() -> None:
    frame = pd.DataFrame({"timestamp": pd.to_datetime(["2030-01-01T00:05:00Z"])})

    moved = shift_to_end(frame, end=NOW)["timestamp"].iloc[0]

    assert moved == pd.Timestamp("2026-06-01T12:05:00Z")
