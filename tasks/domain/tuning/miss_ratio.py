"""How often a cache misses at any size, from one pass over what was looked up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.domain.arrays import FloatArray, IntArray

MOST_SAMPLED = 25_000
"""References whose distance is computed; of longer traces a sample of keys is followed."""
BUCKETS = 2**24
GROUPS = 20
"""Of sampled keys, for the error that sampling them makes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Distances:
    """How many other keys were looked up since the same one, for sampled references.

    Attributes:
        at: (n,) position of the reference in the trace.
        distance: (n,) entries that a cache needs for a hit; infinite for a first reference.
        group: (n,) 0 to GROUPS - 1, by key.
        rate: Share of keys followed, above 0, at most 1.
    """

    at: IntArray
    distance: FloatArray
    group: IntArray
    rate: float


def reuse_distances(references: IntArray) -> Distances:
    """Return stack distances (Mattson et al., 1970) of a spatial sample of keys.

    Keys are followed by a hash of theirs, so every reference to a followed key is seen; distances
    among them are scaled up by the share followed (SHARDS: Waldspurger et al., 2015).
    """
    hashed = _hashed(references)
    rate = min(1.0, MOST_SAMPLED / max(len(references), 1))
    at = np.flatnonzero(hashed < rate * BUCKETS)
    _, keys = np.unique(references[at], return_inverse=True)
    distance = _stack_distances(keys) / rate
    return Distances(
        at=at.astype(np.int64),
        distance=distance,
        group=(_hashed(references[at] + 1) % GROUPS).astype(np.int64),
        rate=rate,
    )


def _hashed(keys: IntArray) -> IntArray:
    """Return a number below BUCKETS for each key, the same on every machine (splitmix64)."""
    mixed = keys.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((mixed ^ (mixed >> np.uint64(31))) % np.uint64(BUCKETS)).astype(np.int64)


def _stack_distances(keys: IntArray) -> FloatArray:
    """Return (n,) distinct keys since the last reference of the same key, itself included.

    A Fenwick tree holds a one at the last position of every key, so a distance is a sum of ones.
    """
    size = len(keys)
    tree = [0] * (size + 1)
    last: dict[int, int] = {}
    found = np.full(size, np.inf)

    def add(position: int, change: int) -> None:
        while position <= size:
            tree[position] += change
            position += position & -position

    def below(position: int) -> int:
        total = 0
        while position:
            total += tree[position]
            position -= position & -position
        return total

    for now, key in enumerate(keys.tolist(), start=1):
        before = last.get(key)
        if before is not None:
            found[now - 1] = len(last) - below(before) + 1
            add(before, -1)
        add(now, 1)
        last[key] = now
    return found


def knee(sizes: FloatArray, misses: FloatArray) -> float:
    """Return the size where the curve bends most: furthest below its chord (Satopaa et al., 2011).

    Args:
        sizes: (n,) rising, at least two.
        misses: (n,) miss ratios, falling.
    """
    span, drop = sizes[-1] - sizes[0], misses[0] - misses[-1]
    if span <= 0.0 or drop <= 0.0:
        return float(sizes[0])
    gained = (misses[0] - misses) / drop - (sizes - sizes[0]) / span
    return float(sizes[int(np.argmax(gained))])
