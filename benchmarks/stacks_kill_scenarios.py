"""Where an update is killed, and how what is left afterwards is judged.

A scenario kills some processes of one update with SIGKILL, at a point that its seed chooses. Then
the state is recovered and the update finished, and an account that nothing was told about is counted:
every resource by the tags that name it, or by its name where its kind has no tags.

| where | what it is about |
|---|---|
| any time | from the first process to the usual end: half of all points, and all of adoptions |
| call done | the cloud has done it, its answer is held back, the engine never hears of it |
| call under way | the engine is dead, the provider goes on and finishes the call by itself |
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from tasks.domain.stacks.changes import Phase

SEED = 5
KILLS, QUICK_KILLS = 54, 6
"""Tried: an update may have ended before it is its turn, and such a kill does not count."""


class Victim(StrEnum):
    """Which processes are killed."""

    ALL = "all"
    """Everything that the update started: what a machine does that loses power."""
    ENGINE = "engine"
    """The engine alone: the provider is left to finish its call."""
    PROVIDER = "provider"
    PYTHON = "python"
    """The process that holds the program."""


class Moment(StrEnum):
    """When they are killed."""

    ANY_TIME = "any time"
    CALL_DONE = "call done"
    CALL_UNDER_WAY = "call under way"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One kill.

    Attributes:
        seed: Of everything random in it.
        phase: The update that is killed.
        at_fraction: Of the usual duration of that update, for `ANY_TIME`: 0 to 1.
        resource: Logical name, for the other moments: the kill comes around the call for that one.
    """

    seed: int
    phase: Phase
    victim: Victim
    moment: Moment
    at_fraction: float
    resource: str

    @property
    def is_aimed(self) -> bool:
        """Whether the kill comes around a call."""
        return self.moment is not Moment.ANY_TIME


ONCE_OF_FIVE = (1, 3)
"""Which of five kills around a call are aimed at what cannot be there twice."""
KINDS = (
    (Moment.ANY_TIME, Victim.ALL),
    (Moment.CALL_DONE, Victim.ALL),
    (Moment.ANY_TIME, Victim.ENGINE),
    (Moment.CALL_UNDER_WAY, Victim.ENGINE),
    (Moment.ANY_TIME, Victim.PYTHON),
    (Moment.CALL_DONE, Victim.PROVIDER),
)


def scenarios(
    count: int, *, once: Sequence[str], could_double: Sequence[str], seed: int = SEED
) -> tuple[Scenario, ...]:
    """Return kills in every combination of moment and victim that makes sense, in turn.

    Three of five that are aimed at a call are aimed at what could be made twice; each name in turn.

    Args:
        count: How many; at least 1.
        once: Names of resources that nobody can make twice.
        could_double: Names of those that are there twice when they are made twice.
        seed: The same seed gives the same kills.
    """
    rng = np.random.default_rng(seed)
    found: list[Scenario] = []
    for position in range(count):
        moment, victim = KINDS[position % len(KINDS)]
        # Adoption changes nothing in the account, so one kill in seven is enough for it; no call
        # of it is worth aiming at.
        phase = Phase.ADOPT if position % 7 == 6 else Phase.CHANGE
        aimed = [one.resource for one in found if one.is_aimed]
        names = once if len(aimed) % 5 in ONCE_OF_FIVE else could_double
        found.append(
            Scenario(
                seed=int(rng.integers(2**31)),
                phase=phase,
                victim=victim,
                moment=Moment.ANY_TIME if phase is Phase.ADOPT else moment,
                at_fraction=float(rng.uniform(0.0, 1.0)),
                resource=names[sum(name in names for name in aimed) % len(names)],
            )
        )
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """What is there once an update was killed, recovered and finished.

    Attributes:
        expected: Names of the resources that the change makes.
        found: Each of our resources in the account by name, as often as it is there.
        in_state: Ids by name, as the engine's state has them.
        in_account: Ids of our resources in the account.
        adopted_as_wanted: Every adopted resource has the values of the change.
        readable: The state can be exported, and nothing in it is pending.
    """

    expected: frozenset[str]
    found: Sequence[str]
    in_state: Mapping[str, str]
    in_account: frozenset[str]
    adopted_as_wanted: bool
    readable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is wrong; empty where nothing is.

    Attributes:
        twice: Resources that were made more than once.
        missing: Resources that the finished update should have made, and adopted ones left as they were.
        strays: Ids in the account that carry our tags and that no state knows.
        unreadable: The state could not be read, or something in it is pending.
    """

    twice: tuple[str, ...]
    missing: tuple[str, ...]
    strays: tuple[str, ...]
    unreadable: bool

    @property
    def sound(self) -> bool:
        """Whether each was applied exactly once."""
        return not (self.twice or self.missing or self.strays or self.unreadable)


def judge(after: Aftermath) -> Verdict:
    """Return what is wrong after a scenario."""
    counts = Counter(after.found)
    missing = sorted(name for name in after.expected if counts[name] == 0)
    return Verdict(
        twice=tuple(sorted(name for name, count in counts.items() if count > 1)),
        missing=(*missing, *(() if after.adopted_as_wanted else ("an adopted resource",))),
        strays=tuple(sorted(after.in_account - set(after.in_state.values()))),
        unreadable=not after.readable,
    )
