"""Whether memory grows steadily, seen in means of a quarter of an hour, whatever its level.

A window of 1, 2, 4 or 8 hours is cut into four: memory grows steadily where each part is above the
one before and the rises are much alike, which those of a jump are not. Growth is measured in the
changes over as long a time that are usual of the workload.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

QUARTERS_PER_HOUR = 4
WINDOWS = (4, 8, 16, 32)
"""Quarters of an hour."""
PARTS = 4
LEAST_IN_ONE, MOST_IN_ONE = 0.12, 0.62
"""Share of the growth that a rise from one part to the next brings."""
LEAST_USUAL = 0.01
"""Usual changes are taken as at least this share of the limit."""
MOST_GONE = 4
RATE = 1.0 - 0.5 ** (1.0 / (QUARTERS_PER_HOUR * 96.0))
"""Usual changes have a half-life of four days."""
CUT = 3.0


class Growth:
    """Steady growth of one signal."""

    __slots__ = ("closed", "count", "means", "quarter", "since", "size", "sum", "usual", "window")

    def __init__(self) -> None:
        self.quarter: int | None = None
        self.sum = 0.0
        self.count = self.closed = 0
        self.means: list[float] = []
        self.usual = [0.0] * len(WINDOWS)
        self.size = 0.0
        self.since = 0.0
        self.window = 0

    def update(self, value: float, quarter: int) -> float:
        """Return growth in usual changes, at least 0, as of the last whole quarter.

        Args:
            value: Of the step, freed of what requests explain.
            quarter: Number of the quarter of an hour that the step is in.
        """
        if self.quarter is None:
            self.quarter = quarter
        if quarter != self.quarter:
            self._close(gone=quarter - self.quarter)
            self.quarter = quarter
        self.sum += value
        self.count += 1
        return self.size

    def restart(self) -> None:
        """Forget what was, where it says nothing of what comes."""
        self.means = []
        self.size = 0.0

    def _close(self, *, gone: int) -> None:
        mean = self.sum / self.count
        self.closed += 1
        self.sum, self.count = 0.0, 0
        if gone > MOST_GONE:
            # What happened in between is unknown: nothing has grown steadily.
            self.means = []
        self.means = [*self.means[-WINDOWS[-1] :], mean]
        self.size, self.window = 0.0, 0
        for at, window in enumerate(WINDOWS):
            if len(self.means) >= window:
                self._judge(at, window)

    def _judge(self, at: int, window: int) -> None:
        each = window // PARTS
        newest = self.means[-window:]
        parts = [sum(newest[i : i + each]) / each for i in range(0, window, each)]
        grown = parts[-1] - parts[0]
        usual = max(self.usual[at], LEAST_USUAL)
        rises = [later - sooner for sooner, later in pairwise(parts)]
        steady = (
            grown > 0.0 and min(rises) >= LEAST_IN_ONE * grown and max(rises) <= MOST_IN_ONE * grown
        )
        if steady and grown / usual > self.size:
            self.size, self.window = grown / usual, window
            self.since = parts[0]
        rate = max(RATE, 1.0 / (self.closed + 1.0))
        self.usual[at] += rate * (min(abs(grown), CUT * usual) - self.usual[at])

    def to_state(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return {name: _plain(getattr(self, name)) for name in self.__slots__}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Growth:
        """Return what `to_state` described."""
        found = cls()
        for name, value in state.items():
            setattr(found, name, _plain(value))
        return found


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, list) else value
