from datetime import timedelta

import numpy as np
import pytest

from tasks.domain.arrays import IntArray
from tasks.domain.tuning.cache import cache_size
from tasks.domain.tuning.miss_ratio import knee, reuse_distances
from tasks.domain.tuning.observed import CacheObserved, TuningBounds
from tasks.domain.tuning.suggestions import NotSuggested, Suggestion

HOURS = 8 * 24
LOOKUPS = 100


def observed(
    *, size: int, hit_share: float, evicts: bool = True, references: IntArray | None = None
) -> CacheObserved:
    hits = np.full(HOURS, int(hit_share * LOOKUPS), dtype=np.int64)
    return CacheObserved(
        step=timedelta(hours=1),
        size_entries=np.full(HOURS, size, dtype=np.int64),
        lookups=np.full(HOURS, LOOKUPS, dtype=np.int64),
        hits=hits,
        evictions=(LOOKUPS - hits) * int(evicts),
        references=references,
    )


def suggested(seen: CacheObserved) -> Suggestion | NotSuggested:
    return cache_size("shop", seen, bounds=TuningBounds(), rng=np.random.default_rng(0))


def test_distances_count_the_other_keys_since_the_same_one() -> None:
    # a b c a a b: three different keys since the first a, one since the second, three since b.
    found = reuse_distances(np.array([0, 1, 2, 0, 0, 1]))
    assert found.rate == 1.0
    assert found.distance.tolist() == [np.inf, np.inf, np.inf, 3.0, 1.0, 3.0]


def test_a_sample_of_keys_tells_the_miss_ratio_of_all() -> None:
    rng = np.random.default_rng(0)
    keys = rng.integers(0, 4_000, 60_000)
    found = reuse_distances(keys)
    assert found.rate < 0.5
    later = found.at > 20_000
    # Of 4,000 equally likely keys a cache of 1,000 holds a quarter.
    misses = float((found.distance[later] > 1_000).mean())
    assert misses == pytest.approx(0.75, abs=0.03)


def test_the_knee_is_where_the_curve_flattens() -> None:
    sizes = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    assert knee(sizes, np.array([1.0, 0.5, 0.1, 0.09, 0.08])) == 3.0
    assert knee(sizes, np.full(5, 0.4)) == 1.0


def test_a_loop_just_larger_than_the_cache_asks_for_its_length() -> None:
    loop = np.tile(np.arange(150), HOURS * LOOKUPS // 150)
    found = suggested(observed(size=100, hit_share=0.0, references=loop))
    assert isinstance(found, Suggestion)
    assert found.change.after is not None
    assert 150 <= found.change.after <= 165
    assert found.effect.before == 1.0
    assert found.effect.expected < 0.05


def test_a_cache_that_evicts_nothing_is_large_enough() -> None:
    found = suggested(observed(size=100, hit_share=0.5, evicts=False))
    assert isinstance(found, NotSuggested)
    assert "nothing was evicted" in found.why


def test_one_size_without_a_trace_says_nothing_of_another() -> None:
    found = suggested(observed(size=100, hit_share=0.5))
    assert isinstance(found, NotSuggested)


def test_two_sizes_seen_give_a_wide_interval_around_their_continuation() -> None:
    seen = observed(size=100, hit_share=0.5)
    first = np.arange(HOURS) < HOURS // 2
    seen = CacheObserved(
        step=seen.step,
        size_entries=np.where(first, 50, 100),
        lookups=seen.lookups,
        hits=np.where(first, 30, 50),
        evictions=seen.evictions,
    )
    found = suggested(seen)
    assert isinstance(found, Suggestion)
    assert found.change.after == 200.0
    # 20 points for the last doubling: by logarithm another 20, by power law 14, steeper 30.
    assert found.effect.low == pytest.approx(0.2, abs=0.01)
    assert found.effect.high == pytest.approx(0.357, abs=0.01)
