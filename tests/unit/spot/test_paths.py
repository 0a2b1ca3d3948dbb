from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from tasks.domain.arrays import FloatArray
from tasks.domain.spot.paths import moved_pools, price_paths
from tasks.domain.spot.pools import Pool, PricePanel

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def panel(prices: FloatArray, *, last_change: str = "NaT") -> PricePanel:
    return PricePanel(
        pools=tuple(
            Pool(availability_zone="us-east-1a", instance_type=f"m{i}.large")
            for i in range(len(prices))
        ),
        cutoff=NOON,
        prices=prices,
        last_change_at=np.full(len(prices), np.datetime64(last_change), dtype="datetime64[s]"),
    )


def steps(*prices: float) -> FloatArray:
    return np.array([prices])


def test_the_path_is_linear_between_changes_and_flat_after_the_last() -> None:
    e = np.e
    paths = price_paths(panel(steps(1, 1, 1, 1, e, e, e, e, e, e)))
    np.testing.assert_allclose(paths.path[0], [0, 0.25, 0.5, 0.75, 1, 1, 1, 1, 1, 1])


def test_a_lookup_does_not_see_the_line_to_a_change_that_comes_later() -> None:
    e = np.e
    paths = price_paths(panel(steps(1, 1, 1, 1, 1, 1, 1, 1, e, e)))
    before = paths.at(np.array([0]), np.array([6]), np.array([[2, 4, 6]]))
    after = paths.at(np.array([0]), np.array([8]), np.array([[2, 4, 6]]))
    np.testing.assert_array_equal(before, [[0.0, 0.0, 0.0]])
    np.testing.assert_allclose(after, [[0.25, 0.5, 0.75]])


def test_the_anchor_is_the_last_change_while_fresh_and_three_hours_ago_when_stale() -> None:
    prices = np.ones((1, 30))
    prices[:, 10:] = 2.0
    paths = price_paths(panel(prices))
    anchors = paths.anchors(np.array([0, 0, 0, 0]), np.array([10, 18, 19, 5]))
    np.testing.assert_array_equal(anchors, [10, 10, 16, 2])


def test_the_exact_age_is_used_only_where_it_agrees_with_the_grid() -> None:
    prices = np.ones((1, 10))
    prices[:, 8:] = 2.0  # effective at 11:00, so announced between 10:00 and 11:00
    agreeing = price_paths(panel(prices, last_change="2026-03-01T10:15"))
    other = price_paths(panel(prices, last_change="2026-03-01T07:15"))
    assert agreeing.minutes_age[0] == pytest.approx(1.75)
    assert np.isnan(other.minutes_age[0])


def test_the_unit_of_prices_cancels_exactly() -> None:
    prices = np.random.default_rng(1).uniform(0.1, 0.2, size=(3, 40))
    one, other = price_paths(panel(prices)), price_paths(panel(prices * 4.0))
    np.testing.assert_array_equal(one.path, other.path)
    np.testing.assert_array_equal(one.mean_price, other.mean_price)


def test_a_pool_without_any_known_price_has_not_moved() -> None:
    prices = np.array([[np.nan, np.nan], [1.0, 1.0], [np.nan, 1.0], [1.0, 2.0]])
    np.testing.assert_array_equal(moved_pools(prices), [False, False, False, True])
