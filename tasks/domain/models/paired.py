"""How much less one model errs than another on the same values, and how much of it is chance."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from tasks.domain.arrays import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """How much less the challenger errs.

    Attributes:
        fraction: 1 - its error over the champion's, above 0 is better; NaN when unknown.
        standard_error: Of the fraction; NaN when unknown.
        degrees: Of freedom, at least 1.
        origins: Origins with common values.
        series: Series with common values.
    """

    fraction: float
    standard_error: float
    degrees: int
    origins: int
    series: int

    def p_value(self, *, above: float = 0.0) -> float:
        """Return that of a fraction which is not above a value, one-sided; 1 when unknown."""
        if not math.isfinite(self.standard_error) or not math.isfinite(self.fraction):
            return 1.0
        beyond = self.fraction - above
        if self.standard_error == 0.0:
            # The same everywhere: a challenger that is the champion is not better.
            return 0.0 if beyond > 0.0 else 1.0
        return float(student.sf(beyond / self.standard_error, self.degrees))

    def bound(self, level: float) -> float:
        """Return what the fraction is above with so much confidence; below with 1 - level < .5."""
        if not math.isfinite(self.standard_error):
            return -math.inf if level > 0.5 else math.inf
        return self.fraction - float(student.ppf(level, self.degrees)) * self.standard_error


def gain(champion: FloatArray, challenger: FloatArray, *, overlap: int = 1) -> Gain:
    """Return how much less the challenger errs, over values that both know.

    The ratio of the mean errors is linearised. Its variance is that of Diebold and Mariano (1995)
    over origins, whose errors follow each other, plus that between series, for a fit that suits one
    series suits it at every origin, less what both count (Cameron, Gelbach and Miller, 2011); never
    below that over origins. Small samples widen it as Harvey, Leybourne and Newbold (1997) say, and
    Student's distribution has the degrees of the fewer of origins and series, those that weigh
    little counted for little.

    Args:
        champion: (origins, series) errors at least 0 in units that may be added, NaN unknown.
        challenger: The same shape.
        overlap: Neighbouring origins whose horizons share time, itself included.
    """
    known = np.isfinite(champion) & np.isfinite(challenger)
    rows, columns = known.any(axis=1), known.any(axis=0)
    origins, series = int(rows.sum()), int(columns.sum())
    ours, theirs = (np.where(known, one, 0.0)[rows][:, columns] for one in (champion, challenger))
    whole = float(ours.sum())
    if whole <= 0.0 or origins < 2:
        return Gain(
            fraction=math.nan, standard_error=math.nan, degrees=1, origins=origins, series=series
        )
    fraction = 1.0 - float(theirs.sum()) / whole
    parts = ((1.0 - fraction) * ours - theirs) / whole
    lags = min(max(overlap - 1, math.floor(origins ** (1 / 3))), origins - 1)
    over_origins = _long_run(parts.sum(axis=1), lags=lags)
    between = float((parts.sum(axis=0) ** 2).sum()) * series / max(series - 1, 1)
    # One series has no others to differ from.
    across = _evenly(ours.sum(axis=0)) if series > 1 else math.inf
    both = over_origins + (between - float((parts**2).sum()) if series > 1 else 0.0)
    return Gain(
        fraction=fraction,
        standard_error=math.sqrt(max(both, over_origins, 0.0)),
        degrees=max(math.floor(min(_evenly(ours.sum(axis=1)), across)) - 1, 1),
        origins=origins,
        series=series,
    )


def _evenly(weights: FloatArray) -> float:
    """Return how many equal weights are as uneven as these (Kish, 1965)."""
    return float(weights.sum() ** 2 / (weights**2).sum())


def _long_run(parts: FloatArray, *, lags: int) -> float:
    """Return the variance of the sum of parts that follow each other (Newey and West, 1987)."""
    count = len(parts)
    total = float(parts @ parts)
    for lag in range(1, lags + 1):
        total += 2.0 * (1.0 - lag / (lags + 1)) * float(parts[lag:] @ parts[:-lag])
    steps = lags + 1
    small = (count + 1 - 2 * steps + steps * (steps - 1) / count) / count
    return max(total, 0.0) / max(small, 1.0 / count)
