"""How a young workload's first days are rehearsed on workloads whose later days are known."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
REHEARSALS = 16
STRIDE = timedelta(hours=31)
"""Between rehearsals, so that they begin at all hours of the day."""
MOST_STEPS = 48
"""Of a day that are looked at, evenly spaced: finer ones tell nothing new."""
LEAST_SCALE = 0.05
CARRIES = tuple(tenth / 10.0 for tenth in range(11))
"""Shares of the last value's deviation from the shape that are tried."""
OWN_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Shares of the same step a day before, where it is known, that are tried."""
FOLDS = 4
"""Of series and of times: coverage is measured on neither the series nor the times of an interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """What a rehearsal found.

    Attributes:
        carry: Shares of the last value's deviation that are kept.
        own: Shares of the same step a day before.
        quantiles: Of the errors that are left, last axis of QUANTILES, in units of the level.
        loss: Mean error in units of each workload's daily move.
    """

    carry: FloatArray
    own: FloatArray
    quantiles: FloatArray
    loss: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What is known of workloads: level (n,), expected (n, ahead), surprise (n,), own (n, ahead).

    Attributes:
        level: Their mean.
        expected: The mean day at that level.
        surprise: What the last known value lies above it.
        own: What the same step a day before lies above it; NaN where that is unknown.
    """

    level: FloatArray
    expected: FloatArray
    surprise: FloatArray
    own: FloatArray

    def median(self, carry: FloatArray, own: FloatArray) -> FloatArray:
        """Return (n, ahead) forecasts with (n, ahead) shares of the surprise and of the own day."""
        return self.expected + kept(self.surprise[:, None], self.own, carry, own)


def kept(
    surprise: FloatArray, own_day: FloatArray, carry: FloatArray | float, own: FloatArray | float
) -> FloatArray:
    """Return what a forecast adds to the mean day: of the own day where it is known, and the rest."""
    carried = carry * surprise
    day = np.where(np.isnan(own_day), carried, own_day)
    return np.asarray(carried + own * (day - carried))


def age_of(hours: FloatArray) -> IntArray:
    """Return (n,) positions in KNOWN_HOURS of workloads by their known hours."""
    later = 1 + np.searchsorted(AGE_ENDS, hours, side="right")
    return np.where(hours > 0.0, later, 0).astype(np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rehearsal:
    """Forecasts by the shape alone, of (times * series) cases at k steps ahead.

    Attributes:
        surprise: (cases,) see Outlook; this and the next two in units of a workload's level.
        own: (cases, k) see Outlook.
        errors: (cases, k) what happened less what the shape expects; NaN where nobody knows.
        weight: (cases,).
        reach: (k,) range of each step.
        series: Number of them; a case of each at one time, then at the next.
    """

    surprise: FloatArray
    own: FloatArray
    errors: FloatArray
    weight: FloatArray
    reach: IntArray
    series: int

    @property
    def times(self) -> int:
        return len(self.errors) // self.series

    def at(self, range_: int) -> _Rehearsal:
        """Return the steps of one range."""
        of = self.reach == range_
        return replace(self, own=self.own[:, of], errors=self.errors[:, of], reach=self.reach[of])

    def rest(self, carry: FloatArray | float, own: FloatArray | float) -> FloatArray:
        """Return (cases, k) errors that are left with some shares."""
        return self.errors - kept(self.surprise[:, None], self.own, carry, own)


def rehearsed(values: FloatArray, shapes: FloatArray, level: float) -> Fit:
    """Return the fit of (ages, ranges) shares and (ages, ranges, 3) quantiles.

    Args:
        values: (n, steps) whole histories, at least two days.
        shapes: (n, steps of a day) what each series' day is taken for, 1 on average; its first value
            belongs to the step after the history.
        level: Usual mean of a series, for those of which nothing is known.
    """
    ages = [_fit_of_age(_rehearsal(values, shapes, hours, level)) for hours in KNOWN_HOURS]
    return Fit(
        carry=np.stack([fit.carry for fit in ages]),
        own=np.stack([fit.own for fit in ages]),
        quantiles=np.stack([fit.quantiles for fit in ages]),
        loss=sum(fit.loss for fit in ages),
    )


def rehearsed_coverage(
    values: FloatArray, shapes: FloatArray, level: float, fit: Fit
) -> FloatArray:
    """Return (ages,) the share of values that intervals made of other series and times held.

    NaN where there are fewer series, or fewer times, than folds. Arguments as for `rehearsed`, with
    the fit that it returned.
    """
    return np.array(
        [
            _coverage(_rehearsal(values, shapes, hours, level), fit.carry[age], fit.own[age])
            for age, hours in enumerate(KNOWN_HOURS)
        ]
    )


def _rehearsal(
    values: FloatArray, shapes: FloatArray, known_hours: int, level: float
) -> _Rehearsal:
    """Return the rehearsal of one age."""
    steps, day = values.shape[1], shapes.shape[1]
    step = timedelta(days=1) / day
    known = min(_steps(timedelta(hours=known_hours), step), steps - day)
    origins = range(steps - day, max(known, 1) - 1, -_steps(STRIDE, step))[:REHEARSALS]
    each = max(day // MOST_STEPS, 1)
    surprises, owns, errors = [], [], []
    for origin in origins:
        recent = values[:, origin - known : origin]
        outlook = outlook_of(shapes, recent, origin - steps, day, level)
        scale = level_scale(outlook.level, level)
        surprises.append(outlook.surprise / scale)
        owns.append(outlook.own[:, ::each] / scale[:, None])
        error = values[:, origin : origin + day] - outlook.expected
        errors.append(error[:, ::each] / scale[:, None])
    weight = _weights(values, day) if known else np.ones(len(values))
    return _Rehearsal(
        surprise=np.concatenate(surprises),
        own=np.concatenate(owns),
        errors=np.concatenate(errors),
        weight=np.tile(weight, len(origins)),
        reach=horizon_ranges(day, step)[::each],
        series=len(values),
    )


def _fit_of_age(found: _Rehearsal) -> Fit:
    """Return (ranges,) shares and (ranges, 3) quantiles."""
    fits = [_fitted(found.at(one)) for one in range(len(RANGE_ENDS))]
    return Fit(
        carry=np.array([fit.carry for fit in fits]),
        own=np.array([fit.own for fit in fits]),
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


def _fitted(found: _Rehearsal) -> Fit:
    """Return the shares that are kept, by least absolute errors, and the quantiles of the rest."""
    known = ~np.isnan(found.errors)
    if not known.any():
        nothing = np.zeros(())
        return Fit(carry=nothing, own=nothing, quantiles=np.zeros(len(QUANTILES)), loss=0.0)
    errors, days = found.errors[known], found.own[known]
    each, counts = (
        np.broadcast_to(one[:, None], known.shape)[known] for one in (found.surprise, found.weight)
    )

    def rest(carry: float, own: float) -> FloatArray:
        return errors - kept(each, days, carry, own)

    def loss(carry: float, own: float) -> float:
        return float((np.abs(rest(carry, own)) * counts).sum() / counts.sum())

    carry, own = min(CARRIES, key=lambda one: loss(one, 0.0)), 0.0
    if not np.isnan(days).all():
        own = min(OWN_SHARES, key=lambda one: loss(carry, one))
        carry = min(CARRIES, key=lambda one: loss(one, own))
    left = rest(carry, own)
    low, high = _ends(left, found)
    middle = min(max(_weighted_median(left, counts), low), high)
    return Fit(
        carry=np.array(carry),
        own=np.array(own),
        quantiles=np.array([low, middle, high]),
        loss=loss(carry, own),
    )


def _ends(rest: FloatArray, found: _Rehearsal) -> tuple[float, float]:
    """Return the ends of an interval about 0 from errors that are left in a rehearsal."""
    # The split conformal correction (Vovk, 2005). Values of one series go together, and so do those
    # of one time, so the sample is smaller than either number.
    wider = 1.0 + 1.0 / found.series + 1.0 / found.times
    levels = [0.5 + (level - 0.5) * wider for level in (QUANTILES[0], QUANTILES[-1])]
    low, high = np.quantile(rest, np.clip(levels, 0.0, 1.0))
    return float(low), float(high)


def _coverage(found: _Rehearsal, carry: FloatArray, own: FloatArray) -> float:
    """Return how much intervals of (ranges,) shares held of what they were not made of."""
    if min(found.series, found.times) < FOLDS:
        return float("nan")
    rest = found.rest(carry[found.reach], own[found.reach])
    time, series = np.divmod(np.arange(len(rest)), found.series)
    # Neighbouring times resemble each other, and so do series that are listed side by side.
    time, series = time * FOLDS // found.times, series * FOLDS // found.series
    held = total = 0
    for left_out in np.ndindex(FOLDS, FOLDS):
        judged = (time == left_out[0]) & (series == left_out[1])
        others = (time != left_out[0]) & (series != left_out[1])
        for one in np.unique(found.reach):
            of = found.reach == one
            made, values = (rest[rows][:, of] for rows in (others, judged))
            made, values = made[~np.isnan(made)], values[~np.isnan(values)]
            if made.size:
                low, high = _ends(made, found)
                held += int(((low <= values) & (values <= high)).sum())
                total += values.size
    return held / total if total else float("nan")


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
    expected = level[:, None] * shapes[:, np.arange(begin, begin + ahead) % day]
    return Outlook(
        level=level,
        expected=expected,
        surprise=surprise,
        own=_day_before(recent, day, ahead) - expected,
    )


def _day_before(recent: FloatArray, day: int, ahead: int) -> FloatArray:
    """Return (n, ahead) the newest known value of the same step of the day; NaN where none is."""
    days = max(-(-recent.shape[1] // day), 1)
    padded = np.full((len(recent), days * day), np.nan)
    padded[:, padded.shape[1] - recent.shape[1] :] = recent
    found = np.full((len(recent), day), np.nan)
    for one in padded.reshape(len(recent), days, day).transpose(1, 0, 2):
        found = np.where(np.isnan(one), found, one)
    return found[:, np.arange(ahead) % day]


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
