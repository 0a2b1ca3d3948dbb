"""Rolling updates stay within what the strategy allows, and end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.embedded.kubernetes.controllers.rollouts import (
    Size,
    allowances,
    next_sizes,
    proportional,
)

NUMBERS = st.integers(0, 12)


def size(name: str, wanted: int, available: int | None = None) -> Size:
    ready = wanted if available is None else available
    return Size(name=name, wanted=wanted, there=wanted, available=min(ready, wanted))


@pytest.mark.parametrize(
    ("surge", "missing", "replicas", "expected"),
    [
        ("25%", "25%", 4, (1, 1)),
        ("25%", "25%", 3, (1, 0)),
        (2, 0, 5, (2, 0)),
        (0, "10%", 3, (0, 1)),
    ],
)
def test_allowances_round_up_what_is_too_many_and_down_what_is_missing(
    surge: object, missing: object, replicas: int, expected: tuple[int, int]
) -> None:
    said = {"rollingUpdate": {"maxSurge": surge, "maxUnavailable": missing}}
    assert allowances(said, replicas) == expected


def test_old_pods_that_never_became_ready_go_first() -> None:
    found = next_sizes(
        size("new", 1),
        [size("bad", 3, available=0), size("good", 3)],
        replicas=5,
        surge=1,
        missing=1,
    )
    assert found["bad"] == 0
    assert found["good"] == 3


@given(
    replicas=st.integers(1, 12),
    new=NUMBERS,
    old=NUMBERS,
    ready=NUMBERS,
    surge=st.integers(0, 3),
    missing=st.integers(0, 3),
)
def test_no_step_goes_beyond_the_allowances(
    replicas: int, new: int, old: int, ready: int, surge: int, missing: int
) -> None:
    if not surge and not missing:
        missing = 1
    before = [size("new", new, ready), size("old", old)]
    found = next_sizes(before[0], before[1:], replicas=replicas, surge=surge, missing=missing)
    total = sum(one.wanted for one in before)
    assert sum(found.values()) <= max(replicas + surge, total)
    available = sum(one.available for one in before)
    # What is taken away was either not available, or not needed.
    taken = max(old - found["old"], 0)
    assert available - taken >= min(available, replicas - missing) or taken == 0
    assert all(many >= 0 for many in found.values())


@given(replicas=st.integers(1, 12), surge=st.integers(0, 3), missing=st.integers(0, 3))
def test_a_rollout_whose_pods_become_ready_ends(replicas: int, surge: int, missing: int) -> None:
    if not surge and not missing:
        missing = 1
    sizes = {"new": 0, "old": replicas}
    for _ in range(4 * replicas + 4):
        new, old = (size(name, many) for name, many in sizes.items())
        sizes = next_sizes(new, [old], replicas=replicas, surge=surge, missing=missing)
    assert sizes == {"new": replicas, "old": 0}


@given(st.lists(st.integers(0, 20), min_size=1, max_size=4), st.integers(0, 40))
def test_proportional_sizes_add_up(wanted: list[int], total: int) -> None:
    found = proportional([size(str(at), many) for at, many in enumerate(wanted)], total)
    assert sum(found.values()) == total
    assert all(many >= 0 for many in found.values())
