"""How many pods of each ReplicaSet a Deployment wants next; pure arithmetic."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """A ReplicaSet in numbers.

    Attributes:
        name: Of the set.
        wanted: Pods it is told to keep.
        there: Pods it has.
        available: Of them.
    """

    name: str
    wanted: int
    there: int
    available: int


def share(value: Any, of: int, *, up: bool) -> int:
    """Return a number of pods that is said as one, or as a percentage."""
    if isinstance(value, int):
        return value
    part = int(str(value).rstrip("%")) / 100.0 * of
    # Products of percentages are a hair off whole numbers.
    return math.ceil(part - 1e-9) if up else math.floor(part + 1e-9)


def allowances(strategy: dict[str, Any], replicas: int) -> tuple[int, int]:
    """Return how many pods may be too many, and how many too few, during a rolling update."""
    said = strategy.get("rollingUpdate") or {}
    surge = share(said.get("maxSurge", "25%"), replicas, up=True)
    missing = share(said.get("maxUnavailable", "25%"), replicas, up=False)
    return (surge, missing) if surge or missing else (0, 1)


def next_sizes(
    new: Size, old: Sequence[Size], *, replicas: int, surge: int, missing: int
) -> dict[str, int]:
    """Return how many pods each set is to keep next, in a rolling update.

    Never are more than replicas + surge wanted, and available ones are only taken away while at least
    replicas - missing are there.

    Args:
        new: The set of the wanted template.
        old: All others, the oldest first.
        replicas: Wanted in the end.
        surge: Pods that may be too many.
        missing: Pods that may be too few.
    """
    found = {one.name: one.wanted for one in (new, *old)}
    total = sum(found.values())
    if new.wanted > replicas:
        found[new.name] = replicas
    elif new.wanted < replicas:
        found[new.name] = new.wanted + max(min(replicas + surge - total, replicas - new.wanted), 0)
    least = replicas - missing
    spare = total - least - max(found[new.name] - new.available, 0)
    if spare <= 0:
        return found
    for one in old:
        # Those that never became available go first: nobody misses them.
        gone = min(max(one.wanted - one.available, 0), spare)
        found[one.name] -= gone
        spare -= gone
    free = sum(one.available for one in (new, *old)) - least
    for one in old:
        gone = max(min(found[one.name], free), 0)
        found[one.name] -= gone
        free -= gone
    return found


def proportional(sizes: Sequence[Size], total: int) -> dict[str, int]:
    """Return sizes that add up to a total, each by its share; the largest take what is left over."""
    known = sum(one.wanted for one in sizes)
    if not known:
        return {one.name: total if one is sizes[0] else 0 for one in sizes}
    exact = {one.name: one.wanted * total / known for one in sizes}
    found = {name: math.floor(part) for name, part in exact.items()}
    rest = sorted(sizes, key=lambda one: (found[one.name] - exact[one.name], -one.wanted))
    for one in rest[: total - sum(found.values())]:
        found[one.name] += 1
    return found
