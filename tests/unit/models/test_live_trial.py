"""Live scores of versions become days that promotion and rollback are judged by."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from tasks.domain.models.live_trial import live_days, serving_days
from tasks.domain.models.scorecard import daily_sums, no_sums
from tests.unit.models.scoring_builders import rows


def sums(*parts: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([daily_sums(part) for part in parts], ignore_index=True)


def judged(version: str, *, day: int, truth: float, group: str = "all") -> pd.DataFrame:
    found = rows([1.0, 2.0], version=version, group=group)
    shift = pd.Timedelta(timedelta(days=day))
    for column in ("made_at", "target_at"):
        found[column] = found[column] + shift
    return found.assign(truth=truth)


def test_days_and_groups_are_those_on_which_any_version_was_judged() -> None:
    daily = sums(
        judged("a", day=0, truth=35.0),
        judged("a", day=1, truth=30.0, group="idle"),
        judged("b", day=0, truth=50.0),
        judged("c", day=2, truth=30.0),
    )
    found = live_days(daily, name="load-cpu", versions=("a", "b"))
    assert found.groups == ("all", "idle")
    first, second = found.versions
    np.testing.assert_allclose(first.errors, [[0.5, np.nan], [np.nan, 0.0]])
    np.testing.assert_allclose(second.errors, [[2.0, np.nan], [np.nan, np.nan]])
    np.testing.assert_allclose(first.naive, [[0.5, np.nan], [np.nan, 1.0]])
    assert second.hits is not None
    np.testing.assert_allclose(second.hits, [[0.0, np.nan], [np.nan, np.nan]])


def test_without_any_score_there_are_no_days() -> None:
    found = live_days(no_sums(), name="load-cpu", versions=("a",))
    assert found.groups == ()
    assert found.versions[0].errors.shape == (0, 0)


def test_scores_of_other_models_do_not_count() -> None:
    daily = sums(judged("a", day=0, truth=35.0))
    assert live_days(daily, name="load-memory", versions=("a",)).groups == ()


def test_a_champion_is_judged_beside_the_one_before_it_on_its_own_days() -> None:
    daily = sums(
        judged("old", day=0, truth=35.0),
        judged("old", day=1, truth=40.0),
        judged("new", day=1, truth=35.0),
        judged("new", day=2, truth=35.0),
    )
    found = serving_days(daily, name="load-cpu", champion="new", previous="old")
    np.testing.assert_allclose(found.errors, [[0.5], [0.5]])
    assert found.previous is not None
    np.testing.assert_allclose(found.previous, [[1.0], [np.nan]])


def test_a_first_champion_has_nothing_before_it() -> None:
    daily = sums(judged("new", day=1, truth=35.0))
    found = serving_days(daily, name="load-cpu", champion="new", previous=None)
    assert found.previous is None
    np.testing.assert_allclose(found.errors, [[0.5]])
