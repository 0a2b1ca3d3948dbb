"""Intervals of live figures, where values of one day go wrong together."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tasks.domain.models.intervals import FEWEST_BLOCKS, share_interval, skill_interval


def test_the_interval_of_a_share_is_wilsons_on_what_the_days_are_worth() -> None:
    hits, counts = np.array([9.0, 7.0, 8.0, 9.0, 7.0]), np.full(5, 10.0)
    # Days differ by 1, -1, 0, 1, -1 from .8 x 10: 5/4 x 4 / 50 squared.
    worth = 0.8 * 0.2 / (1.25 * 4.0 / 2500.0)
    square = stats.t.ppf(0.95, 4) ** 2 / min(worth, 50.0)
    half = np.sqrt(square * (0.16 + square / 4)) / (1 + square)
    low, high = share_interval(hits, counts) or (None, None)

    assert worth == pytest.approx(80.0)
    assert low == pytest.approx((0.8 + square / 2) / (1 + square) - half)
    assert high == pytest.approx((0.8 + square / 2) / (1 + square) + half)


def test_values_of_a_day_that_go_wrong_together_are_worth_less() -> None:
    counts = np.full(10, 100.0)
    apart = share_interval(np.full(10, 80.0) + np.tile([-4.0, 4.0], 5), counts)
    together = share_interval(np.array([100.0] * 8 + [0.0] * 2), counts)
    assert apart is not None
    assert together is not None

    assert apart[1] - apart[0] < 0.05
    assert together[1] - together[0] > 0.4


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_where_all_values_agree_each_day_counts_as_one(share: float) -> None:
    found = share_interval(share * np.full(10, 1000.0), np.full(10, 1000.0))
    assert found is not None

    assert found[1] - found[0] == pytest.approx(3.3605 / 13.3605, abs=1e-3)  # t(9)^2 = 3.3605
    assert share in found


def test_days_that_do_not_differ_are_worth_all_their_values() -> None:
    same = share_interval(np.full(10, 80.0), np.full(10, 100.0))
    nearly = share_interval(np.append(np.full(9, 80.0), 81.0), np.full(10, 100.0))

    assert same == pytest.approx(nearly, abs=0.01)


def test_too_few_days_tell_nothing_and_empty_ones_do_not_count() -> None:
    few = np.full(FEWEST_BLOCKS - 1, 10.0)

    assert share_interval(0.8 * few, few) is None
    assert share_interval(np.append(0.8 * few, 0.0), np.append(few, 0.0)) is None
    assert skill_interval(few, few) is None
    assert skill_interval(np.append(few, 0.0), np.append(few, 0.0)) is None


def test_skill_whose_naive_error_lies_in_one_day_has_no_interval() -> None:
    assert skill_interval(np.ones(6), np.array([9.0, 0, 0, 0, 0, 0])) is None


def test_a_skill_that_is_the_same_every_day_is_certain() -> None:
    naive = np.array([1.0, 2.0, 3.0, 4.0, 5.0])

    assert skill_interval(0.7 * naive, naive) == pytest.approx((0.3, 0.3))


@pytest.mark.parametrize("alike", [2.0, 20.0, None])
@pytest.mark.parametrize("days", [8, 56])
def test_the_interval_of_a_share_holds_it_nine_times_out_of_ten(
    days: int, alike: float | None
) -> None:
    """With days that differ by a beta distribution; None for days that do not differ."""
    rng, tries, held = np.random.default_rng(20), 400, 0
    for _ in range(tries):
        share = np.full(days, 0.8) if alike is None else rng.beta(0.8 * alike, 0.2 * alike, days)
        counts = rng.integers(100, 200, days)
        hits = rng.binomial(counts, share)
        low, high = share_interval(hits.astype(float), counts.astype(float)) or (1.0, 0.0)
        held += low <= 0.8 <= high

    assert 0.85 <= held / tries <= 0.98


@pytest.mark.parametrize("days", [8, 56])
def test_the_interval_of_skill_holds_it_about_nine_times_out_of_ten(days: int) -> None:
    rng, tries, held = np.random.default_rng(20), 400, 0
    for _ in range(tries):
        common = rng.lognormal(0.0, 1.0, days)
        naive, model = (common * rng.gamma(20.0, 1.0, days) for _ in range(2))
        low, high = skill_interval(0.75 * model, naive) or (1.0, 0.0)
        held += low <= 0.25 <= high

    assert 0.83 <= held / tries <= 0.95
