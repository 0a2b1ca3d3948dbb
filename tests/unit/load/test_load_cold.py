"""The judge of forecasts of young workloads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.load_cold import (
    AGES,
    OURS,
    PROFILES_AGE_HOURS,
    Case,
    cases_of,
    figures,
    judged_at,
    rules_of,
)
from benchmarks.load_data import Recording, synthetic_recording
from benchmarks.tables import load as tables

RECORDING = synthetic_recording(seed=3, series=20, days=30)
ORIGIN = 600
OTHERS, YOUNG = np.arange(5, 20), np.arange(5)


def with_values(values: np.ndarray) -> Recording:
    return replace(RECORDING, panel=replace(RECORDING.panel, values=values))


def errors_at(values: np.ndarray, age: int) -> np.ndarray:
    return judged_at(with_values(values), ORIGIN, OTHERS, YOUNG)[age].errors[OURS]


def test_rules_know_the_hours_of_their_age_alone() -> None:
    recent = np.array([[1.0, 2.0, 6.0]])
    found = {name: rule[0, 0] for name, rule in rules_of(recent, level=9.0).items()}
    assert found == {"last_value": 6.0, "mean_so_far": 3.0, "daily_naive": 6.0}
    assert rules_of(np.empty((1, 0)), level=9.0)["usual_level"].tolist() == [[9.0] * 24]


@pytest.mark.parametrize("age", AGES)
def test_hidden_hours_of_young_series_and_later_ones_of_the_others_are_not_seen(age: int) -> None:
    values = RECORDING.panel.values
    told = values.copy()
    told[YOUNG, ORIGIN - 48 : ORIGIN - age] += 50.0
    told[OTHERS, ORIGIN - PROFILES_AGE_HOURS :] = 1e6
    # They do count in the scale of a series, which all of its errors are divided by.
    ratio = errors_at(values, age) / errors_at(told, age)
    np.testing.assert_allclose(ratio, np.broadcast_to(ratio[:, :1], ratio.shape), rtol=1e-9)


def test_each_origin_has_another_fifth_of_the_series_that_is_young() -> None:
    found = cases_of(with_values(RECORDING.panel.values))
    assert set(found) == set(AGES)
    assert {len(one.inside) for one in found[3]} <= set(range(2, 8))


def test_skill_is_over_the_best_rule_of_an_age_and_unknown_hours_are_not_judged() -> None:
    nan = float("nan")
    case = Case(
        errors={
            OURS: np.array([[1.0, nan]]),
            "last_value": np.array([[4.0, nan]]),
            "mean_so_far": np.array([[2.0, nan]]),
        },
        inside=np.array([[1.0, nan]]),
        told=np.array([0.9]),
    )
    found = figures({3: [case], 12: []})
    assert found == {"mase_skill_3h": 0.5, "coverage_80_3h": 1.0, "coverage_80": 1.0} | {
        "told_coverage_80": 0.9
    }


def test_a_table_shows_each_age_and_what_was_not_measured() -> None:
    text = tables.forecasts(
        {"cold_start_bitbrains_mase_skill_3h": 0.25, "cold_start_coverage_80_3h": 0.8}
    )
    assert "| 3 h | 0.250 | - | 80.0% |" in text
    assert "| nothing | not measured yet | - | - |" in text
