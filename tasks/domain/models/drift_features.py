"""What a day of load is reduced to before it is compared: level, spread, shape, rhythm, errors."""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from tasks.domain.arrays import BoolArray, FloatArray

MIN_KNOWN_SHARE = 0.5
"""Of a day's steps; a day below it is unknown."""


class Feature(StrEnum):
    """One number a day, named as reports say it."""

    LEVEL = "level"
    SPREAD = "spread within the day"
    SHAPE = "shape of the distribution"
    SKEW = "share of the day above its mean"
    RHYTHM = "daily rhythm"
    BIAS = "bias of the forecasts"
    ERROR = "size of the forecast errors"


INPUTS = (Feature.LEVEL, Feature.SPREAD, Feature.SHAPE, Feature.SKEW, Feature.RHYTHM)
RESIDUALS = (Feature.BIAS, Feature.ERROR)


def days_of(values: FloatArray, *, steps_per_day: int) -> FloatArray:
    """Return (n, steps) as (n, days, steps_per_day); an incomplete first day is left out."""
    days = values.shape[1] // steps_per_day
    whole = values[:, values.shape[1] - days * steps_per_day :]
    return whole.reshape(len(values), days, steps_per_day)


def input_features(training: FloatArray, live: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return what each day of the load looks like, before and after.

    Args:
        training: (n, days, steps_per_day), NaN where unknown.
        live: (n, later days, steps_per_day).

    Returns:
        Two arrays (n, features, days) in the order of INPUTS, NaN for days that are unknown and
        where a feature does not exist: a constant day has no shape. The rhythm is the mean distance
        from the usual day of the training; a day of the training is compared with the others.
    """
    centred = training - _mean(training)[..., None]
    known = np.isfinite(centred)
    total = np.where(known, centred, 0.0).sum(axis=1, keepdims=True)
    count = known.sum(axis=1, keepdims=True)
    others = _ratio(total - np.where(known, centred, 0.0), count - known)
    before = [*_moments(training), _mean(np.abs(centred - others))]
    usual = _ratio(total, count)
    after = [*_moments(live), _mean(np.abs(live - _mean(live)[..., None] - usual))]
    return np.stack(before, axis=1), np.stack(after, axis=1)


def residual_features(residuals: FloatArray) -> FloatArray:
    """Return (n, features, days) in the order of RESIDUALS, of truth minus forecast."""
    return np.stack([_mean(residuals), _mean(np.abs(residuals))], axis=1)


def _moments(values: FloatArray) -> list[FloatArray]:
    level = _mean(values)
    off = values - level[..., None]
    spread = np.sqrt(_mean(off**2))
    varies: BoolArray = spread > 1e-9 * (1.0 + np.abs(level))
    shape = _ratio(_mean(np.abs(off)), np.where(varies, spread, 0.0))
    above = _mean(np.where(np.isfinite(off), off > 0.0, np.nan))
    return [level, spread, shape, np.where(varies, above, np.nan)]


def _mean(values: FloatArray) -> FloatArray:
    """Return the mean over the last axis; unknown where too little of it is known."""
    known = np.isfinite(values)
    count = known.sum(axis=-1)
    enough = count >= max(MIN_KNOWN_SHARE * values.shape[-1], 1.0)
    return _ratio(np.where(known, values, 0.0).sum(axis=-1), np.where(enough, count, 0))


def _ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    """Return the ratio; unknown where it would divide by zero."""
    return np.asarray(np.where(below > 0, above / np.where(below > 0, below, 1), np.nan))
