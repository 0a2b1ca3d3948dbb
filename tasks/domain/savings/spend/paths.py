"""Spend of the days ahead, by simple rules, and what their mixture got wrong in the past."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.domain.arrays import BoolArray, FloatArray
from tasks.domain.savings.spend.pattern import Calendar, spend_pattern

FIT_DAYS = 120
HORIZON_DAYS = 70
LEVEL_DAYS = (4, 8, 15, 29)
"""Means of that many days are the levels to choose from."""
TREND_DAYS = 42
DAMPING = 0.97
"""Of the trend, a day."""
RULES = (
    "run rate",
    *(f"mean of {days} days" for days in LEVEL_DAYS),
    "damped trend",
    "this month without lumps",
    "plain mean of 28 days",
    "shared growth",
)
NAIVE = 0
FIRST_WEIGHTS = (0.0, 0.0, 0.1, 0.2, 0.1, 0.0, 0.3, 0.3, 0.0)
"""Of the rules when there is no past to weigh them by: levels only, as a trend of few days is none."""
TRUSTED_ORIGINS = 6.0
"""Past origins at which what they say counts for as much as `FIRST_WEIGHTS`."""
GROWTH_DAYS = 120
LEAST_GROWTH_DAYS = 70
MOST_GROWTH = 0.004
"""Of the whole account, a day: 12 % a month."""
GROWTH_KEPT = 0.8
SETTLED_RULE = len(RULES) - 1
NEAR_DAYS, FAR_DAYS = 10, 35
"""Past origins say which rule is best for the first days; for the last the shared growth alone is used:
levels of a few days and trends of one group are worth nothing a month ahead."""
LEAST_DAYS = 14
LEAST_AHEAD_DAYS = 10
BACKTEST_DAYS = 240
BACKTEST_STEP_DAYS = 4
SCORED_DAYS = 28
SHRINKAGE_ORIGINS = 12.0
"""Origins that the average over groups counts for in the scores of a group."""
SHARPNESS = 3.0
"""Power of the inverse error that weighs a rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """What the rules got wrong at past origins.

    Attributes:
        weights: (groups, rules), rows sum to 1.
        errors: (origins, groups, HORIZON_DAYS) actual less mixture, as a share of the scale at the
            origin; shorter paths repeat their last week, growing.
        valid: (origins, groups) where the group had enough days before.
    """

    weights: FloatArray
    errors: FloatArray
    valid: BoolArray


def rule_paths(usd: FloatArray, days: Calendar, ahead: Calendar) -> FloatArray:
    """Return each rule's spend of the days ahead, (rules, groups, days ahead).

    Args:
        usd: (groups, days) without gaps; the last FIT_DAYS are used.
        days: Of the columns of `usd`.
        ahead: The days after them.
    """
    usd, days = usd[:, -FIT_DAYS:], days[-FIT_DAYS:]
    pattern = spend_pattern(usd, days)
    base = pattern.base_usd
    levels = [base[:, -span:].mean(axis=1, keepdims=True) for span in LEVEL_DAYS]
    paths = [pattern.applied(level, ahead) for level in levels]
    paths.append(pattern.applied(_trended(base, len(ahead.day)), ahead))
    steps = len(ahead.day)
    so_far = base[:, -_days_of_month(days) :].mean(axis=1, keepdims=True)
    paths.append(pattern.applied(so_far, ahead))
    paths.append(np.repeat(usd[:, -28:].mean(axis=1, keepdims=True), steps, axis=1))
    paths.append(pattern.applied(levels[-1] * _grown(base, steps), ahead))
    return np.stack([np.repeat(run_rate(usd, days)[:, None], steps, axis=1), *paths])


def run_rate(usd: FloatArray, days: Calendar) -> FloatArray:
    """Return the mean day of this month, (groups,); of the last 28 days where it has none."""
    return np.asarray(usd[:, -_days_of_month(days) :].mean(axis=1), dtype=np.float64)


def _days_of_month(days: Calendar) -> int:
    return min(int(days.day[-1]), len(days.day))


