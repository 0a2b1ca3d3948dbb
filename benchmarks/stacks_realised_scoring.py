"""How measured savings are judged: coverage, bias, width, and verdicts that were wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.stacks_realised_data import Case, Onset
from tasks.domain.savings.realised.values import Interval, Verdict

EQUAL = 1e-9
"""An interval without width covers a truth that differs by less than this share of the bill."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was said of one case.

    Attributes:
        saving: None where no amount was given.
    """

    case: Case
    saving: Interval | None
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What came of many cases; None where there are none to judge by.

    Attributes:
        cases: With an amount.
        covered: Share of intervals that hold the truth.
        bias: Mean of measured less true saving, as a share of each bill.
        error: Mean absolute difference, as a share of each bill.
        width: Mean width of the intervals, as a share of each bill.
        median_width: The median of those.
        false_realised: Share of changes without effect that are called realised or partly.
        called_realised: Share of changes with all that was promised that are called realised.
        called_not: Share of those that are called not: the error that hurts.
        undecided: Share of all that are called too early.
    """

    cases: int
    covered: float | None
    bias: float | None
    error: float | None
    width: float | None
    median_width: float | None
    false_realised: float | None
    called_realised: float | None
    called_not: float | None
    undecided: float | None


def scored(answers: Sequence[Answer]) -> Score:
    """Return the score of some answers."""
    known = [(one.case, one.saving) for one in answers if one.saving is not None]
    off = [(s.expected - case.saving_usd) / case.bill_usd for case, s in known]
    width = [(s.high - s.low) / case.bill_usd for case, s in known]
    none = [one.verdict for one in answers if one.case.effect == 0.0]
    full = [one.verdict for one in answers if _kept_its_promise(one.case)]
    return Score(
        cases=len(known),
        covered=_mean([_covers(case, s) for case, s in known]),
        bias=_mean(off),
        error=_mean(np.abs(off).tolist()),
        width=_mean(width),
        median_width=float(np.median(width)) if width else None,
        false_realised=_mean([v in {Verdict.REALISED, Verdict.PARTLY} for v in none]),
        called_realised=_mean([v is Verdict.REALISED for v in full]),
        called_not=_mean([v is Verdict.NOT for v in full]),
        undecided=_mean([one.verdict is Verdict.TOO_EARLY for one in answers]),
    )


def _covers(case: Case, saving: Interval) -> bool:
    slack = EQUAL * case.bill_usd
    return saving.low - slack <= case.saving_usd <= saving.high + slack


def _kept_its_promise(case: Case) -> bool:
    return case.effect < 0.0 and case.onset is Onset.STEP


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
