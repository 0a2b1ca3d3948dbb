"""How archetypes are judged.

- ARI by name: adjusted Rand index between the true archetypes and the names given. UNUSUAL counts
  as one more name, so that giving up costs as much as being wrong.
- ARI by cluster: the same for the clusters before they are named.
- Right names: share of resources whose name is the true one.
- Worst right names: the lowest such share of an archetype.
- Bootstrap stability: resources are drawn with replacement, archetypes are found anew from scratch
  on each draw (number of clusters included), every resource is named by each, and the adjusted Rand
  index is averaged over pairs of draws. An answer with a single name for all is worth 0, not 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np
from sklearn.metrics import adjusted_rand_score

from benchmarks.harness import Metrics
from tasks.domain.arrays import IntArray
from tasks.domain.usage.archetypes import Archetype

Names = Sequence[Archetype]


def name_scores(truth: Names, given: Names) -> Metrics:
    """Return the scores of names: `ari`, `right_names_share`, `worst_right_names_share`."""
    right = np.array([a is b for a, b in zip(truth, given, strict=True)])
    by_archetype = [
        float(np.mean(right[[one is archetype for one in truth]]))
        for archetype in dict.fromkeys(truth)
    ]
    return {
        "ari": float(adjusted_rand_score(list(truth), list(given))),
        "right_names_share": float(right.mean()),
        "worst_right_names_share": min(by_archetype),
    }


def cluster_score(truth: Names, clusters: IntArray) -> float:
    """Return the adjusted Rand index of clusters without names."""
    return float(adjusted_rand_score(list(truth), clusters.tolist()))


def agreement(labellings: Sequence[Sequence[object]]) -> float | None:
    """Return the mean adjusted Rand index over pairs; None for fewer than two.

    A pair of which one has a single label for everything is worth 0: agreement that says nothing.
    """
    pairs = [_pair(first, second) for first, second in combinations(labellings, 2)]
    return float(np.mean(pairs)) if pairs else None


def _pair(first: Sequence[object], second: Sequence[object]) -> float:
    if len(set(first)) < 2 or len(set(second)) < 2:
        return 0.0
    return float(adjusted_rand_score([str(one) for one in first], [str(one) for one in second]))


def bootstrap_stability(
    count: int, *, fit: Callable[[IntArray, int], Sequence[object]], draws: int, seed: int
) -> float | None:
    """Return the agreement of answers found on resamples.

    Args:
        count: Resources.
        fit: Given the rows drawn (n,) and a seed, finds archetypes on them from scratch and returns
            a label for every resource, drawn or not.
        draws: Resamples, at least 2.
        seed: Of the draws.
    """
    rng = np.random.default_rng([seed, 2])
    rows = [rng.integers(0, count, count) for _ in range(draws)]
    return agreement([fit(drawn, seed + at) for at, drawn in enumerate(rows)])


def means(scores: Sequence[Metrics]) -> Metrics:
    """Return the mean of each score; None where one is undefined."""
    found: Metrics = {}
    for key in scores[0]:
        values = [one[key] for one in scores]
        known = [value for value in values if value is not None]
        found[key] = float(np.mean(known)) if len(known) == len(values) else None
    return found
