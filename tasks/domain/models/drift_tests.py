"""Tests of whether the days of many series changed, which days and series that hang together pass.

A plain test takes every value for an independent draw, and then finds drift everywhere. Here days
that resemble their neighbours count for fewer, and series that move together count for fewer.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import betaln
from scipy.stats import kstwobign

from tasks.domain.arrays import FloatArray

LEVEL = 0.02
"""A series differs when its own p-value is at or below it."""
FEW_SERIES = 5
"""Of fewer, how many differ says too little: how surely they do is what counts."""
MIN_KNOWN_DAYS_SHARE = 0.7
LARGEST_MEMORY = 0.9
SMALLEST_COMMON = 0.02
LARGEST_COMMON = 0.5
LARGEST_USUAL = 0.99
WEEK_DAYS = 7


def ks_distances(before: FloatArray, after: FloatArray) -> FloatArray:
    """Return the two-sample Kolmogorov-Smirnov distances along the last axis, NaN left out.

    `scipy.stats.ks_2samp` gives the same, one by one. NaN where a side is empty.
    """
    sizes = [np.isfinite(one).sum(axis=-1, keepdims=True) for one in (before, after)]
    steps = [np.where(np.isfinite(one), 1.0, 0.0) for one in (before, after)]
    signed = np.concatenate(
        [steps[0] / np.maximum(sizes[0], 1), -steps[1] / np.maximum(sizes[1], 1)], axis=-1
    )
    values = np.concatenate([before, after], axis=-1)
    order = np.argsort(values, axis=-1)
    ordered = np.take_along_axis(values, order, axis=-1)
    gap = np.abs(np.take_along_axis(signed, order, axis=-1).cumsum(axis=-1))
    # Among ties the distributions are compared after the last.
    tied = ordered[..., :-1] == ordered[..., 1:]
    gap[..., :-1][tied] = 0.0
    empty = (sizes[0] == 0) | (sizes[1] == 0)
    return np.asarray(np.where(empty[..., 0], np.nan, gap.max(axis=-1)))


def independent_share(days: FloatArray) -> FloatArray:
    """Return how many independent days a day is worth.

    The first autocorrelation r of the days, corrected for its bias in short samples (Kendall,
    1954), gives (1 - r) / (1 + r), the worth in an autoregression (Bartlett, 1946).

    Args:
        days: (..., days), NaN where unknown.

    Returns:
        (...,) between .05 and 1; days that repel each other count once.
    """
    known = np.isfinite(days)
    count = np.maximum(known.sum(axis=-1), 1)
    off = np.where(known, days - _mean(days, known)[..., None], 0.0)
    variance = (off**2).sum(axis=-1)
    product = (off[..., 1:] * off[..., :-1]).sum(axis=-1)
    memory = np.where(variance > 0.0, product / np.where(variance > 0.0, variance, 1.0), 0.0)
    unbiased = np.clip((count * memory + 1.0) / np.maximum(count - 3, 1), 0.0, LARGEST_MEMORY)
    return np.asarray((1.0 - unbiased) / (1.0 + unbiased))


def ks_p_values(before: FloatArray, after: FloatArray, *, worth: FloatArray) -> FloatArray:
    """Return the p-values of the distances between days, NaN where too few days are known.

    Args:
        before: (..., days).
        after: (..., other days).
        worth: (...,) independent days that a day counts for.
    """
    known = [np.isfinite(one).sum(axis=-1) for one in (before, after)]
    size = worth * known[0] * known[1] / np.maximum(known[0] + known[1], 1)
    root = np.sqrt(np.maximum(size, 1e-9))
    # The asymptotic law, corrected for small samples (Stephens, 1970).
    p_values = kstwobign.sf((root + 0.12 + 0.11 / root) * ks_distances(before, after))
    enough = [
        count >= MIN_KNOWN_DAYS_SHARE * one.shape[-1]
        for count, one in zip(known, (before, after), strict=True)
    ]
    return np.asarray(np.where(enough[0] & enough[1], p_values, np.nan))


def share_differing(p_values: FloatArray) -> FloatArray:
    """Return the share of the known series (first axis) that differ; zero where none is known."""
    known = np.isfinite(p_values).sum(axis=0)
    return np.asarray((p_values <= LEVEL).sum(axis=0) / np.maximum(known, 1))


def usual_share(days: FloatArray, *, worth: FloatArray) -> FloatArray:
    """Return the share of series that differs between a week of the training and its other weeks.

    Args:
        days: (n, features, days) of whole weeks.
        worth: (n, features).

    Returns:
        (features,) mean over the weeks, LEVEL at least and LARGEST_USUAL at most: what a test that
        holds its level gives, and more where levels wander for longer than the autocorrelation of
        days says.
    """
    shares = []
    for first in range(0, days.shape[-1], WEEK_DAYS):
        week = np.arange(first, first + WEEK_DAYS)
        others = np.delete(days, week, axis=-1)
        shares.append(share_differing(ks_p_values(others, days[..., week], worth=worth)))
    return np.asarray(np.clip(np.mean(shares, axis=0), LEVEL, LARGEST_USUAL))


def common_share(days: FloatArray) -> FloatArray:
    """Return the correlation between two series of whether they differ.

    A two-sided test sees squares, and squares of two normal variables with correlation r correlate
    by r squared; its mean over all pairs is estimated, less what days that are few make up.
    Weekends that all series share are on both sides of a comparison and left out.

    Args:
        days: (n, features, days) of whole weeks, NaN where unknown.

    Returns:
        (features,) between SMALLEST_COMMON and LARGEST_COMMON.
    """
    weeks = days.reshape(*days.shape[:-1], -1, WEEK_DAYS).swapaxes(-1, -2)
    known = np.isfinite(weeks)
    off = np.where(known, weeks - _mean(weeks, known)[..., None], 0.0)
    off = off.swapaxes(-1, -2).reshape(days.shape)
    length = np.sqrt((off**2).sum(axis=-1, keepdims=True))
    unit = np.where(length > 0.0, off / np.where(length > 0.0, length, 1.0), 0.0)
    # The sum of the squares of all correlations is that of the days with each other.
    between = np.einsum("nfd,nfe->fde", unit, unit)
    counted = (length[..., 0] > 0.0).sum(axis=0)
    pairs = np.maximum(counted * (counted - 1), 1)
    squares = ((between**2).sum(axis=(1, 2)) - counted) / pairs
    worth = np.where(counted > 0, independent_share(days).mean(axis=0), 1.0)
    free = (days.shape[-1] - WEEK_DAYS) * worth
    chance = 1.0 / np.maximum(free, 1.0)
    return np.asarray(np.clip(squares - chance, SMALLEST_COMMON, LARGEST_COMMON))


def few_p_value(p_values: FloatArray, *, share: float) -> float:
    """Return the p-value of "less than such a share changed", valid under any dependence.

    If each p-value is valid by itself, a share c of them is at or below a with probability a/c at
    most (Rüger, 1978).

    Args:
        p_values: (series,), NaN where unknown.
        share: Above 0 and up to 1.
    """
    known = np.sort(p_values[np.isfinite(p_values)])
    if not len(known):
        return 1.0
    at = max(math.ceil(share * len(known)), 1)
    return min(float(known[at - 1]) * len(known) / at, 1.0)


def share_p_value(differing: int, *, series: int, usual: float, common: float) -> float:
    """Return the probability that so many series differ when each does so with the usual share.

    The count of indicators that correlate by `common` is taken as beta-binomial.

    Args:
        differing: Series that differ.
        series: Series that were tested; 0 gives 1.
        usual: Above 0 and below 1.
        common: Above 0 and below 1.
    """
    if series == 0:
        return 1.0
    spread = 1.0 / common - 1.0
    one, other = usual * spread, (1.0 - usual) * spread
    count = np.arange(differing, series + 1)
    # scipy.stats.betabinom.sf, without its checks: this is asked for many times a look.
    ways = -betaln(series - count + 1, count + 1) - math.log(series + 1)
    logarithm = ways + betaln(count + one, series - count + other) - betaln(one, other)
    return float(min(np.exp(logarithm).sum(), 1.0))


def _mean(days: FloatArray, known: np.ndarray) -> FloatArray:
    count = np.maximum(known.sum(axis=-1), 1)
    return np.asarray(np.where(known, days, 0.0).sum(axis=-1) / count)
