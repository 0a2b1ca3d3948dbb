"""From hours to finer steps: a path through hourly means, what steps do about it, and their spread.

Much of what happens within an hour happens every hour or every day: a job at full hours, a peak every ten
minutes. The mean of such an hour is the value of no step. So each series repeats its own shape about the
path, by the rule that erred least in its newest days; what that rule missed there is the spread of steps.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from tasks.domain.arrays import FloatArray
from tasks.domain.load.history import filled
from tasks.domain.load.members import last_known
from tasks.domain.load.panel import HOUR, LoadPanel
from tasks.domain.load.resampling import hourly

DAY = 24
SHAPE_DAYS = 7
"""Days that a shape is the median of."""
JUDGED_DAYS = 2
"""Newest days that rules are compared on, each from the days before it."""
RARE = 0.1
"""Share of steps that lie outside of each end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WithinHour:
    """What the steps of n series do about the path through their hours, in the unit of the values.

    Attributes:
        shape: (n, steps of a day) how far each step is expected from the path; the first of them is the
            first step after the panel.
        newest: (n,) how far the newest known step lies above the middle of its hour, whose steps have
            their shape taken off.
        below: (n,) 90 % of steps lie at most so far below path and shape.
        above: (n,) and at most so far above them.
    """

    shape: FloatArray
    newest: FloatArray
    below: FloatArray
    above: FloatArray


def within_hour(panel: LoadPanel) -> WithinHour:
    """Return what steps did in the newest days; nothing at hourly steps and in less than two days."""
    each = HOUR // panel.step
    days = min(panel.steps // (DAY * each), SHAPE_DAYS + JUDGED_DAYS)
    if each == 1 or days < 2:
        nothing = np.zeros(len(panel))
        shape = np.zeros((len(panel), DAY * each))
        return WithinHour(shape=shape, newest=nothing, below=nothing, above=nothing)
    recent = panel.until(panel.steps, window=days * DAY * each)
    middles, at_steps = _at(days * DAY, 1), _at(days * DAY, each)
    path = _between(filled(hourly(recent).values), middles, at_steps)
    path, away = (one.reshape(len(panel), days, DAY * each) for one in (path, recent.values - path))
    judged = range(max(days - JUDGED_DAYS, 1), days)
    missed = np.stack([away[:, None, at] - _shapes(away[:, :at], each) for at in judged], axis=2)
    rule = _mean(np.abs(missed)).argmin(axis=1)
    rows = np.arange(len(panel))
    shape, missed = _shapes(away, each)[rows, rule], missed[rows, rule]
    moved = np.stack(
        [path[:, at] - _median(path[:, :at][:, -SHAPE_DAYS:]) for at in judged], axis=1
    )
    low, high = _ends(missed)
    # An hour's own mean rises with its peaks, and its other steps look low beside it; beside what the hour
    # usually has they are not. Who forecasts does not know the peaks.
    low = np.maximum(low, _ends(missed + moved)[0])
    return WithinHour(
        shape=shape,
        newest=_newest(panel.values[:, -each:], shape[:, -each:]),
        below=np.maximum(-low, 0.0),
        above=np.maximum(high, 0.0),
    )


def to_steps(
    quantiles: FloatArray, newest: FloatArray, within: WithinHour, *, each: int
) -> FloatArray:
    """Return (n, H * each, 3) quantiles of steps from (n, H, 3) of hourly means.

    The path runs straight from the newest value, less what is its own, through the middles of hours.
    Upwards the spread of steps is added to that of hours as if they were independent. Downwards the wider
    one counts: an hour falls short for want of peaks, and its other steps do not fall with it.

    Args:
        quantiles: Low, median and high of each hour's mean.
        newest: (n,) newest known values.
        within: Of the same series.
        each: Steps of an hour; at 1 the quantiles stay as they are.
    """
    if each == 1:
        return quantiles
    hours = quantiles.shape[1]
    begin = np.repeat((newest - within.newest)[:, None, None], 3, axis=2)
    middles = np.concatenate([[0.0], _at(hours, 1)])
    path = _between(np.concatenate([begin, quantiles], axis=1), middles, _at(hours, each))
    median = path[..., 1]
    below = np.maximum(median - path[..., 0], within.below[:, None])
    above = np.hypot(path[..., 2] - median, within.above[:, None])
    median = median + within.shape[:, np.arange(hours * each) % within.shape.shape[1]]
    return np.stack([median - below, median, median + above], axis=-1)


def _at(hours: int, each: int) -> FloatArray:
    """Return (hours * each,) the middles of steps, in hours."""
    return np.asarray((np.arange(hours * each) + 0.5) / each, dtype=np.float64)


def _between(values: FloatArray, places: FloatArray, at: FloatArray) -> FloatArray:
    """Return (n, m, ...) straight lines through (n, k, ...) values at (k,) places, level outside."""
    right = np.clip(np.searchsorted(places, at), 1, len(places) - 1)
    share = np.clip((at - places[right - 1]) / (places[right] - places[right - 1]), 0.0, 1.0)
    share = share.reshape(-1, *[1] * (values.ndim - 2))
    return np.asarray(values[:, right - 1] * (1.0 - share) + values[:, right] * share)


def _shapes(away: FloatArray, each: int) -> FloatArray:
    """Return (n, 3, steps of a day) by rule: alike in every hour, on every day, or as on the last day.

    Args:
        away: (n, days, steps of a day) of the days known, from the path; NaN where unknown.
        each: Steps of an hour.
    """
    recent = away[:, -SHAPE_DAYS:]
    hour = np.tile(_median(recent.reshape(len(away), -1, each)), DAY)
    day = _median(recent)
    last = np.where(np.isnan(away[:, -1]), day, away[:, -1])
    return np.stack([hour, day, last], axis=1)


def _newest(values: FloatArray, shape: FloatArray) -> FloatArray:
    """Return (n,) the newest known of (n, each) values less the middle of what they are without shape."""
    middle = _median((values - shape)[..., None])[:, 0]
    return np.nan_to_num(last_known(values) - middle)


def _median(values: FloatArray) -> FloatArray:
    """Return (n, m) medians over the second of three axes, 0 where nothing is known."""
    with warnings.catch_warnings():
        # What is never known has no shape.
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.nan_to_num(np.nanmedian(values, axis=1))


def _mean(values: FloatArray) -> FloatArray:
    """Return (n, rules) means over the other axes, 0 where nothing is known."""
    known = ~np.isnan(values)
    total = np.where(known, values, 0.0).sum(axis=(2, 3))
    return np.asarray(total / np.maximum(known.sum(axis=(2, 3)), 1))


def _ends(missed: FloatArray) -> FloatArray:
    """Return (2, n) the values that a share of RARE lies below and above; unknown counts as 0."""
    known = np.nan_to_num(missed).reshape(len(missed), -1)
    return np.asarray(np.quantile(known, [RARE, 1.0 - RARE], axis=1))
