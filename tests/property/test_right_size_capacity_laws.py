"""Laws of capacities that are chosen by expected exceedance."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tasks.domain.arrays import FloatArray
from tasks.domain.savings.sizing.capacity_choice import capacities_between, least_capacities
from tasks.domain.savings.sizing.exceedance import RECORDED_CPU, expected_exceedance, fleet_use

SIZES = np.array([1.0, 2.0, 8.0])
SHARES = arrays(float, (3, 40), elements=st.floats(0.0, 1.0) | st.just(float("nan"))).filter(
    lambda found: not np.isnan(found).all(axis=1).any()
)
RISK = st.floats(0.0, 0.3)


def chosen(used: FloatArray, size: FloatArray, *, risk: float, worst: float = 0.1) -> FloatArray:
    offered = capacities_between(used, size=size)
    fleet = fleet_use(used, size=size, prior=RECORDED_CPU)
    expected = expected_exceedance(used, size=size, capacities=offered, fleet=fleet)
    columns = least_capacities(offered, expected, exceed_share=risk, worst_share=worst)
    found: FloatArray = np.take_along_axis(offered, columns[:, None], axis=1)[:, 0]
    return found


@given(shares=SHARES, risks=st.tuples(RISK, RISK).map(sorted))
@settings(max_examples=60)
def test_more_risk_never_chooses_a_larger_capacity(shares: FloatArray, risks: list[float]) -> None:
    used = shares * SIZES[:, None]
    cautious, daring = (chosen(used, SIZES, risk=risk) for risk in risks)
    assert (daring <= cautious).all()


@given(shares=SHARES, risk=RISK)
@settings(max_examples=60)
def test_a_capacity_is_between_the_median_and_the_present_size(
    shares: FloatArray, risk: float
) -> None:
    used = shares * SIZES[:, None]
    found = chosen(used, SIZES, risk=risk)
    assert (found >= np.nanmedian(used, axis=1) * (1.0 - 1e-12)).all()
    assert (found <= SIZES).all()


@given(shares=SHARES)
@example(shares=np.ones((3, 40)))
@settings(max_examples=60)
def test_expected_exceedance_falls_with_capacity(shares: FloatArray) -> None:
    used = shares * SIZES[:, None]
    offered = capacities_between(used, size=SIZES)
    found = expected_exceedance(used, size=SIZES, capacities=offered, fleet=RECORDED_CPU)
    assert (np.diff(found, axis=1) <= 1e-12).all()
    assert ((found >= 0.0) & (found <= 1.0)).all()


@given(shares=SHARES, risk=RISK, power=st.integers(-6, 6))
@settings(max_examples=60)
def test_the_unit_of_capacity_does_not_matter(shares: FloatArray, risk: float, power: int) -> None:
    used, factor = shares * SIZES[:, None], 2.0**power
    found = chosen(used * factor, SIZES * factor, risk=risk)
    np.testing.assert_allclose(found, chosen(used, SIZES, risk=risk) * factor, rtol=1e-9)
