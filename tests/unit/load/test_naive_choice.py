"""A series without a model is forecast by the rule that its own past favours."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from tasks.domain.load.naive_choice import CARRIED, chosen_naive
from tasks.domain.load.panel import HOUR, Load, LoadPanel

HOURS = 20 * 24


def panel(*values: np.ndarray) -> LoadPanel:
    return LoadPanel(
        load=Load.REQUESTS,
        series=tuple(f"s{at}" for at in range(len(values))),
        step=HOUR,
        start=datetime(2026, 3, 1, tzinfo=UTC),
        values=np.stack(values),
    )


def noise(seed: int, size: float, hours: int = HOURS) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, size, hours)


DAILY = 50.0 + 30.0 * np.sin(np.arange(HOURS) * 2.0 * np.pi / 24.0)


def test_a_daily_load_follows_the_day_and_a_walk_its_last_value() -> None:
    walk = 500.0 + np.cumsum(noise(1, 5.0))
    assert chosen_naive(panel(walk), steps=4).method.tolist() == ["last-value"]
    found = chosen_naive(panel(DAILY + noise(2, 4.0)), steps=24)
    assert found.method.tolist() == ["day-median"]
    ahead = 50.0 + 30.0 * np.sin(np.arange(HOURS, HOURS + 24) * 2.0 * np.pi / 24.0)
    np.testing.assert_allclose(found.quantiles[0, :, 1], ahead, atol=8.0)


def test_a_daily_load_that_grows_is_carried_on() -> None:
    rush = DAILY * np.exp(np.arange(HOURS) / 200.0)
    assert chosen_naive(panel(rush), steps=4).method.tolist() == [CARRIED]


def test_intervals_are_as_wide_as_errors_were_and_grow_with_the_level() -> None:
    narrow, wide = chosen_naive(
        panel(DAILY + noise(3, 1.0), DAILY + noise(4, 6.0)), steps=24
    ).quantiles
    low, high = ((one[:, 2] - one[:, 0]).mean() for one in (narrow, wide))
    assert 3.0 * low < high
    thousand = chosen_naive(panel(1000.0 * (DAILY + noise(3, 1.0))), steps=24).quantiles
    np.testing.assert_allclose(thousand[0], 1000.0 * narrow, rtol=1e-9)


def test_a_series_does_not_depend_on_the_others() -> None:
    both = chosen_naive(panel(DAILY + noise(5, 3.0), 5.0 + np.abs(noise(6, 1.0))), steps=24)
    alone = chosen_naive(panel(DAILY + noise(5, 3.0)), steps=24)
    np.testing.assert_array_equal(both.quantiles[0], alone.quantiles[0])


@pytest.mark.parametrize("hours", [24, 60, 100])
def test_too_short_a_past_tells_nothing(hours: int) -> None:
    found = chosen_naive(panel(DAILY[:hours]), steps=24)
    assert np.isnan(found.quantiles).all()


def test_gaps_are_no_errors() -> None:
    values = DAILY + noise(7, 2.0)
    values[100:130] = np.nan
    found = chosen_naive(panel(values), steps=24)
    assert np.isfinite(found.quantiles).all()


def test_a_series_of_which_few_origins_are_known_does_not_follow_its_neighbours() -> None:
    sparse = DAILY + noise(8, 2.0)
    sparse[: HOURS - 60] = np.nan
    found = chosen_naive(panel(sparse, DAILY + noise(9, 2.0), DAILY + noise(10, 2.0)), steps=24)
    assert np.isnan(found.quantiles[0]).all()
    assert np.isfinite(found.quantiles[1:]).all()
