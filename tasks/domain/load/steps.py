"""From hours to finer steps: paths through hourly means, and what steps add to their spread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.domain.arrays import FloatArray
from tasks.domain.load.panel import HOUR, LoadPanel

WINDOW_HOURS = 168
RARE = 0.1
"""Share of steps that lie outside of each end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WithinHour:
    """How far steps lie from the mean of their hour, in the unit of the values.

    Attributes:
        below: (n,) 90 % of steps lie at most so far below it.
        above: (n,) and at most so far above it.
    """

    below: FloatArray
    above: FloatArray


def within_hour(panel: LoadPanel) -> WithinHour:
    """Return how far the steps of the last week lie from their hours' means; 0 at hourly steps."""
    each = HOUR // panel.step
    hours = min(panel.steps // each, WINDOW_HOURS)
    if each == 1 or not hours:
        nothing = np.zeros(len(panel))
        return WithinHour(below=nothing, above=nothing)
    grid = panel.values[:, -hours * each :].reshape(len(panel), hours, each)
    known = ~np.isnan(grid)
    mean = np.where(known, grid, 0.0).sum(axis=2) / np.maximum(known.sum(axis=2), 1)
    away = np.where(known, grid - mean[..., None], 0.0).reshape(len(panel), -1)
    low, high = np.quantile(away, [RARE, 1.0 - RARE], axis=1)
    return WithinHour(below=np.maximum(-low, 0.0), above=np.maximum(high, 0.0))


def to_steps(
    quantiles: FloatArray, newest: FloatArray, within: WithinHour, *, each: int
) -> FloatArray:
    """Return (n, H * each, 3) quantiles of steps from (n, H, 3) of hourly means.

    The path runs straight from the newest value through the middle of each hour; the spread of steps
    within their hour is added to that of the hours as if the two were independent.
    """
    if each == 1:
        return quantiles
    hours = quantiles.shape[1]
    middles = np.concatenate([[0.0], np.arange(hours) + 0.5])
    at = (np.arange(hours * each) + 0.5) / each
    right = np.clip(np.searchsorted(middles, at), 1, hours)
    share = np.clip((at - middles[right - 1]) / (middles[right] - middles[right - 1]), 0.0, 1.0)
    started = np.concatenate([np.repeat(newest[:, None, None], 3, axis=2), quantiles], axis=1)
    path = started[:, right - 1] * (1.0 - share)[:, None] + started[:, right] * share[:, None]
    median = path[..., 1]
    below = np.hypot(median - path[..., 0], within.below[:, None])
    above = np.hypot(path[..., 2] - median, within.above[:, None])
    return np.stack([median - below, median, median + above], axis=-1)
