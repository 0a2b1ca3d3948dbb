"""Samples in memory: what is read back, how series end, and what is dropped."""

from __future__ import annotations

import numpy as np
import pytest

from deployments.embedded.prometheus.labels import Labels
from deployments.embedded.prometheus.samples import CHUNK, OutOfOrderError, Samples, Selected

A: Labels = (("pod", "a"),)
B: Labels = (("pod", "b"),)


def everything(store: Samples, name: str = "m") -> Selected:
    (found,) = store.select(lambda _: True, start=0, end=2**60, name=name)
    return found


def test_what_is_appended_is_read_back_to_the_bit() -> None:
    store = Samples()
    values = [0.1, np.nan, -np.inf, 1e300]
    for at, value in enumerate(values):
        store.append(at + 1.0, "m", [A], np.array([value]))
    found = everything(store)
    np.testing.assert_array_equal(found.values, [values])
    assert found.present.all()
    assert found.labels == ((("__name__", "m"), ("pod", "a")),)
    np.testing.assert_array_equal(found.times, [1000, 2000, 3000, 4000])


def test_a_series_that_is_left_out_ends_and_may_begin_again() -> None:
    store = Samples()
    both, one = [A, B], [A]
    store.append(1.0, "m", both, np.array([1.0, 10.0]))
    store.append(2.0, "m", one, np.array([2.0]))
    store.append(3.0, "m", one, np.array([3.0]))
    store.append(4.0, "m", both, np.array([4.0, 40.0]))
    found = everything(store)
    np.testing.assert_array_equal(found.present[1], [True, False, False, True])
    np.testing.assert_array_equal(found.ended[1], [False, True, False, False])


def test_an_end_is_told_even_when_it_falls_on_a_new_chunk() -> None:
    store = Samples()
    for at in range(CHUNK):
        store.append(at + 1.0, "m", [A, B], np.array([1.0, at]))
    store.append(CHUNK + 1.0, "m", [A], np.array([1.0]))
    found = everything(store)
    assert found.ended[1].tolist() == [*[False] * CHUNK, True]
    np.testing.assert_array_equal(found.values[1, :CHUNK], np.arange(CHUNK))


def test_series_that_do_not_change_take_next_to_nothing() -> None:
    moving, still = Samples(), Samples()
    labels: list[Labels] = [(("pod", str(at)),) for at in range(100)]
    for at in range(4 * CHUNK):
        still.append(at + 1.0, "m", labels, np.ones(100))
        moving.append(at + 1.0, "m", labels, np.full(100, float(at)))
    assert still.bytes < 0.3 * moving.bytes
    np.testing.assert_array_equal(everything(still).values, np.ones((100, 4 * CHUNK)))


def test_old_samples_go_and_with_them_series_that_ended_long_ago() -> None:
    store = Samples(retention_seconds=2.0 * CHUNK)
    store.append(0.5, "m", [B], np.array([1.0]))
    for at in range(10 * CHUNK):
        store.append(at + 1.0, "m", [A], np.array([float(at)]))
    found = everything(store)
    assert [dict(one)["pod"] for one in found.labels] == ["a"]
    assert 2 * CHUNK <= len(found.times) <= 4 * CHUNK


def test_memory_is_bounded_whatever_comes() -> None:
    store = Samples(most_bytes=3_000_000)
    for at in range(10 * CHUNK):
        labels: list[Labels] = [(("pod", f"{at // CHUNK}-{number}"),) for number in range(300)]
        store.append(at + 1.0, "m", labels, np.full(300, float(at)))
    # An open chunk may come on top.
    assert store.bytes < 3_000_000 + 2 * 300 * CHUNK * 8


def test_time_does_not_go_back() -> None:
    store = Samples()
    store.append(5.0, "m", [A], np.array([1.0]))
    with pytest.raises(OutOfOrderError, match="5000 ms is not later"):
        store.append(5.0, "m", [A], np.array([1.0]))


def test_only_series_with_a_sample_in_the_time_are_listed() -> None:
    store = Samples()
    store.append(10.0, "m", [A, B], np.array([1.0, 1.0]))
    store.append(20.0, "m", [A], np.array([1.0]))
    listed = store.series(lambda _: True, start=15_000, end=25_000)
    assert [dict(one)["pod"] for one in listed] == ["a"]
