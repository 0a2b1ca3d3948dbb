"""The global model: robust weights of simple rules, trees that correct several anchors, two tails.

Most trees are fitted without the newest days, on which everything else is then measured: how far
to believe them, how wide intervals are. The others have seen these days too.
"""

from __future__ import annotations

from dataclasses import dataclass

import lightgbm as lgb
import numpy as np

from tasks.domain.arrays import FloatArray, IntArray
from tasks.domain.load.features import ANCHORS, DECIMALS, Ahead, Matrix
from tasks.domain.load.global_linear import RuleWeights, fit_rule_weights
from tasks.domain.load.global_trees import Job, fit_boosters, predictions
from tasks.domain.load.sampling import Cases

TAILS = (0.1, 0.9)
FEWEST_CASES = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What is expected of m cases, in spreads about the level.

    Attributes:
        members: (m, k) of each ensemble of trees, and of the weighted rules.
        low: (m,) 10 % quantile.
        high: (m,) 90 % quantile.
    """

    members: FloatArray
    low: FloatArray
    high: FloatArray

    @property
    def median(self) -> FloatArray:
        """(m,) the middle of the members: no single one can spoil it."""
        return np.asarray(np.median(self.members, axis=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalModel:
    """Fitted ensembles.

    Attributes:
        rules: Weights of the simple rules, whose forecast is a feature of the trees.
        anchors: What each member corrects.
        members: One ensemble an anchor.
        tails: Ensembles of the TAILS, about the level.
    """

    rules: RuleWeights
    anchors: tuple[str, ...]
    members: tuple[lgb.Booster, ...]
    tails: tuple[lgb.Booster, ...]

    def predict(self, ahead: Ahead, horizon: IntArray, *, threads: int = 1) -> Expected:
        """Return what is expected of cases at their hours ahead."""
        simple = self.rules.predict(ahead.rules, horizon)
        features = _design(ahead, simple)
        found = predictions((*self.members, *self.tails), features, threads=threads)
        places = [ANCHORS.index(name) for name in self.anchors]
        count = len(self.members)
        low, high = found[count:]
        return Expected(
            members=np.column_stack(
                [ahead.anchors[:, places] + np.column_stack(found[:count]), simple]
            ),
            low=np.minimum(low, high),
            high=np.maximum(low, high),
        )


def fit_global_model(
    cases: Cases, early: IntArray, *, seed: int, threads: int
) -> tuple[GlobalModel, GlobalModel]:
    """Return the model of the early cases, and the one that joins it with trees of all cases.

    Args:
        cases: Training cases.
        early: Those whose outcome was known before the backtest begins; at least FEWEST_CASES.
        seed: Equal cases and seed give equal models, whatever the threads.
        threads: Ensembles fitted side by side.
    """
    horizon, rules = cases.horizon, cases.ahead.rules
    weights = fit_rule_weights(
        rules[early], horizon[early], cases.target[early], cases.weight[early]
    )
    features = _design(cases.ahead, weights.predict(rules, horizon))
    every = np.arange(len(cases))
    jobs = [
        *(_job(cases, early, anchor, seed + at) for at, anchor in enumerate(ANCHORS)),
        *(_job(cases, early, "level", seed, quantile=quantile) for quantile in TAILS),
        *(_job(cases, every, anchor, seed + 100 + at) for at, anchor in enumerate(ANCHORS)),
    ]
    found = fit_boosters(features, cases.target, cases.weight, jobs, threads=threads)
    count = len(ANCHORS)
    tails = tuple(found[count : count + 2])
    first = GlobalModel(rules=weights, anchors=ANCHORS, members=tuple(found[:count]), tails=tails)
    both = GlobalModel(
        rules=weights,
        anchors=2 * ANCHORS,
        members=(*found[:count], *found[count + 2 :]),
        tails=tails,
    )
    return first, both


def _job(cases: Cases, rows: IntArray, anchor: str, seed: int, *, quantile: float = 0.5) -> Job:
    values = cases.ahead.anchors[:, ANCHORS.index(anchor)]
    return Job(rows=rows, anchor=values, quantile=quantile, seed=seed)


def _design(ahead: Ahead, expected: FloatArray) -> Matrix:
    rounded = np.round(expected, DECIMALS).astype(np.float32)
    return np.column_stack([ahead.features, rounded])
