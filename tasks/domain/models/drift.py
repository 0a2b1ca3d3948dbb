"""Whether what a model was trained on is still what it sees.

Load is tested, and the errors of the forecasts. Days are compared, not hours, since hours repeat
each other; whole weeks are, so that weekends are as frequent on both sides and no clock is needed;
and days that resemble their neighbours count for fewer. Of each series and feature the Kolmogorov-
Smirnov distance between the days since the training and those of the training is tested (scipy's
Anderson-Darling test has no p-values below .001 without permutations).

Many series: drift is what happens to a share of them. How many differ is compared with how many
differ between one week of the training and its others, allowing for series that move together.
Looking often: features, windows and the looks of a month share an allowance of false alarms, so
that their expected number a month is at most `false_alarms_per_month`, whatever the looks have in
common (Bonferroni). That holds as far as a training tells how long levels wander. Recorded levels
wander for longer than four weeks tell, which takes up to a third of the series along; `min_share`
is above that, so drift of fewer series is left to live scores and to rollbacks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from tasks.domain.arrays import FloatArray
from tasks.domain.errors import InsufficientHistoryError
from tasks.domain.models.drift_features import (
    INPUTS,
    RESIDUALS,
    Feature,
    days_of,
    input_features,
    residual_features,
)
from tasks.domain.models.drift_tests import (
    FEW_SERIES,
    LEVEL,
    WEEK_DAYS,
    common_share,
    few_p_value,
    independent_share,
    ks_p_values,
    share_p_value,
    usual_share,
)

MONTH_DAYS = 30
MIN_TRAINING_DAYS = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftPolicy:
    """When a model is trained again.

    Attributes:
        false_alarms_per_month: Bound on their expected number on stable load with daily looks.
        min_share: Share of the series that has to differ, above 0 and up to 1; levels that wander
            for months take a third of the series along in any month.
        windows_days: What of the days since the training is tested, whole weeks.
        cool_down: After a training nothing is seen for so long.
    """

    false_alarms_per_month: float = 0.5
    min_share: float = 0.4
    windows_days: tuple[int, ...] = (7, 14, 28)
    cool_down: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """Load, and the errors of the forecasts of it.

    Attributes:
        values: (n, steps) load, NaN where unknown.
        residuals: (n, steps) truth minus forecast; None where nothing was forecast.
    """

    values: FloatArray
    residuals: FloatArray | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One feature that is not what it was.

    Attributes:
        feature: Which.
        window_days: Of the most recent days.
        share: Of the series that differ each by itself, 0 to 1.
        change: Median over these series of the change of the median day, in units of half the range
            between the quartiles of the training's days; above 0 is more, infinite where all of
            them were the same.
        p_value: Of the panel, corrected for features, windows and the looks of a month.
    """

    feature: Feature
    window_days: int
    share: float
    change: float
    p_value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """Whether to train again.

    Attributes:
        drifted: The verdict.
        what: What drifted, the surest first; empty without drift.
        p_value: Smallest of all features, corrected as a finding's is.
        reason: The verdict in words.
    """

    drifted: bool
    what: tuple[Finding, ...]
    p_value: float
    reason: str


def check_drift(
    training: Observed,
    live: Observed,
    *,
    steps_per_day: int,
    trained_at: datetime | None = None,
    now: datetime | None = None,
    policy: DriftPolicy | None = None,
) -> DriftReport:
    """Return whether the days since the training differ from those of the training.

    Args:
        training: What the model was trained on, two weeks at least; residuals are those of its
            backtest, never of the fit.
        live: What came since, the same series in the same order.
        steps_per_day: Of both.
        trained_at: Aware UTC, for the cool-down; None when there is none to wait for.
        now: Aware UTC; needed with trained_at.
        policy: What counts as drift.

    Raises:
        InsufficientHistoryError: The training is shorter than two weeks.
    """
    policy = policy or DriftPolicy()
    if trained_at is not None and now is not None and now - trained_at < policy.cool_down:
        until = trained_at + policy.cool_down
        return _nothing(
            f"trained {trained_at:%Y-%m-%d %H:%M}, not looked at before {until:%Y-%m-%d %H:%M}"
        )
    before, after, features = _days(training, live, steps_per_day=steps_per_day)
    windows = [days for days in policy.windows_days if days <= after.shape[2]]
    if not windows:
        return _nothing(
            f"{after.shape[2]} days since the training, {min(policy.windows_days)} are needed"
        )
    tests = len(features) * len(policy.windows_days) * MONTH_DAYS
    found = sorted(
        _findings(before, after, features=features, windows=windows, policy=policy, tests=tests),
        key=lambda one: one.p_value,
    )
    smallest = found[0].p_value if found else 1.0
    allowed = policy.false_alarms_per_month
    surest = {one.feature: one for one in reversed(found) if one.p_value <= allowed}
    what = tuple(sorted(surest.values(), key=lambda one: one.p_value))
    return DriftReport(
        drifted=bool(what),
        what=what,
        p_value=smallest,
        reason=_reason(what, smallest=smallest, series=len(training.values), policy=policy),
    )


