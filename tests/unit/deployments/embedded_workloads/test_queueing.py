"""Waiting and sharing, by numbers that can be worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.embedded.workloads.physics.cores import shared, throttled_fraction
from deployments.embedded.workloads.physics.queueing import (
    BUCKETS_SECONDS,
    finite_queue,
    latency_buckets,
    latency_quantile,
    normal_cdf,
)


def one(value: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([value])


@pytest.mark.parametrize(
    ("load", "places", "blocked", "inside"),
    [
        # One place: a request finds it taken with probability load / (1 + load).
        (0.5, 1.0, 1 / 3, 1 / 3),
        (2.0, 1.0, 2 / 3, 2 / 3),
        # Two places at half load: 4 : 2 : 1.
        (0.5, 2.0, 1 / 7, 4 / 7),
        # Nearly without end: load / (1 - load).
        (0.8, 1e6, 0.0, 4.0),
        (0.0, 10.0, 0.0, 0.0),
        # Far too much: what is not served is blocked, and it is full.
        (10.0, 50.0, 0.9, 50 - 1 / 9),
    ],
)
def test_a_finite_queue_is_as_in_the_textbook(
    load: float, places: float, blocked: float, inside: float
) -> None:
    found = finite_queue(one(load), one(places))
    assert (found[0][0], found[1][0]) == pytest.approx((blocked, inside), abs=1e-9)


@given(load=st.floats(0, 50), more=st.floats(0, 5), places=st.floats(1, 5000))
def test_more_load_blocks_and_holds_more(load: float, more: float, places: float) -> None:
    (little, few), (much, many) = (finite_queue(one(x), one(places)) for x in (load, load + more))
    assert much[0] >= little[0] - 1e-9
    assert many[0] >= few[0] - 1e-6
    assert 0 <= many[0] <= places + 1e-9


@pytest.mark.parametrize("z", [-8.0, -1.0, 0.0, 0.5, 2.326, 8.0])
def test_the_normal_distribution_is_close_to_the_exact_one(z: float) -> None:
    assert normal_cdf(one(z))[0] == pytest.approx(0.5 * math.erfc(-z / math.sqrt(2)), abs=1e-7)


def test_buckets_rise_and_the_median_of_log_normal_latency_is_below_its_mean() -> None:
    fractions = latency_buckets(one(0.1), one(1.0))[0]
    assert len(fractions) == len(BUCKETS_SECONDS)
    assert (np.diff(fractions) >= 0).all()
    # Mean 0.1 and spread 1: the median is 0.1 / sqrt(2), which half of the requests stay below.
    median = latency_quantile(one(0.1), one(1.0), z=0.0)[0]
    assert median == pytest.approx(0.1 / math.sqrt(2))
    assert latency_buckets(one(0.1), one(1.0), (median,))[0][0] == pytest.approx(0.5)


def test_cores_are_shared_by_weight_and_what_one_leaves_goes_to_the_others() -> None:
    node, weight = np.zeros(3, dtype=int), np.array([1.0, 1.0, 2.0])
    # Of 4 cores the first takes its 0.4; the others share 3.6 as 1 : 2.
    given_, entitled = shared(np.array([0.4, 9.0, 9.0]), weight, node, one(4.0))
    assert given_ == pytest.approx([0.4, 1.2, 2.4])
    # Did the first ask for more, it would get 1.2 as the second does before it gave any up.
    assert entitled == pytest.approx([1.2, 1.2, 2.4])


def test_on_a_node_that_is_not_full_everyone_could_have_what_is_left() -> None:
    node = np.array([0, 0, 1])
    given_, entitled = shared(np.array([1.0, 0.5, 2.0]), np.ones(3), node, np.array([4.0, 3.0]))
    assert given_ == pytest.approx([1.0, 0.5, 2.0])
    assert entitled == pytest.approx([3.5, 3.0, 3.0])


@given(
    demand=st.lists(st.floats(0, 10), min_size=1, max_size=12),
    capacity=st.floats(0.5, 20),
)
def test_no_node_gives_more_than_it_has_and_wastes_none_that_is_wanted(
    demand: list[float], capacity: float
) -> None:
    wanted = np.array(demand)
    given_, entitled = shared(
        wanted, np.ones(len(demand)), np.zeros(len(demand), int), one(capacity)
    )
    assert (given_ <= wanted + 1e-9).all()
    assert (entitled >= given_ - 1e-9).all()
    assert given_.sum() == pytest.approx(min(wanted.sum(), capacity), rel=1e-6)


def test_throttling_begins_before_the_mean_reaches_the_limit() -> None:
    def fraction(rate: float, limit: float) -> float:
        mean = one(rate * 0.01)
        found = throttled_fraction(
            mean, rate=one(rate), cost_seconds=one(0.01), limit_cores=one(limit)
        )
        return float(found[0])

    assert fraction(10.0, 1.0) < 1e-6
    # 0.8 cores of 1: deviation sqrt(2 * 80 * 1e-4 / 0.1) is 0.4 cores; half a deviation is 31 %.
    assert fraction(80.0, 1.0) == pytest.approx(0.31, abs=0.01)
    assert fraction(200.0, 1.0) > 0.9
    assert fraction(200.0, np.inf) == 0.0


def test_long_jobs_are_cut_short_by_how_many_run_and_not_by_their_length() -> None:
    # 0.2 a second of 0.9 s: 0.18 run on average, with a deviation of 0.42, each on one core.
    found = throttled_fraction(
        one(0.18), rate=one(0.2), cost_seconds=one(0.9), limit_cores=one(1.0)
    )
    assert found[0] == pytest.approx(0.027, abs=0.002)
