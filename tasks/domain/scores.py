"""Scores of forecasts: how far off, how well calibrated, and how much better than a naive one.

The plural names give one score per value, the singular ones their mean. A score that is undefined
(nothing to average, a reference without error) is None, never zero or one.
"""

from __future__ import annotations

import numpy as np

from tasks.domain.arrays import BoolArray, FloatArray


def mae(actual: FloatArray, forecast: FloatArray) -> float | None:
    """Return the mean absolute error, in the unit of the values; None for empty arrays."""
    return _mean(np.abs(actual - forecast))


def pinball_losses(actual: FloatArray, forecast: FloatArray, *, quantile: float) -> FloatArray:
    """Return the pinball (quantile) loss of each value (Koenker and Bassett, 1978).

    Args:
        actual: Observed values.
        forecast: Forecast of the quantile; same shape or broadcastable.
        quantile: Level of the forecast, strictly between 0 and 1.

    Returns:
        Losses at least 0, in the unit of the values; at level .5 half the absolute error.
    """
    _check_level(quantile)
    error = actual - forecast
    return np.asarray(np.maximum(quantile * error, (quantile - 1.0) * error), dtype=np.float64)


def pinball_loss(actual: FloatArray, forecast: FloatArray, *, quantile: float) -> float | None:
    """Return the mean pinball loss; None for empty arrays."""
    return _mean(pinball_losses(actual, forecast, quantile=quantile))


def covered(actual: FloatArray, *, low: FloatArray, high: FloatArray) -> BoolArray:
    """Return where the value lies in the closed interval [low, high]."""
    return np.asarray((low <= actual) & (actual <= high), dtype=np.bool_)


def interval_coverage(actual: FloatArray, *, low: FloatArray, high: FloatArray) -> float | None:
    """Return the share of values within [low, high], 0 to 1; None for empty arrays."""
    return _mean(covered(actual, low=low, high=high).astype(np.float64))


def interval_scores(
    actual: FloatArray, *, low: FloatArray, high: FloatArray, level: float
) -> FloatArray:
    """Return the interval score of each value (Winkler, 1972): width plus a penalty for misses.

    Args:
        actual: Observed values.
        low: Lower ends.
        high: Upper ends, at or above the lower ones.
        level: Nominal coverage of the central interval, strictly between 0 and 1.

    Returns:
        Scores at least 0, smaller is better, in the unit of the values.
    """
    _check_level(level)
    miss = np.maximum(low - actual, 0.0) + np.maximum(actual - high, 0.0)
    return np.asarray((high - low) + 2.0 / (1.0 - level) * miss, dtype=np.float64)


def interval_score(
    actual: FloatArray, *, low: FloatArray, high: FloatArray, level: float
) -> float | None:
    """Return the mean interval score; None for empty arrays."""
    return _mean(interval_scores(actual, low=low, high=high, level=level))


def skill(error: float | None, *, reference_error: float | None) -> float | None:
    """Return 1 - error / reference_error: 1 is perfect, 0 as good as the reference, below 0 worse.

    None when either is unknown or the reference makes no error, for then nothing can beat it.
    """
    if error is None or reference_error is None or reference_error <= 0.0:
        return None
    return 1.0 - error / reference_error


def mase(
    actual: FloatArray, forecast: FloatArray, *, history: FloatArray, season_length: int = 1
) -> float | None:
    """Return the mean absolute scaled error (Hyndman and Koehler, 2006).

    Args:
        actual: Observed values.
        forecast: Forecasts of the same shape.
        history: (..., steps) values before the forecast, whose seasonal naive error is the scale.
        season_length: Steps of a season, at least 1.

    Returns:
        The mean absolute error over the mean absolute seasonal naive error of the history; below 1
        beats it. None when the history is too short, or repeats itself exactly.
    """
    scale = _mean(np.abs(history[..., season_length:] - history[..., :-season_length]))
    error = mae(actual, forecast)
    return None if error is None or not scale else error / scale


def _mean(values: FloatArray) -> float | None:
    return float(np.mean(values)) if values.size else None


def _check_level(level: float) -> None:
    if not 0.0 < level < 1.0:
        message = f"level is {level}, must be strictly between 0 and 1; 80 % is written .8"
        raise ValueError(message)
