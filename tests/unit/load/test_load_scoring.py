import numpy as np
import pytest

from benchmarks.load_data import synthetic_recording, usable_rows
from benchmarks.load_scoring import (
    Judgement,
    behaviours,
    group_scores,
    naive_forecasts,
    scales,
    summary,
)

HOURS = np.arange(24 * 20)


def judgement(ours: float, *, cases: int = 40, actual: float = 10.0) -> Judgement:
    flat = np.full((cases, 24), actual)
    return Judgement(
        actual=flat,
        ours=np.stack([flat - 1.0, np.full_like(flat, ours), flat + 1.0], axis=-1),
        naive={
            "last_value": flat + 2.0,
            "daily_naive": flat + 4.0,
            "weekly_naive": flat + 5.0,
        },
        scale=np.full(cases, 2.0),
        group=np.full(cases, "steady"),
        unseen=np.arange(cases) % 2 == 0,
    )


def test_a_scale_is_the_mean_change_from_a_day_before() -> None:
    history = np.concatenate([np.full(24, 10.0), np.full(24, 13.0)])[None]
    assert scales(history) == pytest.approx([3.0])


def test_a_scale_is_at_least_a_twentieth_of_the_mean_and_a_tenth_of_a_point() -> None:
    history = np.stack([np.full(72, 40.0), np.full(72, 0.01)])
    assert scales(history) == pytest.approx([2.0, 0.1])


def test_a_scale_leaves_unknown_hours_out() -> None:
    history = np.concatenate([np.full(24, 10.0), np.full(24, np.nan), np.full(24, 10.0)])[None]
    assert scales(history) == pytest.approx([0.5])


def test_half_the_naive_error_is_a_skill_of_one_half() -> None:
    assert summary([judgement(12.0)])["mase_skill_24h"] == pytest.approx(0.5)


def test_unknown_hours_are_not_judged() -> None:
    one = judgement(12.0)
    one.actual[:, 1:] = np.nan
    one.actual[0, 0] = 100.0
    assert summary([one])["coverage_80_4h"] == pytest.approx(39 / 40)


def test_a_group_is_compared_with_its_best_naive_rule() -> None:
    score = next(iter(group_scores([judgement(13.0)])))
    assert score.best == "last_value"
    assert score.ratio == pytest.approx(1.5)


def test_a_group_with_few_cases_is_not_judged() -> None:
    assert not list(group_scores([judgement(13.0, cases=29)]))


def test_groups_are_told_by_history() -> None:
    rng = np.random.default_rng(0)
    daily = 30.0 + 20.0 * np.sin(2 * np.pi * HOURS / 24)
    bursts = np.where(rng.random(len(HOURS)) < 0.2, 60.0, 4.0)
    found = behaviours(np.stack([0.5 + 0 * daily, 50.0 + rng.normal(size=480), daily, bursts]))
    assert found.tolist() == ["idle", "steady", "periodic", "bursty"]


def test_naive_rules_repeat_the_hour_the_day_and_the_week() -> None:
    history = np.arange(24.0 * 8)[None]
    found = naive_forecasts(history, horizon=2)
    assert [found[name][0].tolist() for name in found] == [[191, 191], [168, 169], [24, 25]]


def test_a_naive_rule_goes_a_day_further_back_over_a_gap() -> None:
    history = np.arange(24.0 * 3)[None].copy()
    history[0, 48:60] = np.nan
    assert naive_forecasts(history, horizon=1)["daily_naive"].tolist() == [[24.0]]


def test_no_target_is_shared_by_the_two_parts() -> None:
    recording = synthetic_recording(seed=1, series=8)
    assert max(recording.origins(later=False)) + 24 <= min(recording.origins(later=True))


def test_development_is_half_of_the_series() -> None:
    assert len(synthetic_recording(seed=1, series=8).development_rows()) == 4


def test_an_origin_needs_its_newest_hour() -> None:
    history = np.ones((2, 24 * 10))
    history[0, -1] = np.nan
    assert usable_rows(history).tolist() == [False, True]
