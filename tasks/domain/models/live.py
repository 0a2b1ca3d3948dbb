"""Forecasts kept until their truth arrives: one tidy row for each series and hour ahead.

What is kept is bounded and does not hang on how a forecast turns out: of many series the same ones
every time, by the hash of their names, and of a long forecast every so many hours, other hours at each
origin. A forecast is one model version's, in one role, of one series, made at one instant; it counts
once, however often it is handed in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Literal

import numpy as np
import pandas as pd

from tasks.domain.arrays import FloatArray, IntArray
from tasks.domain.errors import PermanentError
from tasks.domain.load.forecasts import LoadForecasts
from tasks.domain.load.panel import HOUR, Load
from tasks.domain.models.registry import ModelVersion
from tasks.domain.spot.forecasts import PoolForecasts
from tasks.domain.spot.pools import Pool

FORECAST = ["model", "version", "role", "series", "made_at"]
"""What tells one forecast from another."""
ROW_KEY = [*FORECAST, "target_at"]
NUMBERS = ["horizon_hours", "q10", "q50", "q90", "naive", "scale"]
ROW_COLUMNS = (*ROW_KEY, "group", *NUMBERS)
"""A frame of stored forecasts.

model is for example "load-cpu" or "spot-24h"; version the beginning of a SHA-256; role a Role; series
a name of `load_series` or `price_series`; made_at and target_at aware UTC; group what the series was
counted among when the forecast was made; naive and scale NaN where unknown, scale above 0 elsewhere.
"""

MOST_SERIES = 500

MODELS = {Load.CPU: "load-cpu", Load.MEMORY: "load-memory", Load.REQUESTS: "load-requests"}
VERSION_DIGITS = 12


class Role(StrEnum):
    """Whether anybody acts on a forecast."""

    CHAMPION = "champion"
    CHALLENGER = "challenger"
    PREVIOUS = "previous"


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeBy:
    """Who made a forecast.

    Attributes:
        version: Beginning of the SHA-256 of the model's bytes.
        role: Its role when it did.
    """

    version: str
    role: Role = Role.CHAMPION


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """How much of a forecast is kept.

    Attributes:
        most_series: The same ones every time where there are more; at least 1.
        every: Of the hours ahead every so many, others at each origin; 1 keeps all.
    """

    most_series: int = MOST_SERIES
    every: Literal[1, 5, 7, 11, 13] = 1


ALL = Kept()
PRICES = Kept(every=13)
"""Prices are forecast anew each hour, two horizons at once, so that neighbours say almost the same."""


class UnjudgeableError(PermanentError):
    """No truth will ever be known of a forecast."""


def made_by(version: ModelVersion, role: Role) -> MadeBy:
    """Return a registered model version as the maker of its forecasts."""
    return MadeBy(version=version.sha256[:VERSION_DIGITS], role=role)


def load_series(load: Load, name: str) -> str:
    """Return the name under which a workload's load is judged."""
    return f"{load}/{name}"


def price_series(pool: Pool) -> str:
    """Return the name under which a pool's price is judged."""
    return f"spot/{pool}"


