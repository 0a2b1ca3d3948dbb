"""A challenger is tried on days that neither it nor the champion was fitted on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from tasks.domain.arrays import FloatArray
from tasks.domain.errors import InsufficientHistoryError
from tasks.domain.models.card import Decision
from tasks.domain.models.decision import after_trial, before_training
from tasks.domain.models.drift import DriftReport
from tasks.domain.models.drift_features import RESIDUALS, Feature
from tasks.domain.models.family import (
    Residuals,
    RollingErrors,
    Window,
    residuals_of,
    rolling_errors_of,
    sha256_of,
)
from tasks.domain.models.kept import Kept, backtest_days, kept_state, read_kept
from tasks.domain.models.quality import QualityPolicy, QualityReport, check_window
from tasks.domain.models.residuals import backtest_residuals, of_both, residuals_since
from tasks.domain.models.since import drift_since, hours_since
from tasks.domain.models.trial import run_trial, trial_origins

HOURS = 28 * 24
END = datetime(2026, 11, 28, tzinfo=UTC)


@dataclass(frozen=True)
class Level:
    """Forecasts that every series stays at a level, for tests."""

    level: FloatArray


class LevelFamily:
    """A model that forecasts the mean of what it was fitted on."""

    kind = "level/1"
    horizon_hours = 24
    quality = QualityPolicy()

    def __init__(self) -> None:
        self.fitted_on: list[int] = []

    def window(self, data: FloatArray) -> Window:
        names = tuple(f"s{row}" for row in range(len(data)))
        return Window(series=names, values=data, moves=data, end=END, sha256=sha256_of(names, data))

    def fit(self, data: FloatArray, *, seed: int) -> Level:
        if data.shape[1] < 48:
            raise InsufficientHistoryError(
                found_hours=data.shape[1], needed_hours=48, subject="level"
            )
        self.fitted_on.append(data.shape[1])
        return Level(level=data.mean(axis=1))

    def state(self, model: Level) -> dict[str, Any]:
        return {"level": model.level}

    def read(self, state: Mapping[str, Any]) -> Level:
        return Level(level=state["level"])

    def before(self, data: FloatArray, *, hours: int) -> FloatArray:
        return data[:, : data.shape[1] - hours]

    def rolling_errors(
        self, data: FloatArray, model: Level, *, hours_back: Sequence[int]
    ) -> RollingErrors:
        first = [data.shape[1] - back for back in hours_back]
        median = np.repeat(model.level[:, None], self.horizon_hours, axis=1)
        return rolling_errors_of(
            series=[f"s{row}" for row in range(len(data))],
            groups=["busy" if row % 2 else "idle" for row in range(len(data))],
            actual=[data[:, at : at + self.horizon_hours] for at in first],
            quantiles=[np.stack([median - 1.3, median, median + 1.3], axis=-1)] * len(first),
            naive=[data[:, at - 24 : at] for at in first],
            scale=np.ones(len(data)),
        )

    def residuals(
        self, data: FloatArray, model: Level, *, hours_back: Sequence[int], most_series: int
    ) -> Residuals:
        some, first = data[:most_series], [data.shape[1] - back for back in hours_back]
        median = np.repeat(model.level[: len(some), None], 24, axis=1)
        return residuals_of(
            series=[f"s{row}" for row in range(len(some))],
            actual=[some[:, at : at + 24] for at in first],
            median=[median] * len(first),
        )


def moved(*, by: float, series: int = 12, hours_ago: int = 14 * 24) -> FloatArray:
    """Return noisy series whose level moved some hours before the end."""
    values = np.random.default_rng(7).normal(50.0, 1.0, (series, HOURS))
    values[:, HOURS - hours_ago :] += by
    return values


def test_the_champion_was_trained_before_the_first_origin_and_every_horizon_has_come() -> None:
    found = trial_origins(horizon_hours=24, champion_age_hours=100.0)
    assert max(found) <= 100
    assert min(found) >= 24
    assert list(found) == sorted(found, reverse=True)


def test_a_champion_that_knows_nearly_everything_cannot_be_compared() -> None:
    assert trial_origins(horizon_hours=24, champion_age_hours=71.0) == ()
    tried = run_trial(
        LevelFamily(),
        moved(by=0.0),
        Level(level=np.full(12, 50.0)),
        champion_age_hours=10.0,
        seed=1,
    )
    assert tried.verdict is None
    assert tried.challenger is not None
    assert "knows all but 10 h of the window, 72 h are needed" in tried.reason
    assert after_trial(tried, has_champion=True).decision is Decision.NOT_COMPARED


def test_a_challenger_that_knows_the_new_level_is_kept_and_was_not_fitted_on_the_days_of_the_trial() -> (
    None
):
    family, data = LevelFamily(), moved(by=8.0)
    old = Level(level=data[:, : HOURS - 14 * 24].mean(axis=1))
    tried = run_trial(
        family, data, old, champion_age_hours=14.0 * 24, critical_groups=("busy", "gone"), seed=1
    )
    assert tried.verdict is not None
    assert tried.verdict.promote, tried.verdict.reason
    assert family.fitted_on == [HOURS - 168]
    decided = after_trial(tried, has_champion=True)
    assert (decided.decision, decided.keeps) == (Decision.WAITS, True)
    assert decided.reason.startswith("Promoted: ")


def test_the_same_recipe_on_stable_data_is_not_better() -> None:
    data = moved(by=0.0)
    champion = Level(level=data[:, : HOURS - 14 * 24].mean(axis=1))
    tried = run_trial(LevelFamily(), data, champion, champion_age_hours=14.0 * 24, seed=1)
    decided = after_trial(tried, has_champion=True)
    assert (decided.decision, decided.keeps) == (Decision.NOT_BETTER, False)


def test_without_a_champion_the_recipe_serves_whatever_its_backtest_says() -> None:
    tried = run_trial(LevelFamily(), moved(by=0.0), None, champion_age_hours=None, seed=1)
    assert tried.challenger is not None
    assert after_trial(tried, has_champion=False).decision is Decision.FIRST


def test_too_little_history_for_a_backtest_is_a_reason_and_not_a_failure() -> None:
    tried = run_trial(LevelFamily(), moved(by=0.0)[:, -200:], None, champion_age_hours=None, seed=1)
    assert tried.challenger is None
    assert "too little history for a backtest" in tried.reason


def quality(values: FloatArray) -> QualityReport:
    names = [f"s{row}" for row in range(len(values))]
    return check_window(values, series=names, step=timedelta(hours=1))


DRIFTED = DriftReport(drifted=True, what=(), p_value=0.0, reason="drift: level")
SAME = DriftReport(drifted=False, what=(), p_value=1.0, reason="no drift: alike")


@pytest.mark.parametrize(
    ("drift", "has_champion", "only_on_drift", "expected"),
    [
        (SAME, True, True, Decision.NO_DRIFT),
        (None, True, True, Decision.NO_DRIFT),
        (DRIFTED, True, True, None),
        (SAME, True, False, None),
        (None, False, True, None),
    ],
)
def test_a_model_is_trained_when_asked_when_it_drifted_and_when_there_is_none(
    drift: DriftReport | None, has_champion: bool, only_on_drift: bool, expected: Decision | None
) -> None:
    found = before_training(
        quality(moved(by=0.0)), drift, has_champion=has_champion, only_on_drift=only_on_drift
    )
    assert (found and found.decision) is expected


@pytest.mark.parametrize("drift", [SAME, None, DRIFTED])
@pytest.mark.parametrize("only_on_drift", [True, False])
def test_while_a_challenger_waits_none_is_trained_that_would_begin_its_shadow_anew(
    drift: DriftReport | None, only_on_drift: bool
) -> None:
    found = before_training(
        quality(moved(by=0.0)), drift, has_champion=True, only_on_drift=only_on_drift, waiting=True
    )
    assert found is not None
    assert found.decision is Decision.STILL_WAITS


def test_data_that_cannot_be_used_trains_nothing_and_the_limit_is_named() -> None:
    found = before_training(
        quality(moved(by=0.0)[:, :100]), None, has_champion=False, only_on_drift=False
    )
    assert found is not None
    assert found.decision is Decision.UNUSABLE
    assert "4.2 days of data, at least 14 are needed" in found.reason


def test_what_came_since_the_training_is_compared_with_what_was_before_it() -> None:
    trained_at = END - timedelta(days=14)
    for by, drifted in ((0.0, False), (20.0, True)):
        report = drift_since(LevelFamily().window(moved(by=by)), trained_at, now=END)
        assert report is not None
        assert report.drifted is drifted, report.reason


def test_with_too_little_before_the_training_nothing_is_said_about_drift() -> None:
    window = LevelFamily().window(moved(by=0.0))
    assert drift_since(window, END - timedelta(days=20), now=END) is None
    assert hours_since(window, END + timedelta(days=1)) == 0
    assert hours_since(window, END - timedelta(days=400)) == HOURS


def level_family_drift(*, by: float, age_days: int) -> DriftReport | None:
    """Return the drift of a champion so many days old, whose level moved by so much since."""
    family, data = LevelFamily(), moved(by=by, hours_ago=age_days * 24)
    earlier = moved(by=0.0)
    before = backtest_residuals(family, earlier, hours=HOURS, seed=1)
    champion = family.fit(earlier, seed=1)
    since = residuals_since(family, data, champion, hours=HOURS, since_hours=age_days * 24)
    assert before is not None
    assert since is not None
    return drift_since(
        family.window(data),
        END - timedelta(days=age_days),
        now=END,
        residuals=of_both(before, since),
    )


@pytest.mark.parametrize("age_days", [20, 28])
def test_a_champion_of_which_the_window_knows_no_training_drifts_by_its_errors_alone(
    age_days: int,
) -> None:
    for by, drifted in ((0.0, False), (20.0, True)):
        report = level_family_drift(by=by, age_days=age_days)
        assert report is not None
        assert report.drifted is drifted, report.reason
        assert {one.feature for one in report.what} <= {Feature.BIAS, Feature.ERROR}


def test_load_and_errors_are_told_together_where_both_are_known() -> None:
    report = level_family_drift(by=20.0, age_days=14)
    assert report is not None
    assert {one.feature for one in report.what} >= {Feature.LEVEL, Feature.BIAS, Feature.ERROR}


def test_the_errors_before_are_those_of_a_recipe_that_did_not_know_the_days() -> None:
    family, data = LevelFamily(), moved(by=20.0)
    found = backtest_residuals(family, data, hours=HOURS, seed=1)
    assert found is not None
    assert family.fitted_on == [HOURS - 14 * 24]
    assert found.days.shape == (12, len(RESIDUALS), 14)
    np.testing.assert_allclose(found.days[:, 0], 20.0, atol=1.5)


@pytest.mark.parametrize(("days", "known"), [(28, True), (27, False)])
def test_errors_are_kept_only_where_two_weeks_are_left_to_fit_on(days: int, known: bool) -> None:
    data = moved(by=0.0)[:, -days * 24 :]
    found = backtest_residuals(LevelFamily(), data, hours=days * 24, seed=1)
    assert (found is not None) is known


@pytest.mark.parametrize(("age_days", "expected"), [(6, None), (7, 7), (13, 13), (40, 14)])
def test_a_champion_is_looked_at_on_the_last_two_weeks_since_its_training(
    age_days: int, expected: int | None
) -> None:
    family, data = LevelFamily(), moved(by=0.0)
    champion = family.fit(data, seed=1)
    found = residuals_since(family, data, champion, hours=HOURS, since_hours=age_days * 24 + 5)
    assert (None if found is None else found.days.shape[2]) == expected


def test_series_are_compared_with_themselves_and_only_where_both_sides_know_them() -> None:
    days = np.arange(3.0)[:, None, None] * np.ones((3, 2, 14))
    before = Residuals(series=("a", "b", "c"), days=days)
    since = Residuals(series=("new", "c", "a"), days=days[..., :7])
    both = of_both(before, since)
    assert both is not None
    np.testing.assert_array_equal(both[0][:, 0, 0], [2.0, 0.0])
    np.testing.assert_array_equal(both[1][:, 0, 0], [1.0, 2.0])
    assert of_both(before, Residuals(series=("new",), days=days[:1])) is None


def test_a_model_of_an_earlier_release_has_no_errors_to_compare_with() -> None:
    family = LevelFamily()
    state = kept_state(family, Kept(model=family.fit(moved(by=0.0), seed=1), backtest=None))
    del state["residuals"]
    assert read_kept(family, state).residuals is None


def test_a_kept_model_brings_its_backtest_back_day_by_day() -> None:
    family, data = LevelFamily(), moved(by=0.0)
    tried = run_trial(family, data, None, champion_age_hours=None, seed=1)
    assert tried.challenger is not None
    days = backtest_days(tried.challenger, step_hours=6)
    residuals = backtest_residuals(family, data, hours=HOURS, seed=1)
    kept = Kept(model=family.fit(data, seed=1), backtest=days, residuals=residuals)

    back = read_kept(family, kept_state(family, kept))

    np.testing.assert_array_equal(back.model.level, kept.model.level)
    assert back.backtest is not None
    np.testing.assert_array_equal(back.backtest.errors, days.errors)
    assert back.residuals is not None
    assert residuals is not None
    assert back.residuals.series == residuals.series
    np.testing.assert_allclose(back.residuals.days, residuals.days, rtol=1e-6)
    assert days.errors.shape == (7, 2)  # 25 origins, four a day; two groups
    assert np.nanmean(days.errors) == pytest.approx(np.nanmean(tried.challenger.error), rel=0.01)
