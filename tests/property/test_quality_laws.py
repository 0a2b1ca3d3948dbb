"""Laws of judging a window of data."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tasks.domain.models.quality import QualityPolicy, QualityReport, check_window

law = settings(max_examples=60, deadline=None)
values = st.one_of(st.floats(-5.0, 200.0), st.just(0.0), st.just(np.nan), st.just(np.inf))
windows = arrays.arrays(
    np.float64, st.tuples(st.integers(0, 6), st.integers(0, 30)), elements=values
)
POLICY = QualityPolicy(min_days=0.5, highest=100.0)


def checked(window: np.ndarray, *, policy: QualityPolicy = POLICY) -> QualityReport:
    names = tuple(f"vm-{row}" for row in range(len(window)))
    return check_window(window, series=names, step=timedelta(hours=1), policy=policy)


@law
@given(window=windows)
def test_a_window_is_usable_when_nothing_speaks_against_it(window: np.ndarray) -> None:
    found = checked(window)
    assert found.usable == (found.reasons == ())
    assert 0.0 <= found.known_share <= 1.0
    assert 0.0 <= found.impossible_share <= 1.0
    assert 0 <= found.enough <= found.series
    assert set(found.constant).isdisjoint(found.duplicates)


@law
@given(window=windows, seed=st.integers(0, 100))
def test_the_order_of_the_series_changes_no_verdict(window: np.ndarray, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(window))
    one, other = checked(window), checked(window[order])
    assert one.usable == other.usable
    assert len(one.constant) == len(other.constant)
    assert len(one.duplicates) == len(other.duplicates)


@law
@given(window=windows)
def test_asking_for_nothing_refuses_nothing(window: np.ndarray) -> None:
    nothing = QualityPolicy(
        min_series=0,
        min_days=0.0,
        min_known_share=0.0,
        max_constant_share=1.0,
        max_duplicate_share=1.0,
        max_impossible_share=1.0,
    )
    assert checked(window, policy=nothing).usable


@law
@given(window=windows)
def test_a_second_copy_of_every_series_is_a_duplicate(window: np.ndarray) -> None:
    once, twice = checked(window), checked(np.vstack([window, window]))
    changing = int(np.isfinite(window).any(axis=1).sum()) if window.size else 0
    assert len(twice.duplicates) >= len(once.duplicates)
    assert len(twice.duplicates) + len(twice.constant) >= changing
