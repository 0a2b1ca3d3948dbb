"""How a young workload's first days are rehearsed on workloads whose later days are known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from tasks.domain.arrays import FloatArray, IntArray
from tasks.domain.load.forecasts import QUANTILES
from tasks.domain.load.panel import HOUR

KNOWN_HOURS = (0, 3, 12, 36)
"""Ages that are rehearsed, for those with nothing known, less than 6 h, less than a day, and more."""
AGE_ENDS = (6.0, 24.0)
RANGE_ENDS = (1.0, 4.0, 12.0, 24.0)
"""Hours ahead that end a range of horizons; the last one serves all beyond."""
REHEARSALS = 8
STRIDE = timedelta(hours=31)
"""Between rehearsals, so that they begin at all hours of the day."""
LEAST_SCALE = 0.05
CARRIES = tuple(tenth / 10.0 for tenth in range(11))
"""Shares of the last value's deviation from the shape that are tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """What a rehearsal found: shares kept, quantiles of errors, and mean error in its own units."""

    carry: FloatArray
    quantiles: FloatArray
    loss: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """The mean day at a workload's level: level (n,), expected (n, ahead), surprise (n,)."""

    level: FloatArray
    expected: FloatArray
    surprise: FloatArray


def age_of(hours: FloatArray) -> IntArray:
    """Return (n,) positions in KNOWN_HOURS of workloads by their known hours."""
    later = 1 + np.searchsorted(AGE_ENDS, hours, side="right")
    return np.where(hours > 0.0, later, 0).astype(np.int64)


def rehearsed(values: FloatArray, shapes: FloatArray, level: float) -> Fit:
    """Return the fit of (ages, ranges) shares and (ages, ranges, 3) quantiles.

    Args:
        values: (n, steps) whole histories, at least two days.
        shapes: (n, steps of a day) what each series' day is taken for, 1 on average; its first value
            belongs to the step after the history.
        level: Usual mean of a series, for those of which nothing is known.
    """
    ages = [_rehearsed_at(values, shapes, hours, level) for hours in KNOWN_HOURS]
    return Fit(
        carry=np.stack([fit.carry for fit in ages]),
        quantiles=np.stack([fit.quantiles for fit in ages]),
        loss=sum(fit.loss for fit in ages),
    )


def _rehearsed_at(values: FloatArray, shapes: FloatArray, known_hours: int, level: float) -> Fit:
    """Return the fit of (ranges,) shares and (ranges, 3) quantiles at one age."""
    steps, day = values.shape[1], shapes.shape[1]
    step = timedelta(days=1) / day
    known = min(_steps(timedelta(hours=known_hours), step), steps - day)
    origins = range(steps - day, max(known, 1) - 1, -_steps(STRIDE, step))[:REHEARSALS]
    surprises, errors = [], []
    for origin in origins:
        recent = values[:, origin - known : origin]
        outlook = outlook_of(shapes, recent, origin - steps, day, level)
        scale = level_scale(outlook.level, level)
        surprises.append(outlook.surprise / scale)
        errors.append((values[:, origin : origin + day] - outlook.expected) / scale[:, None])
    surprise, error = np.concatenate(surprises), np.concatenate(errors)
    weight = np.tile(_weights(values, day) if known else np.ones(len(values)), len(origins))
    reach = horizon_ranges(day, step)
    fits = [
        _fitted(surprise, error[:, reach == at], weight, series=len(values))
        for at in range(len(RANGE_ENDS))
    ]
    return Fit(
        carry=np.array([fit.carry for fit in fits]),
        quantiles=np.stack([fit.quantiles for fit in fits]),
        loss=sum(fit.loss for fit in fits),
    )