def _days(
    training: Observed, live: Observed, *, steps_per_day: int
) -> tuple[FloatArray, FloatArray, tuple[Feature, ...]]:
    """Return the features of the days before and after, each (n, features, days)."""
    before, after = (days_of(one.values, steps_per_day=steps_per_day) for one in (training, live))
    weeks = before.shape[1] // WEEK_DAYS
    if weeks * WEEK_DAYS < MIN_TRAINING_DAYS:
        raise InsufficientHistoryError(
            found_hours=before.shape[1] * 24,
            needed_hours=MIN_TRAINING_DAYS * 24,
            subject="data that the model was trained on",
        )
    parts = [input_features(before, after)]
    features: tuple[Feature, ...] = INPUTS
    if training.residuals is not None and live.residuals is not None:
        errors = (
            days_of(one, steps_per_day=steps_per_day)
            for one in (training.residuals, live.residuals)
        )
        first, second = (residual_features(one) for one in errors)
        parts.append((first, second))
        features = INPUTS + RESIDUALS
    whole = [np.concatenate([part[side] for part in parts], axis=1) for side in (0, 1)]
    return whole[0][..., -weeks * WEEK_DAYS :], whole[1], features


def _findings(
    before: FloatArray,
    after: FloatArray,
    *,
    features: tuple[Feature, ...],
    windows: list[int],
    policy: DriftPolicy,
    tests: int,
) -> Iterator[Finding]:
    worth = independent_share(before)
    usual, common = usual_share(before, worth=worth), common_share(before)
    for window in windows:
        recent = after[..., -window:]
        p_values = ks_p_values(before, recent, worth=worth)
        for at, feature in enumerate(features):
            differs = p_values[:, at] <= LEVEL
            series = int(np.isfinite(p_values[:, at]).sum())
            if differs.sum() < max(policy.min_share * series, 1):
                continue
            panel = (
                few_p_value(p_values[:, at], share=policy.min_share)
                if series < FEW_SERIES
                else share_p_value(
                    int(differs.sum()), series=series, usual=usual[at], common=common[at]
                )
            )
            yield Finding(
                feature=feature,
                window_days=window,
                share=float(differs.sum() / series),
                change=_change(before[differs, at], recent[differs, at]),
                p_value=min(panel * tests, 1.0),
            )


def _change(before: FloatArray, recent: FloatArray) -> float:
    low, middle, high = np.nanquantile(before, [0.25, 0.5, 0.75], axis=-1)
    spread = (high - low) / 2.0
    off = np.nanmedian(recent, axis=-1) - middle
    known = spread > 0.0
    return float(np.median(off[known] / spread[known])) if known.any() else math.inf


def _nothing(reason: str) -> DriftReport:
    return DriftReport(drifted=False, what=(), p_value=1.0, reason=f"no drift: {reason}")


def _reason(what: tuple[Finding, ...], *, smallest: float, series: int, policy: DriftPolicy) -> str:
    if not what:
        return (
            f"no drift: the surest change of {policy.min_share:.0%} of {series} series has "
            f"p {smallest:.2g} for a month of looks, above {policy.false_alarms_per_month:g}"
        )
    return "drift: " + "; ".join(
        f"{one.feature} of {one.share:.0%} of {series} series {_changed(one)} "
        f"in the last {one.window_days} days (p {one.p_value:.2g} for a month of looks)"
        for one in what
    )


def _changed(finding: Finding) -> str:
    if math.isfinite(finding.change):
        return f"is {finding.change:+.1f} of its usual range"
    return "is no longer what it always was"
