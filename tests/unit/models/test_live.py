"""What is stored of a forecast."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from tasks.adapters.objects import frame_from_parquet, frame_to_parquet
from tasks.domain.load.panel import Load, LoadPanel
from tasks.domain.models.live import (
    ROW_COLUMNS,
    Kept,
    MadeBy,
    Role,
    UnjudgeableError,
    forecast_rows,
    hours_kept,
    made_by,
    no_rows,
    sampled,
)
from tasks.domain.models.registry import ModelVersion
from tasks.domain.models.scales import load_scales, price_scales
from tests.unit.models.scoring_builders import MADE_AT, flat, load_forecasts
from tests.unit.spot.builders import CUTOFF, small_forecasts, small_panel

MAKER = MadeBy(version="abc123", role=Role.CHALLENGER)
TEN = np.array([10.0, 10.0])


def test_a_load_forecast_becomes_a_row_for_each_series_and_hour() -> None:
    found = forecast_rows(load_forecasts(flat(hours=3)), MAKER, scale=TEN, groups=["idle", "busy"])

    assert tuple(found.columns) == ROW_COLUMNS
    assert found["series"].tolist() == ["cpu_percent/i-0"] * 3 + ["cpu_percent/i-1"] * 3
    assert found["horizon_hours"].tolist() == [1, 2, 3, 1, 2, 3]
    assert (found["target_at"] - found["made_at"]).dt.total_seconds().tolist() == [
        3600, 7200, 10800, 3600, 7200, 10800,
    ]  # fmt: skip
    assert found.iloc[0][["q10", "q50", "q90", "naive", "scale"]].tolist() == [20, 30, 40, 40, 10]
    assert found["group"].tolist() == ["idle"] * 3 + ["busy"] * 3
    one = found.iloc[0]
    assert (one["model"], one["version"], one["role"]) == ("load-cpu", "abc123", "challenger")
    assert one["made_at"] == pd.Timestamp(MADE_AT)


@pytest.mark.parametrize(
    ("load", "model"), [(Load.MEMORY, "load-memory"), (Load.REQUESTS, "load-requests")]
)
def test_each_kind_of_load_is_a_model_with_series_of_its_own(load: Load, model: str) -> None:
    found = forecast_rows(load_forecasts(flat(1, 1), load=load), MAKER, scale=np.ones(1))

    assert (found["model"][0], found["series"][0]) == (model, f"{load}/i-0")


def test_prices_are_stored_against_the_last_price_by_whether_their_pool_moves() -> None:
    found = forecast_rows(
        small_forecasts(168), MAKER, scale=price_scales(small_panel()), kept=Kept()
    )

    assert len(found) == 3 * 168
    assert set(found["model"]) == {"spot-168h"}
    assert found["series"].unique().tolist()[0] == "spot/c5.xlarge/us-east-1a"
    assert found.groupby("series")["group"].first().tolist() == ["still", "moving", "moving"]
    np.testing.assert_allclose(found["naive"].unique(), [0.08, 0.07, 0.09], rtol=1e-6)
    assert found["made_at"].unique().tolist() == [pd.Timestamp(CUTOFF)]


def test_prices_are_thinned_and_loads_are_not_unless_asked() -> None:
    prices = forecast_rows(small_forecasts(168), MAKER, scale=np.ones(3))
    loads = forecast_rows(load_forecasts(flat()), MAKER, scale=TEN, kept=Kept(every=5))

    assert len(prices) == 3 * 13
    assert len(loads) == 2 * 5


def test_what_was_not_forecast_is_not_stored_and_an_unknown_naive_or_scale_stays_unknown() -> None:
    quantiles = flat(hours=2)
    quantiles[0, 1, 2] = np.nan
    forecasts = load_forecasts(quantiles)
    forecasts.naive[1, 0] = np.nan
    found = forecast_rows(forecasts, MAKER, scale=np.array([np.nan, 0.0]))

    assert found["horizon_hours"].tolist() == [1, 1, 2]
    assert found["naive"].isna().tolist() == [False, True, False]
    assert found["scale"].isna().all()


def test_a_forecast_without_a_wall_clock_is_refused() -> None:
    with pytest.raises(UnjudgeableError, match="without a wall clock"):
        forecast_rows(load_forecasts(flat(), cutoff=None), MAKER, scale=TEN)


def test_a_forecast_of_five_minutes_is_refused_for_it_would_be_judged_by_hourly_means() -> None:
    forecasts = load_forecasts(flat(), step=timedelta(minutes=5))

    with pytest.raises(UnjudgeableError, match="in steps of 0:05:00 cannot be judged by hourly"):
        forecast_rows(forecasts, MAKER, scale=TEN)


def test_of_many_series_the_same_ones_are_kept_whatever_their_order() -> None:
    names = [f"i-{number}" for number in range(200)]
    kept = {names[row] for row in sampled(names, most=20)}
    mixed = names[::-1]

    assert len(kept) == 20
    assert {mixed[row] for row in sampled(mixed, most=20)} == kept
    # A series that comes or goes changes at most one of the others.
    fewer = names[1:]
    assert len(kept - {fewer[row] for row in sampled(fewer, most=20)}) <= 1


def test_few_series_are_all_kept_in_their_order() -> None:
    assert sampled(["b", "a"], most=2).tolist() == [0, 1]


@pytest.mark.parametrize("every", [5, 7, 11, 13])
@pytest.mark.parametrize("between_hours", [1, 6, 24])
def test_all_hours_ahead_and_all_hours_of_the_day_get_their_turn(
    between_hours: int, every: int
) -> None:
    origins = [MADE_AT + timedelta(hours=between_hours * n) for n in range(24 * every)]
    kept = [(made, hours_kept(made, horizon=24, every=every).tolist()) for made in origins]
    ahead = Counter(hour for _, hours in kept for hour in hours)
    of_day = Counter((made + timedelta(hours=hour)).hour for made, hours in kept for hour in hours)

    assert set(ahead.values()) == {24}
    assert set(of_day.values()) == {24}


def test_a_version_is_told_by_the_beginning_of_its_hash() -> None:
    version = ModelVersion(
        key="k", sha256="0123456789abcdef" * 4, size_bytes=1, kind="load/1",
        trained_at=datetime(2026, 1, 1, tzinfo=UTC), trained_by="run", data_sha256="d",
        code_version="1",
    )  # fmt: skip

    assert made_by(version, Role.CHAMPION) == MadeBy(version="0123456789ab", role=Role.CHAMPION)


def test_rows_come_back_from_storage_as_they_were() -> None:
    stored = forecast_rows(load_forecasts(flat()), MAKER, scale=TEN)

    pd.testing.assert_frame_equal(frame_from_parquet(frame_to_parquet(stored)), stored)
    assert no_rows().dtypes.equals(stored.dtypes)


def test_a_load_is_measured_by_what_it_moves_in_a_day_but_no_less_than_a_share_of_its_level() -> (
    None
):
    day = np.array([10.0, 30.0])
    values = np.stack(
        [np.repeat(day, 24), np.full(48, 40.0), np.full(48, 0.1), np.full(48, np.nan)]
    )
    panel = LoadPanel(
        load=Load.CPU,
        series=("a", "b", "c", "d"),
        step=timedelta(hours=1),
        start=None,
        values=values,
    )

    np.testing.assert_allclose(load_scales(panel), [20.0, 2.0, 0.1, np.nan])


def test_a_price_that_stands_still_is_measured_by_half_a_percent_of_itself() -> None:
    still, moved, _ = price_scales(small_panel())

    assert still == pytest.approx(0.08 * 0.005)
    # 24 of the 49 daily differences cross the step of .007.
    assert moved == pytest.approx(0.007 * 24 / 49)
