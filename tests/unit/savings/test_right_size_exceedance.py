"""Expected exceedance and the capacities chosen by it, by hand-computed numbers."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.domain.errors import PermanentError
from tasks.domain.savings.sizing.capacity_choice import (
    capacities_between,
    capacities_on_sale,
    least_capacities,
)
from tasks.domain.savings.sizing.exceedance import (
    PRIOR_MACHINES,
    RECORDED_CPU,
    SURPRISE,
    FleetUse,
    expected_exceedance,
    fleet_use,
)

NAN = float("nan")
NOTHING = FleetUse(share=np.array([0.0, 1.0]), above=np.array([0.0, 0.0]))
ONE = np.array([1.0])


def test_a_machine_far_below_a_capacity_can_only_exceed_it_by_surprise() -> None:
    found = expected_exceedance(
        np.full((1, 500), 0.01),
        size=ONE,
        capacities=np.array([[0.5]]),
        fleet=FleetUse(share=np.array([0.0, 1.0]), above=np.array([1.0, 0.0])),
    )
    assert found[0, 0] == pytest.approx(SURPRISE * 0.5)


def test_levels_move_as_often_up_as_down() -> None:
    found = expected_exceedance(
        np.full((1, 500), 0.5), size=ONE, capacities=np.array([[0.5]]), fleet=NOTHING
    )
    # Five of the eleven factors are above one.
    assert found[0, 0] == pytest.approx((1.0 - SURPRISE) * 5 / 11)


def test_the_present_size_is_never_exceeded_as_nobody_could_see_it() -> None:
    used = np.full((1, 100), 1.0)
    found = expected_exceedance(
        used, size=ONE, capacities=np.array([[1.0, 2.0]]), fleet=RECORDED_CPU
    )
    assert found.tolist() == [[0.0, 0.0]]


def test_unknown_hours_change_nothing() -> None:
    whole = np.linspace(0.1, 0.6, 50)[None, :]
    holes = np.concatenate([whole, np.full((1, 30), NAN)], axis=1)
    at = np.array([[0.2, 0.5]])
    expected = expected_exceedance(whole, size=ONE, capacities=at, fleet=RECORDED_CPU)
    found = expected_exceedance(holes, size=ONE, capacities=at, fleet=RECORDED_CPU)
    assert found.tolist() == expected.tolist()


def test_a_machine_of_which_nothing_is_known_is_unknown_and_not_idle() -> None:
    found = expected_exceedance(
        np.full((1, 5), NAN), size=ONE, capacities=np.array([[0.5, 1.0]]), fleet=RECORDED_CPU
    )
    assert np.isnan(found).all()


def test_a_size_of_zero_is_refused() -> None:
    with pytest.raises(PermanentError, match=r"smallest is 0\.0; leave such machines out"):
        expected_exceedance(
            np.ones((1, 2)), size=np.zeros(1), capacities=np.ones((1, 1)), fleet=RECORDED_CPU
        )


def test_a_fleet_of_the_priors_weight_counts_half() -> None:
    used = np.full((PRIOR_MACHINES, 10), 2.0)
    found = fleet_use(used, size=np.full(PRIOR_MACHINES, 4.0), prior=NOTHING)
    assert found.exceeding(np.array([0.3, 0.9])) == pytest.approx([0.5, 0.0])


def test_without_any_use_the_recorded_fleet_stands_in() -> None:
    assert fleet_use(np.full((2, 3), NAN), size=np.ones(2), prior=RECORDED_CPU) is RECORDED_CPU


def test_the_budget_goes_where_an_exceeded_hour_frees_most() -> None:
    capacities = np.array([[8.0, 16.0], [1.0, 2.0]])
    exceedance = np.array([[0.02, 0.0], [0.02, 0.0]])
    found = least_capacities(capacities, exceedance, exceed_share=0.01, worst_share=0.05)
    assert found.tolist() == [0, 1]


def test_no_machine_is_planned_above_its_own_limit() -> None:
    capacities = np.array([[8.0, 16.0], [1.0, 2.0]])
    exceedance = np.array([[0.06, 0.0], [0.0, 0.0]])
    found = least_capacities(capacities, exceedance, exceed_share=0.5, worst_share=0.05)
    assert found.tolist() == [1, 0]


def test_what_can_be_bought_ends_with_what_there_is() -> None:
    found = capacities_on_sale(np.array([4.0, 1.0, 2.0]), size=np.array([3.0]))
    assert found.tolist() == [[1.0, 2.0, 3.0, 3.0]]


def test_capacities_run_from_the_median_to_the_size() -> None:
    used = np.array([[1.0, 2.0, 3.0, NAN], [NAN, NAN, NAN, NAN]])
    found = capacities_between(used, size=np.array([4.0, 5.0]))
    assert found[0, [0, -1]] == pytest.approx([2.0, 4.0])
    assert found[1] == pytest.approx(5.0)
