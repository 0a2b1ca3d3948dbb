"""Which archetype a resource belongs to from run to run: it stays until the evidence is strong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tasks.domain.usage.archetypes import Archetype

STRONG_MARGIN = 0.6
"""Four votes in five against one: enough to move when it is found twice in a row."""
STRONG_RUNS = 2
WEAK_RUNS = 5
"""Runs in a row after which a narrow majority is enough, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """What is kept of a resource between runs.

    Attributes:
        archetype: Held now.
        margin: Share of the votes for the archetype found last, less that for the next one.
        challenger: Another archetype that the last runs found; None when they agree.
        challenger_runs: How many of the last runs found it, one after the other.
    """

    archetype: Archetype
    margin: float
    challenger: Archetype | None = None
    challenger_runs: int = 0


def settled(previous: Membership | None, found: Archetype, *, margin: float) -> Membership:
    """Return the membership after a run that found an archetype.

    Args:
        previous: Of the last run; None for a new resource.
        found: By this run; UNUSUAL counts as a finding here. A resource of which too little was
            known is not to be settled at all: nothing speaks against what it was.
        margin: 0 to 1, see Membership.

    Returns:
        The same archetype, or the found one: for a new resource, for one that was UNUSUAL, or when
        it was found STRONG_RUNS times in a row, this time with STRONG_MARGIN, or WEAK_RUNS times.
    """
    if previous is None or previous.archetype in (found, Archetype.UNUSUAL):
        return Membership(archetype=found, margin=margin)
    again = previous.challenger is found
    runs = previous.challenger_runs + 1 if again else 1
    if runs >= WEAK_RUNS or (runs >= STRONG_RUNS and margin >= STRONG_MARGIN):
        return Membership(archetype=found, margin=margin)
    return Membership(
        archetype=previous.archetype, margin=margin, challenger=found, challenger_runs=runs
    )


@dataclass(frozen=True, kw_only=True)
class Memberships:
    """What is kept of every resource between runs, by its id."""

    by_resource: Mapping[str, Membership] = field(default_factory=dict)
