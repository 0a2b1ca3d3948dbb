"""When a score becomes an alarm: a threshold, and a rest after each alarm."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class AlarmGate:
    """Raises an alarm at a score that is high enough, then rests.

    What is still unusual right after an alarm is the same thing, so nothing is told again for a
    fixed number of rows, however high the scores are meanwhile.

    Attributes:
        threshold: Least score of an alarm.
        rest_rows: Rows after an alarm without another; 0 for none.
        rested: Rows since the last alarm; None before the first.
    """

    threshold: float
    rest_rows: int
    rested: int | None = None

    def update(self, score: float) -> bool:
        """Return whether this row's score raises an alarm; call it once for every row."""
        resting = self.rested is not None and self.rested < self.rest_rows
        alarm = score >= self.threshold and not resting
        if alarm:
            self.rested = 0
        elif self.rested is not None:
            self.rested += 1
        return alarm
