"""Workers get whole slow modules, begin with them, and end with what is fast."""

from __future__ import annotations

import pytest

from tests.support.order import dealt, pytest_xdist_make_scheduler

GROUPS = {
    "cheap": ["c1", "c2", "c3", "c4"],
    "engine": ["e1", "e2"],
    "flows": ["f1", "f2", "f3"],
    "pages": ["p1"],
    "units": ["u1", "u2"],
}
SECONDS = {"cheap": 0.0, "engine": 90.0, "flows": 60.0, "pages": 20.0, "units": 0.0}


def test_slow_modules_stay_whole_come_first_and_are_shared_by_what_they_take() -> None:
    first, second = _hands(dealt(GROUPS, SECONDS, hands=2), 2)

    assert first == ["e1", "e2", "c1", "c2", "c3", "c4"]
    assert second == ["f1", "f2", "f3", "p1", "u1", "u2"]


def test_a_worker_with_more_slow_tests_than_its_part_loses_none() -> None:
    groups = {"slow": ["s1", "s2", "s3", "s4", "s5"], "fast": ["f1"]}

    assert dealt(groups, {"slow": 1.0, "fast": 0.0}, hands=2) == [*groups["slow"], "f1"]


@pytest.mark.parametrize("hands", [1, 2, 3, 5])
def test_every_test_is_there_once_whatever_the_number_of_workers(hands: int) -> None:
    order = dealt(GROUPS, SECONDS, hands=hands)

    assert sorted(order) == sorted(one for group in GROUPS.values() for one in group)


def test_a_way_of_sharing_that_somebody_asked_for_is_left_alone(
    pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pytestconfig.option, "dist", "loadfile", raising=False)

    assert pytest_xdist_make_scheduler(pytestconfig, None) is None


def _hands(order: list[str], hands: int) -> list[list[str]]:
    """Cut a list as the scheduler does."""
    cut = []
    for left in range(hands, 0, -1):
        size = len(order) // left
        cut.append(order[:size])
        order = order[size:]
    return cut
