"""How rare a score is, learned as scores come, in constant memory.

A histogram of even bins holds the scores seen; when it is full every count is halved, so that old
scores fade. Within it a score's rarity is read off. Above the highest fiftieth, or another share, the excesses are
taken as exponential with their mean: scores are on a logarithmic scale, so this is a Pareto tail,
and a score beyond all others still has a rarity.
"""

from __future__ import annotations

import math
from typing import Any

TAIL_SHARE = 0.02
LEAST_EXCESS_BINS = 1.0
USUAL_WEIGHT = 5.0
"""Scores that the usual excess counts for beside those seen."""
REFIT_EVERY = 12
RAREST = 1e-12


class Rarity:
    """What scores have been like.

    Args:
        width: Of a bin, above 0.
        bins: Scores at or above width * bins fall into the last.
        capacity: Scores after which all counts are halved.
        tail_share: Of scores above which the tail is extrapolated.
        usual_excess: What scores in the tail exceed its beginning by, before any is known.
    """

    __slots__ = (
        "base",
        "bins",
        "capacity",
        "counts",
        "due",
        "excess",
        "share",
        "tail_share",
        "top",
        "total",
        "usual_excess",
        "width",
    )

    def __init__(
        self,
        *,
        width: float = 0.1,
        bins: int = 120,
        capacity: float = 8064.0,
        tail_share: float = TAIL_SHARE,
        usual_excess: float = 0.1,
    ) -> None:
        self.width, self.bins, self.capacity = width, bins, capacity
        self.tail_share, self.usual_excess = tail_share, usual_excess
        self.counts = [0.0] * bins
        self.total = 0.0
        self.due = self.top = 0
        # The tail: where it begins, the share of scores in it, their mean excess.
        self.base, self.share, self.excess = 0.0, 1.0, usual_excess

    def share_above(self, score: float) -> float:
        """Return the share of scores at least this high, above 0, at most 1.

        1 before any score was learned. Falls as the score rises.
        """
        if self.total == 0.0 or score <= 0.0:
            return 1.0
        if score >= self.base:
            return max(self.share * math.exp((self.base - score) / self.excess), RAREST)
        at = int(score / self.width)
        inside = 1.0 - (score / self.width - at)
        above = sum(self.counts[at + 1 :]) + inside * self.counts[at]
        return min(max(above / self.total, self.share, RAREST), 1.0)

    def learn(self, score: float, *, weight: float = 1.0) -> None:
        """Count a score of at least 0."""
        at = min(int(score / self.width), self.bins - 1)
        self.counts[at] += weight
        self.top = max(self.top, at)
        self.total += weight
        if self.total >= self.capacity:
            self.fade()
        self.due -= 1
        if self.due <= 0:
            # Few scores: each one changes the tail.
            self.due = REFIT_EVERY if self.total > 10.0 * REFIT_EVERY else 1
            self._refit()

    def fade(self) -> None:
        """Halve what every score seen so far counts."""
        self.counts = [0.5 * count for count in self.counts]
        self.total *= 0.5

    def _refit(self) -> None:
        wanted = self.tail_share * self.total
        at, above, weighted = self.top + 1, 0.0, 0.0
        while at > 0 and above < wanted:
            at -= 1
            above += self.counts[at]
            weighted += self.counts[at] * (at + 0.5)
        self.base = at * self.width
        self.share = above / self.total
        # A bin's scores lie anywhere in it; half a bin is their mean.
        excess = self.width * (weighted - at * above) + USUAL_WEIGHT * self.usual_excess
        self.excess = max(excess / (above + USUAL_WEIGHT), LEAST_EXCESS_BINS * self.width)

    def to_state(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return {name: _plain(getattr(self, name)) for name in self.__slots__}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Rarity:
        """Return what `to_state` described."""
        found = cls()
        for name in cls.__slots__:
            setattr(found, name, _plain(state[name]))
        return found


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, list) else value
