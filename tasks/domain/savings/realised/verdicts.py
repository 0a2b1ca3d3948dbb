"""When a saving counts as realised."""

from __future__ import annotations

from datetime import datetime

from tasks.domain.savings.money import Usd
from tasks.domain.savings.realised.values import AppliedChange, CostPanel, Interval, Verdict
from tasks.domain.savings.realised.windows import LEAST_DAYS, MOST_DAYS_AFTER, whole_days_after

ENOUGH = 0.8
"""Share of the expected saving that counts as all of it."""
TOO_LITTLE = 0.5
"""Share of the expected saving that must be ruled out before a change is said to save nothing."""


def verdict_of(saving: Interval, expected: Usd) -> Verdict:
    """Return what an interval says of a promise.

    Where something was saved for certain (the lower bound is above 0), it is realised from four
    fifths of what was expected, and partly below. Where that is not certain, the answer is "not"
    once even half of what was expected is above the upper bound, and "too early" until then.
    """
    if saving.low > 0.0:
        enough = saving.expected >= ENOUGH * expected.expected
        return Verdict.REALISED if enough else Verdict.PARTLY
    too_little = saving.high < TOO_LITTLE * expected.expected or saving.high <= 0.0
    return Verdict.NOT if too_little else Verdict.TOO_EARLY


def next_look(change: AppliedChange, panel: CostPanel, *, days_after: int) -> datetime | None:
    """Return when more can be said; None when that will never be.

    After one, two, three and four whole weeks.
    """
    weeks = range(LEAST_DAYS, MOST_DAYS_AFTER + 1, 7)
    ahead = next((days for days in weeks if days > days_after), None)
    return None if ahead is None else whole_days_after(change, panel, days=ahead)
