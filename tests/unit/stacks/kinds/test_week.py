"""Hours of the week as rules of a clock: what they switch is what was meant."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.domain.savings.kinds.schedule import DAYS, week_text
from tasks.domain.stacks.kinds.week import Clock, InvalidWeekError, Rule, clock_of, week_of

weeks = st.lists(st.booleans(), min_size=168, max_size=168).map(tuple)
some_hours = weeks.filter(lambda used: any(used) and not all(used))


def of_cron(rule: Rule) -> list[int]:
    """Hours of the week at which EventBridge would call."""
    minute, hour, day, month, weekdays, year = rule.cron[len("cron(") : -1].split()
    assert (minute, day, month, year) == ("0", "?", "*", "*")
    names = [name.upper() for name in DAYS]
    return [24 * names.index(name) + int(hour) for name in weekdays.split(",")]


def of_unix_cron(rule: Rule) -> list[int]:
    """Hours of the week at which Auto Scaling would call."""
    minute, hour, day, month, weekdays = rule.unix_cron.split()
    assert (minute, day, month) == ("0", "*", "*")
    # Of cron's days Sunday is 0; ours begin with Monday.
    return [24 * ((int(one) - 1) % 7) + int(hour) for one in weekdays.split(",")]


def played(clock: Clock, calls: object) -> tuple[bool, ...]:
    """The week that the calls of a clock make, after one week of warming up."""
    assert callable(calls)
    on = {at for rule in clock.on for at in calls(rule)}
    off = {at for rule in clock.off for at in calls(rule)}
    assert not on & off
    runs, week = False, []
    for at in (*range(168), *range(168)):
        runs = at in on or (runs and at not in off)
        week.append(runs)
    return tuple(week[168:])


@given(some_hours)
def test_the_rules_switch_exactly_the_hours_that_are_used(used: tuple[bool, ...]) -> None:
    clock = clock_of(used)

    assert played(clock, of_cron) == used
    assert played(clock, of_unix_cron) == used


@given(weeks)
def test_words_and_hours_are_the_same_week(used: tuple[bool, ...]) -> None:
    assert week_of(week_text(np.array(used))) == used


def test_working_hours_of_two_days_are_one_rule_each() -> None:
    clock = clock_of(week_of("Mon 07-19, Tue 07-19"))

    assert [rule.cron for rule in clock.on] == ["cron(0 7 ? * MON,TUE *)"]
    assert [rule.cron for rule in clock.off] == ["cron(0 19 ? * MON,TUE *)"]
    assert [rule.unix_cron for rule in clock.on] == ["0 7 * * 1,2"]


def test_a_night_is_not_switched_at_midnight() -> None:
    clock = clock_of(week_of("Fri 22-24, Sat 00-02"))

    assert [rule.cron for rule in clock.on] == ["cron(0 22 ? * FRI *)"]
    assert [rule.cron for rule in clock.off] == ["cron(0 2 ? * SAT *)"]


def test_sunday_night_goes_on_into_monday() -> None:
    clock = clock_of(week_of("Mon 00-06, Sun 20-24"))

    assert [rule.unix_cron for rule in clock.on] == ["0 20 * * 0"]
    assert [rule.unix_cron for rule in clock.off] == ["0 6 * * 1"]


@pytest.mark.parametrize(
    "text",
    ["Mon", "Mon 7-19", "Mon 19-07", "Mon 07-25", "Mon 07-19,Tue 07-19", "Mon 07-19, Mon 20-21",
     "Moo 07-19", "Mon 07-19; DROP", "Mon 07-19\n", "mon 07-19"],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidWeekError, match="is no"):
        week_of(text)


@pytest.mark.parametrize("used", [(True,) * 168, (False,) * 168])
def test_a_week_without_a_change_needs_no_clock(used: tuple[bool, ...]) -> None:
    with pytest.raises(InvalidWeekError, match="nothing to switch"):
        clock_of(used)
