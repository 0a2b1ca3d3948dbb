from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from tasks.domain.spot.pools import Pool, hourly_panel, window_start

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def changes(*rows: tuple[str, str, float]) -> pd.DataFrame:
    """Rows of (offset from noon such as "-90min", zone, price) of m5.large."""
    return pd.DataFrame(
        {
            "timestamp": [pd.Timestamp(NOON) + pd.Timedelta(offset) for offset, _, _ in rows],
            "instance_type": "m5.large",
            "availability_zone": [zone for _, zone, _ in rows],
            "product_description": "Linux/UNIX",
            "price_usd_per_hour": [price for _, _, price in rows],
        }
    )


def test_the_price_at_an_hour_mark_is_the_last_one_announced_by_then() -> None:
    panel = hourly_panel(
        changes(("-150min", "us-east-1a", 0.1), ("-60min", "us-east-1a", 0.2)),
        cutoff=NOON,
        hours=4,
    )

    np.testing.assert_array_equal(panel.prices, [[np.nan, 0.1, 0.2, 0.2]])


def test_a_price_announced_before_the_window_is_in_effect_at_its_start() -> None:
    panel = hourly_panel(changes(("-40D", "us-east-1a", 0.1)), cutoff=NOON, hours=3)

    np.testing.assert_array_equal(panel.prices, [[0.1, 0.1, 0.1]])


def test_nothing_after_the_cutoff_is_known() -> None:
    rows = changes(("-1h", "us-east-1a", 0.1), ("1s", "us-east-1a", 9.0), ("-1h", "us-east-1b", 1))

    panel = hourly_panel(rows, cutoff=NOON, hours=2)

    np.testing.assert_array_equal(panel.prices, [[0.1, 0.1], [1.0, 1.0]])


def test_a_cutoff_within_the_hour_is_rounded_down_so_that_a_rerun_agrees() -> None:
    rows = changes(("-1h", "us-east-1a", 0.1), ("10min", "us-east-1a", 9.0))

    panel = hourly_panel(rows, cutoff=NOON + timedelta(minutes=59), hours=2)

    assert panel.cutoff == NOON
    np.testing.assert_array_equal(panel.prices, [[0.1, 0.1]])


def test_of_two_prices_at_one_instant_the_later_row_wins() -> None:
    rows = changes(("-1h", "us-east-1a", 0.1), ("-1h", "us-east-1a", 0.2))

    np.testing.assert_array_equal(hourly_panel(rows, cutoff=NOON, hours=1).prices, [[0.2]])


def test_a_heartbeat_at_the_same_price_is_not_a_change() -> None:
    rows = changes(
        ("-30h", "us-east-1a", 0.1), ("-20h", "us-east-1a", 0.2), ("-2h", "us-east-1a", 0.2)
    )

    panel = hourly_panel(rows, cutoff=NOON, hours=2)

    expected = np.datetime64((NOON - timedelta(hours=20)).replace(tzinfo=None), "s")
    assert panel.last_change_at[0] == expected


def test_a_pool_that_never_changed_has_no_last_change() -> None:
    panel = hourly_panel(changes(("-5h", "us-east-1a", 0.1)), cutoff=NOON, hours=2)

    assert np.isnat(panel.last_change_at[0])


def test_pools_are_sorted_and_a_chunk_keeps_rows_together() -> None:
    rows = changes(("-5h", "us-east-1c", 3), ("-5h", "us-east-1a", 1), ("-5h", "us-east-1b", 2))

    panel = hourly_panel(rows, cutoff=NOON, hours=1)
    chunk = panel.take(slice(1, 3))

    assert [pool.availability_zone[-1] for pool in panel.pools] == ["a", "b", "c"]
    assert chunk.pools == (
        Pool(availability_zone="us-east-1b", instance_type="m5.large"),
        Pool(availability_zone="us-east-1c", instance_type="m5.large"),
    )
    np.testing.assert_array_equal(chunk.prices, [[2.0], [3.0]])


def test_an_empty_history_gives_an_empty_panel() -> None:
    panel = hourly_panel(changes(), cutoff=NOON, hours=5)

    assert (len(panel), panel.hours) == (0, 5)


@pytest.mark.parametrize(("hours", "offset"), [(1, 0), (721, 720)])
def test_the_window_has_as_many_marks_as_hours(hours: int, offset: int) -> None:
    assert window_start(NOON, hours=hours) == NOON - timedelta(hours=offset)


def test_a_pool_survives_pickling() -> None:
    pool = Pool(
        availability_zone="us-east-1a", instance_type="m5.large", product_description="Windows"
    )

    assert pickle.loads(pickle.dumps(pool)) == pool


@pytest.mark.parametrize(
    ("zone", "region"),
    [
        ("us-east-1a", "us-east-1"),
        ("us-west-2-lax-1a", "us-west-2"),
        ("us-gov-west-1b", "us-gov-west-1"),
        ("eu-west-1", "eu-west-1"),
    ],
)
def test_a_pool_knows_its_region(zone: str, region: str) -> None:
    assert Pool(availability_zone=zone, instance_type="m5.large").region == region
