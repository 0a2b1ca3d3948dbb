import numpy as np
import pytest

from benchmarks.load_data import Recording, synthetic_recording
from benchmarks.load_stress import BEFORE_HOURS, REGIMES, stressed


@pytest.fixture(scope="module")
def recording() -> Recording:
    return synthetic_recording(seed=3, series=40)


@pytest.mark.parametrize("name", list(REGIMES))
def test_a_regime_takes_over_half_of_the_series_late(recording: Recording, name: str) -> None:
    before, after = recording.panel.values, stressed(recording, name).panel.values
    changed = ~((before == after) | (np.isnan(before) & np.isnan(after)))
    first = recording.origins(later=False)[0] - BEFORE_HOURS
    assert not changed[:, :first].any()
    assert 10 <= changed.any(axis=1).sum() <= 30


@pytest.mark.parametrize("name", list(REGIMES))
def test_loads_stay_possible_and_gaps_stay_gaps(recording: Recording, name: str) -> None:
    before, after = recording.panel.values, stressed(recording, name).panel.values
    assert np.array_equal(np.isnan(before), np.isnan(after))
    assert np.nanmin(after) >= 0.0
    assert np.nanmax(after) <= 100.0


def test_the_same_recording_is_changed_alike(recording: Recording) -> None:
    first, second = (stressed(recording, "walk").panel.values for _ in range(2))
    assert np.array_equal(first, second, equal_nan=True)


def test_in_a_regime_of_levels_the_last_value_is_better_than_the_day_before() -> None:
    recording = synthetic_recording(seed=3, series=40)
    values = stressed(recording, "steps").panel.values
    changed = np.flatnonzero((recording.panel.values != values)[:, -48:].all(axis=1))
    recent = values[changed, -300:]
    hourly, daily = (np.nanmean(np.abs(recent[:, lag:] - recent[:, :-lag])) for lag in (1, 24))
    assert hourly < 0.5 * daily
