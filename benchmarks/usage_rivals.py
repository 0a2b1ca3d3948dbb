"""What peers do: k-means with five clusters on mean and 95th percentile, both standardised."""

from __future__ import annotations

import numpy as np
from sklearn.cluster import KMeans
from sklearn.preprocessing import StandardScaler

from tasks.domain.arrays import FloatArray, IntArray
from tasks.domain.usage.features import Feature, UsageFeatures

CLUSTERS = 5


def kmeans5(features: UsageFeatures, *, seed: int, drawn: IntArray | None = None) -> IntArray:
    """Return (n,) clusters, fitted to the rows drawn; None for all."""
    points = _mean_and_p95(features)
    given = points if drawn is None else points[drawn]
    scaler = StandardScaler().fit(given)
    model = KMeans(CLUSTERS, n_init=10, random_state=seed).fit(scaler.transform(given))
    found: IntArray = model.predict(scaler.transform(points)).astype(np.int64)
    return found


def _mean_and_p95(features: UsageFeatures) -> FloatArray:
    return np.stack([features.of(Feature.LEVEL), features.of(Feature.P95)], axis=1)
