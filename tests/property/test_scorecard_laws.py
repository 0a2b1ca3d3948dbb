"""Laws of live scoring, whatever is forecast and whenever its truth comes."""

from __future__ import annotations

from datetime import timedelta
from functools import reduce

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.domain.models.held import joined, nothing_held
from tasks.domain.models.intervals import share_interval, skill_interval
from tasks.domain.models.live_scores import live_scores
from tasks.domain.models.scorecard import KEYS, SUMS, judged, merged, no_sums
from tests.unit.models.scoring_builders import MADE_AT, rows, truth_of

SEEDS = st.integers(0, 2**31)
NOW = MADE_AT + timedelta(days=20)
FEW = settings(max_examples=10, deadline=None)


def some_rows(seed: int, count: int = 40) -> pd.DataFrame:
    """Rows of several models, roles, series and hours, no forecast twice; some unknown."""
    rng = np.random.default_rng(seed)
    hours = rng.choice(200, size=count, replace=False) + 1.0
    middle = rng.uniform(0.0, 50.0, count)
    return rows(
        hours.tolist(),
        series=pd.Series(rng.choice(["cpu_percent/a", "cpu_percent/b"], count)),
        model=rng.choice(["load-cpu", "spot-24h"], count),
        role=rng.choice(["champion", "challenger"], count),
        group=rng.choice(["idle", "busy"], count),
        q10=middle - rng.uniform(0.0, 9.0, count),
        q50=middle,
        q90=middle + rng.uniform(0.0, 9.0, count),
        naive=np.where(rng.random(count) < 0.2, np.nan, rng.uniform(0.0, 50.0, count)),
        scale=np.where(rng.random(count) < 0.2, np.nan, rng.uniform(1.0, 9.0, count)),
    )


def some_truth(stored: pd.DataFrame, seed: int, *, unknown: float = 0.2) -> pd.DataFrame:
    rng = np.random.default_rng(seed + 1)
    values = rng.uniform(0.0, 50.0, len(stored))
    return truth_of(stored, np.where(rng.random(len(stored)) < unknown, np.nan, values))


def some_sums(seed: int) -> pd.DataFrame:
    stored = some_rows(seed)
    return judged(stored, some_truth(stored, seed), now=NOW).daily


