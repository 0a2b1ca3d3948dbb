from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from benchmarks.spot_data import WINDOW_HOURS, Recording, halves
from benchmarks.spot_scoring import Judgement, errors, point_errors, summary
from tasks.domain.arrays import FloatArray

START = datetime(2026, 1, 1, 0, 30, tzinfo=UTC)


def recording(days: int) -> Recording:
    """One pool with a new price every hour at half past."""
    hours = 24 * days
    changes = pd.DataFrame(
        {
            "timestamp": pd.date_range(START, periods=hours, freq="h"),
            "instance_type": "m5.large",
            "availability_zone": "us-east-1a",
            "product_description": "Linux/UNIX",
            "price_usd_per_hour": np.arange(1.0, hours + 1.0),
        }
    )
    return Recording(name="rising", changes=changes, auction=False)


def judgement(actual: FloatArray, median: FloatArray, last: FloatArray) -> Judgement:
    return Judgement(
        cutoff=START,
        model=errors(actual, np.stack([median - 1.0, median, median + 1.0], axis=-1)),
        last=point_errors(actual, last),
        empirical=point_errors(actual, last),
        scale=np.array([1.0, 100.0]),
        moved=np.array([True, False]),
    )


def test_a_window_ends_at_its_cutoff_and_the_truth_begins_after_it() -> None:
    market = recording(40)
    cutoff = market.origins(horizon_hours=24, step_hours=24)[0]
    panel = market.window(cutoff)
    truth = market.truth(panel, horizon_hours=24)
    assert panel.hours == WINDOW_HOURS
    assert truth[0, 0] == panel.prices[0, -1] + 1.0
    assert truth.shape == (1, 24)


def test_every_origin_has_a_full_window_before_and_a_full_horizon_after_it() -> None:
    market = recording(40)
    origins = market.origins(horizon_hours=168, step_hours=37)
    assert origins[0] - timedelta(hours=WINDOW_HOURS - 1) >= market.first
    assert origins[-1] + timedelta(hours=168) <= market.last
    assert recording(30).origins(horizon_hours=168, step_hours=37) == []


def test_a_cheap_pool_counts_as_much_as_a_dear_one() -> None:
    actual = np.array([[2.0], [200.0]])
    last = np.array([[1.0], [100.0]])
    one = summary([judgement(actual, np.array([[2.0], [100.0]]), last)])
    other = summary([judgement(actual, np.array([[1.0], [200.0]]), last)])
    assert one["mae_skill"] == pytest.approx(0.5)
    assert other["mae_skill"] == pytest.approx(0.5)
    assert one["mae_skill_usd"] == pytest.approx(1 / 101)
    assert other["mae_skill_usd"] == pytest.approx(100 / 101)


def test_the_worst_origin_is_reported_and_coverage_on_moved_pools_apart() -> None:
    actual, last = np.array([[2.0], [200.0]]), np.array([[1.0], [100.0]])
    good = judgement(actual, actual, last)
    bad = judgement(actual, np.array([[4.0], [200.0]]), last)
    found = summary([good, replace(bad, cutoff=START + timedelta(days=1))])
    assert found["min_origin_mae_skill"] == pytest.approx(0.0)
    assert found["coverage_80"] == 0.75
    assert found["coverage_80_moved"] == 0.5
    assert found["win_share"] == 0.75


def test_a_perfect_last_value_leaves_the_skill_undefined() -> None:
    actual = np.array([[1.0], [100.0]])
    assert summary([judgement(actual, actual, actual)])["mae_skill"] is None


def test_halves_keep_the_order_of_time() -> None:
    assert halves([1, 2, 3]) == [("early", [1]), ("late", [2, 3])]
