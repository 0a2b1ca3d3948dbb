from datetime import UTC, datetime

import numpy as np
import pytest

from tasks.domain.errors import PermanentError
from tasks.domain.usage import features as module
from tasks.domain.usage.features import Feature, UsageFeatures, usage_features
from tasks.domain.usage.panel import Metric, UsagePanel

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
HOURS = 4 * 168
HOUR = np.arange(HOURS)
WORKING = (HOUR // 24) % 7 < 5


def panel(*rows: np.ndarray, memory: float | None = None, hours: int = HOURS) -> UsagePanel:
    cpu = np.stack(rows).astype(np.float32)
    values = {Metric.CPU_MEAN: cpu}
    if memory is not None:
        values[Metric.MEMORY_MEAN] = np.full_like(cpu, memory)
    names = tuple(f"i-{row}" for row in range(len(rows)))
    return UsagePanel(resources=names, start=MONDAY, values=values)


def of_one(
    row: np.ndarray, *, offset: int = 0, memory: float | None = None
) -> dict[Feature, float]:
    found = usage_features(panel(row, memory=memory), utc_offsets=np.array([offset]))
    return {feature: float(found.of(feature)[0]) for feature in Feature}


def office(begin: int = 9, end: int = 17) -> np.ndarray:
    hour = HOUR % 24
    busy = (hour >= begin) & (hour < end) & WORKING
    return np.where(busy, 50.0, 10.0)


def test_a_constant_has_a_level_and_nothing_else() -> None:
    found = of_one(np.full(HOURS, 40.0))
    assert found[Feature.LEVEL] == found[Feature.P95] == 40.0
    assert found[Feature.REGULAR] == found[Feature.BURSTINESS] == 0.0
    assert found[Feature.TREND] == 0.0
    assert found[Feature.PEAK_TO_MEAN] == 1.0
    assert np.isnan(found[Feature.PEAK_HOUR])


def test_a_pure_sine_that_touches_zero_has_a_daily_strength_of_one_over_root_two() -> None:
    found = of_one(30.0 * (1.0 + np.cos((HOUR + 0.5 - 15.0) * 2 * np.pi / 24)))
    assert found[Feature.DAILY] == pytest.approx(np.sqrt(0.5), rel=1e-3)
    assert found[Feature.WEEKLY] == pytest.approx(0.0, abs=1e-3)
    assert found[Feature.BURSTINESS] == pytest.approx(0.0, abs=1e-2)
    assert found[Feature.PEAK_HOUR] == pytest.approx(15.0, abs=0.05)


def test_office_hours_drop_on_weekends_and_are_a_third_of_the_day() -> None:
    found = of_one(office())
    assert found[Feature.WEEKEND_DROP] == pytest.approx(1.0)
    assert found[Feature.BUSY_SHARE] == pytest.approx(8 / 24)
    assert found[Feature.NIGHT_SHARE] == pytest.approx(0.0)
    assert found[Feature.PEAK_HOUR] == pytest.approx(13.0, abs=0.05)
    assert found[Feature.WEEKLY] > 0.3


def test_the_same_office_far_away_is_the_same_in_local_time() -> None:
    here = of_one(office())
    there = of_one(np.roll(office(), 8), offset=-8)  # 9 h in California is 17 h UTC
    for feature in (Feature.PEAK_HOUR, Feature.WEEKEND_DROP, Feature.DAILY, Feature.NIGHT_SHARE):
        assert there[feature] == pytest.approx(here[feature], abs=0.02)


def test_random_peaks_are_burstiness_and_not_daily() -> None:
    rng = np.random.default_rng(0)
    found = of_one(np.where(rng.random(HOURS) < 0.05, 80.0, 2.0))
    assert found[Feature.BURSTINESS] > 2.0
    assert found[Feature.REGULAR] < 0.4


def test_noise_alone_explains_nothing_by_the_clock() -> None:
    rng = np.random.default_rng(1)
    found = usage_features(panel(*(50.0 + rng.normal(0, 10, (200, HOURS)))))
    assert np.mean(found.of(Feature.REGULAR) ** 2) < 0.1 * np.mean(
        found.of(Feature.BURSTINESS) ** 2
    )


def test_growth_is_the_change_a_week_over_the_mean() -> None:
    found = of_one(20.0 + 2.0 * HOUR / 168)
    assert found[Feature.TREND] == pytest.approx(2.0 / 24.0, rel=0.01)
    assert found[Feature.TREND_CONSISTENCY] == 1.0


def test_one_wild_week_is_no_growth() -> None:
    row = np.full(HOURS, 20.0)
    row[168:336] = 80.0
    assert of_one(row)[Feature.TREND] == pytest.approx(0.0, abs=1e-6)


def test_unknown_memory_stays_unknown() -> None:
    found = of_one(office())
    assert np.isnan(found[Feature.MEMORY])
    assert np.isnan(found[Feature.MEMORY_MINUS_CPU])
    assert of_one(office(), memory=80.0)[Feature.MEMORY_MINUS_CPU] == pytest.approx(
        80.0 - office().mean(), abs=1e-3
    )


def test_missing_hours_are_left_out_and_counted() -> None:
    row = np.full(HOURS, 30.0)
    row[100:200] = np.nan
    found = of_one(row)
    assert found[Feature.KNOWN_HOURS] == HOURS - 100
    assert found[Feature.LEVEL] == 30.0
    assert found[Feature.IDLE_SHARE] == 0.0


def test_a_resource_without_any_hour_has_only_unknowns() -> None:
    found = of_one(np.full(HOURS, np.nan))
    assert found.pop(Feature.KNOWN_HOURS) == 0.0
    assert all(np.isnan(value) for value in found.values())


def test_a_resource_that_never_worked_has_a_level_of_zero_and_no_ratios() -> None:
    found = of_one(np.zeros(HOURS))
    assert found[Feature.LEVEL] == 0.0
    assert found[Feature.IDLE_SHARE] == 1.0
    assert np.isnan(found[Feature.PEAK_TO_MEAN])


def test_only_the_last_whole_weeks_count() -> None:
    row = np.concatenate([np.full(72, 90.0), np.full(HOURS, 10.0)])
    found = usage_features(panel(row))
    assert found.of(Feature.LEVEL)[0] == 10.0
    assert found.history_hours == HOURS


def test_less_than_a_week_is_no_history() -> None:
    found = usage_features(panel(np.full(100, 10.0)))
    assert found.history_hours == 0
    assert found.of(Feature.KNOWN_HOURS)[0] == 0.0


def test_chunks_do_not_change_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    whole = panel(*rng.uniform(0, 90, (7, HOURS)), memory=50.0)
    at_once = usage_features(whole)
    monkeypatch.setattr(module, "ROWS_PER_CHUNK", 3)
    in_parts = usage_features(whole)
    assert in_parts.resources == at_once.resources
    for feature in Feature:
        np.testing.assert_allclose(in_parts.of(feature), at_once.of(feature), rtol=1e-6)


def test_an_empty_fleet_has_no_features() -> None:
    empty = UsagePanel(
        resources=(), start=MONDAY, values={Metric.CPU_MEAN: np.empty((0, HOURS), np.float32)}
    )
    assert len(usage_features(empty)) == 0


def test_a_panel_without_processor_use_is_refused() -> None:
    nothing = UsagePanel(resources=("i-0",), start=MONDAY, values={})
    with pytest.raises(PermanentError, match="needs cpu_mean_percent"):
        usage_features(nothing)


def test_one_offset_for_two_resources_is_refused() -> None:
    with pytest.raises(PermanentError, match="1 UTC offsets for 2"):
        usage_features(panel(office(), office()), utc_offsets=np.array([1]))


def test_rows_can_be_taken_twice() -> None:
    found: UsageFeatures = usage_features(panel(office(), np.full(HOURS, 5.0)))
    assert found.take(np.array([1, 1])).of(Feature.LEVEL).tolist() == [5.0, 5.0]
