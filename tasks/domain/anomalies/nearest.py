"""How far a value, or a recent shape, is from the nearest one before it; in constant memory."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left

import numpy as np

from tasks.domain.arrays import FloatArray

SMALLEST_EXPONENT = -1022
"""Of a cell: below it a division by its width would overflow."""


class ValueNet:
    """The values that a series has had, never forgotten, only known less finely.

    When there are too many, one value is kept in each cell of a grid, and the ends of the spread. A
    cell is as wide as the first power of two from 2 x spread / capacity on. The spread only grows, so
    that cells only join, and a value that was dropped stays in the cell of the one that stands for it:
    distances are too large by less than a cell, at most 4 x spread / capacity, however often values
    were dropped.

    Args:
        capacity: Values to keep; at least 8.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._values = array("d")

    def distance(self, value: float) -> float | None:
        """Return the distance to the nearest kept value; None while there is none."""
        kept = self._values
        if not kept:
            return None
        at = bisect_left(kept, value)
        above = kept[at] - value if at < len(kept) else math.inf
        below = value - kept[at - 1] if at > 0 else math.inf
        return min(above, below)

    @property
    def spread(self) -> float:
        """Largest less smallest value; 0 for none."""
        return self._values[-1] - self._values[0] if self._values else 0.0

    def learn(self, value: float) -> None:
        """Keep a value."""
        at = bisect_left(self._values, value)
        if at < len(self._values) and self._values[at] == value:
            return
        self._values.insert(at, value)
        if len(self._values) > self._capacity:
            self._thin()

    def _thin(self) -> None:
        width = _power_of_two_from(2.0 * self.spread / self._capacity)
        kept, last = array("d"), math.nan
        for value in self._values:
            cell = value // width
            if cell != last:
                kept.append(value)
                last = cell
        if kept[-1] != self._values[-1]:
            kept.append(self._values[-1])
        self._values = kept

    def values(self) -> FloatArray:
        """Return the kept values in order of size."""
        return np.array(self._values, dtype=np.float64)

    def restore(self, values: FloatArray) -> None:
        """Keep these values, in order of size, instead of those so far."""
        self._values = array("d", values.tolist())


def _power_of_two_from(value: float) -> float:
    """Return the smallest power of two that is larger than a value of at least 0."""
    return math.ldexp(1.0, max(math.frexp(value)[1], SMALLEST_EXPONENT))


class NearestShape:
    """The newest shapes of a series: a shape counts as an earlier one once it is old enough.

    Args:
        size: Numbers in a shape.
        lag: Rows after which a shape counts as an earlier one; before, the two overlap.
        capacity: Earlier shapes to keep.
    """

    def __init__(self, *, size: int, lag: int, capacity: int) -> None:
        self._lag = lag
        self._columns = lag - 1 + capacity
        # One shape a column: the product with a shape then runs along memory.
        self._shapes = np.zeros((size, self._columns))
        self._norms = np.full(self._columns, np.inf)
        self.learned = 0

    def distance(self, shape: FloatArray) -> float | None:
        """Return the Euclidean distance to the nearest earlier shape; None while there is none.

        The shape given is the one that comes after those learned.
        """
        if self.learned < self._lag:
            return None
        # Squared distances less what all share; the nearest one's distance is then taken exactly.
        gaps = self._norms - 2.0 * (shape @ self._shapes)
        newest, recent = self.learned % self._columns, self._lag - 1
        if newest >= recent:
            gaps[newest - recent : newest] = np.inf
        else:
            gaps[:newest] = np.inf
            gaps[newest - recent :] = np.inf
        difference = self._shapes[:, gaps.argmin()] - shape
        return math.sqrt(float(difference @ difference))

    def learn(self, shape: FloatArray) -> None:
        """Keep a shape; the oldest goes when there are too many."""
        at = self.learned % self._columns
        self._shapes[:, at] = shape
        self._norms[at] = shape @ shape
        self.learned += 1

    def shapes(self) -> FloatArray:
        """Return the kept shapes, oldest first, one a row."""
        kept = min(self.learned, self._columns)
        order = np.arange(self.learned - kept, self.learned) % self._columns
        found: FloatArray = self._shapes[:, order].T.copy()
        return found

    def restore(self, shapes: FloatArray, *, learned: int) -> None:
        """Keep these shapes, oldest first, of that many learned, instead of those so far."""
        self.learned = learned - len(shapes)
        for shape in shapes:
            self.learn(shape)
