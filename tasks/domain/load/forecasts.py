"""Forecasts of load, with what they were made by and how often such intervals held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from tasks.domain.arrays import FloatArray
from tasks.domain.load.panel import Load

QUANTILES = (0.1, 0.5, 0.9)
LEVEL = 0.8
"""Nominal coverage of the interval between the outer quantiles."""


@dataclass(frozen=True, kw_only=True)
class LoadForecasts:
    """Quantiles of the load of many workloads at steps 1..H after the cutoff.

    Attributes:
        load: What is forecast.
        series: (n,) names.
        step: Time between values.
        cutoff: End of the last step seen, aware UTC; None without a wall clock.
        quantiles: (n, H, 3) of QUANTILES, at least 0, not crossing.
        naive: (n, H) the same step a day before, the last value where that is unknown.
        method: (n,) what the median comes from, for example "global" or "last-value".
        confidence: (n,) share of values that such intervals of the series' group covered, live where
            that is known, else in the backtest, 0 to 1; NaN where nothing was measured.
    """

    load: Load
    series: tuple[str, ...]
    step: timedelta
    cutoff: datetime | None
    quantiles: FloatArray
    naive: FloatArray
    method: NDArray[np.str_]
    confidence: FloatArray

    def __len__(self) -> int:
        return len(self.series)

    @property
    def horizon_steps(self) -> int:
        """Steps ahead."""
        return int(self.quantiles.shape[1])

    @property
    def median(self) -> FloatArray:
        """(n, H)."""
        return np.asarray(self.quantiles[..., 1])

    @classmethod
    def concat(cls, parts: Sequence[LoadForecasts]) -> LoadForecasts:
        """Return the forecasts of all chunks, in their order; at least one chunk."""
        first = parts[0]
        return cls(
            load=first.load,
            series=tuple(name for part in parts for name in part.series),
            step=first.step,
            cutoff=first.cutoff,
            quantiles=np.concatenate([part.quantiles for part in parts]),
            naive=np.concatenate([part.naive for part in parts]),
            method=np.concatenate([part.method for part in parts]),
            confidence=np.concatenate([part.confidence for part in parts]),
        )
