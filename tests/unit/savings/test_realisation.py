"""How sure an interval of savings is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.domain.savings.money import Usd
from tasks.domain.savings.selection.realisation import Doubtful, realised, realised_together

POINT = Usd.exactly(90.0)


@pytest.mark.parametrize(
    ("confidence", "low"), [(1.0, 90.0), (0.95, 90.0), (0.9, 90.0), (0.8, 45.0), (0.5, 18.0)]
)
def test_a_sure_amount_that_may_not_come_true_has_the_quantile_of_the_mixture(
    confidence: float, low: float
) -> None:
    found = realised(Doubtful(own=POINT, confidence=confidence))
    assert found.low == pytest.approx(low, rel=1e-6)
    assert found.high == found.expected == 90.0


def test_what_is_sure_to_come_true_keeps_its_own_interval() -> None:
    own = Usd(low=-20.0, expected=100.0, high=130.0)
    found = realised(Doubtful(own=own, confidence=1.0))
    assert (found.low, found.expected, found.high) == pytest.approx((-20.0, 100.0, 130.0))


def test_it_cannot_be_more_than_what_is_paid() -> None:
    own = Usd(low=80.0, expected=100.0, high=130.0)
    assert realised(Doubtful(own=own, confidence=1.0), most=110.0).high == 110.0


amounts = st.tuples(
    st.floats(-50.0, 200.0), st.floats(0.0, 100.0), st.floats(0.0, 100.0), st.floats(0.0, 1.0)
)


@settings(max_examples=40, deadline=None)
@given(drawn=amounts)
def test_quantiles_are_those_of_draws(drawn: tuple[float, float, float, float]) -> None:
    expected, below, above, confidence = drawn
    own = Usd(low=expected - below, expected=expected, high=expected + above)
    one = Doubtful(own=own, confidence=confidence)
    rng = np.random.default_rng(1)
    amount = np.interp(rng.random(200_000), (0, 0.5, 1), (one.ends[0], expected, one.ends[1]))
    share = np.where(rng.random(200_000) < confidence, 1.0, rng.random(200_000))
    comes = np.where(amount > 0.0, amount * share, amount)
    for level in (0.1, 0.9):
        found = one.quantile(level)
        slack = 1e-6 * (abs(expected) + below + above)
        assert np.mean(comes <= found + slack) >= level - 0.01
        assert np.mean(comes < found - slack) <= level + 0.01


def test_more_confidence_never_lowers_the_low_end() -> None:
    own = Usd(low=50.0, expected=100.0, high=120.0)
    lows = [realised(Doubtful(own=own, confidence=c)).low for c in np.linspace(0.0, 1.0, 21)]
    assert lows == sorted(lows)


def test_a_sum_is_that_of_its_parts_to_the_draw_and_the_same_every_time() -> None:
    one = Doubtful(own=POINT, confidence=0.7, kind="stop")
    together = realised_together([one] * 100, expected=9_000.0, most=10_000.0)
    # Mean 0.85 x 90; variance of each 90^2 x (0.7 + 0.3 / 3 - 0.85^2).
    deviation = 90.0 * np.sqrt((0.8 - 0.85**2) * 100)
    assert together.low == pytest.approx(100 * 0.85 * 90 - 1.2816 * deviation, rel=0.01)
    assert together.high == together.expected == 9_000.0
    assert together == realised_together([one] * 100, expected=9_000.0, most=10_000.0)
    assert realised_together([], expected=0.0, most=0.0) == Usd.exactly(0.0)
    assert realised_together([one], expected=90.0, most=100.0) == realised(one)


def test_amounts_of_a_kind_are_low_together_and_those_of_two_kinds_are_not() -> None:
    own = Usd(low=50.0, expected=100.0, high=150.0)
    same = [Doubtful(own=own, confidence=1.0, kind="spot")] * 2
    other = [same[0], Doubtful(own=own, confidence=1.0, kind="stop")]
    assert realised_together(same, expected=200.0, most=400.0).low == pytest.approx(100.0, abs=2.0)
    assert realised_together(other, expected=200.0, most=400.0).low > 110.0
