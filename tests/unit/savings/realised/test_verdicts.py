from __future__ import annotations

from datetime import timedelta

import pytest

from tasks.domain.savings.money import Usd
from tasks.domain.savings.realised.values import Interval, Verdict
from tasks.domain.savings.realised.verdicts import next_look, verdict_of
from tests.unit.savings.realised.panels import START, change, panel, steady

HUNDRED = Usd.exactly(100.0)


@pytest.mark.parametrize(
    ("low", "expected", "high", "verdict"),
    [
        (70.0, 100.0, 130.0, Verdict.REALISED),
        (1.0, 80.0, 159.0, Verdict.REALISED),
        (1.0, 79.0, 157.0, Verdict.PARTLY),
        (40.0, 50.0, 60.0, Verdict.PARTLY),
        (-30.0, 0.0, 30.0, Verdict.NOT),
        (-90.0, -40.0, -10.0, Verdict.NOT),
        (0.0, 25.0, 49.9, Verdict.NOT),
        (-50.0, 0.0, 50.0, Verdict.TOO_EARLY),
        (-20.0, 90.0, 200.0, Verdict.TOO_EARLY),
    ],
)
def test_a_verdict_follows_from_both_bounds_and_the_promise(
    low: float, expected: float, high: float, verdict: Verdict
) -> None:
    assert verdict_of(Interval(low=low, expected=expected, high=high), HUNDRED) is verdict


def test_a_change_that_promised_nothing_is_not_judged_by_a_share_of_nothing() -> None:
    nothing = Usd.exactly(0.0)
    assert verdict_of(Interval(low=1.0, expected=2.0, high=3.0), nothing) is Verdict.REALISED
    assert verdict_of(Interval(low=-3.0, expected=-2.0, high=-1.0), nothing) is Verdict.NOT
    assert verdict_of(Interval(low=-3.0, expected=-2.0, high=0.0), nothing) is Verdict.NOT
    assert verdict_of(Interval(low=-1.0, expected=0.0, high=1.0), nothing) is Verdict.TOO_EARLY


def test_the_next_look_is_at_the_end_of_the_next_whole_week_and_never_after_the_fourth() -> None:
    one = panel({"web": steady()})
    looks = [next_look(change(), one, days_after=days) for days in (0, 7, 13, 27, 28)]
    ends = [None if at is None else (at - START) - timedelta(days=29) for at in looks]
    assert ends == [timedelta(days=7), *[timedelta(days=14)] * 2, timedelta(days=28), None]
