from __future__ import annotations

import numpy as np
import pytest

from tasks.domain.savings.realised.deviations import (
    SHIFTS_PER_DAY,
    deviations,
    mean_known,
    usual_week,
)
from tasks.domain.savings.realised.windows import window_of
from tests.unit.savings.realised.panels import CHANGED, CUT, change, fleet, panel, since, steady

NAN = float("nan")


def test_the_mean_of_what_is_known_leaves_out_the_rest() -> None:
    found = mean_known(np.array([[1.0, NAN, 3.0], [NAN, NAN, NAN]]))
    assert found[0] == 2.0
    assert np.isnan(found[1])


def test_an_hour_that_no_week_knows_is_as_that_hour_of_other_days() -> None:
    week = np.tile(np.arange(24.0), 7)
    week[24 + 5] = NAN
    assert usual_week(week[None, :])[0, 24 + 5] == 5.0


def test_an_hour_that_no_day_knows_is_the_mean_of_all() -> None:
    week = np.ones(168)
    week[5::24] = NAN
    assert usual_week(week[None, :])[0, 5] == 1.0


def test_a_step_of_cost_is_the_same_share_whatever_the_week_looks_like() -> None:
    cost = fleet(own=0.0, shared=0.0)[CHANGED]
    one = panel({CHANGED: since(cost, 0.75)})

    found = deviations(one.usd, window_of(change(), one))

    assert found.after == pytest.approx([-0.25])
    assert found.daily_spread() == pytest.approx([0.0])
    # Without the effect nothing deviates, not even by the shape of the week.
    assert np.abs(found.shifts).max() < 1e-9
    assert found.shifts.shape == (1, (28 + 14) * SHIFTS_PER_DAY)


def test_costs_are_compared_in_the_same_hours_of_the_week() -> None:
    cost = fleet(own=0.0, shared=0.0)[CHANGED].copy()
    weekend = np.arange(len(cost)) % 168 >= 120
    cost[(np.arange(len(cost)) >= CUT + 24) & ~weekend] = NAN
    one = panel({CHANGED: cost})
    assert deviations(one.usd, window_of(change(), one)).after == pytest.approx([0.0])


def test_what_was_stopped_tells_nothing_of_its_load() -> None:
    one = panel({CHANGED: since(fleet()[CHANGED], 0.0)})
    found = deviations(one.usd, window_of(change(), one))
    assert found.after == pytest.approx([-1.0], abs=0.02)
    assert np.isnan(found.shifts[0, 28 * SHIFTS_PER_DAY :]).all()


def test_a_change_that_sets_in_slowly_leaves_a_steady_resource_steady() -> None:
    one = panel({CHANGED: since(steady(), 0.5, hour=CUT + 5 * 24)})
    assert deviations(one.usd, window_of(change(), one)).daily_spread()[0] == 0.0


def test_resources_that_move_together_are_correlated() -> None:
    one = panel(fleet(others=2, own=0.01, shared=0.2))
    found = deviations(one.usd, window_of(change(), one)).correlations()
    assert found[0, 1] > 0.9
    assert np.diag(found) == pytest.approx([1.0, 1.0, 1.0])
