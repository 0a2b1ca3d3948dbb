"""Whether the model that serves has become bad, looked at every day for as long as it serves.

Three claims are held against it day by day: it errs less than the earlier champion (on days without
one, than the naive forecast), it keeps what its backtest promised relative to the naive forecast, and
its intervals cover what they covered there. Each allows for a margin.

The earlier champion goes on forecasting in the shadow for as long as the new one is new, so that
both err on the same hours of the same series, known at the same time and scaled alike. To forecast
past days with it again would cost no second set of forecasts, but would judge by data as they were
corrected later, on other hours and scales than those by which the champion is judged, and again at
every look. Which of the two a day is held to is known before the day, which is all that bets ask for.

A day's excess beyond the
margin is a bet against the claim: it multiplies the stake by 1 + stake share x excess, which on
average does not grow while the claim is true, whatever days have in common. The sum of such bets
over all days on which they may have begun is an e-detector (Shin, Ramdas and Rinaldo, 2023): as
long as the claims are true it takes 1/r days on average until it says otherwise, r being the false
rollbacks a day that are allowed. No distribution is assumed; only the excess below is cut off, at
two of the backtest's standard deviations.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from tasks.domain.arrays import BoolArray, FloatArray
from tasks.domain.load.forecasts import LEVEL

MONTH_DAYS = 30
STAKES = (0.5, 0.9)
"""Shares of the capital that are bet; the mean of all is kept."""
LOWEST, HIGHEST = -1.0, 10.0
"""Of an excess, in units of two standard deviations: no single day ends a model."""
SMALLEST_DEVIATION = 0.02
SHOWN_DAYS = 7


class Claim(StrEnum):
    """What is held against a model, as reports say it."""

    REFERENCE = "errs no more than what served before"
    PROMISE = "errs as its backtest promised"
    COVERAGE = "covers what its intervals promised"


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackPolicy:
    """When a model is taken back.

    Attributes:
        false_per_month: Bound on rollbacks of models that keep their promises, a month, daily
        looks. reference_margin: It may err so much more than what served before, 0 to 1.
        promise_margin: The same over its backtest. coverage_margin: Its intervals may cover so much
        less. min_days: Live days before anything is decided.
    """

    false_per_month: float = 0.01
    reference_margin: float = 0.1
    promise_margin: float = 0.15
    coverage_margin: float = 0.05
    min_days: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """What models made of some days.

    Attributes:
        errors: (days, series) of the champion, at least 0, scaled so that series may be added.
        naive: The same of the naive forecast.
        hits: (days, series) share of the values within the champion's interval; None without.
        previous: (days, series) errors of the earlier champion on these days, NaN where it did not
            forecast; None without.
    """

    errors: FloatArray
    naive: FloatArray
    hits: FloatArray | None = None
    previous: FloatArray | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackVerdict:
    """Whether the champion is taken back.

    Attributes:
        roll_back: The verdict.
        claim: The one that fits worst; None when nothing is known.
        evidence: Of all claims; 1 or more times the limit is a rollback, 0 is none.
        reason: The verdict in words.
    """

    roll_back: bool
    claim: Claim | None
    evidence: float
    reason: str


def should_roll_back(
    live: Days, *, backtest: Days, policy: RollbackPolicy | None = None
) -> RollbackVerdict:
    """Return whether the champion has become bad.

    Args:
        live: Every day since it serves, the last one complete; missing days are NaN.
        backtest: Its backtest day by day, a week at least.
        policy: Margins, and the bound on false rollbacks.
    """
    policy = policy or RollbackPolicy()
    excesses = _excesses(live, backtest=backtest, policy=policy)
    limit = MONTH_DAYS / policy.false_per_month
    found = {claim: evidence_against(excess) / limit for claim, excess in excesses.items()}
    if len(live.errors) < policy.min_days or not found:
        reason = f"kept: {len(live.errors)} live days, at least {policy.min_days} are needed"
        return RollbackVerdict(roll_back=False, claim=None, evidence=0.0, reason=reason)
    evidence = sum(found.values()) / len(found)
    claim = max(found, key=lambda one: found[one])
    back = evidence >= 1.0
    figures = _figures(claim, live=live, backtest=backtest)
    reason = (
        f"rolled back: it no longer {claim}: {figures}"
        if back
        else f"kept: evidence against it is {evidence:.2g} of the limit; {figures}"
    )
    return RollbackVerdict(roll_back=back, claim=claim, evidence=evidence, reason=reason)


def reference_of(live: Days) -> FloatArray:
    """Return the errors that the champion is held to on each day, (days, series).

    Those of the earlier champion on the days on which it forecast, else those of the naive forecast.
    """
    if live.previous is None:
        return live.naive
    return np.asarray(np.where(_compared(live.previous)[:, None], live.previous, live.naive))


def evidence_against(excess: FloatArray) -> float:
    """Return the e-detector after the last day: the sum over all begins of a bet kept until now.

    Args:
        excess: (days,) at least LOWEST; NaN for days that say nothing.

    Returns:
        At least 0; its mean grows by at most 1 a day while the mean excess of each day, given the
        days before, is not above 0.
    """
    total = 0.0
    for stake in STAKES:
        kept = 0.0
        for day in np.where(np.isfinite(excess), excess, 0.0).tolist():
            kept = (kept + 1.0) * (1.0 + stake * day)
        total += kept
    return total / len(STAKES)


def excess_of(off: FloatArray, *, usual: FloatArray) -> FloatArray:
    """Return (days,) how far days are beyond a claim, for `evidence_against`.

    Args:
        off: (days,) above 0 is worse; NaN for days that say nothing.
        usual: (days,) whose deviation is the unit.
    """
    return _cut(off / _deviation(usual))


def _excesses(live: Days, *, backtest: Days, policy: RollbackPolicy) -> dict[Claim, FloatArray]:
    found = {}
    usual = _log_ratio(backtest.errors, backtest.naive)
    promised = _of_all(backtest.errors, backtest.naive)
    deviation = _deviation(usual)
    off = _log_ratio(live.errors, reference_of(live)) - math.log1p(policy.reference_margin)
    found[Claim.REFERENCE] = _cut(off / deviation)
    if math.isfinite(promised):
        off = _log_ratio(live.errors, live.naive) - promised
        found[Claim.PROMISE] = _cut((off - math.log1p(policy.promise_margin)) / deviation)
    if live.hits is not None and backtest.hits is not None:
        covered = _by_day(backtest.hits)
        least = min(_known_mean(covered), LEVEL) - policy.coverage_margin
        found[Claim.COVERAGE] = _cut((least - _by_day(live.hits)) / _deviation(covered))
    return found


def _compared(previous: FloatArray) -> BoolArray:
    return np.asarray(np.isfinite(previous).any(axis=1))


def _log_ratio(errors: FloatArray, others: FloatArray) -> FloatArray:
    """Return (days,) logarithms of the ratio of summed errors; NaN where one is unknown or 0."""
    known = np.isfinite(errors) & np.isfinite(others)
    ours, theirs = (np.where(known, one, 0.0).sum(axis=1) for one in (errors, others))
    told = (ours > 0.0) & (theirs > 0.0)
    ratio = np.where(told, ours, 1.0) / np.where(told, theirs, 1.0)
    return np.asarray(np.where(told, np.log(ratio), np.nan))


def _of_all(errors: FloatArray, others: FloatArray) -> float:
    """Return the usual day's logarithm; the mean, for this is what a day's excess averages to."""
    return _known_mean(_log_ratio(errors, others))


def _known_mean(by_day: FloatArray) -> float:
    known = by_day[np.isfinite(by_day)]
    return float(np.mean(known)) if len(known) else math.nan


def _by_day(hits: FloatArray) -> FloatArray:
    known = np.isfinite(hits)
    count = known.sum(axis=1)
    total = np.where(known, hits, 0.0).sum(axis=1)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))


def _deviation(by_day: FloatArray) -> float:
    known = by_day[np.isfinite(by_day)]
    found = float(np.std(known, ddof=1)) if len(known) > 1 else 0.0
    return 2.0 * max(found, SMALLEST_DEVIATION)


def _cut(excess: FloatArray) -> FloatArray:
    return np.asarray(np.clip(excess, LOWEST, HIGHEST))


def _figures(claim: Claim, *, live: Days, backtest: Days) -> str:
    recent = slice(-SHOWN_DAYS, None)
    if claim is Claim.COVERAGE and live.hits is not None and backtest.hits is not None:
        now, then = (_known_mean(_by_day(one)) for one in (live.hits[recent], backtest.hits))
        return f"{now:.1%} covered in the last {SHOWN_DAYS} days, {then:.1%} in the backtest"
    earlier = live.previous is not None and bool(_compared(live.previous[recent]).any())
    held_to = live.naive if claim is Claim.PROMISE else reference_of(live)
    now = math.exp(_of_all(live.errors[recent], held_to[recent]))
    what = (
        "the earlier champion's" if earlier and claim is Claim.REFERENCE else "the naive forecast's"
    )
    text = f"{now:.2f} of {what} error in the last {SHOWN_DAYS} days"
    if claim is Claim.PROMISE:
        text += f", {math.exp(_of_all(backtest.errors, backtest.naive)):.2f} in the backtest"
    return text
