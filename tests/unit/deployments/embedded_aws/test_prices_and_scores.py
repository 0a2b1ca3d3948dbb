from __future__ import annotations

import pandas as pd
import pytest

from deployments.embedded.aws.make_data import on_demand_table
from deployments.embedded.aws.placement import placement_score, pool_chance
from deployments.embedded.aws.price_list import on_demand_types, on_demand_usd_per_hour
from deployments.embedded.aws.spot_history import DATA, SHIPPED_HISTORY, read_spot_history


def test_the_shipped_price_list_is_what_its_rules_make() -> None:
    shipped = pd.read_csv(DATA / "on_demand_us-east-1.csv")

    pd.testing.assert_frame_equal(shipped, on_demand_table(), check_dtype=False)


def test_no_recorded_spot_price_is_above_on_demand() -> None:
    frame = read_spot_history(SHIPPED_HISTORY)
    on_demand = frame["instance_type"].map(lambda name: on_demand_types()[name].usd_per_hour)

    assert (frame["price_usd_per_hour"] <= on_demand).all()


@pytest.mark.parametrize(
    ("instance_type", "region", "price"),
    [
        ("m5.large", "us-east-1", 0.096),
        ("t3.medium", "us-east-1", 0.0416),
        ("p3dn.24xlarge", "us-east-1", 31.212),
        ("m5.large", "eu-central-1", 0.115008),
        ("m5.large", "mars-1", None),
        ("m99.large", "us-east-1", None),
    ],
)
def test_a_price_is_the_list_price_or_unknown(
    instance_type: str, region: str, price: float | None
) -> None:
    assert on_demand_usd_per_hour(instance_type, region=region) == price


def test_a_pool_at_the_floor_that_never_moves_delivers() -> None:
    assert pool_chance(price_share=0.3, relative_range=0.0, capacity=1) == pytest.approx(
        0.999, abs=1e-3
    )
    assert pool_chance(price_share=1.0, relative_range=0.0, capacity=1) == 0.0


def test_a_dearer_livelier_or_larger_need_is_less_likely_met() -> None:
    base = pool_chance(price_share=0.4, relative_range=0.1, capacity=10)

    assert pool_chance(price_share=0.5, relative_range=0.1, capacity=10) < base
    assert pool_chance(price_share=0.4, relative_range=0.2, capacity=10) < base
    assert pool_chance(price_share=0.4, relative_range=0.1, capacity=500) < base


@pytest.mark.parametrize(
    ("chances", "score"), [([], 1), ([0.0], 1), ([0.5], 5), ([0.5, 0.5], 7), ([1.0], 10)]
)
def test_a_score_rises_with_every_pool(chances: list[float], score: int) -> None:
    assert placement_score(chances) == score
