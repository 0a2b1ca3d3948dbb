"""What came true, from what other flows stored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from tasks.domain.load.panel import Load
from tasks.domain.models.live import load_series, price_series
from tasks.domain.models.truth import PriceSpan, load_truth, pool_of, price_span, price_truth
from tasks.domain.spot.pools import Pool
from tasks.domain.usage.panel import Metric, UsagePanel
from tasks.spot.history import MarketScope
from tests.unit.models.scoring_builders import rows

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
POOL = Pool(availability_zone="us-east-1a", instance_type="m5.large")
LINUX = "Linux/UNIX"


def panel() -> UsagePanel:
    return UsagePanel(
        resources=("i-0", "i-1"),
        start=NOON,
        values={
            Metric.CPU_MEAN: np.array([[10, 20, np.nan], [1, 2, 3]], np.float32),
            Metric.REQUESTS: np.array([[7200, 3600, 0], [np.nan] * 3], np.float32),
        },
    )


def known(found: pd.DataFrame) -> dict[tuple[str, int], float]:
    return {
        (series, at.hour): truth
        for series, at, truth in found[["series", "target_at", "truth"]].itertuples(index=False)
    }


def test_a_load_belongs_to_the_end_of_its_hour() -> None:
    found = load_truth(rows([0, 1, 2, 3, 4], made_at=NOON), panel())

    assert known(found) == {("cpu_percent/i-0", 13): 10.0, ("cpu_percent/i-0", 14): 20.0}


def test_requests_are_judged_per_second() -> None:
    stored = rows([1, 2], made_at=NOON, series=load_series(Load.REQUESTS, "i-0"))

    assert list(known(load_truth(stored, panel())).values()) == [2.0, 1.0]


@pytest.mark.parametrize("series", ["memory_percent/i-0", "cpu_percent/i-9", "spot/m5.large/x"])
def test_what_was_not_observed_is_not_known(series: str) -> None:
    assert load_truth(rows([1], made_at=NOON, series=series), panel()).empty


def test_half_hours_are_not_known_from_hourly_means() -> None:
    assert load_truth(rows([1.5], made_at=NOON), panel()).empty


def changes(*announced: tuple[datetime, float], kind: str = "m5.large") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "timestamp": pd.to_datetime([at for at, _ in announced], utc=True),
            "instance_type": kind,
            "availability_zone": "us-east-1a",
            "product_description": LINUX,
            "price_usd_per_hour": [price for _, price in announced],
        }
    )


def span(end: datetime, **fields: object) -> PriceSpan:
    found = price_span(f"us-east-1|{LINUX}|*", start=NOON - timedelta(days=1), end=end)
    return PriceSpan(**{**{f: getattr(found, f) for f in PriceSpan.__slots__}, **fields})


ANNOUNCED = changes((NOON - timedelta(hours=5), 0.1), (NOON + timedelta(minutes=90), 0.2))
PRICES = price_series(POOL)


def test_a_price_is_the_one_in_effect_at_the_hour() -> None:
    stored = rows([1, 2, 3], made_at=NOON, series=PRICES)
    found = price_truth(stored, ANNOUNCED, [span(NOON + timedelta(hours=6))])

    assert known(found) == {(PRICES, 13): 0.1, (PRICES, 14): 0.2, (PRICES, 15): 0.2}


def test_a_price_is_not_known_while_announcements_may_still_come() -> None:
    stored = rows([1, 2, 3], made_at=NOON, series=PRICES)
    found = price_truth(stored, ANNOUNCED, [span(NOON + timedelta(hours=4))])

    assert known(found) == {(PRICES, 13): 0.1, (PRICES, 14): 0.2}


@pytest.mark.parametrize(
    "other",
    [
        {"region": "us-west-2"},
        {"products": frozenset({"Windows"})},
        {"instance_types": frozenset({"c5.large"})},
        {"start": NOON + timedelta(hours=2)},
    ],
)
def test_a_price_is_not_known_where_the_history_is_not_complete(other: dict[str, object]) -> None:
    stored = rows([1], made_at=NOON, series=PRICES)
    spans = [span(NOON + timedelta(hours=6), **other)]

    assert price_truth(stored, ANNOUNCED, spans).empty
    assert not price_truth(stored, ANNOUNCED, [*spans, span(NOON + timedelta(hours=6))]).empty


def test_a_pool_that_was_never_announced_and_an_empty_history_tell_nothing() -> None:
    stored = rows([1], made_at=NOON, series="spot/c5.large/us-east-1a")
    spans = [span(NOON + timedelta(hours=6))]

    assert price_truth(stored, ANNOUNCED, spans).empty
    assert price_truth(stored, ANNOUNCED.iloc[:0], spans).empty
    assert price_truth(stored, ANNOUNCED, []).empty
    assert price_truth(rows([1]), ANNOUNCED, spans).empty


def test_a_target_after_all_history_is_not_known() -> None:
    stored = rows([400], made_at=NOON, series=PRICES)

    assert price_truth(stored, ANNOUNCED, [span(NOON + timedelta(hours=6))]).empty


@pytest.mark.parametrize("product", [LINUX, "Windows", "Linux/UNIX (Amazon VPC)"])
def test_a_pool_is_found_by_its_name(product: str) -> None:
    pool = Pool(
        availability_zone="us-west-2-lax-1a", instance_type="m5.large", product_description=product
    )

    assert pool_of(price_series(pool)) == pool


@pytest.mark.parametrize("types", [(), ("m5.large", "c5.large")])
def test_spans_are_read_by_the_keys_under_which_the_outlook_keeps_them(
    types: tuple[str, ...],
) -> None:
    scope = MarketScope(regions=("us-east-1",), products=("Windows", LINUX), instance_types=types)
    found = price_span(scope.key("us-east-1"), start=NOON, end=NOON)

    assert (found.region, set(found.products)) == ("us-east-1", {LINUX, "Windows"})
    assert found.instance_types == set(types)
