from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from deployments.embedded.aws.errors import InvalidFileError
from deployments.embedded.aws.spot_history import (
    SHIPPED_HISTORY,
    read_spot_history,
    region_of,
)

HEADER = "timestamp,instance_type,availability_zone,price_usd_per_hour,product_description"
GOOD = "2026-01-01T00:05:00Z,m5.large,us-east-1a,0.05,Linux/UNIX"


def csv(folder: Path, *lines: str) -> Path:
    path = folder / "prices.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize(
    ("zone", "region"),
    [
        ("us-east-1a", "us-east-1"),
        ("us-east-1", "us-east-1"),
        ("us-gov-west-1b", "us-gov-west-1"),
        ("us-east-1-bos-1a", "us-east-1"),
        ("us-east-1-wl1-bos-wlz-1", "us-east-1"),
        ("us-east", None),
        ("use1-az1", None),
        ("", None),
    ],
)
def test_the_region_is_read_off_the_zone(zone: str, region: str | None) -> None:
    assert region_of(zone) == region


def test_rows_come_back_oldest_first_and_naive_times_are_utc(tmp_path: Path) -> None:
    later = "2026-01-02 03:00:00,c5.large,us-east-1b,0.04,Linux/UNIX"
    offset = "2026-01-01T02:05:00+02:00,c5.large,us-east-1b,0.04,Linux/UNIX"

    frame = read_spot_history(csv(tmp_path, HEADER, later, GOOD, offset))

    assert frame["timestamp"].tolist() == [
        pd.Timestamp("2026-01-01T00:05Z"),
        pd.Timestamp("2026-01-01T00:05Z"),
        pd.Timestamp("2026-01-02T03:00Z"),
    ]
    assert frame["instance_type"].tolist() == ["m5.large", "c5.large", "c5.large"]


def test_parquet_and_csv_of_one_table_read_alike(tmp_path: Path) -> None:
    frame = read_spot_history(csv(tmp_path, HEADER, GOOD))
    frame.to_parquet(tmp_path / "prices.parquet")

    again = read_spot_history(tmp_path / "prices.parquet")

    pd.testing.assert_frame_equal(again, frame, check_dtype=False)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("yesterday,m5.large,us-east-1a,0.05,Linux/UNIX", "timestamp 'yesterday'"),
        ("1767225600,m5.large,us-east-1a,0.05,Linux/UNIX", "timestamp '1767225600'"),
        ("2026-01-01T00:05:00Z,m5.large,us-east-1a,0,Linux/UNIX", "'0' is not a number above 0"),
        ("2026-01-01T00:05:00Z,m5.large,us-east-1a,-1,Linux/UNIX", "'-1' is not a number above 0"),
        ("2026-01-01T00:05:00Z,m5.large,us-east-1a,nan,Linux/UNIX", "'nan' is not a number"),
        ("2026-01-01T00:05:00Z,m5.large,us-east-1a,inf,Linux/UNIX", "'inf' is not a number"),
        ("2026-01-01T00:05:00Z,m5.large,mars-1a,0.05,Linux/UNIX", "availability_zone 'mars-1a'"),
        ("2026-01-01T00:05:00Z,large,us-east-1a,0.05,Linux/UNIX", "instance_type 'large'"),
        ("2026-01-01T00:05:00Z,m5.large,us-east-1a,0.05,", "product_description ''"),
    ],
)
def test_a_bad_row_is_refused_with_its_number_and_reason(
    tmp_path: Path, row: str, reason: str
) -> None:
    path = csv(tmp_path, HEADER, GOOD, row, GOOD)

    with pytest.raises(InvalidFileError) as refused:
        read_spot_history(path)

    assert refused.value.row == 2
    assert f"{path}, row 2: " in str(refused.value)
    assert reason in str(refused.value)


def test_a_file_of_numbers_as_times_is_refused(tmp_path: Path) -> None:
    frame = read_spot_history(csv(tmp_path, HEADER, GOOD)).assign(timestamp=1767225600)
    frame.to_parquet(tmp_path / "prices.parquet")

    with pytest.raises(InvalidFileError, match="row 1: timestamp 1767225600"):
        read_spot_history(tmp_path / "prices.parquet")


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ((HEADER,), "holds no rows"),
        ((HEADER.replace("availability_zone", "zone"), GOOD), "'availability_zone' is missing"),
    ],
)
def test_a_file_that_is_no_history_is_refused(
    tmp_path: Path, lines: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(InvalidFileError, match=reason):
        read_spot_history(csv(tmp_path, *lines))


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("missing.csv", None, "no such file"),
        ("empty.csv", b"", "is not readable as csv"),
        ("text.parquet", b"not parquet", "is not readable as parquet"),
        ("prices.json", b"[]", "neither .parquet nor .csv"),
    ],
)
def test_an_unreadable_file_is_refused(
    tmp_path: Path, name: str, content: bytes | None, reason: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)

    with pytest.raises(InvalidFileError, match=reason):
        read_spot_history(tmp_path / name)


def test_the_shipped_extract_is_small_enough_to_ship_and_mostly_moves() -> None:
    frame = read_spot_history(SHIPPED_HISTORY)
    pools = frame.groupby(["instance_type", "availability_zone"])["price_usd_per_hour"]

    assert len(pools) <= 60
    assert (pools.nunique() > 10).mean() > 0.8
    assert frame["instance_type"].str.split(".").str[0].nunique() == 15
    assert frame["timestamp"].max() < datetime(2021, 4, 26, tzinfo=UTC)
