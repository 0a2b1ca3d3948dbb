"""When the model that serves is taken back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tasks.domain.models.rollback import (
    HIGHEST,
    LOWEST,
    Claim,
    Days,
    RollbackPolicy,
    evidence_against,
    reference_of,
    should_roll_back,
)


def days(count: int, *, seed: int = 0, factor: float = 1.0, covered: float = 0.8) -> Days:
    """Return days of a champion that errs 70 % of the naive forecast."""
    rng = np.random.default_rng(seed)
    naive = np.exp(0.4 * rng.standard_normal((count, 10)))
    errors = 0.7 * factor * naive * np.exp(0.1 * rng.standard_normal(naive.shape))
    hits = np.clip(covered + 0.1 * rng.standard_normal(naive.shape), 0.0, 1.0)
    return Days(errors=errors, naive=naive, hits=hits)


BACKTEST = days(28, seed=1)


def test_a_champion_that_keeps_its_promises_is_kept() -> None:
    found = should_roll_back(days(60), backtest=BACKTEST)
    assert not found.roll_back
    assert found.evidence < 0.1
    assert found.reason.startswith("kept: evidence against it is")


def test_one_that_errs_half_more_than_promised_is_taken_back() -> None:
    found = should_roll_back(days(14, factor=1.5), backtest=BACKTEST)
    assert found.roll_back
    assert found.claim is Claim.PROMISE
    assert found.reason.startswith("rolled back: it no longer errs as its backtest promised: 1.0")


def test_one_whose_intervals_stopped_covering_is_taken_back() -> None:
    found = should_roll_back(days(14, covered=0.6), backtest=BACKTEST)
    assert found.roll_back
    assert found.claim is Claim.COVERAGE
    assert "covered in the last 7 days" in found.reason


def test_one_that_errs_more_than_the_earlier_champion_is_taken_back() -> None:
    live = days(14)
    found = should_roll_back(replace(live, previous=live.errors / 1.4), backtest=BACKTEST)
    assert found.roll_back
    assert found.claim is Claim.REFERENCE
    assert "the earlier champion's error" in found.reason


def test_one_that_beats_the_naive_forecast_and_not_what_served_before_is_taken_back() -> None:
    live = days(21)
    assert not should_roll_back(live, backtest=BACKTEST).roll_back
    better = replace(live, previous=live.errors / 1.4)
    found = should_roll_back(better, backtest=BACKTEST)
    assert found.roll_back
    assert found.reason.startswith("rolled back: it no longer errs no more than what served before")
    assert "1.40 of the earlier champion's error" in found.reason


def test_an_earlier_champion_that_errs_the_same_takes_nothing_back() -> None:
    live = days(300)
    noise = np.exp(0.2 * np.random.default_rng(3).standard_normal(live.errors.shape))
    found = should_roll_back(replace(live, previous=live.errors * noise), backtest=BACKTEST)
    assert not found.roll_back, found.reason


def test_days_on_which_the_earlier_champion_did_not_forecast_are_held_to_the_naive_forecast() -> (
    None
):
    live = days(20, factor=2.0)
    unknown = np.full_like(live.errors, np.nan)
    alone = should_roll_back(live, backtest=BACKTEST)
    assert should_roll_back(replace(live, previous=unknown), backtest=BACKTEST) == alone
    half = np.where(np.arange(20)[:, None] < 10, 2.0, unknown)
    held_to = reference_of(replace(live, previous=half))
    assert (held_to[:10] == 2.0).all()
    np.testing.assert_array_equal(held_to[10:], live.naive[10:])


def test_a_hard_week_for_every_forecast_is_no_fault_of_the_champion() -> None:
    live = days(14)
    hard = replace(live, errors=live.errors * 5.0, naive=live.naive * 5.0)
    assert not should_roll_back(hard, backtest=BACKTEST).roll_back


def test_a_single_terrible_day_does_not_end_a_model() -> None:
    live = days(30)
    live.errors[20] *= 100.0
    assert not should_roll_back(live, backtest=BACKTEST).roll_back


def test_a_fault_after_a_long_good_time_is_seen_as_soon_as_an_early_one() -> None:
    bad = days(14, factor=1.5)
    good = days(300, seed=4)
    both = Days(
        errors=np.vstack([good.errors, bad.errors]),
        naive=np.vstack([good.naive, bad.naive]),
    )
    assert should_roll_back(both, backtest=BACKTEST).roll_back


def test_the_first_days_decide_nothing() -> None:
    found = should_roll_back(days(2, factor=9.0), backtest=BACKTEST)
    assert not found.roll_back
    assert found.reason == "kept: 2 live days, at least 3 are needed"


def test_days_without_scores_say_nothing() -> None:
    live = days(14, factor=1.5)
    gap = np.full((30, 10), np.nan)
    with_gap = Days(errors=np.vstack([live.errors, gap]), naive=np.vstack([live.naive, gap]))
    assert should_roll_back(with_gap, backtest=BACKTEST).roll_back
    unknown = Days(errors=gap, naive=gap, hits=gap)
    assert not should_roll_back(unknown, backtest=BACKTEST).roll_back


def test_less_is_allowed_when_false_rollbacks_are_to_be_rarer() -> None:
    live = days(9, factor=1.5)
    often = should_roll_back(live, backtest=BACKTEST, policy=RollbackPolicy(false_per_month=1.0))
    seldom = should_roll_back(live, backtest=BACKTEST, policy=RollbackPolicy(false_per_month=1e-9))
    assert often.roll_back
    assert not seldom.roll_back


def test_the_bets_of_two_days_are_those_worked_out_by_hand() -> None:
    # Stakes .5 and .9: (0 + 1)(1 + s) and then ((1 + s) + 1)(1 - s / 2).
    expected = np.mean([(2.0 + s) * (1.0 - s / 2.0) for s in (0.5, 0.9)])
    assert evidence_against(np.array([1.0, -0.5])) == pytest.approx(expected)


def test_evidence_grows_by_at_most_a_day_a_day_while_the_claim_is_true() -> None:
    rng = np.random.default_rng(5)
    # Skewed, with mean zero: mostly the lowest, seldom much.
    excess = rng.choice([LOWEST, HIGHEST / 2.0], size=(20_000, 6), p=[5 / 6, 1 / 6])
    found = np.mean([evidence_against(one) for one in excess])
    assert found == pytest.approx(6.0, rel=0.15)
