"""How far a value, or a recent shape, is from the nearest one before it; in constant memory."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque

import numpy as np

from tasks.domain.arrays import FloatArray


class NearestValue:
    """The newest values of a series, in order of size.

    Args:
        capacity: Values to keep.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._by_age: deque[float] = deque()
        self._by_size: list[float] = []

    def distance(self, value: float) -> float | None:
        """Return the distance to the nearest kept value; None while there is none."""
        kept = self._by_size
        if not kept:
            return None
        at = bisect_left(kept, value)
        above = kept[at] - value if at < len(kept) else math.inf
        below = value - kept[at - 1] if at > 0 else math.inf
        return min(above, below)

    @property
    def spread(self) -> float:
        """Largest less smallest kept value; 0 for none."""
        return self._by_size[-1] - self._by_size[0] if self._by_size else 0.0

    def learn(self, value: float) -> None:
        """Keep a value; the oldest goes when there are too many."""
        if len(self._by_age) == self._capacity:
            del self._by_size[bisect_left(self._by_size, self._by_age.popleft())]
        self._by_age.append(value)
        insort(self._by_size, value)

    def values(self) -> FloatArray:
        """Return the kept values, oldest first."""
        return np.array(self._by_age, dtype=np.float64)

    def restore(self, values: FloatArray) -> None:
        """Keep these values, oldest first, instead of those so far."""
        self._by_age = deque(values.tolist())
        self._by_size = sorted(self._by_age)


class NearestShape:
    """The newest shapes of a series: points that only count as earlier once they are old enough.

    Args:
        size: Numbers in a shape.
        lag: Rows after which a shape counts as an earlier one; below it they overlap.
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
        # Squared distances less what all share; the winner's distance is then taken exactly.
        gaps = self._norms - 2.0 * (shape @ self._shapes)
        newest = self.learned % self._columns
        recent = self._lag - 1
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
