"""What a resource would have cost, told from what others did: kriging, with placebos for its error.

Deviations after the change are divided by a scale that grows with each resource's usual daily
spread. They are then one draw of a normal vector with an unknown common mean (the trend that
difference in differences takes out) and correlations between those that were seen in quarters of a
day and equal ones; peers have more in common. The changed resource's deviation is predicted from
the others' as in ordinary kriging (Cressie 1993): what moves together gets the weight, as with
synthetic controls (Abadie et al. 2010), and far outliers get little.

How far such predictions are off is not taken from the normal law. Every control is predicted from
the other controls as if it had been changed (placebos in space), and everything from everything in
earlier stretches (placebos in time); the 90 % quantile of those errors makes the interval, with
the errors found in development standing in while there are few of one's own (conformal prediction,
Vovk et al. 2005; placebos, Abadie et al. 2010).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student_t

from tasks.domain.arrays import FloatArray, IntArray
from tasks.domain.savings.realised.deviations import Deviations

COVERAGE = 0.9
SPREAD_POWER = 0.6
"""Scale over daily spread: what is restless is so by less in a bad month than on a bad day."""
OBSERVED_WEIGHT = 0.7
"""Of observed correlations; the rest is on the two below."""
CORRELATION, PEER_CORRELATION = 0.2, 0.5
COMMON_VARIANCE = 10.0
"""Of the common mean, in squared scales: so large that it is hardly believed beforehand."""
FARTHEST = 3.0
"""Scales that a control may be off at most; beyond that, something happened to it alone."""
INTERRUPTED_SPREAD = 1.15
"""Scales that a deviation spreads by when there is nobody to compare with."""
PRIOR_SPREAD, PRIOR_FREEDOM, PRIOR_STEPS = 0.66, 8.0, 20
PRIOR_SCORES: FloatArray = PRIOR_SPREAD * np.asarray(
    student_t.ppf(0.5 + (np.arange(PRIOR_STEPS) + 0.5) / (2 * PRIOR_STEPS), df=PRIOR_FREEDOM)
)
"""What stands in for placebos: a Student law, as wide as the errors in development."""
PRIOR_WEIGHT = 30.0
"""Placebos that the prior scores count as, all together."""
SPREAD_WEIGHT = 15.0
"""Placebos at which an account is believed half way to be calmer or wilder than development was."""
CALMEST = 0.02
"""Least spread of an account, over that of development."""
TIME_WEIGHT = 0.25
"""Of a placebo in time: it says less of the weeks after the change."""
LEAST_SCALE = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """A resource's relative deviation after the change, had it not been changed.

    Attributes:
        deviation: Expected; at least -1.
        half_width: Of the 90 % interval.
        order: Controls by weight, largest first; empty when none was used.
    """

    deviation: float
    half_width: float
    order: tuple[int, ...]


def scales(found: Deviations) -> FloatArray:
    """Return (n,) how far each deviates in the long run; 0 for what never does."""
    scale: FloatArray = found.daily_spread() ** SPREAD_POWER
    return np.where(scale > LEAST_SCALE, scale, 0.0)


def covariance(found: Deviations, peers: Sequence[str]) -> FloatArray:
    """Return (n, n) covariance of scaled deviations, the common mean included.

    Args:
        found: Of resources that deviate at all.
        peers: (n,) what each is alike with; "" for nothing known.
    """
    label = np.array(peers, dtype=object)
    alike = (label[:, None] == label[None, :]) & (label[:, None] != "")
    prior = np.where(alike, PEER_CORRELATION, CORRELATION)
    together = OBSERVED_WEIGHT * found.correlations() + (1.0 - OBSERVED_WEIGHT) * prior
    np.fill_diagonal(together, 1.0)
    return together + COMMON_VARIANCE


def predicted(
    scaled: FloatArray, spread: FloatArray, placebos: Sequence[FloatArray], *, scale: float
) -> Prediction:
    """Return the prediction of the first from the others.

    Args:
        scaled: (n,) deviations after the change over scale, n at least 3; the first is not read.
        spread: (n, n) covariance.
        placebos: Each (n,) deviations over scale of an earlier stretch, all untouched.
        scale: Of the first.
    """
    others = spread[1:, 1:]
    weights = np.linalg.solve(others, spread[0, 1:])
    off = float(np.sqrt(max(spread[0, 0] - weights @ spread[0, 1:], 0.0)))
    expected = float(weights @ np.clip(scaled[1:], -FARTHEST, FARTHEST)) * scale
    in_time = [scores(earlier, spread) for earlier in placebos]
    limit = score_limit(scores(scaled[1:], others), in_time)
    order: IntArray = np.argsort(-np.abs(weights), kind="stable")
    return Prediction(
        deviation=max(expected, -1.0),
        half_width=limit * off * scale,
        order=tuple(int(at) for at in order),
    )


def interrupted(placebos: Sequence[FloatArray], *, scale: float) -> Prediction:
    """Return the prediction of a resource from itself alone: as before.

    Args:
        placebos: Its deviations over scale in earlier stretches, each (1,).
        scale: Its own.
    """
    in_time = [np.abs(earlier) / INTERRUPTED_SPREAD for earlier in placebos]
    limit = score_limit(np.empty(0), in_time)
    return Prediction(deviation=0.0, half_width=limit * INTERRUPTED_SPREAD * scale, order=())


def scores(scaled: FloatArray, spread: FloatArray) -> FloatArray:
    """Return (n,) how far each is from its prediction by the others, in predicted errors."""
    inverse = np.linalg.inv(spread)
    precision = np.diag(inverse)
    near = np.clip(scaled, -FARTHEST, FARTHEST)
    found: FloatArray = np.abs((inverse @ near) / precision + scaled - near) * np.sqrt(precision)
    return found


def score_limit(in_space: FloatArray, in_time: Sequence[FloatArray]) -> float:
    """Return the score that nine of ten stay below.

    Prior scores are widened or narrowed by what the placebos in space say of this account, the more
    of them the more: a calm fleet is not to pay for the wild one of development.
    """
    found = np.concatenate([PRIOR_SCORES * _spread_here(in_space), in_space, *in_time])
    prior = np.full(PRIOR_STEPS, PRIOR_WEIGHT / PRIOR_STEPS)
    earlier = [np.full(len(one), TIME_WEIGHT) for one in in_time]
    weight = np.concatenate([prior, np.ones(len(in_space)), *earlier])
    return _weighted_quantile(found, weight, COVERAGE)


def _spread_here(in_space: FloatArray) -> float:
    if len(in_space) == 0:
        return 1.0
    usual = float(np.median(PRIOR_SCORES))
    seen = max(float(np.median(in_space)) / usual, CALMEST)
    return float(seen ** (len(in_space) / (len(in_space) + SPREAD_WEIGHT)))


def _weighted_quantile(values: FloatArray, weight: FloatArray, share: float) -> float:
    order = np.argsort(values, kind="stable")
    # Each value stands in the middle of its weight, so that one more or less moves it smoothly.
    below = (np.cumsum(weight[order]) - weight[order] / 2.0) / weight.sum()
    return float(np.interp(share, below, values[order]))
