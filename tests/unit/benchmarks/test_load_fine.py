"""Steps of five minutes are judged by steps, and no origin of one part is an origin of the other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.harness import Options
from benchmarks.load_fine import (
    DAY_STEPS,
    fine_summary,
    judged,
    measure,
    step_a_day_before,
    step_scales,
)
from benchmarks.load_fine_data import (
    BITBRAINS,
    HORIZON_STEPS,
    FineRecording,
    fine_recordings,
    synthetic_fine,
)
from tasks.domain.arrays import FloatArray


def two_days(*, change: float) -> FloatArray:
    """Return one series whose second day lies higher."""
    return np.concatenate([np.full(DAY_STEPS, 10.0), np.full(DAY_STEPS, 10.0 + change)])[None]


def interval_about(median: FloatArray, half: float) -> FloatArray:
    return np.stack([median - half, median, median + half], axis=-1)


def test_a_scale_is_the_change_from_the_same_step_a_day_before() -> None:
    assert step_scales(two_days(change=3.0)) == pytest.approx([3.0])


def test_scales_have_floors() -> None:
    still = np.stack([np.full(2 * DAY_STEPS, 40.0), np.zeros(2 * DAY_STEPS)])
    assert step_scales(still) == pytest.approx([2.0, 0.1])


def test_a_step_that_the_last_day_does_not_know_is_that_of_the_day_before() -> None:
    history = two_days(change=3.0)
    history[0, DAY_STEPS + 1] = np.nan
    found = step_a_day_before(history, steps=DAY_STEPS + 2)
    assert found[0, :3].tolist() == [13.0, 10.0, 13.0]
    assert found[0, DAY_STEPS:].tolist() == found[0, :2].tolist()


def test_half_the_error_is_a_skill_of_a_half_and_unknown_steps_count_for_nothing() -> None:
    history = two_days(change=2.0)
    actual = np.full((1, HORIZON_STEPS), 16.0)
    actual[0, 3] = np.nan
    median = np.full((1, HORIZON_STEPS), 14.0)
    wide = interval_about(median, 2.5)
    wide[:, 24:] = interval_about(median[:, 24:], 1.0)
    found = fine_summary([judged(history, actual, wide)])
    assert (found["mase_skill_4h"], found["mase_skill_24h"]) == (0.5, 0.5)
    # Two of the first four hours are held, less the unknown step.
    assert found["coverage_80_4h"] == pytest.approx(23 / 47)


def test_no_step_is_the_target_of_both_parts() -> None:
    recording = synthetic_fine(series=4, days=24)
    earlier, later = (recording.origins(6, later=part) for part in (False, True))
    assert earlier.max() + 24 <= later.min()
    assert later.max() + 24 <= recording.panel.steps // 12
    assert len(recording.rows(later=False)) == 2


def test_the_truth_begins_where_history_ends() -> None:
    recording = synthetic_fine(series=4, days=24)
    origin = int(recording.origins(1, later=True)[0])
    seen, truth = recording.seen(origin), recording.truth(origin)
    both = np.concatenate([seen.values, truth], axis=1)
    assert np.array_equal(both, recording.panel.values[:, : origin * 12 + 288], equal_nan=True)


def recorded(tmp_path: Path, *, again: int) -> list[FineRecording]:
    """Return what is read from a file of two machines, one of which has more rows a step."""
    times = pd.date_range("2013-07-31 22:02:56", periods=24 * 12, freq="5min", tz="UTC")
    one = pd.DataFrame({"timestamp": times, "resource_id": 1, "cpu_percent": 5.0}).drop(index=7)
    other = pd.DataFrame({"timestamp": times, "resource_id": 2, "cpu_percent": 9.0})
    (tmp_path / "load").mkdir()
    pd.concat([one, *[other] * again]).to_parquet(tmp_path / BITBRAINS)
    return fine_recordings(tmp_path)


def test_a_missing_step_is_unknown(tmp_path: Path) -> None:
    [recording] = recorded(tmp_path, again=1)
    assert recording.panel.series == ("1", "2")
    assert np.flatnonzero(np.isnan(recording.panel.values[0])).tolist() == [7]


def test_an_id_with_several_rows_a_step_is_no_machine(tmp_path: Path) -> None:
    [recording] = recorded(tmp_path, again=3)
    assert recording.panel.series == ("1",)


def test_a_folder_without_recordings_gives_no_figures(tmp_path: Path) -> None:
    assert measure(Options(data=tmp_path, quick=True, as_json=False)) == {}


@pytest.mark.slow
def test_it_runs_without_recordings() -> None:
    found = measure(Options(data=None, quick=True, as_json=False))
    assert set(found) == {
        f"synthetic_fine_{figure}_{hours}h"
        for figure in ("mase_skill", "coverage_80")
        for hours in (4, 24)
    }
    assert (found["synthetic_fine_mase_skill_24h"] or 0.0) > 0.0
