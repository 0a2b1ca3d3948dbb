"""Settings chosen on other series, curves, and what is written for others' scorers."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.anomalies import gated, write_results
from benchmarks.anomalies_choice import (
    Choice,
    alarm_rows,
    best_choice,
    best_recall,
    bootstrap_sd,
    choice_table,
    held_out,
    held_out_recall,
    other_splits,
    recall_curve,
)
from benchmarks.anomalies_nab import halves, synthetic_series
from benchmarks.anomalies_rivals import blind_alarms, isolation_forest, windowed_gaussian
from benchmarks.anomalies_scoring import Tally, judge, total
from tasks.domain.anomalies.gate import BALANCED
from tasks.domain.anomalies.novelty import DEFAULT

ROWS = 1_000
SPLIT = ([0, 2], [1, 3])


def scores_with(level_inside: float, level_outside: float) -> np.ndarray:
    found = np.zeros(ROWS)
    found[500], found[900] = level_inside, level_outside
    return found


JUDGES = [judge(ROWS, [(480, 579)]) for _ in range(4)]


def test_alarms_rest() -> None:
    assert alarm_rows(np.ones(10), threshold=1.0, rest_rows=3).tolist() == [0, 4, 8]
    assert alarm_rows(np.ones(3), threshold=1.0, rest_rows=0).tolist() == [0, 1, 2]
    assert alarm_rows(np.zeros(3), threshold=1.0, rest_rows=0).tolist() == []


def test_each_half_is_judged_by_what_the_other_chose() -> None:
    rewards = {1.0: (0.9, 0.1), 2.0: (0.9, 0.1), 3.0: (0.2, 0.8), 4.0: (0.2, 0.8)}
    table = {
        Choice(settings="x", threshold=threshold, rest_rows=0): [
            Tally(reward=reward, found=1, windows=1) for reward in both * 2
        ]
        for threshold, both in rewards.items()
    }
    assert best_choice(table, SPLIT[0]).threshold == 1.0
    assert best_choice(table, SPLIT[1]).threshold == 4.0
    assert held_out(table, SPLIT).reward == pytest.approx(2 * 0.2 + 2 * 0.1)


def test_a_table_has_the_tallies_of_every_combination() -> None:
    scores = {"only": [scores_with(5.0, 1.0)] * 4}
    table = choice_table(scores, JUDGES, thresholds=[0.5, 2.0], rests=[10, 500])
    alarms = {(one.threshold, one.rest_rows): total(found).alarms for one, found in table.items()}
    assert alarms == {(0.5, 10): 8, (0.5, 500): 4, (2.0, 10): 4, (2.0, 500): 4}


def test_a_threshold_that_wins_alone_among_poor_neighbours_is_not_chosen() -> None:
    found = {
        1.0: Tally(reward=0.8, found=1, windows=1),
        2.0: Tally(reward=0.8, found=1, windows=1),
        3.0: Tally(reward=0.8, found=1, windows=1),
        4.0: Tally(windows=1),
        5.0: Tally(reward=0.9, found=1, windows=1),
        6.0: Tally(windows=1),
    }
    table = {
        Choice(settings="x", threshold=threshold, rest_rows=0): [one]
        for threshold, one in found.items()
    }
    assert best_choice(table, [0]).threshold in {1.0, 2.0}


def test_other_splits_use_every_series_once() -> None:
    found = other_splits(([0, 2, 4], [1, 3]), count=8, seed=1)
    assert all(sorted([*a, *b]) == [0, 1, 2, 3, 4] for a, b in found)
    assert len({tuple(a) for a, _ in found}) > 1


def test_recall_rises_with_alarms_and_keeps_the_budget() -> None:
    rng = np.random.default_rng(2)
    scores = [rng.random(ROWS) for _ in JUDGES]
    curve = recall_curve(scores, JUDGES, rest_rows=20)
    rates = [one.alarms_per_1000 for _, one in curve]
    assert rates[0] < rates[-1]
    found = [best_recall(curve, alarms_per_1000=budget) for budget in (2.0, 10.0, 40.0)]
    assert found == sorted(found, key=lambda one: one or 0.0)
    assert best_recall([], alarms_per_1000=1.0) is None


def test_a_budget_from_the_other_half_uses_its_threshold() -> None:
    scores = [scores_with(5.0, 1.0)] * 4
    found = held_out_recall(scores, JUDGES, SPLIT, rest_rows=10, alarms_per_1000=1.5)
    assert (found.recall, found.alarms) == (1.0, 4)


def test_series_that_all_score_the_same_have_no_spread() -> None:
    assert bootstrap_sd([Tally(reward=1.0, found=1, windows=1)] * 5, draws=20, seed=0) == 0.0


def test_the_gaussian_rival_knows_only_what_came_before() -> None:
    values = np.array([5.0, 5.0, 5.0, 5.0, 9.0, 5.0])
    found = windowed_gaussian(values)
    assert found[0] == 0.0
    assert found[1:4].tolist() == [0.5, 0.5, 0.5]
    assert found[4] == 1.0
    expected = 1 - 0.5 * (1 - 0.3829249225480262)
    assert found[5] == pytest.approx(expected)


def test_the_forest_is_fitted_on_probation_alone() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(0, 1, 300)
    changed = values.copy()
    changed[200:] += 9
    first, second = (isolation_forest(one, seed=3) for one in (values, changed))
    assert np.array_equal(first[:200], second[:200])
    assert second[210:].min() > first[210:].mean()


def test_the_blind_alarm_comes_every_half_probation() -> None:
    assert blind_alarms(1_000).tolist() == list(range(0, 1_000, 75))


def test_the_shipped_threshold_on_written_scores_gives_the_shipped_alarms(tmp_path: Path) -> None:
    (series,) = synthetic_series(count=1, rows=400)
    rng = np.random.default_rng(4)
    scores = rng.random(400) * 2 * BALANCED.threshold
    write_results(tmp_path, [series], [scores])
    found = pd.read_csv(tmp_path / series.name)
    assert list(found)[:4] == ["timestamp", "value", "anomaly_score", "label"]
    high = np.flatnonzero(found["anomaly_score"] * DEFAULT.limit >= BALANCED.threshold)
    alarms = alarm_rows(scores, threshold=BALANCED.threshold, rest_rows=BALANCED.rest_rows)
    assert high.tolist() == alarms.tolist()
    assert found["label"].sum() == sum(end - start + 1 for start, end in series.windows)
    assert found["value"].tolist() == pytest.approx(series.values.tolist())


def test_scores_that_never_alarm_are_written_as_they_are() -> None:
    quiet = np.full(50, 0.5 * BALANCED.threshold)
    assert np.array_equal(gated(quiet), quiet)


def test_halves_of_made_up_series_are_even() -> None:
    first, second = halves(synthetic_series(count=4, rows=300))
    assert (first, second) == ([0, 2], [1, 3])
