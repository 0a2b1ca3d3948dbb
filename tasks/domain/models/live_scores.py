"""How good forecasts were, from daily sums; what is undefined is None, never zero."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

import numpy as np
import pandas as pd

from tasks.domain.load.forecasts import LEVEL as NOMINAL
from tasks.domain.models.intervals import FEWEST_BLOCKS, Interval, share_interval, skill_interval
from tasks.domain.models.scorecard import HORIZONS_HOURS, SUMS
from tasks.domain.scores import skill

FEWEST = 100
"""Judged values below which nothing is said of a model."""
HOURS_PER_DAY = 24
LONGEST_BLOCK_DAYS = 14
"""Where horizons have no upper end."""

Key = Literal["version", "up_to_hours", "group"]


class Promise(StrEnum):
    """Whether the 80 % interval holds what it says."""

    KEPT = "kept"
    NARROW = "too narrow"
    WIDE = "too wide"
    UNKNOWN = "unknown"


class Worth(StrEnum):
    """Whether a model is better than the naive forecast."""

    BETTER = "better"
    SAME = "not told apart"
    WORSE = "worse"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveScore:
    """How good some forecasts were.

    Attributes:
        model: For example "load-cpu".
        role: Champion, challenger, or the champion before a new one (previous).
        version: None for all versions together.
        up_to_hours: Upper end of the range of horizons; None for all together.
        group: None for all together.
        count: Values judged, above 0.
        days: With any.
        blocks: Of days that count as one observation each, as long as the horizon.
        mae: In the unit of the series.
        mase: Mean absolute error in units of each series' scale.
        bias: Mean of forecast less truth in units of scale; above 0 the forecast is too high.
        skill: 1 - error / error of the naive, both in units of scale and of the same values.
        skill_interval: Nine times out of ten; None where there is too little to say.
        coverage: Share of values inside the 80 % interval.
        coverage_interval: The same.
        pinball: Mean loss over the quantiles .1, .5 and .9, in units of scale.
    """

    model: str
    role: str
    version: str | None = None
    up_to_hours: float | None = None
    group: str | None = None
    count: int
    days: int
    blocks: int
    mae: float
    mase: float | None
    bias: float | None
    skill: float | None
    skill_interval: Interval | None
    coverage: float
    coverage_interval: Interval | None
    pinball: float | None

    @property
    def enough(self) -> bool:
        """Whether anything is said of them yet."""
        return self.count >= FEWEST and self.blocks >= FEWEST_BLOCKS

    @property
    def promise(self) -> Promise:
        """Whether the interval holds what it says, as far as can be told."""
        if not self.enough or self.coverage_interval is None:
            return Promise.UNKNOWN
        low, high = self.coverage_interval
        if high < NOMINAL:
            return Promise.NARROW
        return Promise.WIDE if low > NOMINAL else Promise.KEPT

    @property
    def worth(self) -> Worth:
        """Whether the median is better than the naive forecast, as far as can be told."""
        if not self.enough or self.skill_interval is None:
            return Worth.UNKNOWN
        low, high = self.skill_interval
        if low > 0.0:
            return Worth.BETTER
        return Worth.WORSE if high < 0.0 else Worth.SAME


def live_scores(daily: pd.DataFrame, *, by: Sequence[Key] = ()) -> tuple[LiveScore, ...]:
    """Return one score for each model and role, and for each value of what else is told apart.

    Args:
        daily: Frame with DAILY_COLUMNS, of the days that count.
        by: What else to tell apart.

    Returns:
        In the order of their keys; none where nothing was judged.
    """
    keys = ["model", "role", *by]
    return tuple(
        _score(dict(zip(keys, values, strict=True)), rows)
        for values, rows in daily.groupby(keys, sort=True)
    )


def _score(keys: dict[str, Any], rows: pd.DataFrame) -> LiveScore:
    total = rows[SUMS].sum()
    blocks = _in_blocks(rows)
    return LiveScore(
        **keys,
        count=int(total["count"]),
        days=int(rows["day"].nunique()),
        blocks=len(blocks),
        mae=float(total["abs_error"] / total["count"]),
        mase=_mean(total["scaled_abs_error"], total["scaled"]),
        bias=_mean(total["scaled_error"], total["scaled"]),
        skill=skill(
            _mean(total["paired_abs_error"], total["paired"]),
            reference_error=_mean(total["paired_naive_error"], total["paired"]),
        ),
        skill_interval=skill_interval(
            blocks["paired_abs_error"].to_numpy(), blocks["paired_naive_error"].to_numpy()
        ),
        coverage=float(total["covered"] / total["count"]),
        coverage_interval=share_interval(
            blocks["covered"].to_numpy(np.float64), blocks["count"].to_numpy(np.float64)
        ),
        pinball=_mean(total["scaled_pinball"], total["scaled"]),
    )


def _mean(total: float, count: float) -> float | None:
    return float(total / count) if count else None


def _in_blocks(rows: pd.DataFrame) -> pd.DataFrame:
    """Return sums by block of days, blocks as long as the longest horizon among the rows."""
    longest = block_days(float(rows["up_to_hours"].max()))
    day = (rows["day"] - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(days=1)
    return rows[SUMS].groupby((day // longest).to_numpy()).sum()


def block_days(hours: float) -> int:
    """Return the days of one block for horizons up to some hours; infinity is the open range."""
    return math.ceil(hours / HOURS_PER_DAY) if hours < HORIZONS_HOURS[-1] else LONGEST_BLOCK_DAYS
