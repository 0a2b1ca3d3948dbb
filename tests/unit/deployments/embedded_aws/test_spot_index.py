from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from deployments.embedded.aws.spot_index import (
    Position,
    RegionHistory,
    Window,
    index_by_region,
)
from tasks.domain.arrays import BoolArray
from tasks.domain.spot.pools import Pool


def random_history(seed: int, *, rows: int, pools: int) -> RegionHistory:
    rng = np.random.default_rng(seed)
    return RegionHistory(
        pools=[
            Pool(availability_zone="us-east-1a", instance_type=f"m{i}.large") for i in range(pools)
        ],
        pool=rng.integers(0, pools, rows),
        seconds=np.sort(rng.integers(0, rows // 2, rows)),
        price=rng.random(rows) + 0.01,
    )


def all_pages(history: RegionHistory, window: Window, *, limit: int) -> list[int]:
    found: list[int] = []
    below = window.below
    while below:
        page = Window(pools=window.pools, start=window.start, below=below, accepts=window.accepts)
        rows, below = history.rows_between(page, limit=limit)
        assert len(rows) <= limit
        found.extend(rows.tolist())
    return found


def expected(history: RegionHistory, pools: BoolArray, *, start: int, end: int) -> list[int]:
    """The meaning of StartTime and EndTime, row by row."""
    inside: set[int] = set()
    for pool in np.flatnonzero(pools):
        own = [i for i in range(len(history)) if history.pool[i] == pool]
        told = [i for i in own if start <= history.seconds[i] <= end]
        earlier = [i for i in own if history.seconds[i] < start]
        starts_at_start = any(history.seconds[i] == start for i in told)
        inside.update(told)
        if earlier and not starts_at_start:
            inside.add(earlier[-1])
    return sorted(inside, reverse=True)


@pytest.mark.parametrize("limit", [1, 7, 1000])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_pages_hold_the_window_and_the_prices_in_effect_at_its_start(seed: int, limit: int) -> None:
    history = random_history(seed, rows=300, pools=9)
    pools = np.random.default_rng(seed).random(9) < 0.6
    start, end = 60, 120
    window = Window(pools=pools, start=start, below=history.revealed(end))

    assert all_pages(history, window, limit=limit) == expected(history, pools, start=start, end=end)


def test_a_window_before_the_history_is_empty() -> None:
    history = random_history(0, rows=50, pools=2)

    rows, below = history.rows_between(
        Window(pools=np.ones(2, dtype=bool), start=-10, below=history.revealed(-1)), limit=10
    )

    assert (len(rows), below) == (0, 0)


def test_the_last_page_says_so_even_when_it_is_full() -> None:
    history = random_history(0, rows=40, pools=1)
    window = Window(pools=np.ones(1, dtype=bool), start=0, below=40)

    rows, below = history.rows_between(window, limit=40)

    assert (len(rows), below) == (40, 0)


def test_regions_are_split_and_a_region_level_pool_stays_one() -> None:
    frame = pd.DataFrame(
        {
            "timestamp": pd.to_datetime(["2026-01-02T00:00Z", "2026-01-01T00:00Z"] * 2),
            "instance_type": "m5.large",
            "availability_zone": ["us-east-1", "us-east-1a", "eu-west-1a", "eu-west-1a"],
            "product_description": "Linux/UNIX",
            "price_usd_per_hour": [0.1, 0.2, 0.3, 0.4],
        }
    )

    regions = index_by_region(frame)

    assert sorted(regions) == ["eu-west-1", "us-east-1"]
    assert [p.availability_zone for p in regions["us-east-1"].pools] == ["us-east-1", "us-east-1a"]
    assert regions["eu-west-1"].price.tolist() == [0.4, 0.3]


def test_a_token_names_its_position() -> None:
    position = Position(query=7, start=-5, below=123)

    assert Position.from_token(position.token()) == position


@pytest.mark.parametrize("token", ["", "x", "é", "bnVsbA==", "WzEsIDJd"])
def test_other_text_is_no_token(token: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of json, base64 or our own
        Position.from_token(token)
