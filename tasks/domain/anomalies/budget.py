"""How many alarms a workload may raise: a bucket that fills by a number per week.

An alarm takes one from the bucket. Where less than one is left, it needs to be ten times rarer
than usual for each one that is missing; so there is no week in which a worse one cannot be told,
and none in which the usual ones drown it.
"""

from __future__ import annotations

CAPACITY = 2.0
MOST_DEBT = 4.0


class Budget:
    """The bucket of one workload.

    Args:
        per_week: Alarms, above 0.
    """

    __slots__ = ("left", "per_week")

    def __init__(self, per_week: float, *, left: float = CAPACITY) -> None:
        self.per_week, self.left = per_week, left

    def refill(self, weeks: float) -> None:
        """Add what has come together in a time."""
        self.left = min(self.left + self.per_week * weeks, CAPACITY)

    def allows(self, decades: float) -> bool:
        """Return whether an alarm may be told.

        Args:
            decades: Powers of ten by which it is rarer than what is just worth an alarm.
        """
        return decades >= max(0.0, 1.0 - self.left)

    def spend(self) -> None:
        """Take one alarm."""
        self.left = max(self.left - 1.0, 1.0 - MOST_DEBT)
