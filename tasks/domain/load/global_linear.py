"""One robust weighting of simple rules for all series, per range of hours ahead."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.domain.arrays import FloatArray, IntArray

RANGES = (1, 2, 4, 8, 14)
"""Last hours ahead of each range but the last."""
MOST = 15.0
"""Largest rule, in spreads."""
RIDGE = 0.01
ROUNDS = 6
SMALLEST = 0.05
"""Of a spread: errors below it weigh as if they were that large, or their weight had no bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleWeights:
    """Weights of r rules, (ranges, r)."""

    weights: FloatArray

    def predict(self, rules: FloatArray, horizon: IntArray) -> FloatArray:
        """Return (m,) expected values, in spreads about the level."""
        weights = self.weights[range_of(horizon)]
        return np.asarray(np.einsum("ij,ij->i", np.clip(rules, -MOST, MOST), weights))


def range_of(horizon: IntArray) -> IntArray:
    """Return (m,) the range that hours ahead, at least 1, belong to."""
    return np.searchsorted(RANGES, horizon).astype(np.int64)


def fit_rule_weights(
    rules: FloatArray, horizon: IntArray, target: FloatArray, weight: FloatArray
) -> RuleWeights:
    """Return weights with the least absolute error, by re-weighted least squares with a ridge.

    Args:
        rules: (m, r) in spreads about the level.
        horizon: (m,) hours ahead.
        target: (m,) what happened, likewise.
        weight: (m,) of each case, above 0.
    """
    at = range_of(horizon)
    found = np.zeros((len(RANGES) + 1, rules.shape[1]))
    for one in np.unique(at):
        of = np.flatnonzero(at == one)
        found[one] = _least_absolute(np.clip(rules[of], -MOST, MOST), target[of], weight[of])
    return RuleWeights(weights=found)


def _least_absolute(rules: FloatArray, target: FloatArray, weight: FloatArray) -> FloatArray:
    base = weight / weight.mean()
    pull = np.full(rules.shape[1], RIDGE * len(target))
    each = base / (1.0 + np.abs(target))
    found = np.zeros(rules.shape[1])
    for _ in range(ROUNDS):
        left = (rules * each[:, None]).T @ rules
        left[np.diag_indices_from(left)] += pull
        found = np.linalg.solve(left, (rules * each[:, None]).T @ target)
        each = base / np.maximum(np.abs(target - rules @ found), SMALLEST)
    return found
