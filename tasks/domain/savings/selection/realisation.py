"""What comes of an amount that is reckoned: how sure an interval of savings may be.

An amount has two doubts. Its own: in one case of ten it is below `low`, in one of ten above `high`,
evenly spread on either side of `expected`. And whether it comes true: with the probability
`confidence` it does as reckoned; else a share of it comes, every share from none to all as likely
(a belief: nothing is known of how far a change falls short). A loss comes in full.

So the interval, four times out of five, of an amount without doubt of its own and a confidence of
0.7 begins at a third of it: 0.1 / (1 - 0.7). At 0.9 and above it is a point.

Of several amounts each comes true or not by itself; their own doubts are one for all changes of a
kind, which share a forecast, and independent between kinds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.domain.arrays import FloatArray
from tasks.domain.savings.money import Usd

LOW, HIGH = 0.1, 0.9
DRAWS = 10_000
SEED = 20
BISECTIONS = 60
POINT = 1e-6
# From the middle to an end is half of all; from the middle to the quantile 0.1 is 0.4.
_TO_THE_END = 0.5 / 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubtful:
    """An amount that may come true.

    Attributes:
        own: As if it were sure to come true.
        confidence: That it does, 0 to 1.
        kind: Amounts of one kind are high or low together.
    """

    own: Usd
    confidence: float
    kind: str = ""

    @property
    def ends(self) -> tuple[float, float]:
        """Lowest and highest amount, as if it came true."""
        own = self.own
        return (
            own.expected - _TO_THE_END * (own.expected - own.low),
            own.expected + _TO_THE_END * (own.high - own.expected),
        )

    def share_up_to(self, amount: float) -> float:
        """Return the probability of at most an amount, 0 to 1."""
        least, most = self.ends
        pieces = ((least, self.own.expected), (self.own.expected, most))
        return 0.5 * math.fsum(
            self.confidence * _even_up_to(amount, *piece)
            + (1.0 - self.confidence) * _short_up_to(amount, *piece)
            for piece in pieces
        )

    def quantile(self, share: float) -> float:
        """Return the smallest amount that is not exceeded with a probability, 0 to 1."""
        below, above = min(self.ends[0], 0.0), max(self.ends[1], 0.0)
        if self.share_up_to(below) >= share:
            return below
        for _ in range(BISECTIONS):
            middle = 0.5 * (below + above)
            if self.share_up_to(middle) >= share:
                above = middle
            else:
                below = middle
        return above


def realised(one: Doubtful, *, most: float = math.inf) -> Usd:
    """Return an amount with the interval that its doubts leave, four times out of five.

    `expected` is what is reckoned; what comes of it on average is less.

    Args:
        one: The amount.
        most: It cannot be more.
    """
    return _around(one.own.expected, one.quantile(LOW), one.quantile(HIGH), most)


def realised_together(every: Sequence[Doubtful], *, expected: float, most: float) -> Usd:
    """Return the sum of amounts with its interval: the same for the same amounts in one order.

    Args:
        every: In an order that does not depend on how they were found.
        expected: Their sum.
        most: It cannot be more.
    """
    if not every:
        return Usd.exactly(expected)
    if len(every) == 1:
        return realised(every[0], most=most)
    rng = np.random.default_rng(SEED)
    position = {kind: rng.random(DRAWS) for kind in sorted({one.kind for one in every})}
    total = np.zeros(DRAWS)
    for one in every:
        total += _draws(one, position[one.kind], rng)
    low, high = np.quantile(total, (LOW, HIGH))
    return _around(expected, float(low), float(high), most)


def _around(expected: float, low: float, high: float, most: float) -> Usd:
    return Usd(low=min(low, expected), expected=expected, high=max(min(high, most), expected))


def _draws(one: Doubtful, position: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return amounts as they come, of one position in their own interval each."""
    least, most = one.ends
    amount = np.interp(position, (0.0, 0.5, 1.0), (least, one.own.expected, most))
    comes = np.where(rng.random(DRAWS) < one.confidence, 1.0, rng.random(DRAWS))
    found: FloatArray = np.where(amount > 0.0, amount * comes, amount)
    return found


def _is_point(low: float, high: float) -> bool:
    """Return whether a spread is too narrow for the logarithm of its ends to tell."""
    return high - low <= POINT * max(abs(low), abs(high))


def _even_up_to(amount: float, low: float, high: float) -> float:
    """Return the probability that an even spread from low to high is at most an amount."""
    if _is_point(low, high):
        return float(amount >= low)
    return (min(max(amount, low), high) - low) / (high - low)


def _short_up_to(amount: float, low: float, high: float) -> float:
    """Return the same when an even share of it comes, and a loss in full."""
    if amount <= 0.0:
        return _even_up_to(amount, low, high)
    if _is_point(low, high):
        return 1.0 if amount >= low else amount / low
    from_here = max(low, amount)
    rest = 0.0 if from_here >= high else amount * math.log(high / from_here)
    return (min(max(amount, low), high) - low + rest) / (high - low)
