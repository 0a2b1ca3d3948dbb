from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd

from tasks.adapters.spot_market import HistoryQuery
from tasks.spot.history import MarketScope, _regions_read_whole, _without

START = datetime(2026, 3, 1, tzinfo=UTC)


def scope(*regions: str, types: tuple[str, ...] = ()) -> MarketScope:
    return MarketScope(regions=regions, products=("Linux/UNIX",), instance_types=types)


def history() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "availability_zone": ["us-east-1a", "us-east-1a", "eu-west-1a"],
            "instance_type": ["m5.large", "c5.large", "m5.large"],
            "product_description": ["Linux/UNIX", "Linux/UNIX", "Linux/UNIX"],
        }
    )


def test_a_scope_selects_its_regions_products_and_types() -> None:
    selected = scope("us-east-1", types=("m5.large",)).select(history())

    assert list(selected.index) == [0]


def test_scopes_that_ask_for_different_things_have_spans_of_their_own() -> None:
    one, other = scope("us-east-1"), scope("us-east-1", types=("m5.large",))

    assert one.key("us-east-1") != other.key("us-east-1")


def test_a_region_whose_window_begins_with_the_query_was_read_whole() -> None:
    def query(region: str, start: datetime) -> HistoryQuery:
        return HistoryQuery(region=region, start=start, end=start + timedelta(days=1))

    queries = [query("us-east-1", START), query("eu-west-1", START + timedelta(days=9))]

    assert _regions_read_whole(queries, START) == ("us-east-1",)


def test_what_was_held_of_a_region_read_whole_is_dropped() -> None:
    kept = _without(history(), scope("us-east-1", "eu-west-1"), ("us-east-1",))

    assert kept["availability_zone"].tolist() == ["eu-west-1a"]
