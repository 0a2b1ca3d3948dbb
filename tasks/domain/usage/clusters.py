"""Clusters of resources, their number chosen by what survives resampling, their names by vote.

For each number of clusters k-means is fitted to resamples (bootstrap), every cluster is named, and
the names that the fits give to all resources are compared. The number with the largest product of
two shares wins: agreement of the names (adjusted Rand index) and spread that the clusters explain.
Agreement alone would tend to two or three clusters, explained spread always to the most. Clusters
that get the same name are one archetype, so that a few too many cost nothing; where archetypes are
clear the choice is near the most that is tried.

The fits of the chosen number then vote on the name of each resource (bagging, Dudoit and Fridlyand
2003), and the votes say how sure it is. A resource's own hours come first, for where resources are
few a cluster holds several archetypes and its medians are nobody's: each voter reads them with
yardsticks that are off by about a tenth, and a voter's cluster names the resource only with a name
that a quarter of these readings give. The company that it keeps decides where it stands at a limit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # no stubs

from tasks.domain.arrays import FloatArray, IntArray
from tasks.domain.usage.archetypes import Archetype
from tasks.domain.usage.names import ORDER, median_row, names_of

CLUSTERS = range(3, 17)
MEMBERS_PER_CLUSTER = 6
"""No more clusters than leave each this many resources on average."""
CHOOSING_ROWS = 2_500
CHOOSING_FITS = 8
VOTERS = 15
VOTING_ROWS = 20_000
MINI_BATCH_FROM = 5_000
"""Rows from which on k-means goes by mini-batches."""
YARDSTICK_ERROR = 0.1
"""Standard deviation of the logarithm."""
OPEN_SHARE = 0.25
"""Of the readings: a name that fewer give is not left open by the resource's own hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Votes:
    """What the fits say of every resource.

    Attributes:
        clusters: Number of clusters chosen.
        agreement: By number of clusters tried, mean adjusted Rand index of names between fits.
        explained: By number of clusters tried, share of the spread.
        names: (voters, n) positions in ORDER.
        name_agreement: Mean adjusted Rand index of names between voters.
        labels: (n,) cluster in the first voter's fit.
        cluster_names: Of the first voter's clusters.
    """

    clusters: int
    agreement: dict[int, float]
    explained: dict[int, float]
    names: IntArray
    name_agreement: float
    labels: IntArray
    cluster_names: tuple[Archetype, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Named clusters of one resample.

    Attributes:
        centres: (k, d).
        names: (k,) positions in ORDER.
        explained: Share of the resample's spread.
    """

    centres: FloatArray
    names: IntArray
    explained: float

    def labels(self, points: FloatArray) -> IntArray:
        """Return (n,) the nearest centre of each point."""
        # |p - c|^2 less |p|^2, which is the same for every centre: no (n, k, d) array.
        apart = (self.centres**2).sum(axis=1) - 2.0 * points @ self.centres.T
        found: IntArray = np.argmin(apart, axis=1)
        return found


def votes_on(
    points: FloatArray, table: FloatArray, *, seed: int, drawn: IntArray | None = None
) -> Votes:
    """Return the votes of all fits on every resource.

    Args:
        points: (n, d) scaled coordinates; the order of rows does not matter.
        table: (n, f) what names rest on, `names.naming_table`.
        seed: Of resampling and of k-means.
        drawn: Rows to fit to, at least 2, perhaps some twice; None for all.
    """
    rows = np.arange(len(points)) if drawn is None else drawn
    # The order of the resources must not decide which of them a resample draws.
    rows = rows[np.lexsort((*table[rows].T, *points[rows].T))]
    rng = np.random.default_rng([seed, 3])
    sample = rows[np.sort(rng.permutation(len(rows))[:CHOOSING_ROWS])]
    tried = {
        number: _fits(points[sample], table[sample], number, CHOOSING_FITS, seed)
        for number in _numbers(points[sample])
    }
    agreement = {number: _agreement(fits, points[sample]) for number, fits in tried.items()}
    explained = {n: float(np.mean([one.explained for one in fits])) for n, fits in tried.items()}
    chosen = max(tried, key=lambda number: agreement[number] * explained[number])
    voters = _fits(points[rows], table[rows], chosen, VOTERS, seed + 1)
    labels = [fit.labels(points) for fit in voters]
    named = np.stack([fit.names[at] for fit, at in zip(voters, labels, strict=True)])
    names = left_open(named, readings(table))
    return Votes(
        clusters=chosen,
        agreement=agreement,
        explained=explained,
        names=names,
        name_agreement=_mean_agreement(names[:, sample]),
        labels=labels[0],
        cluster_names=tuple(ORDER[at] for at in voters[0].names.tolist()),
    )


def readings(table: FloatArray) -> IntArray:
    """Return (voters, n) the names by each resource's own hours, positions in ORDER.

    The yardsticks are the same in every run and for every fleet: limits that moved would look like
    resources that changed.
    """
    error = np.random.default_rng(0).standard_normal((VOTERS, table.shape[1]))
    # The first one is right.
    error[0] = 0.0
    return np.stack([names_of(table * factor) for factor in np.exp(YARDSTICK_ERROR * error)])


def left_open(clustered: IntArray, read: IntArray) -> IntArray:
    """Return (voters, n) each voter's name for each resource, positions in ORDER.

    Args:
        clustered: (voters, n) name of the resource's cluster; it stands where a quarter of all
            readings give it, too.
        read: (voters, n) names by the resource's own hours; the voter's reading stands else.
    """
    support = np.zeros(clustered.shape, dtype=np.int64)
    for reading in read:
        support += clustered == reading
    return np.where(support >= OPEN_SHARE * len(read), clustered, read)


def _numbers(points: FloatArray) -> list[int]:
    """Return the numbers of clusters to try; fewer where there are few different resources."""
    most = min(len(points) // MEMBERS_PER_CLUSTER, len(np.unique(points, axis=0)))
    return [number for number in CLUSTERS if number <= most] or [min(2, len(points))]


def _fits(points: FloatArray, table: FloatArray, number: int, count: int, seed: int) -> list[Fit]:
    rng = np.random.default_rng([seed, number])
    size = min(len(points), VOTING_ROWS)
    draws = [rng.integers(0, len(points), size) for _ in range(count)]
    return [_fit(points[rows], table[rows], number, seed + at) for at, rows in enumerate(draws)]


def _fit(points: FloatArray, table: FloatArray, number: int, seed: int) -> Fit:
    number = min(number, len(np.unique(points, axis=0)))
    settings = {"n_clusters": number, "n_init": 4, "random_state": seed % 2**32}
    large = len(points) >= MINI_BATCH_FROM
    model = MiniBatchKMeans(batch_size=2048, **settings) if large else KMeans(**settings)
    labels = _fitted_labels(model, points)
    centres = np.asarray(model.cluster_centers_, dtype=np.float64)
    spread = ((points - points.mean(axis=0)) ** 2).sum()
    explained = 1.0 - ((points - centres[labels]) ** 2).sum() / spread if spread > 0.0 else 0.0
    filled = np.flatnonzero(np.bincount(labels, minlength=number))
    names = names_of(np.stack([median_row(table[labels == at]) for at in filled]))
    return Fit(centres=centres[filled], names=names, explained=float(explained))


def _fitted_labels(model: KMeans | MiniBatchKMeans, points: FloatArray) -> IntArray:
    # Threads cost more than they give on fits this small, and add up in another order each time.
    with threadpool_limits(1):
        labels: IntArray = model.fit_predict(points).astype(np.int64)
    return labels


def _agreement(fits: list[Fit], points: FloatArray) -> float:
    """Return the mean adjusted Rand index of names over pairs of fits."""
    return _mean_agreement([fit.names[fit.labels(points)] for fit in fits])


def _mean_agreement(named: Sequence[IntArray] | IntArray) -> float:
    # One name for everything agrees with itself and says nothing.
    said = [
        adjusted_rand_score(a, b) if len(np.unique(a)) > 1 and len(np.unique(b)) > 1 else 0.0
        for a, b in combinations(named, 2)
    ]
    return float(np.mean(said))