def _grown(base: FloatArray, steps: int) -> FloatArray:
    """Return the factors on the mean of 29 days that growth of the whole account leads to, (steps,).

    One account grows more steadily than any of its groups; 1 while too little of it was seen.
    """
    if base.shape[1] < LEAST_GROWTH_DAYS:
        return np.ones(steps)
    recent = base[:, -GROWTH_DAYS:]
    weeks = recent[:, -(recent.shape[1] // 7) * 7 :].reshape(len(base), -1, 7).mean(axis=2)
    total = np.log(np.maximum(weeks.sum(axis=0), 1e-9))
    time = np.arange(len(total)) - (len(total) - 1) / 2.0
    per_day = float(np.clip(total @ time / (time @ time) / 7.0, -MOST_GROWTH, MOST_GROWTH))
    ahead = LEVEL_DAYS[-1] / 2.0 + np.arange(1, steps + 1)
    return np.asarray(np.exp(GROWTH_KEPT * per_day * ahead), dtype=np.float64)


def _trended(base: FloatArray, steps: int) -> FloatArray:
    recent = base[:, -TREND_DAYS:]
    time = np.arange(recent.shape[1]) - (recent.shape[1] - 1) / 2.0
    slope = recent @ time / max(float(time @ time), 1.0)
    level = base[:, -LEVEL_DAYS[2] :].mean(axis=1) + slope * min(LEVEL_DAYS[2], base.shape[1]) / 2.0
    grown = np.cumsum(DAMPING ** np.arange(1, steps + 1))
    return np.asarray(np.maximum(level[:, None] + slope[:, None] * grown, 0.0), dtype=np.float64)


def scale_of(usd: FloatArray) -> FloatArray:
    """Return the size of a day, (groups,) USD, that errors are relative to; above 0."""
    return np.asarray(np.maximum(usd[:, -56:].mean(axis=1), 0.01), dtype=np.float64)


def backtest(usd: FloatArray, days: Calendar, begun: tuple[int, ...]) -> Backtest | None:
    """Return weights and errors from past origins; None when there is no day to look back from.

    Args:
        usd: (groups, days) without gaps.
        days: Of the columns.
        begun: First column of each group.
    """
    last = usd.shape[1] - LEAST_AHEAD_DAYS
    at = range(last, max(LEAST_DAYS, last - BACKTEST_DAYS) - 1, -BACKTEST_STEP_DAYS)
    if not at:
        return None
    errors = np.stack([_errors(usd, days, origin) for origin in at])
    valid = np.array([[origin - begin >= LEAST_DAYS for begin in begun] for origin in at])
    weights = _weights(errors, valid)
    return Backtest(weights=weights, errors=mixture(errors, weights), valid=valid)


def mixture(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Return (..., groups, days ahead) of values by rule, (..., rules, groups, days ahead).

    Args:
        values: Paths, or what they got wrong, from the first day ahead on.
        weights: (groups, rules), rows sum to 1, of the first days.
    """
    near = np.einsum("...rgh,gr->...gh", values, weights)
    ahead = np.arange(values.shape[-1])
    far = np.clip((ahead - NEAR_DAYS) / (FAR_DAYS - NEAR_DAYS), 0.0, 1.0)
    return np.asarray((1.0 - far) * near + far * values[..., SETTLED_RULE, :, :], dtype=np.float64)


def _errors(usd: FloatArray, days: Calendar, origin: int) -> FloatArray:
    """Return (rules, groups, HORIZON_DAYS) relative errors at an origin."""
    end = min(origin + HORIZON_DAYS, usd.shape[1])
    paths = rule_paths(usd[:, :origin], days[:origin], days[origin:end])
    known = (usd[:, origin:end] - paths) / scale_of(usd[:, :origin])[:, None]
    return _extended(known)


def _extended(known: FloatArray) -> FloatArray:
    """Return errors up to HORIZON_DAYS: the last week again, growing as a random walk does."""
    steps = known.shape[-1]
    ahead = np.arange(steps, HORIZON_DAYS)
    source = steps - 7 + (ahead - steps) % 7
    grown = known[..., source] * np.sqrt((ahead + 1.0) / steps)
    return np.concatenate([known, grown], axis=-1)


def _weights(errors: FloatArray, valid: BoolArray) -> FloatArray:
    """Return (groups, rules) weights: inverse errors of a month's sum, shrunk over groups."""
    missed = np.abs(errors[..., :SCORED_DAYS].sum(axis=-1))
    counts = valid.sum(axis=0).astype(np.float64)
    mean = np.einsum("org,og->gr", missed, valid) / np.maximum(counts, 1.0)[:, None]
    relative = mean / np.maximum(mean.mean(axis=1, keepdims=True), 1e-9)
    known = counts > 0
    pooled = relative[known].mean(axis=0) if known.any() else np.ones(errors.shape[1])
    trust = (counts / (counts + SHRINKAGE_ORIGINS))[:, None]
    shrunk = trust * relative + (1.0 - trust) * pooled
    strength = np.maximum(shrunk, 0.01) ** -SHARPNESS
    learned = strength / strength.sum(axis=1, keepdims=True)
    told = (counts**2 / (counts**2 + TRUSTED_ORIGINS**2))[:, None]
    return np.asarray(told * learned + (1.0 - told) * np.array(FIRST_WEIGHTS), dtype=np.float64)