def assert_same_sums(one: pd.DataFrame, other: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(one, other, check_exact=False, rtol=1e-9, atol=1e-9)


@FEW
@given(seeds=st.tuples(SEEDS, SEEDS, SEEDS))
def test_merging_is_associative_and_commutative_and_nothing_changes_nothing(
    seeds: tuple[int, int, int],
) -> None:
    one, two, three = map(some_sums, seeds)
    left = merged([merged([one, two]), three])
    assert_same_sums(left, merged([one, merged([two, three])]))
    assert_same_sums(left, merged([three, one, two]))
    assert_same_sums(merged([one, no_sums()]), merged([one]))
    assert_same_sums(merged([no_sums(), one]), merged([one]))
    assert not left.duplicated(KEYS).any()
    assert left["count"].sum() == sum(part["count"].sum() for part in (one, two, three))


@FEW
@given(seed=SEEDS, cuts=st.lists(st.integers(0, 200), min_size=1, max_size=4))
def test_judging_bit_by_bit_as_truth_arrives_gives_what_judging_at_the_end_does(
    seed: int, cuts: list[int]
) -> None:
    stored = some_rows(seed)
    truth = some_truth(stored, seed)
    at_once = judged(stored, truth, now=NOW)
    waiting, parts = stored, []
    # Each run knows more; what was judged is known to later ones too, and must not count again.
    for hours in [*sorted(cuts), 200]:
        known = truth[truth["target_at"] <= pd.Timestamp(MADE_AT + timedelta(hours=hours))]
        found = judged(waiting, known, now=NOW)
        waiting = found.waiting
        parts.append(found.daily)
    assert_same_sums(reduce(lambda a, b: merged([a, b]), parts, no_sums()), at_once.daily)
    pd.testing.assert_frame_equal(waiting, at_once.waiting)


@FEW
@given(seed=SEEDS, days=st.integers(0, 60))
def test_every_row_is_judged_or_waits_or_has_expired(seed: int, days: int) -> None:
    stored = some_rows(seed)
    found = judged(
        stored, some_truth(stored, seed, unknown=0.5), now=MADE_AT + timedelta(days=days)
    )
    assert found.judged + len(found.waiting) + found.expired == len(stored)


@FEW
@given(seed=SEEDS, pieces=st.lists(st.integers(0, 40), max_size=4))
def test_forecasts_handed_in_again_in_whatever_pieces_are_held_once(
    seed: int, pieces: list[int]
) -> None:
    stored = some_rows(seed)
    whole = joined(nothing_held(), [stored], now=MADE_AT)
    parts = [stored.iloc[at:] for at in pieces]
    again = joined(whole, [*parts, stored], now=MADE_AT)
    pd.testing.assert_frame_equal(again.rows, whole.rows)
    assert len(again.known) == len(whole.known)
    assert len(whole.rows) == len(stored)


@FEW
@given(seed=SEEDS, factor=st.sampled_from([0.125, 4.0, 1024.0]))
def test_another_unit_changes_the_error_by_its_factor_and_nothing_else(
    seed: int, factor: float
) -> None:
    stored = some_rows(seed)
    truth = some_truth(stored, seed)
    numbers = ["q10", "q50", "q90", "naive", "scale"]
    other = stored.assign(**{name: stored[name] * np.float32(factor) for name in numbers})
    one = live_scores(judged(stored, truth, now=NOW).daily)
    two = live_scores(judged(other, truth.assign(truth=truth["truth"] * factor), now=NOW).daily)
    for left, right in zip(one, two, strict=True):
        assert right.mae == pytest.approx(factor * left.mae, rel=1e-5)
        assert right.coverage == left.coverage
        for name in ("mase", "bias", "skill", "pinball"):
            assert getattr(right, name) == pytest.approx(getattr(left, name), rel=1e-5, abs=1e-6)


@FEW
@given(seed=SEEDS)
def test_scores_are_within_their_bounds(seed: int) -> None:
    for one in live_scores(some_sums(seed), by=["group", "up_to_hours"]):
        assert 0.0 <= one.coverage <= 1.0
        assert one.mae >= 0.0
        assert one.skill is None or one.skill <= 1.0
        assert one.mase is None or (one.bias is not None and abs(one.bias) <= one.mase + 1e-9)
        assert one.pinball is None or one.pinball >= 0.0
        assert 0 < one.blocks <= one.days <= one.count


@FEW
@given(
    counts=st.lists(st.integers(1, 50), min_size=5, max_size=30),
    share=st.floats(0.0, 1.0),
    seed=SEEDS,
)
def test_the_interval_of_a_share_holds_it_and_lies_within_0_and_1(
    counts: list[int], share: float, seed: int
) -> None:
    total = np.array(counts, dtype=np.float64)
    hits = np.random.default_rng(seed).binomial(counts, share).astype(np.float64)
    low, high = share_interval(hits, total) or (2.0, -1.0)
    assert 0.0 <= low <= hits.sum() / total.sum() + 1e-12
    assert hits.sum() / total.sum() - 1e-12 <= high <= 1.0


@FEW
@given(
    naive=st.lists(st.floats(0.1, 100.0), min_size=5, max_size=20),
    factor=st.floats(0.1, 3.0),
    seed=SEEDS,
)
def test_the_interval_of_skill_holds_it_and_does_not_hang_on_the_unit(
    naive: list[float], factor: float, seed: int
) -> None:
    reference = np.array(naive)
    errors = factor * reference * np.random.default_rng(seed).uniform(0.5, 1.5, len(naive))
    low, high = skill_interval(errors, reference) or (2.0, -1.0)
    assert low <= 1.0 - errors.sum() / reference.sum() <= high
    assert skill_interval(1000 * errors, 1000 * reference) == pytest.approx((low, high), abs=1e-6)


def test_sums_are_added_up_and_nothing_else_is_kept() -> None:
    assert set(no_sums().columns) == {*KEYS, *SUMS}
