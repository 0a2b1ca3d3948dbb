"""How long to leave something alone after it was changed, and when to leave it to people."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

MAX_WAIT = timedelta(days=60)
"""No back-off is longer: after that much time the system is another one."""
MAX_DOUBLINGS = 12
"""After which an hour has long become MAX_WAIT."""


class Outcome(StrEnum):
    """What became of an attempt."""

    VERIFIED = "verified"
    INEFFECTIVE = "ineffective"
    """Failed, undone, or without its effect."""
    INCONCLUSIVE = "inconclusive"
    """Nobody can say: never counts as success."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Something that was done.

    Attributes:
        target: From `target_of`: what it was done to.
        action: For example a change's kind.
        at: Aware; when it began.
    """

    target: str
    action: str
    at: datetime
    outcome: Outcome


def target_of(*, region: str, resource: str) -> str:
    """Return what names a target: names of groups and functions repeat from region to region."""
    return f"{region}/{resource}"


def ineffective_in_a_row(attempts: Iterable[Attempt]) -> int:
    """Return how many of the latest attempts were not verified."""
    count = 0
    for one in sorted(attempts, key=lambda one: one.at, reverse=True):
        if one.outcome is Outcome.VERIFIED:
            break
        count += 1
    return count


def resting_until(attempts: Iterable[Attempt], *, cooldown: timedelta) -> datetime | None:
    """Return until when to leave a target alone; None where it was never touched.

    After a verified attempt `cooldown`, and twice as long for each one in a row that was not:
    cooldown x 2^n, at most MAX_WAIT.

    Args:
        attempts: Of the same action on the same target.
        cooldown: 0 for none at all.
    """
    made = tuple(attempts)
    if not made:
        return None
    doublings = min(ineffective_in_a_row(made), MAX_DOUBLINGS)
    return max(one.at for one in made) + min(cooldown * (1 << doublings), MAX_WAIT)
