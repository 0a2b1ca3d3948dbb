"""Forecasts judged by what came true, and added up by day.

A row is judged once, when its truth is known; rows wait for it, and expire unjudged after a while.
What is kept of a judged row is its part in a daily sum. Sums of two runs add up to those of one that
saw both, in any order: merging is associative and commutative, and the empty frame changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from tasks.domain.arrays import FloatArray
from tasks.domain.models.live import with_times
from tasks.domain.scores import covered, pinball_losses

EXPIRE_AFTER = timedelta(days=28)
"""As far back as use and prices are looked at: no later run will know more."""
KEPT_DAYS = 400
HORIZONS_HOURS = (4.0, 24.0, 72.0, 168.0, np.inf)
"""Upper ends of the ranges of horizons that are told apart, each with its end."""
QUANTILES = {"q10": 0.1, "q50": 0.5, "q90": 0.9}

KEYS = ["model", "version", "role", "up_to_hours", "group", "day"]
SUMS = [
    "count", "abs_error", "covered",
    "scaled", "scaled_abs_error", "scaled_error", "scaled_pinball",
    "paired", "paired_abs_error", "paired_naive_error",
]  # fmt: skip
DAILY_COLUMNS = (*KEYS, *SUMS)
"""A frame of daily sums over judged rows.

up_to_hours is one of HORIZONS_HOURS, day the UTC day of the target. count rows were judged; abs_error
is in the unit of the series, covered the number of them inside the 80 % interval. scaled rows have a
scale, and their sums are in units of it: scaled_error is forecast less truth, scaled_pinball the mean
over the three quantiles. paired rows have a scale and a naive forecast.
"""


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What became of rows that waited.

    Attributes:
        daily: Frame with DAILY_COLUMNS, of the rows judged now.
        waiting: Frame with ROW_COLUMNS, of those left.
        expired: Number of rows that will never be judged.
    """

    daily: pd.DataFrame
    waiting: pd.DataFrame
    expired: int

    @property
    def judged(self) -> int:
        """Number of rows judged now."""
        return int(self.daily["count"].sum())


def judged(rows: pd.DataFrame, truth: pd.DataFrame, *, now: datetime) -> Judgement:
    """Return what became of rows, each in one of three ways.

    Args:
        rows: Frame with ROW_COLUMNS, no row twice.
        truth: Frame with series, target_at and truth; NaN is not known, of two values of one instant
            the later row counts. However late it comes, a row that still waits is judged by it.
        now: Aware UTC; what lies ahead is not judged, and what is four weeks old without a truth
            expires.
    """
    known = with_times(truth)
    known = known[np.isfinite(known["truth"].to_numpy(np.float64))]
    known = known.drop_duplicates(["series", "target_at"], keep="last")
    found = rows.merge(known, on=["series", "target_at"], how="left")
    told = found["truth"].notna() & (found["target_at"] <= pd.Timestamp(now))
    old = found["target_at"] < pd.Timestamp(now) - EXPIRE_AFTER
    return Judgement(
        daily=daily_sums(found[told]),
        waiting=found[~told & ~old].drop(columns="truth").reset_index(drop=True),
        expired=int((~told & old).sum()),
    )


def daily_sums(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the daily sums of rows with their truth."""
    numbers = {
        name: rows[name].to_numpy(np.float64)
        for name in ("truth", "q10", "q50", "q90", "naive", "scale")
    }
    # As exact as the stored forecast: else a price that stood still misses an interval of no width.
    truth = numbers["truth"].astype(np.float32).astype(np.float64)
    scale = numbers["scale"]
    error = numbers["q50"] - truth
    scaled, paired = np.isfinite(scale), np.isfinite(scale) & np.isfinite(numbers["naive"])
    losses = np.array(
        [pinball_losses(truth, numbers[name], quantile=level) for name, level in QUANTILES.items()]
    ).mean(axis=0)
    keys = rows[["model", "version", "role", "group"]].assign(
        up_to_hours=up_to_hours(rows["horizon_hours"].to_numpy(np.float64)),
        day=rows["target_at"].dt.floor("D"),
    )
    parts = keys.assign(
        count=np.ones(len(rows), dtype=np.int64),
        abs_error=np.abs(error),
        covered=covered(truth, low=numbers["q10"], high=numbers["q90"]).astype(np.int64),
        scaled=scaled.astype(np.int64),
        scaled_abs_error=_where(scaled, np.abs(error), scale),
        scaled_error=_where(scaled, error, scale),
        scaled_pinball=_where(scaled, losses, scale),
        paired=paired.astype(np.int64),
        paired_abs_error=_where(paired, np.abs(error), scale),
        paired_naive_error=_where(paired, np.abs(numbers["naive"] - truth), scale),
    )
    return merged([parts])


def _where(some: np.ndarray, error: FloatArray, scale: FloatArray) -> FloatArray:
    return np.divide(error, scale, out=np.zeros_like(error), where=some)


def up_to_hours(horizon_hours: FloatArray) -> FloatArray:
    """Return the upper end of the range of horizons that each belongs to."""
    return np.array(HORIZONS_HOURS)[np.searchsorted(HORIZONS_HOURS, horizon_hours)]


def merged(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return daily sums added up; none for no parts."""
    filled = [part for part in parts if len(part)]
    if not filled:
        return no_sums()
    joined = pd.concat(filled, ignore_index=True)
    joined["day"] = pd.to_datetime(joined["day"], utc=True).dt.as_unit("us")
    return joined.groupby(KEYS, as_index=False, sort=True)[SUMS].sum()[list(DAILY_COLUMNS)]


def no_sums() -> pd.DataFrame:
    """Return the daily sums of nothing."""
    whole = ("count", "covered", "scaled", "paired")
    types = {name: np.int64 if name in whole else np.float64 for name in SUMS}
    empty = pd.DataFrame({name: pd.Series(dtype="str") for name in KEYS} | {
        name: pd.Series(dtype=kind) for name, kind in types.items()})  # fmt: skip
    empty["up_to_hours"] = empty["up_to_hours"].astype(np.float64)
    empty["day"] = pd.to_datetime(empty["day"], utc=True).dt.as_unit("us")
    return empty[list(DAILY_COLUMNS)]


def recent(daily: pd.DataFrame, *, now: datetime, days: int = KEPT_DAYS) -> pd.DataFrame:
    """Return the sums of the last days, today's among them."""
    first = pd.Timestamp(now).floor("D") - pd.Timedelta(days=days - 1)
    return daily[daily["day"] >= first].reset_index(drop=True)
