"""Small stored forecasts and what came true of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from tasks.domain.arrays import FloatArray
from tasks.domain.load.forecasts import LoadForecasts
from tasks.domain.load.panel import HOUR, Load
from tasks.domain.models.live import tidy
from tasks.domain.models.scorecard import daily_sums
from tasks.domain.models.truth import truth_frame

MADE_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def load_forecasts(
    quantiles: FloatArray,
    *,
    load: Load = Load.CPU,
    cutoff: datetime | None = MADE_AT,
    step: timedelta = HOUR,
) -> LoadForecasts:
    """Forecasts of i-0, i-1, ... with a naive of 40."""
    series, hours, _ = quantiles.shape
    return LoadForecasts(
        load=load,
        series=tuple(f"i-{row}" for row in range(series)),
        step=step,
        cutoff=cutoff,
        quantiles=quantiles,
        naive=np.full((series, hours), 40.0),
        method=np.array(["global"] * series),
        confidence=np.full(series, np.nan),
    )


def flat(series: int = 2, hours: int = 24, *, low: float = 20.0, high: float = 40.0) -> FloatArray:
    """Quantiles low, their mean and high at every hour."""
    levels = np.array([low, (low + high) / 2.0, high])
    return np.broadcast_to(levels, (series, hours, 3)).copy()


def rows(
    hours: Sequence[float] = (1.0,),
    *,
    made_at: datetime = MADE_AT,
    series: str | pd.Series[str] = "cpu_percent/i-0",
    **columns: Any,
) -> pd.DataFrame:
    """Rows of one series' forecast: 30 within 20 to 40, naive 40, scale 10."""
    found = pd.DataFrame(
        {
            "model": "load-cpu",
            "version": "abc",
            "role": "champion",
            "series": series,
            "made_at": pd.Timestamp(made_at),
            "target_at": pd.Timestamp(made_at) + pd.to_timedelta(list(hours), unit="h"),
            "group": "all",
            "horizon_hours": list(hours),
            "q10": 20.0,
            "q50": 30.0,
            "q90": 40.0,
            "naive": 40.0,
            "scale": 10.0,
        }
    )
    return tidy(found.assign(**columns))


def truth_of(stored: pd.DataFrame, values: Sequence[float] | FloatArray | float) -> pd.DataFrame:
    """Give each row its truth; NaN is left out."""
    found = np.broadcast_to(np.asarray(values, dtype=np.float64), (len(stored),))
    return truth_frame(stored["series"].to_numpy(), stored["target_at"], found.copy())


def days_of_sums(
    days: int,
    *,
    per_day: int = 24,
    start: datetime = MADE_AT,
    seed: int = 20,
    covered: float = 0.8,
    error: float = 6.0,
    **columns: Any,
) -> pd.DataFrame:
    """Daily sums of forecasts one hour ahead: so many a day inside, naive off by 10 in every one."""
    rng = np.random.default_rng(seed)
    count = days * per_day
    off = error * rng.uniform(0.8, 1.2, count)
    # The median is off by that much, the interval holds the truth or lies above it.
    truth = 30.0 - off
    inside = rng.permuted(np.tile(np.arange(per_day), (days, 1)), axis=1).ravel()
    shift = np.where(inside < round(covered * per_day), -1.0, 1.0)
    day = pd.to_timedelta(np.repeat(np.arange(days), per_day), unit="D")
    stored = rows([1.0] * count, made_at=start, **columns)
    return daily_sums(
        stored.assign(
            target_at=stored["target_at"] + day,
            q10=truth + shift,
            naive=truth + 10.0,
            truth=truth,
        )
    )
