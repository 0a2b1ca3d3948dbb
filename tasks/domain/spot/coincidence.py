"""How strongly losses of capacity coincide, measured on recorded traces."""

from __future__ import annotations

from datetime import timedelta
from itertools import combinations

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtri
from scipy.stats import multivariate_normal

from tasks.domain.arrays import BoolArray
from tasks.domain.spot.availability import AvailabilityPanel, Question, outcomes

MIN_TICKS = 300
RAREST_SHARE = 0.01
STRONGEST = 0.99


def latent_correlation(one: BoolArray, other: BoolArray) -> float | None:
    """Return the tetrachoric correlation of two events (Pearson, 1900), within -.99 to .99.

    It is the correlation of two normal variables whose thresholds give the events their shares
    and their coincidences. None where there are under 300 observations, or where one of the events
    happened in less than 1 % of them or failed to in less than 1 %.
    """
    if one.size < MIN_TICKS:
        return None
    shares = np.array([one.mean(), other.mean()])
    if shares.min() < RAREST_SHARE or shares.max() > 1.0 - RAREST_SHARE:
        return None
    both, thresholds = float((one & other).mean()), ndtri(shares)

    def excess(correlation: float) -> float:
        covariance = [[1.0, correlation], [correlation, 1.0]]
        return float(multivariate_normal(cov=covariance).cdf(thresholds)) - both

    for end in (-STRONGEST, STRONGEST):
        if excess(end) * np.sign(end) <= 0.0:
            return end
    return float(brentq(excess, -STRONGEST, STRONGEST, xtol=1e-4))


def mean_loss_correlation(
    panel: AvailabilityPanel, *, horizon: timedelta, same_type: bool
) -> float | None:
    """Return the mean latent correlation of losses over pairs of pools that both had capacity.

    Args:
        panel: Traces.
        horizon: Within which a loss counts.
        same_type: Whether the pairs are zones of one type, or pools of different types.

    Returns:
        Each pair counts by its ticks; None without a pair that can be measured.
    """
    steps = panel.steps(horizon)
    gone = ~outcomes(panel, steps=steps, question=Question.UNINTERRUPTED)
    values, weights = [], []
    for (i, one), (j, other) in combinations(enumerate(panel.pools), 2):
        if (one.instance_type == other.instance_type) is not same_type:
            continue
        both_up = (panel.up[i] & panel.up[j])[:-steps]
        found = latent_correlation(gone[i, both_up], gone[j, both_up])
        if found is not None:
            values.append(found)
            weights.append(int(both_up.sum()))
    return float(np.average(values, weights=weights)) if values else None
