"""One site is one series, and its earlier months are told apart from its newest without a gap."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.harness import Options
from benchmarks.load_requests import (
    MONTH_HOURS,
    REQUESTS,
    forecast_alone,
    instead,
    measure,
    months_of,
    requests_by_hour,
    synthetic_requests,
)
from benchmarks.load_scoring import Judgement, summary
from tasks.domain.arrays import FloatArray
from tasks.domain.load.panel import HOUR, LoadPanel


def recorded(tmp_path: Path, *, minutes: int, without: int) -> LoadPanel:
    """Return what is read of a site that is asked once a second, one minute being unknown."""
    times = pd.date_range("1998-04-30 21:30", periods=minutes, freq="min")
    rows = pd.DataFrame({"period": times.strftime("%Y-%m-%d %H:%M:%S"), "count": 60})
    (tmp_path / "load").mkdir()
    rows.drop(index=without).to_parquet(tmp_path / REQUESTS)
    found = requests_by_hour(tmp_path)
    assert found is not None
    return found


def judgement(actual: FloatArray, naive: dict[str, FloatArray]) -> Judgement:
    return Judgement(
        actual=actual,
        ours=np.repeat(naive["daily_naive"][..., None], 3, axis=2),
        naive=naive,
        scale=np.ones(1),
        group=np.array(["bursty"]),
        unseen=np.array([True]),
    )


def test_counts_per_minute_become_requests_per_second(tmp_path: Path) -> None:
    found = recorded(tmp_path, minutes=150, without=100)
    assert found.values.tolist() == [[1.0, 1.0]]
    assert found.start == datetime(1998, 4, 30, 22, tzinfo=UTC)


def test_earlier_months_stand_beside_the_newest_on_its_clock() -> None:
    seen = synthetic_requests(seed=1).until(MONTH_HOURS + 500)
    found = months_of(seen)
    assert np.array_equal(found.values[0], seen.values[0, 500:])
    assert np.array_equal(found.values[1, -500:], seen.values[0, :500])
    assert np.isnan(found.values[1, :-500]).all()
    assert found.end == seen.end
    assert found.start is not None
    assert seen.start is not None
    assert (found.start - seen.start) == 500 * HOUR
    assert MONTH_HOURS * HOUR % timedelta(weeks=1) == timedelta(0)


def test_less_than_a_month_stays_one_series() -> None:
    seen = synthetic_requests(seed=1).until(600)
    found = months_of(seen)
    assert found.series == ("synthetic_requests-0",)
    assert np.array_equal(found.values[0, -600:], seen.values[0])
    assert found.end == seen.end


def test_a_naive_rule_can_be_judged_in_our_place() -> None:
    actual = np.full((1, 24), 10.0)
    naive = {"daily_naive": actual - 2.0, "last_value": actual - 1.0, "weekly_naive": actual}
    found = summary([instead(judgement(actual, naive), "last_value")])
    assert found["mase_skill_24h"] == 0.5


def test_a_lone_month_is_too_little_for_a_model() -> None:
    assert not forecast_alone(synthetic_requests(seed=1).until(1_000)).fitted


def test_a_folder_without_the_recording_gives_no_figures(tmp_path: Path) -> None:
    assert measure(Options(data=tmp_path, quick=True, as_json=False)) == {}


@pytest.mark.slow
def test_it_runs_without_recordings() -> None:
    found = measure(Options(data=None, quick=True, as_json=False))
    assert found["synthetic_requests_months_model_share"] == 1.0
    alone, months = (found[f"synthetic_requests_{way}mase_skill_24h"] for way in ("", "months_"))
    assert (alone or 0.0) < (months or 0.0)
    assert {key for key in found if "weekly_naive" in key} == {
        "synthetic_requests_weekly_naive_mase_skill_4h",
        "synthetic_requests_weekly_naive_mase_skill_24h",
    }
