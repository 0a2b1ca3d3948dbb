"""The judge of detectors, by hand and by what the benchmark's authors published."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.anomalies_nab import (
    halves,
    labelled_series,
    recorded_series,
    synthetic_series,
)
from benchmarks.anomalies_scoring import (
    LOW_FALSE_ALARMS,
    LOW_MISSES,
    STANDARD,
    Profile,
    Tally,
    inside_windows,
    judge,
    probation_rows,
    total,
)

SPEED_ROWS = 1127
SPEED_WINDOWS = ((303, 331), (740, 768), (909, 937), (945, 973))
SPEED_ALARMS = (276, 317, 362, 628, 631, 753, 921, 923, 924, 931, 959)
"""Rows of realTraffic/speed_7578 at which ARTime's published scores reach its published threshold
(numenta/NAB, results/ARTime, MIT licence)."""
SPEED_SCORES = {
    STANDARD: 3.1077313980278403,
    LOW_FALSE_ALARMS: 2.6685955363952827,
}
"""The raw scores published for these alarms."""


def rows(*found: int) -> np.ndarray:
    return np.array(found, dtype=np.int64)


@pytest.mark.parametrize("profile", [STANDARD, LOW_FALSE_ALARMS, LOW_MISSES])
def test_no_alarm_scores_zero_and_the_first_row_of_every_window_a_hundred(profile: Profile) -> None:
    one = judge(1_000, [(300, 399), (700, 799)])
    assert one.tally(rows()).score(profile) == 0.0
    assert one.tally(rows(300, 700)).score(profile) == pytest.approx(100.0)


@pytest.mark.parametrize(("profile", "published"), SPEED_SCORES.items())
def test_a_published_detector_gets_its_published_score(profile: Profile, published: float) -> None:
    found = judge(SPEED_ROWS, SPEED_WINDOWS).tally(rows(*SPEED_ALARMS))
    assert found.raw(profile) == pytest.approx(published, abs=1e-12)
    assert (found.found, found.windows, found.alarms, found.rows) == (4, 4, 11, 958)


@pytest.mark.parametrize(
    ("row", "published"),
    [
        (303, 1.0),
        (304, 0.9974673237743696),
        (317, 0.8716042063328711),
        (331, 0.08716068383412914),
        (332, 0.009795412917274829 / 0.11),
        (359, 0.10852757279665734 / 0.11),
        (415, 0.10999993270151008 / 0.11),
        (416, 1.0),
        (302, 1.0),
    ],
)
def test_each_row_is_worth_what_was_published(row: int, published: float) -> None:
    worth = judge(SPEED_ROWS, SPEED_WINDOWS).worth[row]
    assert worth == pytest.approx(published, abs=1e-12)


def test_later_alarms_in_a_window_change_nothing() -> None:
    one = judge(1_000, [(300, 399)])
    assert one.tally(rows(310, 320, 390)).raw(STANDARD) == one.tally(rows(310)).raw(STANDARD)


def test_alarms_in_probation_count_neither_way() -> None:
    one = judge(1_000, [(300, 399)])
    assert one.tally(rows(0, 10, 149)) == one.tally(rows())
    assert one.tally(rows(150)).cost == 1.0


def test_a_window_that_begins_in_probation_is_found_by_an_alarm_after_it() -> None:
    one = judge(1_000, [(100, 199)])
    assert one.tally(rows(120)).found == 0
    assert one.tally(rows(120, 150)).found == 1


def test_probation_is_fifteen_percent_and_at_most_750_rows() -> None:
    assert [probation_rows(n) for n in (7, 1127, 5000, 22695)] == [1, 169, 750, 750]


def test_a_miss_costs_double_when_misses_weigh_double() -> None:
    one = judge(1_000, [(300, 399), (700, 799)]).tally(rows(300))
    assert one.raw(STANDARD) == pytest.approx(0.0)
    assert one.raw(LOW_MISSES) == pytest.approx(-1.0)


def test_series_are_summed_before_the_score_is_taken() -> None:
    calm = judge(1_000, []).tally(rows(500))
    found = judge(1_000, [(300, 399)]).tally(rows(300))
    assert calm.score(STANDARD) is None
    assert total([calm, found]).score(STANDARD) == pytest.approx(100 * (2 - 0.11) / 2)
    assert total([]) == Tally()


def test_recall_and_alarm_rate_count_every_alarm_after_probation() -> None:
    found = judge(1_000, [(300, 399), (700, 799)]).tally(rows(10, 310, 320, 600))
    assert found.recall == 0.5
    assert found.alarms_per_1000 == pytest.approx(1_000 * 3 / 850)


def test_rows_inside_windows_include_both_ends() -> None:
    assert np.flatnonzero(inside_windows(10, [(2, 4)])).tolist() == [2, 3, 4]


def test_a_repeated_timestamp_means_its_first_row(tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    (tmp_path / "data" / "a").mkdir(parents=True)
    clock = ["2014-01-01 00:00:00", "2014-01-01 01:00:00", "2014-01-01 01:00:00"]
    lines = [f"{moment},{value}" for value, moment in enumerate(clock)]
    (tmp_path / "data" / "a" / "b.csv").write_text("\n".join(["timestamp,value", *lines]))
    label = [f"{moment}.000000" for moment in clock[:2]]
    (tmp_path / "labels" / "combined_windows.json").write_text(json.dumps({"a/b.csv": [label]}))
    (found,) = recorded_series(tmp_path)
    assert found.windows == ((0, 1),)
    assert found.values.tolist() == [0.0, 1.0, 2.0]


def test_halves_share_out_every_series() -> None:
    series = synthetic_series(count=5, rows=300)
    first, second = halves(series)
    assert sorted(first + second) == list(range(5))
    assert abs(len(first) - len(second)) <= 1


def test_without_recordings_there_are_seeded_series_with_windows_after_probation() -> None:
    once, again = labelled_series(None), labelled_series(None)
    assert all(np.array_equal(a.values, b.values) for a, b in zip(once, again, strict=True))
    assert all(start >= probation_rows(len(s.values)) for s in once for start, _ in s.windows)
