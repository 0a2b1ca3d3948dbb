from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd

from tasks.domain.spot.history import (
    OVERLAP,
    Slice,
    continues,
    merged_history,
    missing_slices,
)

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def frame(*rows: tuple[int, float]) -> pd.DataFrame:
    """Rows of (hours after START, price) of one pool."""
    return pd.DataFrame(
        {
            "timestamp": [pd.Timestamp(START) + pd.Timedelta(hours=hour) for hour, _ in rows],
            "instance_type": "m5.large",
            "availability_zone": "us-east-1a",
            "product_description": "Linux/UNIX",
            "price_usd_per_hour": [price for _, price in rows],
        }
    )


def prices(history: pd.DataFrame) -> list[float]:
    return history["price_usd_per_hour"].tolist()


def test_without_history_the_whole_window_is_read_in_slices_that_touch() -> None:
    slices = missing_slices(window_start=START, until=START + 5 * DAY, held=None, longest=2 * DAY)

    assert slices == (
        Slice(start=START, end=START + 2 * DAY),
        Slice(start=START + 2 * DAY, end=START + 4 * DAY),
        Slice(start=START + 4 * DAY, end=START + 5 * DAY),
    )


def test_with_history_only_what_is_new_is_read_and_a_little_before() -> None:
    held = Slice(start=START - DAY, end=START + 4 * DAY)

    slices = missing_slices(window_start=START, until=START + 5 * DAY, held=held, longest=30 * DAY)

    assert slices == (Slice(start=START + 4 * DAY - OVERLAP, end=START + 5 * DAY),)


def test_history_that_begins_too_late_for_a_longer_window_is_read_again() -> None:
    held = Slice(start=START + DAY, end=START + 4 * DAY)

    (only,) = missing_slices(window_start=START, until=START + 5 * DAY, held=held, longest=9 * DAY)

    assert only.start == START


def test_history_that_ended_before_the_window_is_of_no_use() -> None:
    held = Slice(start=START - 9 * DAY, end=START - DAY)

    (only,) = missing_slices(window_start=START, until=START + DAY, held=held, longest=9 * DAY)

    assert only.start == START


def test_rows_read_twice_appear_once() -> None:
    merged = merged_history(
        [frame((1, 0.1), (2, 0.2)), frame((2, 0.2), (3, 0.3))], window_start=START
    )

    assert prices(merged) == [0.1, 0.2, 0.3]


def test_a_corrected_price_replaces_the_earlier_one() -> None:
    assert prices(merged_history([frame((1, 0.1)), frame((1, 0.15))], window_start=START)) == [0.15]


def test_only_the_price_in_effect_is_kept_of_what_lies_before_the_window() -> None:
    merged = merged_history([frame((-9, 0.1), (-5, 0.2), (3, 0.3))], window_start=START)

    assert prices(merged) == [0.2, 0.3]


def test_a_pool_without_news_keeps_its_last_price_however_old() -> None:
    assert prices(merged_history([frame((-900, 0.1))], window_start=START)) == [0.1]


def test_a_price_announced_at_the_very_start_stays_beside_the_one_before() -> None:
    assert prices(merged_history([frame((-1, 0.1), (0, 0.2))], window_start=START)) == [0.1, 0.2]


def test_nothing_merged_is_an_empty_history_with_its_columns() -> None:
    assert "price_usd_per_hour" in merged_history([], window_start=START).columns


def test_prices_that_were_in_effect_alike_carry_on() -> None:
    held, fetched = frame((0, 0.1), (5, 0.2)), frame((5, 0.2), (9, 0.3))

    assert continues(held, fetched, since=START + timedelta(hours=6))


def test_the_same_recording_shifted_in_time_does_not_carry_on() -> None:
    held, fetched = frame((0, 0.1), (5, 0.2)), frame((1, 0.1), (9, 0.2))

    assert not continues(held, fetched, since=START + timedelta(hours=6))


def test_prices_of_other_pools_do_not_carry_on() -> None:
    elsewhere = frame((5, 0.2)).assign(availability_zone="eu-west-1a")

    assert not continues(frame((0, 0.2)), elsewhere, since=START + timedelta(hours=6))