def forecast_rows(
    forecasts: LoadForecasts | PoolForecasts,
    maker: MadeBy,
    *,
    scale: FloatArray,
    groups: Sequence[str] | None = None,
    kept: Kept | None = None,
) -> pd.DataFrame:
    """Return a forecast as rows to keep.

    Args:
        forecasts: Of n series.
        maker: The model that made it.
        scale: (n,) what an error of each series is measured by, in the series' unit; NaN or 0 where
            there is none.
        groups: (n,) what each series counts among, by what was known then. None is "moving" and
            "still" for prices, "all" for loads.
        kept: How much to keep; None is all hours of loads and every thirteenth of prices.

    Returns:
        Frame with ROW_COLUMNS; values that were not forecast (NaN) are left out.

    Raises:
        UnjudgeableError: A load without a wall clock, or not by the hour.
    """
    if isinstance(forecasts, LoadForecasts):
        values = _load_values(forecasts)
        kept = kept or ALL
    else:
        values = _price_values(forecasts)
        kept = kept or PRICES
    known = values.groups if groups is None else list(groups)
    return _rows(values, maker, scale=np.asarray(scale, dtype=np.float64), groups=known, kept=kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Values:
    """A forecast of whatever kind: (n,) series, (n, H, 3) quantiles, (n, H) naive, by the hour."""

    model: str
    series: list[str]
    made_at: datetime
    quantiles: FloatArray
    naive: FloatArray
    groups: list[str]


def _load_values(forecasts: LoadForecasts) -> _Values:
    if forecasts.cutoff is None:
        message = "a forecast without a wall clock cannot be judged later; give the panel its start"
        raise UnjudgeableError(message)
    if forecasts.step != HOUR:
        message = (
            f"a forecast in steps of {forecasts.step} cannot be judged by hourly means, which is what "
            "is observed; forecast by the hour"
        )
        raise UnjudgeableError(message)
    return _Values(
        model=MODELS[forecasts.load],
        series=[load_series(forecasts.load, name) for name in forecasts.series],
        made_at=forecasts.cutoff,
        quantiles=forecasts.quantiles,
        naive=forecasts.naive,
        groups=["all"] * len(forecasts),
    )


def _price_values(forecasts: PoolForecasts) -> _Values:
    ahead = forecasts.horizon_hours
    return _Values(
        model=f"spot-{ahead}h",
        series=[price_series(pool) for pool in forecasts.pools],
        made_at=forecasts.cutoff,
        quantiles=forecasts.quantiles,
        naive=np.repeat(forecasts.last_value[:, None], ahead, axis=1),
        groups=["moving" if moved else "still" for moved in forecasts.moved.tolist()],
    )


def _rows(
    values: _Values, maker: MadeBy, *, scale: FloatArray, groups: list[str], kept: Kept
) -> pd.DataFrame:
    rows = sampled(values.series, most=kept.most_series)
    ahead = hours_kept(values.made_at, horizon=values.quantiles.shape[1], every=kept.every)
    made_at = pd.Timestamp(values.made_at).tz_convert("UTC")
    quantiles = values.quantiles[rows][:, ahead - 1].astype(np.float32)
    of_row = np.repeat(rows, len(ahead))
    hours = np.tile(ahead, len(rows))
    found = pd.DataFrame(
        {
            "model": values.model,
            "version": maker.version,
            "role": str(maker.role),
            "series": np.array(values.series, dtype=object)[of_row],
            "made_at": made_at,
            "target_at": made_at + pd.to_timedelta(hours, unit="h"),
            "group": np.array(groups, dtype=object)[of_row],
            "horizon_hours": hours.astype(np.float32),
            "q10": quantiles[:, :, 0].ravel(),
            "q50": quantiles[:, :, 1].ravel(),
            "q90": quantiles[:, :, 2].ravel(),
            "naive": values.naive[rows][:, ahead - 1].astype(np.float32).ravel(),
            "scale": np.where(scale > 0.0, scale, np.nan).astype(np.float32)[of_row],
        }
    )
    forecast = np.isfinite(quantiles).all(axis=2).ravel()
    return tidy(found.loc[forecast])


def sampled(series: Sequence[str], *, most: int) -> IntArray:
    """Return the rows of the series to keep, in their order: all, or those with the lowest hashes."""
    if len(series) <= most:
        return np.arange(len(series), dtype=np.int64)
    hashes = [hashlib.blake2b(one.encode(), digest_size=8).digest() for one in series]
    lowest = sorted(range(len(series)), key=lambda row: (hashes[row], series[row]))[:most]
    return np.array(sorted(lowest), dtype=np.int64)


def hours_kept(made_at: datetime, *, horizon: int, every: int) -> IntArray:
    """Return which hours ahead, 1 to the horizon, are kept of a forecast made at an instant.

    They move on by two with every hour. Where `every` is odd and no divisor of 48, all hours ahead and
    all hours of the day get their turn, by forecasts of every hour as by those of once a day.
    """
    hours = int(made_at.astimezone(UTC).timestamp() // 3600)
    ahead = np.arange(1, horizon + 1, dtype=np.int64)
    return np.asarray(ahead[(ahead + 2 * hours) % every == 0])


def tidy(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows with their columns in order and of the types that are stored."""
    found = rows[list(ROW_COLUMNS)].reset_index(drop=True)
    for name in ("model", "version", "role", "series", "group"):
        found[name] = found[name].astype("str")
    return with_times(found).astype(dict.fromkeys(NUMBERS, np.float32))


def with_times(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose instants are aware UTC, to the microsecond: others do not join."""
    found = frame.copy()
    for name in ("made_at", "target_at"):
        if name in found:
            found[name] = pd.to_datetime(found[name], utc=True).dt.as_unit("us")
    return found


def no_rows() -> pd.DataFrame:
    """Return an empty frame of stored forecasts."""
    return tidy(pd.DataFrame(columns=list(ROW_COLUMNS)))
