"""When a score becomes an alarm: a threshold, and a rest after each alarm."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Gating:
    """How readily alarms are raised.

    Attributes:
        threshold: Least score of an alarm.
        rest_rows: Rows after an alarm without another; 0 for none.
    """

    threshold: float
    rest_rows: int


BALANCED = Gating(threshold=1.4, rest_rows=120)
"""About one alarm per 1,000 rows of recorded operations data: a miss costs nine false alarms."""
SPARING = Gating(threshold=3.2, rest_rows=120)
"""About one alarm per 2,000 rows of the same data."""


@dataclass(slots=True, kw_only=True)
class AlarmGate:
    """Raises an alarm at a score that is high enough, then rests.

    What is still new right after an alarm is the same occasion, so for a fixed number of rows
    nothing is told again, however high the scores are meanwhile.

    Attributes:
        gating: How readily.
        rested: Rows since the last alarm; None before the first.
    """

    gating: Gating = BALANCED
    rested: int | None = None

    def update(self, score: float) -> bool:
        """Return whether this row's score raises an alarm; call it once for every row."""
        resting = self.rested is not None and self.rested < self.gating.rest_rows
        alarm = score >= self.gating.threshold and not resting
        if alarm:
            self.rested = 0
        elif self.rested is not None:
            self.rested += 1
        return alarm
