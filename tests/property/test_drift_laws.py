"""Laws of looking for drift and for reasons to roll back."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.domain.models.drift import DriftPolicy, DriftReport, Observed, check_drift
from tasks.domain.models.drift_tests import few_p_value, ks_distances, share_p_value
from tasks.domain.models.rollback import LOWEST, evidence_against

law = settings(max_examples=25, deadline=None)
seeds = st.integers(0, 10_000)


def load(seed: int, days: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    level = rng.uniform(5.0, 30.0, size=(12, 1))
    return np.asarray(level * np.exp(0.1 * rng.standard_normal((12, days * 24))))


def checked(
    before: np.ndarray, after: np.ndarray, policy: DriftPolicy | None = None
) -> DriftReport:
    return check_drift(
        Observed(values=before), Observed(values=after), steps_per_day=24, policy=policy
    )


@law
@given(seed=seeds, shift=st.floats(0.0, 10.0))
def test_the_unit_and_the_order_of_the_series_do_not_matter(seed: int, shift: float) -> None:
    before, after = load(seed, 28), load(seed + 1, 14) + shift
    order = np.random.default_rng(seed).permutation(12)
    one = checked(before, after)
    assert checked(before[order], after[order]).drifted == one.drifted
    scaled = checked(8.0 * before, 8.0 * after)
    assert scaled.drifted == one.drifted
    np.testing.assert_allclose(scaled.p_value, one.p_value)


@law
@given(seed=seeds, allowed=st.floats(0.01, 1.0), shift=st.floats(0.0, 5.0))
def test_allowing_more_false_alarms_or_a_smaller_share_never_sees_less(
    seed: int, allowed: float, shift: float
) -> None:
    before, after = load(seed, 28), load(seed, 14) + shift
    strict = DriftPolicy(false_alarms_per_month=allowed)
    lax = DriftPolicy(false_alarms_per_month=2.0 * allowed, min_share=0.2)
    if checked(before, after, strict).drifted:
        assert checked(before, after, lax).drifted


@law
@given(seed=seeds, shift=st.floats(0.0, 10.0))
def test_a_verdict_is_what_its_findings_say(seed: int, shift: float) -> None:
    found = checked(load(seed, 28), load(seed + 1, 14) + shift)
    assert found.drifted == bool(found.what)
    assert found.reason.startswith("drift: " if found.drifted else "no drift: ")
    policy = DriftPolicy()
    for one in found.what:
        assert policy.min_share <= one.share <= 1.0
        assert 0.0 <= one.p_value <= policy.false_alarms_per_month


@law
@given(seed=seeds)
def test_a_distance_is_a_share_and_the_same_both_ways(seed: int) -> None:
    rng = np.random.default_rng(seed)
    before, after = (rng.integers(0, 9, (4, size)).astype(np.float64) for size in (20, 7))
    found = ks_distances(before, after)
    assert ((found >= 0.0) & (found <= 1.0)).all()
    np.testing.assert_allclose(found, ks_distances(after, before))
    assert (ks_distances(before, before) < 1e-12).all()


@law
@given(series=st.integers(1, 60), usual=st.floats(0.01, 0.9), common=st.floats(0.02, 0.5))
def test_more_that_differ_are_less_likely(series: int, usual: float, common: float) -> None:
    found = [share_p_value(n, series=series, usual=usual, common=common) for n in range(series + 1)]
    assert found == sorted(found, reverse=True)
    np.testing.assert_allclose(found[0], 1.0, rtol=1e-6)
    assert found[-1] >= 0.0


@law
@given(p_values=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=8), share=st.floats(0.05, 1.0))
def test_a_share_is_never_surer_than_its_surest_series(p_values: list[float], share: float) -> None:
    found = few_p_value(np.array(p_values), share=share)
    assert min(p_values) <= found <= 1.0


@law
@given(excess=st.lists(st.floats(LOWEST, 10.0), max_size=40), more=st.floats(0.0, 3.0))
def test_evidence_is_never_negative_and_grows_with_every_excess(
    excess: list[float], more: float
) -> None:
    days = np.array(excess)
    assert 0.0 <= evidence_against(days) <= evidence_against(days + more) * (1.0 + 1e-9)
