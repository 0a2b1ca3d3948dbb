"""Laws of PromQL that hold for any samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deployments.embedded.prometheus.labels import Labels
from deployments.embedded.prometheus.promql.queries import instant_answer, range_answer
from deployments.embedded.prometheus.samples import Samples
from deployments.embedded.workloads.physics.arrays import Floats

BEGIN = 1_760_000_400
PODS: list[Labels] = [
    (("job", "even" if at % 2 == 0 else "odd"), ("pod", str(at))) for at in range(5)
]
seeds = st.integers(0, 2**31)


def store_of(values: Floats, *, step: int = 15, whole: bool = True, name: str = "m") -> Samples:
    """Return samples of (pods, n); NaN is none, after which a series has ended with `whole`."""
    store = Samples()
    for column in range(values.shape[1]):
        there = np.flatnonzero(~np.isnan(values[:, column])).tolist()
        labels = [PODS[row] for row in there]
        now = BEGIN + float(step * column)
        store.append(now, name, labels, values[there, column], whole=whole)
    return store


def walk(seed: int, *, gaps: float = 0.0, columns: int = 60) -> Floats:
    """Return counters of five pods that rise, begin anew and pause."""
    rng = np.random.default_rng(seed)
    values = np.cumsum(rng.integers(0, 1000, (5, columns)).astype(float), axis=1)
    row, column = rng.integers(5), rng.integers(1, columns)
    values[row, column:] -= values[row, column]
    values[rng.random(values.shape) < gaps] = np.nan
    return values


def answered(store: Samples, query: str, when: float) -> dict[tuple[tuple[str, str], ...], float]:
    found = instant_answer(store, query, time_ms=round(when * 1000))
    return {tuple(sorted(one["metric"].items())): float(one["value"][1]) for one in found["result"]}


@given(
    slope=st.floats(0.01, 1e4),
    step=st.integers(5, 60),
    width=st.integers(3, 20),
    late=st.floats(0.0, 0.99),
)
def test_the_rate_of_a_line_is_its_slope(slope: float, step: int, width: int, late: float) -> None:
    values = 1e6 * slope + slope * step * np.arange(60.0)[None]
    store = store_of(values, step=step)
    when = BEGIN + step * (40 + round(late, 2))
    (found,) = answered(store, f"rate(m[{width * step}s])", when).values()
    assert found == pytest.approx(slope, rel=1e-6)


@given(seed=seeds)
def test_an_increase_is_a_rate_times_its_range(seed: int) -> None:
    store = store_of(walk(seed, gaps=0.2), whole=False)
    rates = answered(store, "rate(m[5m])", BEGIN + 700)
    increases = answered(store, "increase(m[5m])", BEGIN + 700)
    assert increases == pytest.approx({key: 300 * value for key, value in rates.items()})
    assert all(value >= 0 for value in rates.values())


@given(seed=seeds)
def test_parts_sum_to_the_whole(seed: int) -> None:
    store = store_of(walk(seed, gaps=0.2))
    whole = answered(store, "sum(rate(m[5m]))", BEGIN + 800)
    for grouping in ("by (job)", "without (pod)", "by (pod, job)"):
        parts = answered(store, f"sum {grouping} (rate(m[5m]))", BEGIN + 800)
        assert sum(parts.values()) == pytest.approx(sum(whole.values()))


QUERIES = (
    "m",
    "rate(m[2m])",
    "irate(m[1m])",
    "max_over_time(m[3m])",
    "quantile_over_time(0.7, m[3m])",
    "deriv(m[3m])",
    "sum by (job) (m)",
    "topk(2, m)",
    "m > on (pod) m offset 5m",
    "m / ignoring (pod) group_left () sum by (job) (m)",
    "absent(m{pod='1'})",
)


@given(seed=seeds, query=st.sampled_from(QUERIES), whole=st.booleans())
@settings(max_examples=60)
def test_a_range_is_its_instants(seed: int, query: str, whole: bool) -> None:
    store = store_of(walk(seed, gaps=0.3), whole=whole)
    start, step, count = BEGIN + 100, 37, 20
    found = range_answer(
        store,
        query,
        start_ms=start * 1000,
        end_ms=(start + step * (count - 1)) * 1000,
        step_ms=step * 1000,
    )
    told: dict[float, dict[Any, float]] = {start + step * at: {} for at in range(count)}
    for one in found["result"]:
        for when, value in one["values"]:
            told[when][tuple(sorted(one["metric"].items()))] = float(value)
    for when, values in told.items():
        assert answered(store, query, when) == pytest.approx(values, rel=1e-9, nan_ok=True)


@given(seed=seeds, q=st.floats(0.0, 1.0), more=st.floats(0.0, 1.0))
def test_quantiles_rise_from_the_least_to_the_most(seed: int, q: float, more: float) -> None:
    store = store_of(walk(seed))
    when, high = BEGIN + 500, q + (1.0 - q) * more
    (least,) = answered(store, "min(m)", when).values()
    (most,) = answered(store, "max(m)", when).values()
    (low_value,) = answered(store, f"quantile({q:.6f}, m)", when).values()
    (high_value,) = answered(store, f"quantile({high:.6f}, m)", when).values()
    assert least <= low_value <= high_value * (1 + 1e-12) <= most * (1 + 1e-9)


@given(seed=seeds, count=st.integers(-1, 7))
def test_topk_are_the_largest(seed: int, count: int) -> None:
    store = store_of(walk(seed, gaps=0.3))
    every = sorted(answered(store, "m", BEGIN + 600).values(), reverse=True)
    chosen = answered(store, f"topk({count}, m)", BEGIN + 600)
    assert list(chosen.values()) == every[: max(count, 0)]


@given(seed=seeds)
def test_and_and_unless_share_out_a_vector(seed: int) -> None:
    store = store_of(walk(seed, gaps=0.3))
    when = BEGIN + 600
    both = answered(store, "m and m > 10000", when)
    rest = answered(store, "m unless m > 10000", when)
    assert both.keys().isdisjoint(rest)
    assert both | rest == answered(store, "m", when)
    assert answered(store, "m > 10000 or m <= 10000", when) == answered(store, "m", when)


@given(seed=seeds, q=st.floats(0.01, 0.99))
def test_a_histogram_quantile_lies_in_its_bucket(seed: int, q: float) -> None:
    rng = np.random.default_rng(seed)
    bounds = np.array([0.1, 0.5, 1.0, 2.0])
    counts = np.cumsum(rng.integers(0, 50, 5)).astype(np.float64) + 1.0
    labels: list[Labels] = [(("le", text),) for text in ("0.1", "0.5", "1", "2", "+Inf")]
    store = Samples()
    store.append(float(BEGIN), "b", labels, counts)
    (found,) = answered(store, f"histogram_quantile({q:.4f}, b)", BEGIN + 1).values()
    bucket = int(np.argmax(counts >= round(q, 4) * counts[-1]))
    if bucket == 4:
        assert found == 2.0
    else:
        assert (0.0 if bucket == 0 else bounds[bucket - 1]) <= found <= bounds[bucket] * (1 + 1e-12)


def test_a_counter_is_not_extended_below_zero() -> None:
    """Prometheus 3: first sample 1 after 100 s of a range of 140 s, 10 more in each of 4 steps of 10 s.

    The samples are 1, 11, 21, 31, 41 over 40 s, so the mean distance is 10 s. The start is further away
    than 1.1 of it, so half of one would be added; but the line was at zero 40 x 1 / 40 = 1 s before. The
    end is 0 s away: 40 x (40 + 1 + 0) / 40 = 41.
    """
    values = np.array([[1.0, 11.0, 21.0, 31.0, 41.0]])
    store = store_of(values, step=10)
    assert answered(store, "increase(m[140s])", BEGIN + 40) == {PODS[0]: pytest.approx(41.0)}


def test_ranges_and_look_back_are_open_on_the_left() -> None:
    store = store_of(np.arange(5.0)[None], step=10, whole=False)
    counted = answered(store, "count_over_time(m[20s])", BEGIN + 40)
    assert counted == {PODS[0]: 2.0}
    assert answered(store, "count(m)", BEGIN + 40 + 299.999) == {(): 1.0}
    assert answered(store, "count(m)", BEGIN + 40 + 300) == {}
