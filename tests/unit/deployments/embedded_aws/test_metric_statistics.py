from __future__ import annotations

import numpy as np
import pytest

from deployments.embedded.aws.metric_statistics import is_statistic, statistic_by_period
from deployments.embedded.aws.metric_store import Columns, MetricKey, MetricStore

KEY = MetricKey(region="us-east-1", namespace="N", name="m")


def stored(*points: tuple[int, float, float, float, float]) -> Columns:
    store = MetricStore()
    store.put((KEY, point) for point in points)
    return store.read(KEY)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("Sum", [9.0, 10.0]),
        ("SampleCount", [4.0, 1.0]),
        ("Average", [2.25, 10.0]),
        ("Minimum", [1.0, 10.0]),
        ("Maximum", [4.0, 10.0]),
    ],
)
def test_statistics_weigh_samples_by_their_count(name: str, values: list[float]) -> None:
    # Out of order: three samples that sum to 5 between 1 and 2, one of 4, and one an hour later.
    points = stored((3700, 10.0, 1, 10.0, 10.0), (60, 4.0, 1, 4.0, 4.0), (10, 5.0, 3, 1.0, 2.0))

    starts, found = statistic_by_period(points, name=name, period=3600)

    assert starts.tolist() == [0, 3600]
    assert found.tolist() == values


@pytest.mark.parametrize("percent", ["0", "50", "90", "99.9", "100"])
def test_percentiles_agree_with_samples_written_out(percent: str) -> None:
    rng = np.random.default_rng(3)
    samples, counts = rng.random(20), rng.integers(1, 6, 20)
    points = stored(
        *((i, s * n, n, s, s) for i, (s, n) in enumerate(zip(samples, counts, strict=True)))
    )

    _, found = statistic_by_period(points, name=f"p{percent}", period=60)

    assert found[0] == pytest.approx(np.percentile(np.repeat(samples, counts), float(percent)))


def test_a_percentile_of_a_statistic_set_is_unknown() -> None:
    points = stored((0, 5.0, 3, 1.0, 2.0), (60, 7.0, 1, 7.0, 7.0))

    starts, found = statistic_by_period(points, name="p50", period=60)

    assert (starts.tolist(), found.tolist()) == ([60], [7.0])


def test_no_points_give_no_periods() -> None:
    starts, found = statistic_by_period(stored(), name="Average", period=60)

    assert len(starts) == len(found) == 0


@pytest.mark.parametrize("name", ["average", "p101", "tm90", "", "p"])
def test_other_names_are_no_statistics(name: str) -> None:
    assert not is_statistic(name)
