from __future__ import annotations

from typing import Any

import pytest

from tasks.adapters.pace import Pace
from tasks.adapters.pages import items

REGION = "us-east-1"


class Time:
    """A clock that sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_pages_are_read_to_the_end() -> None:
    pages: dict[str | None, dict[str, Any]] = {
        None: {"Rows": [1, 2], "NextMarker": "b"},
        "b": {"Rows": [], "NextMarker": "c"},
        "c": {"Rows": [3]},
    }
    asked: list[dict[str, Any]] = []

    def call(**arguments: Any) -> dict[str, Any]:
        asked.append(arguments)
        return pages[arguments.get("Marker")]

    found = list(
        items(
            call,
            "Rows",
            operation="x:Y",
            region=REGION,
            arguments={"Size": 2},
            token=("Marker", "NextMarker"),
        )
    )

    assert found == [1, 2, 3]
    assert asked == [{"Size": 2}, {"Size": 2, "Marker": "b"}, {"Size": 2, "Marker": "c"}]


@pytest.mark.parametrize(
    ("datapoints", "seconds"),
    [
        (1, 0.1),  # ten requests a second
        (100, 0.1),
        (500, 0.5),  # a thousand data points a second
    ],
)
def test_the_tighter_quota_sets_the_pace(datapoints: int, seconds: float) -> None:
    time = Time()
    pace = Pace(
        requests_per_second=10.0,
        datapoints_per_second=1000.0,
        clock=time.clock,
        sleep=time.sleep,
    )
    for _ in range(5):
        pace.wait(datapoints)

    # The first goes at once.
    assert time.now - 100.0 == pytest.approx(4 * seconds)


def test_a_pause_is_not_saved_up() -> None:
    time = Time()
    pace = Pace(requests_per_second=10.0, clock=time.clock, sleep=time.sleep)
    pace.wait(1)
    time.now += 60.0
    pace.wait(1)
    pace.wait(1)

    assert time.now == pytest.approx(160.1)
