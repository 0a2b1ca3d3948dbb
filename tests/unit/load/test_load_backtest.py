import numpy as np
import pytest

from tasks.domain.load.backtest import Backtest, held_hours
from tasks.domain.load.combine import fit_blend, group_index, unblended
from tasks.domain.load.global_linear import fit_rule_weights, range_of
from tasks.domain.load.intervals import fit_widths, interval
from tasks.domain.load.own_record import (
    OwnRecords,
    fit_own_records,
    mixed,
    span_of,
    weights_of,
)

CASES = 2_000


def backtest(*, model_error: float, last_error: float, seed: int = 0) -> Backtest:
    rng = np.random.default_rng(seed)
    actual = rng.normal(size=CASES)
    far = actual + 50.0
    horizon = rng.integers(1, 25, CASES)
    return Backtest(
        row=rng.integers(0, 20, CASES),
        seen=rng.integers(0, 8, CASES),
        horizon=horizon,
        band=range_of(horizon),
        group=np.where(rng.random(CASES) < 0.5, "steady", "bursty"),
        actual=actual,
        median=actual + model_error * rng.normal(size=CASES),
        low=actual * 0.0 - 1.0,
        high=actual * 0.0 + 1.0,
        naive=np.column_stack([actual + last_error * rng.normal(size=CASES), far, far]),
        weight=np.ones(CASES),
    )


def test_a_good_model_is_believed_alone() -> None:
    assert fit_blend(backtest(model_error=0.1, last_error=1.0)).shares.sum() == 0.0


def test_a_last_value_that_does_better_takes_over() -> None:
    shares = fit_blend(backtest(model_error=1.0, last_error=0.1)).shares
    steady = group_index(np.array(["steady"]))[0]
    assert shares[steady, :, 0].min() >= 0.8


def test_a_group_without_cases_follows_all_groups() -> None:
    shares = fit_blend(backtest(model_error=1.0, last_error=0.1)).shares
    idle = group_index(np.array(["idle"]))[0]
    assert shares[idle, 5, 0] > 0.5


def test_a_blend_stays_between_what_it_blends() -> None:
    test = backtest(model_error=1.0, last_error=0.5)
    found = fit_blend(test).apply(test.median, test.naive, group_index(test.group), test.band)
    every = np.column_stack([test.median, test.naive])
    assert ((every.min(axis=1) - 1e-9 <= found) & (found <= every.max(axis=1) + 1e-9)).all()


def test_intervals_that_are_too_narrow_are_widened() -> None:
    test = backtest(model_error=0.0, last_error=1.0)
    narrow = Backtest(
        **{
            **{name: getattr(test, name) for name in Backtest.__slots__},
            "median": np.zeros(CASES),
            "low": np.full(CASES, -0.3),
            "high": np.full(CASES, 0.3),
        }
    )
    found = fit_widths(narrow, unblended())
    # Exact coverage needs 1.28 / .3 = 4.3; half of it, in logarithms, is believed.
    assert found.factors[1, 5] == pytest.approx(4.3**0.5, rel=0.1)


def test_coverage_is_told_per_group_where_there_are_cases() -> None:
    test = backtest(model_error=0.3, last_error=1.0)
    coverage = fit_widths(test, unblended()).coverage
    known = group_index(np.array(["steady", "bursty"]))
    assert ((coverage[known] > 0.5) & (coverage[known] <= 1.0)).all()
    assert np.isnan(np.delete(coverage, known)).all()


def test_an_interval_holds_its_median() -> None:
    low, high = interval(np.array([5.0]), np.array([6.0]), np.array([4.0]), np.array([2.0]))
    assert low[0] < 5.0 < high[0]


def test_six_days_are_held_back_and_less_of_a_short_history() -> None:
    assert (held_hours(1_000), held_hours(720), held_hours(100)) == (144, 144, 20)


def test_rule_weights_find_the_rule_that_holds_despite_outliers() -> None:
    rng = np.random.default_rng(0)
    rules = rng.normal(size=(3_000, 3))
    target = rules[:, 1] + 0.05 * rng.normal(size=3_000)
    target[::10] += 20.0
    horizon = rng.integers(1, 25, 3_000)
    found = fit_rule_weights(rules, horizon, target, np.ones(3_000)).weights
    assert found == pytest.approx(np.tile([0.0, 1.0, 0.0], (6, 1)), abs=0.15)


def own_shares(test: Backtest) -> OwnRecords:
    return fit_own_records(test, test.median, [f"vm-{row}" for row in range(20)])


def test_a_series_whose_last_value_did_better_gets_it() -> None:
    shares = own_shares(backtest(model_error=2.0, last_error=0.0)).shares
    assert shares[..., 0] == pytest.approx(1.0)


def test_a_series_whose_model_did_better_keeps_it() -> None:
    assert own_shares(backtest(model_error=0.0, last_error=2.0)).shares.sum() < 1e-9


def test_weights_fall_by_what_a_rule_is_behind_the_best() -> None:
    # Two origins more than are needed: the second errs half as much again in each.
    errors = np.tile([2.0, 3.0], (1, 5, 1))
    found = weights_of(errors, np.array([1.0, 0.5]), rate=0.4)
    behind = 0.5 * np.exp(-0.4 * 5 * 0.5)
    assert found[0] == pytest.approx([1.0 / (1.0 + behind), behind / (1.0 + behind)])


def test_a_record_of_two_origins_says_nothing() -> None:
    errors = np.tile([2.0, 0.0], (1, 6, 1))
    errors[:, 2:] = np.nan
    assert weights_of(errors, np.array([1.0, 0.5]), rate=1.0).tolist() == [[1.0, 0.0]]


def test_a_series_that_was_not_there_has_no_record() -> None:
    found = own_shares(backtest(model_error=2.0, last_error=0.0)).of(["new", "vm-3"])
    assert found[:, 0, 0] == pytest.approx([0.0, 1.0])


def test_the_next_four_hours_have_a_record_of_their_own() -> None:
    assert span_of(np.array([1, 4, 5, 24])).tolist() == [0, 0, 1, 1]


def test_shares_mix_the_rules_into_the_median() -> None:
    found = mixed(np.array([10.0]), np.array([[20.0, 0.0, 0.0]]), np.array([[0.25, 0.0, 0.0]]))
    assert found.tolist() == [12.5]
