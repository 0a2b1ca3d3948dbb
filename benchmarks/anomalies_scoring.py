"""How alarms on labelled series are judged: the published rules of the Numenta Anomaly Benchmark.

Lavin and Ahmad (2015) and the benchmark's own documents, row by row:

- The first 15 % of a series, at most 750 rows, are probation: alarms there count neither way.
- Only the first alarm inside a window counts for it. It is worth s(p) / s(-1) with
  s(p) = 2 / (1 + exp(5 p)) - 1 and p = -(last - row + 1) / width, so that the window's first row
  is worth 1 and its last a little above 0. A window without an alarm costs the weight of a miss.
- Every alarm outside of windows costs the weight of a false alarm times s(p), where p is the number
  of rows since the last window's end over that window's width less one; -1 where p is above 3 or
  no window came before.
- A set's score is 100 (raw - null) / (perfect - null): null has no alarm at all, perfect has one on
  the first row of each window. All series are summed before this, so a score can be negative.

The score is linear in what a profile weighs, so a `Tally` keeps the three sums and any profile can
be read from it. Beside the score there is recall: the share of windows with an alarm, against alarms
(true ones included) per 1,000 rows after probation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tasks.domain.arrays import BoolArray, FloatArray, IntArray

PROBATION_SHARE = 0.15
PROBATION_ROWS = 750
STEEPNESS = 5.0
FAR = 3.0
"""Widths after a window beyond which a false alarm costs its whole weight."""

Window = tuple[int, int]
"""First and last row, both inside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a false alarm and a miss cost when a detection is worth 1."""

    false_alarm: float
    miss: float


STANDARD = Profile(false_alarm=0.11, miss=1.0)
LOW_FALSE_ALARMS = Profile(false_alarm=0.22, miss=1.0)
LOW_MISSES = Profile(false_alarm=0.11, miss=2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What the alarms on some series were worth, before any profile's weights.

    Attributes:
        reward: Sum over detected windows, 0 to 1 each.
        cost: Sum over false alarms; 1 each far from a window, less just behind one.
        found: Windows with an alarm.
        windows: All windows.
        alarms: After probation, true ones included.
        rows: After probation.
    """

    reward: float = 0.0
    cost: float = 0.0
    found: int = 0
    windows: int = 0
    alarms: int = 0
    rows: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            reward=self.reward + other.reward,
            cost=self.cost + other.cost,
            found=self.found + other.found,
            windows=self.windows + other.windows,
            alarms=self.alarms + other.alarms,
            rows=self.rows + other.rows,
        )

    def raw(self, profile: Profile) -> float:
        """Return the sum of rewards and costs that the benchmark calls a raw score."""
        misses = self.windows - self.found
        return self.reward - profile.false_alarm * self.cost - profile.miss * misses

    def score(self, profile: Profile = STANDARD) -> float | None:
        """Return 0 for no alarm at all, 100 for perfect ones; None without any window."""
        if self.windows == 0:
            return None
        null = -profile.miss * self.windows
        return 100.0 * (self.raw(profile) - null) / (self.windows - null)

    @property
    def recall(self) -> float | None:
        """The share of windows with an alarm; None without any window."""
        return self.found / self.windows if self.windows else None

    @property
    def alarms_per_1000(self) -> float:
        """Alarms per 1,000 rows after probation."""
        return 1000.0 * self.alarms / self.rows if self.rows else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """What an alarm on each row of one series is worth.

    Attributes:
        worth: (rows,) what it is worth inside a window, what it costs outside; both from 0 up
            except that the cost just behind a window starts near 0.
        window: (rows,) number of the window, -1 outside of windows.
        first: First row after probation.
    """

    worth: FloatArray
    window: IntArray
    first: int

    def tally(self, alarms: IntArray) -> Tally:
        """Return what alarms on these rows, in rising order, were worth."""
        judged = alarms[alarms >= self.first]
        owner = self.window[judged]
        hits = judged[owner >= 0]
        _, earliest = np.unique(self.window[hits], return_index=True)
        return Tally(
            reward=float(self.worth[hits[earliest]].sum()),
            cost=float(self.worth[judged[owner < 0]].sum()),
            found=len(earliest),
            windows=len(np.unique(self.window[self.first :][self.window[self.first :] >= 0])),
            alarms=len(judged),
            rows=len(self.worth) - self.first,
        )


def judge(rows: int, windows: Iterable[Window]) -> Judge:
    """Return the judge of a series of that many rows.

    Args:
        rows: At least 1.
        windows: First and last row of each, in order, not overlapping.
    """
    worth = np.ones(rows)
    number = np.full(rows, -1, dtype=np.int64)
    at = np.arange(rows)
    best = _sigmoid(np.array([-1.0]))[0]
    for index, (start, end) in enumerate(windows):
        width = end - start + 1
        inside = at[start : end + 1]
        worth[inside] = _sigmoid(-(end - inside + 1) / width) / best
        number[inside] = index
        after = at[end + 1 :]
        # A window of one row has no width to measure by: everything behind it is far.
        past = (after - end) / (width - 1) if width > 1 else np.full(len(after), np.inf)
        worth[after] = np.where(past > FAR, 1.0, -_sigmoid(np.minimum(past, FAR)))
    return Judge(worth=worth, window=number, first=probation_rows(rows))


def probation_rows(rows: int) -> int:
    """Return how many rows at the start of a series are not judged."""
    return min(int(PROBATION_SHARE * rows), PROBATION_ROWS)


def total(tallies: Iterable[Tally]) -> Tally:
    """Return the tally of several series together."""
    return sum(tallies, Tally())


def inside_windows(rows: int, windows: Iterable[Window]) -> BoolArray:
    """Return which rows are inside of a window, probation or not."""
    found = np.zeros(rows, dtype=np.bool_)
    for start, end in windows:
        found[start : end + 1] = True
    return found


def _sigmoid(position: FloatArray) -> FloatArray:
    found: FloatArray = 2.0 / (1.0 + np.exp(STEEPNESS * position)) - 1.0
    return found
