"""Whether what a model was trained on is still what it sees.

Load is tested, and the errors of the forecasts, each where both sides are known. Days are compared, not hours, since hours repeat
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
from dataclasses import dataclass, replace
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
        residuals: (m, features, days) what `residual_features` makes of truth minus forecast, of
            series that need not be all of those above; None where nothing was forecast.
    """

    values: FloatArray
    residuals: FloatArray | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One feature that is not what it was.

    Attributes:
        feature: Which.
        window_days: Of the most recent days.
        series: That were compared.
        share: Of the series that differ each by itself, 0 to 1.
        change: Median over these series of the change of the median day, in units of half the range
            between the quartiles of the training's days; above 0 is more, infinite where all of
            them were the same.
        p_value: Of the panel, corrected for features, windows and the looks of a month.
    """

    feature: Feature
    window_days: int
    series: int
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
        training: What the model was trained on; residuals are those of its backtest, never of the
            fit. Of load and of residuals what has two whole weeks here is compared.
        live: What came since, the same series in the same order.
        steps_per_day: Of both.
        trained_at: Aware UTC, for the cool-down; None when there is none to wait for.
        now: Aware UTC; needed with trained_at.
        policy: What counts as drift.

    Raises:
        InsufficientHistoryError: Both load and residuals of the training are shorter.
    """
    policy = policy or DriftPolicy()
    if trained_at is not None and now is not None and now - trained_at < policy.cool_down:
        until = trained_at + policy.cool_down
        return _nothing(
            f"trained {trained_at:%Y-%m-%d %H:%M}, not looked at before {until:%Y-%m-%d %H:%M}"
        )
    known = _known(training, live, steps_per_day=steps_per_day)
    least = min(policy.windows_days)
    parts = [one for one in known if one.after.shape[2] >= least]
    if not parts:
        most = max(one.after.shape[2] for one in known)
        return _nothing(f"{most} days since the training, {least} are needed")
    # What is not compared cannot alarm, and takes no part of the allowance.
    tests = sum(len(one.features) for one in parts) * len(policy.windows_days) * MONTH_DAYS
    found = sorted(
        (finding for one in parts for finding in _findings(one, policy=policy, tests=tests)),
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
        reason=_reason(what, smallest=smallest, parts=parts, policy=policy),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """What is compared: features of whole weeks of the training and of all days since.

    Each (n, features, days).
    """

    name: str
    features: tuple[Feature, ...]
    before: FloatArray
    after: FloatArray


def _known(training: Observed, live: Observed, *, steps_per_day: int) -> list[_Part]:
    """Return load and residuals, as far as the training tells what is usual of them."""
    found = []
    before, after = (days_of(one.values, steps_per_day=steps_per_day) for one in (training, live))
    if _enough(before.shape[1]):
        first, second = input_features(before, after)
        found.append(_Part(name="load", features=INPUTS, before=first, after=second))
    errors, since = training.residuals, live.residuals
    if errors is not None and since is not None and _enough(errors.shape[2]):
        found.append(_Part(name="forecast errors", features=RESIDUALS, before=errors, after=since))
    if not found:
        longest = max(before.shape[1], 0 if errors is None else errors.shape[2])
        raise InsufficientHistoryError(
            found_hours=longest * 24,
            needed_hours=MIN_TRAINING_DAYS * 24,
            subject="data that the model was trained on",
        )
    return [replace(one, before=_whole_weeks(one.before)) for one in found]


def _enough(days: int) -> bool:
    return days // WEEK_DAYS * WEEK_DAYS >= MIN_TRAINING_DAYS


def _whole_weeks(days: FloatArray) -> FloatArray:
    return days[..., -(days.shape[-1] // WEEK_DAYS * WEEK_DAYS) :]


def _findings(part: _Part, *, policy: DriftPolicy, tests: int) -> Iterator[Finding]:
    before = part.before
    worth = independent_share(before)
    usual, common = usual_share(before, worth=worth), common_share(before)
    for window in policy.windows_days:
        if window > part.after.shape[2]:
            continue
        recent = part.after[..., -window:]
        p_values = ks_p_values(before, recent, worth=worth)
        for at, feature in enumerate(part.features):
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
                series=len(before),
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


def _reason(
    what: tuple[Finding, ...], *, smallest: float, parts: list[_Part], policy: DriftPolicy
) -> str:
    if not what:
        compared = " and ".join(one.name for one in parts)
        series = max(len(one.before) for one in parts)
        return (
            f"no drift: the surest change of {policy.min_share:.0%} of {series} series has "
            f"p {smallest:.2g} for a month of looks at {compared}, above "
            f"{policy.false_alarms_per_month:g}"
        )
    return "drift: " + "; ".join(
        f"{one.feature} of {one.share:.0%} of {one.series} series {_changed(one)} "
        f"in the last {one.window_days} days (p {one.p_value:.2g} for a month of looks)"
        for one in what
    )


def _changed(finding: Finding) -> str:
    if math.isfinite(finding.change):
        return f"is {finding.change:+.1f} of its usual range"
    return "is no longer what it always was"