def _weights(values: FloatArray, day: int) -> FloatArray:
    """Return (n,) the level over the mean change from day to day.

    Without it jumpy workloads would settle what is best for all, for their errors are the largest.
    """
    change = np.abs(values[:, day:] - values[:, :-day])
    known = ~np.isnan(change)
    mean_change = np.where(known, change, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    level = np.nanmean(values, axis=1)
    return np.asarray(level / np.maximum(mean_change, LEAST_SCALE * level))


def _fitted(surprise: FloatArray, errors: FloatArray, weight: FloatArray, *, series: int) -> Fit:
    """Return the share that is kept, by least absolute errors, and the quantiles of the rest."""
    times = len(errors) / series
    known = ~np.isnan(errors)
    if not known.any():
        return Fit(carry=np.zeros(()), quantiles=np.zeros(len(QUANTILES)), loss=0.0)
    each, counts = (
        np.broadcast_to(one[:, None], errors.shape)[known] for one in (surprise, weight)
    )
    rests = [errors[known] - share * each for share in CARRIES]
    losses = [float((np.abs(rest) * counts).sum() / counts.sum()) for rest in rests]
    best = int(np.argmin(losses))
    # The split conformal correction (Vovk, 2005). Values of one series go together, and so do those
    # of one time, so the sample is smaller than either number.
    levels = [0.5 + (level - 0.5) * (1.0 + 1.0 / series + 1.0 / times) for level in QUANTILES]
    low, _, high = np.quantile(rests[best], np.clip(levels, 0.0, 1.0))
    middle = min(max(_weighted_median(rests[best], counts), low), high)
    return Fit(
        carry=np.array(CARRIES[best]), quantiles=np.array([low, middle, high]), loss=losses[best]
    )


def _weighted_median(values: FloatArray, weights: FloatArray) -> float:
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    return float(values[order[np.searchsorted(total, total[-1] / 2.0)]])


def outlook_of(
    shapes: FloatArray, recent: FloatArray, begin: int, ahead: int, usual: float
) -> Outlook:
    """Return what the shape alone expects from a step on, `begin` steps after the shape's origin."""
    day = shapes.shape[1]
    seen = shapes[:, np.arange(begin - recent.shape[1], begin) % day]
    known = ~np.isnan(recent)
    total, share = np.where(known, recent, 0.0).sum(axis=1), np.where(known, seen, 0.0).sum(axis=1)
    level = np.where(share > 0.0, total / np.where(share > 0.0, share, 1.0), usual)
    last, at = _last(recent)
    expected_last = (
        np.take_along_axis(np.broadcast_to(seen, recent.shape), at[:, None], axis=1)[:, 0]
        if recent.shape[1]
        else np.zeros(len(recent))
    )
    surprise = np.nan_to_num(last - level * expected_last)
    return Outlook(
        level=level,
        expected=level[:, None] * shapes[:, np.arange(begin, begin + ahead) % day],
        surprise=surprise,
    )


def _last(recent: FloatArray) -> tuple[FloatArray, IntArray]:
    """Return (n,) the last known value, NaN without any, and its column."""
    if not recent.shape[1]:
        return np.full(len(recent), np.nan), np.zeros(len(recent), dtype=np.int64)
    at = recent.shape[1] - 1 - np.argmax(~np.isnan(recent)[:, ::-1], axis=1)
    return np.take_along_axis(recent, at[:, None], axis=1)[:, 0], at


def level_scale(level: FloatArray, usual: float) -> FloatArray:
    """Return (n,) what errors are measured in: the level, at least 5 % of the usual one."""
    return np.maximum(level, LEAST_SCALE * usual)


def horizon_ranges(ahead: int, step: timedelta) -> IntArray:
    """Return (ahead,) the range of each step."""
    hours = np.arange(1, ahead + 1) * (step / HOUR)
    found = np.searchsorted(RANGE_ENDS, hours - 1e-9, side="left")
    return np.minimum(found, len(RANGE_ENDS) - 1).astype(np.int64)


def _steps(time: timedelta, step: timedelta) -> int:
    """Return the whole steps of a time, at least 1 of any time above 0."""
    return max(time // step, 1) if time else 0
