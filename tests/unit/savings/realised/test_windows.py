from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tasks.domain.errors import PermanentError
from tasks.domain.savings.realised.windows import (
    Window,
    untouched,
    whole_days_after,
    window_of,
)
from tests.unit.savings.realised.panels import (
    APPLIED,
    CHANGED,
    HOURS,
    START,
    change,
    panel,
    steady,
)

ONE = panel({CHANGED: steady()})


def test_four_weeks_before_and_all_whole_days_after_the_day_of_the_change() -> None:
    found = window_of(change(), ONE)
    assert found == Window(before_from=0, before_to=28 * 24, after_from=29 * 24, after_to=HOURS)
    assert (found.days_before, found.days_after) == (28, 14)


def test_only_whole_weeks_before_count() -> None:
    found = window_of(change(applied_at=START + timedelta(days=20, hours=1)), ONE)
    assert (found.before_from, found.days_before) == (6 * 24, 14)


def test_days_after_end_with_the_fourth_week() -> None:
    long = panel({CHANGED: steady(hours=100 * 24)})
    assert window_of(change(), long).days_after == 28


def test_part_of_a_last_day_does_not_count() -> None:
    assert window_of(change(), panel({CHANGED: steady(hours=HOURS - 1)})).days_after == 13


def test_a_window_keeps_clear_of_other_changes_of_the_same_resource() -> None:
    told = (START + timedelta(days=12), APPLIED, APPLIED + timedelta(days=9))
    found = window_of(change(), panel({CHANGED: steady()}, touched={CHANGED: told}))
    assert (found.days_before, found.days_after) == (14, 8)
    assert found.before_from >= 13 * 24
    assert found.cut_short


def test_a_change_after_the_end_of_the_panel_has_no_days_after() -> None:
    assert window_of(change(applied_at=ONE.end + timedelta(days=3)), ONE).days_after == 0


def test_a_change_before_the_start_of_the_panel_has_no_days_before() -> None:
    assert window_of(change(applied_at=START - timedelta(days=3)), ONE).days_before == 0


def test_a_touch_at_the_end_of_a_window_is_outside_of_it() -> None:
    window = window_of(change(), ONE)
    assert untouched([ONE.end], ONE, window)
    assert not untouched([START], ONE, window)


def test_days_after_are_counted_from_the_end_of_the_day_of_the_change() -> None:
    assert whole_days_after(change(), ONE, days=7) == START + timedelta(days=36)


def test_a_panel_with_a_name_twice_or_a_negative_cost_is_refused_by_name() -> None:
    with pytest.raises(PermanentError, match="web is in the cost panel twice"):
        replace(panel({CHANGED: steady(), "other": steady()}), series=(CHANGED, CHANGED))
    with pytest.raises(PermanentError, match="web has a negative cost"):
        panel({CHANGED: -steady()})
