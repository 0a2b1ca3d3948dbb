"""What a spot forecast is: quantiles per pool and hour, with the naive baseline beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from tasks.domain.arrays import BoolArray, FloatArray
from tasks.domain.spot.pools import Pool

QUANTILES = (0.1, 0.5, 0.9)
HORIZONS_HOURS = (24, 168)


class Source(StrEnum):
    """Where a pool's forecast comes from."""

    MODEL = "model"
    LAST_VALUE = "last-value"
    """In the rolling backtest the model's error on this pool was more than twice the last value's,
    or there was no model to trust."""
    STILL = "still"
    """The price did not move in the whole window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestScores:
    """Out-of-sample scores over rolling origins inside the window; None where undefined.

    Skill is 1 - error / error of the last value held for the whole horizon.
    """

    horizon_hours: int
    origins: int
    pools: int
    mae_skill: float | None
    pinball_skill: float | None
    pinball_skill_vs_empirical: float | None
    coverage_80: float | None
    coverage_80_moved: float | None
    """On pools that moved in the window only."""
    fallback_fraction: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolForecasts:
    """Forecasts of n pools at hours 1..H after the cutoff, USD per hour.

    Attributes:
        pools: n pools, in the panel's order.
        cutoff: Last instant known; aware UTC.
        quantiles: (n, H, 3) at QUANTILES, non-decreasing along the last axis, above 0.
        mean: (n, H).
        last_value: (n,) price at the cutoff: the naive baseline.
        naive_quantiles: (n, H, 3) last value with the pool's empirical h-step quantiles.
        source: (n,) Source values.
        moved: (n,) whether the price changed in the window.
    """

    pools: tuple[Pool, ...]
    cutoff: datetime
    quantiles: FloatArray
    mean: FloatArray
    last_value: FloatArray
    naive_quantiles: FloatArray
    source: NDArray[np.str_]
    moved: BoolArray

    @property
    def horizon_hours(self) -> int:
        """H, the number of hours ahead."""
        return int(self.mean.shape[1])

    @staticmethod
    def concat(parts: Sequence[PoolForecasts]) -> PoolForecasts:
        """Join chunks of one cutoff and horizon."""
        return PoolForecasts(
            pools=tuple(pool for part in parts for pool in part.pools),
            cutoff=parts[0].cutoff,
            **{
                name: np.concatenate([getattr(part, name) for part in parts])
                for name in (
                    "quantiles",
                    "mean",
                    "last_value",
                    "naive_quantiles",
                    "source",
                    "moved",
                )
            },
        )
