"""The panel, and its way through storage."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from tasks.adapters.objects import frame_from_parquet, frame_to_parquet
from tasks.domain.errors import PermanentError
from tasks.domain.usage.panel import Metric, UsagePanel
from tasks.domain.usage.panel_frames import panel_frame, panel_from_frame

MONDAY = datetime(2026, 1, 5, 22, tzinfo=UTC)


def panel() -> UsagePanel:
    nan = np.nan
    return UsagePanel(
        resources=("i-a", "i-b", "i-c"),
        start=MONDAY,
        values={
            Metric.CPU_MEAN: np.array([[1, nan, 3], [4, 5, 6], [nan, nan, nan]], np.float32),
            Metric.MEMORY_MAX: np.array([[nan] * 3, [7, 8, nan], [nan] * 3], np.float32),
        },
    )


def test_a_metric_that_a_resource_does_not_report_is_unknown() -> None:
    assert panel().row(Metric.MEMORY_MAX, "i-a") is None
    assert panel().row(Metric.NETWORK, "i-b") is None
    assert panel().row(Metric.CPU_MEAN, "i-z") is None
    assert np.isnan(panel().of(Metric.NETWORK)).all()


def test_hours_of_the_week_count_from_monday_midnight_utc() -> None:
    assert panel().hour_of_week().tolist() == [22, 23, 24]


def test_a_metric_of_another_shape_is_refused() -> None:
    with pytest.raises(PermanentError, match=r"cpu_mean_percent has shape \(2, 3\)"):
        UsagePanel(
            resources=("i-a",), start=MONDAY, values={Metric.CPU_MEAN: np.zeros((2, 3), np.float32)}
        )


def test_a_panel_comes_back_from_storage_as_it_went() -> None:
    back = panel_from_frame(frame_from_parquet(frame_to_parquet(panel_frame(panel()))))

    assert (back.resources, back.start) == (panel().resources, MONDAY)
    assert back.values.keys() == panel().values.keys()
    for metric, values in panel().values.items():
        np.testing.assert_array_equal(back.values[metric], values)


def test_a_resource_of_which_nothing_is_known_stays_in_the_panel() -> None:
    assert "i-c" in panel_from_frame(panel_frame(panel())).position


def test_a_series_that_comes_twice_is_refused() -> None:
    with pytest.raises(PermanentError, match="i-a is in the panel twice"):
        UsagePanel(
            resources=("i-a", "i-a"),
            start=MONDAY,
            values={Metric.CPU_MEAN: np.zeros((2, 3), np.float32)},
        )
