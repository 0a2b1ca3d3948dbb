"""Challengers are worth what they are said to be."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.load_promotion import (
    lower_mean,
    narrower,
    ours,
    promoted_share,
    promotion_figures,
    t_test,
)
from benchmarks.load_promotion_data import GROUPS, Duel, seeded_duels
from benchmarks.load_promotion_live import (
    BACKTEST_DAYS,
    FAULT_DAY,
    first_rollback,
    lost_coverage,
    shadow_ends,
    since,
    worse_errors,
)


def duels(count: int = 1, *, origins: int = 28) -> list[Duel]:
    return list(seeded_duels(count, origins=origins, seed=5))


def total(errors: np.ndarray) -> float:
    return float(np.nansum(errors))


def test_neither_of_two_refits_is_better_on_average() -> None:
    gains = [1.0 - total(duel.challenger) / total(duel.champion) for duel in duels(60)]
    assert abs(np.mean(gains)) < 3.0 * np.std(gains) / np.sqrt(60)
    assert 0.005 < np.std(gains) < 0.03


def test_a_better_challenger_errs_so_much_less() -> None:
    (duel,) = duels()
    assert total(duel.better(0.05).challenger) == pytest.approx(0.95 * total(duel.challenger))


@pytest.mark.parametrize("group", GROUPS)
def test_one_that_is_worse_on_a_group_is_better_on_average(group: str) -> None:
    (duel,) = duels()
    found = duel.better_but_for(group, fraction=0.05, worse=0.1)
    of_group = duel.groups == group
    assert total(found.challenger) == pytest.approx(0.95 * total(duel.challenger))
    assert total(found.challenger[:, of_group]) == pytest.approx(
        1.1 * total(duel.challenger[:, of_group])
    )


def test_days_can_be_cut_at_an_origin() -> None:
    (duel,) = duels()
    first, second = duel.until(10), since(duel, 10)
    np.testing.assert_array_equal(np.vstack([first.naive, second.naive]), duel.naive)


def test_faults_begin_on_their_day() -> None:
    (duel,) = duels(origins=60)
    day = BACKTEST_DAYS + FAULT_DAY
    worse, lost = worse_errors(duel), lost_coverage(duel)
    np.testing.assert_array_equal(worse.champion[:day], duel.champion[:day])
    assert total(worse.champion[day:]) == pytest.approx(1.4 * total(duel.champion[day:]))
    assert np.nanmean(lost.champion_hits[day:]) < np.nanmean(duel.champion_hits[day:]) - 0.1


def test_narrower_intervals_cover_less() -> None:
    (duel,) = duels()
    lost = np.nanmean(duel.challenger_hits) - np.nanmean(narrower(duel).challenger_hits)
    assert lost == pytest.approx(0.1, abs=0.01)


def test_the_lower_mean_promotes_half_of_all_refits_and_ours_hardly_any() -> None:
    many = duels(60)
    assert 0.3 < (promoted_share(lower_mean, many) or 0.0) < 0.7
    assert sum(map(ours, many[:30])) <= 1


def test_without_duels_nothing_is_known() -> None:
    assert set(promotion_figures(lower_mean, []).values()) == {None}


def test_a_test_of_values_that_hang_together_promotes_too_many() -> None:
    assert sum(map(t_test, duels(60))) > 6


def test_a_shadow_that_never_answers_promotes_nobody() -> None:
    assert shadow_ends(lambda _duel: None, duels(2)) == (0.0, None)
    assert shadow_ends(lambda duel: True if len(duel.champion) == 9 else None, duels(2)) == (1, 9)


def test_a_rollback_is_dated_by_its_live_day() -> None:
    (stream,) = duels(origins=60)
    assert first_rollback(lambda _backtest, live: len(live.champion) == 4, stream) == 4
