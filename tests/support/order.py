"""Which of pytest-xdist's workers runs which tests, and in which order.

A pytest plugin. Dealt as they come, in pieces, the tests of one module end up at several workers, and
each sets up the module's servers and flows anew; and the worker with the slow modules is left alone
at the end. So each worker gets whole modules with slow tests, begins with those, and ends with fast
ones, of which who is done early takes some over. Without workers the order stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, TypeVar

import pytest

T = TypeVar("T")
SHARED_FIXTURE = "installation"
"""Of a whole run: a second worker that wants it does nothing until the first one has made it."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Order what is left of the tests, where workers share them."""
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    if workers < 2:
        return
    groups = _groups(items)
    longest = float(config.getini("timeout") or 0.0)
    seconds = {
        name: sum(_allowed_seconds(item, longest) for item in group if _is_slow(item))
        for name, group in groups.items()
    }
    items[:] = dealt(groups, seconds, hands=workers)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give every worker its part of the order at once, and let the idle steal from the end."""
    if config.getoption("dist") != "load":
        return None  # Somebody asked for another way.
    # Late: where there are no workers, xdist may not be there.
    from xdist.scheduler import WorkStealingScheduling  # type: ignore[import-untyped]

    return WorkStealingScheduling(config, log)


def dealt(
    groups: Mapping[str, Sequence[T]], seconds: Mapping[str, float], *, hands: int
) -> list[T]:
    """Return all tests as one list that falls, in equal numbers, into the hands of the workers.

    Args:
        groups: Tests that belong together, in order.
        seconds: What the slow tests of each group may take; 0 for a group that is fast and may be
            torn apart.
        hands: How many workers there are; at least 1.
    """
    held: list[list[T]] = [[] for _ in range(hands)]
    loads = [0.0] * hands
    slow = [name for name in groups if seconds[name] > 0.0]
    for name in sorted(slow, key=lambda one: -seconds[one]):
        lightest = loads.index(min(loads))
        held[lightest].extend(groups[name])
        loads[lightest] += seconds[name]
    fast = chain.from_iterable(groups[name] for name in groups if name not in slow)
    for hand, size in zip(held, _sizes(sum(map(len, groups.values())), hands), strict=True):
        hand.extend(islice(fast, max(0, size - len(hand))))
    return [*chain.from_iterable(held), *fast]


def _sizes(total: int, hands: int) -> Iterator[int]:
    """Yield how many tests each worker gets at first, as the scheduler counts them."""
    for nth in range(hands):
        size = total // (hands - nth)
        total -= size
        yield size


def _groups(items: Sequence[pytest.Item]) -> dict[str, list[pytest.Item]]:
    """Return tests by module; those that look at the same installation are one group."""
    sharing = {_module(item) for item in items if SHARED_FIXTURE in _fixtures(item)}
    groups: dict[str, list[pytest.Item]] = {}
    for item in items:
        module = _module(item)
        groups.setdefault(SHARED_FIXTURE if module in sharing else module, []).append(item)
    return groups


def _module(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


def _fixtures(item: pytest.Item) -> Sequence[str]:
    names: Sequence[str] = getattr(item, "fixturenames", ())
    return names


def _is_slow(item: pytest.Item) -> bool:
    return item.get_closest_marker("slow") is not None


def _allowed_seconds(item: pytest.Item, longest: float) -> float:
    marker = item.get_closest_marker("timeout")
    return float(marker.args[0]) if marker is not None and marker.args else longest
