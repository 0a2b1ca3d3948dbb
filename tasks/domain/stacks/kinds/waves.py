"""In which order a stack's changes are made: the smallest disruption first, one alone before many."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tasks.domain.stacks.changes import Change
from tasks.domain.stacks.kinds.draft import Draft
from tasks.domain.stacks.kinds.graph import in_order
from tasks.domain.stacks.program import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Changes that share a resource, and so are made together.

    Attributes:
        disruption: The largest of theirs.
        resources: Of the program that makes them, in order.
    """

    disruption: float
    key: str
    resources: tuple[Resource, ...]


def bundles(draft: Draft) -> tuple[Bundle, ...]:
    """Return what is made together, smallest disruption first."""
    together = _joined([[edit.name for edit in made.edits] for _, made in draft.made])
    parts: dict[int, list[int]] = defaultdict(list)
    for position, part in enumerate(together):
        parts[part].append(position)
    found = [_bundle(draft, positions) for positions in parts.values()]
    return tuple(sorted(found, key=lambda one: (one.disruption, one.key)))


def _bundle(draft: Draft, positions: Sequence[int]) -> Bundle:
    members = [draft.made[position] for position in positions]
    names = dict.fromkeys(edit.name for _, made in members for edit in made.edits)
    resources = [draft.adopted[name].changed for name in names]
    resources += [one for _, made in members for one in made.created]
    changes: list[Change] = [change for change, _ in members]
    return Bundle(
        disruption=max(one.disruption for one in changes),
        key=min(one.change_id for one in changes),
        resources=in_order(resources),
    )


def _joined(names: Sequence[Sequence[str]]) -> list[int]:
    """Return for each list the position of the first that it shares a name with, step by step."""
    root = list(range(len(names)))

    def top(at: int) -> int:
        while root[at] != at:
            at = root[at]
        return at

    first: dict[str, int] = {}
    for position, each in enumerate(names):
        for name in each:
            other = first.setdefault(name, position)
            low, high = sorted((top(other), top(position)))
            root[high] = low
    return [top(position) for position in range(len(names))]


def chained(found: Sequence[Bundle]) -> tuple[Resource, ...]:
    """Return all resources so that a wave begins when the one before it is done.

    A wave is everything of one disruption. Its first resource waits for the whole wave before it,
    and the others for that first one: where it fails, nothing else of the wave is touched.

    Args:
        found: From `bundles`.
    """
    resources: list[Resource] = []
    before: tuple[str, ...] = ()
    for disruption in dict.fromkeys(one.disruption for one in found):
        wave = [r for one in found if one.disruption == disruption for r in one.resources]
        gate = wave[0].name
        for position, one in enumerate(wave):
            # The first wave needs no gate: with nothing before it, all of it may begin.
            waits = () if not before else before if position == 0 else (gate,)
            after = tuple(dict.fromkeys((*one.depends_on, *waits)))
            resources.append(replace(one, depends_on=after))
        before = tuple(one.name for one in wave)
    return tuple(resources)
