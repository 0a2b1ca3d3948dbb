"""What came true of forecasts that wait, from what other flows observed and stored.

Truth is a frame with the columns series, target_at and truth; what is not known is left out. A load's
value belongs to the end of its hour, a price is the one in effect at the hour mark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from tasks.domain.arrays import BoolArray, FloatArray, IntArray
from tasks.domain.load.panel import Load
from tasks.domain.models.live import price_series, with_times
from tasks.domain.spot.history import OVERLAP, POOL_COLUMNS
from tasks.domain.spot.pools import Pool, hourly_panel
from tasks.domain.usage.panel import Metric, UsagePanel

TRUTH_COLUMNS = ("series", "target_at", "truth")
HOUR = timedelta(hours=1)
SECONDS_PER_HOUR = 3600.0

OBSERVED = {
    Load.CPU: (Metric.CPU_MEAN, 1.0),
    Load.MEMORY: (Metric.MEMORY_MEAN, 1.0),
    Load.REQUESTS: (Metric.REQUESTS, SECONDS_PER_HOUR),
}
"""The metric that a load is judged by, and what it is divided by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSpan:
    """A part of the market and a span of time for which every announced price is held.

    Attributes:
        region: For example us-east-1.
        products: Operating systems.
        instance_types: Empty for all.
        start: Aware UTC.
        end: Aware UTC; announcements of the last two hours may be missing.
    """

    region: str
    products: frozenset[str]
    instance_types: frozenset[str]
    start: datetime
    end: datetime

    def holds(self, pool: Pool) -> bool:
        """Return whether a pool belongs to this part of the market."""
        return (
            pool.region == self.region
            and pool.product_description in self.products
            and (not self.instance_types or pool.instance_type in self.instance_types)
        )


def price_span(key: str, *, start: datetime, end: datetime) -> PriceSpan:
    """Return a span by the key under which a spot outlook keeps it: region|products|types or *."""
    region, products, types = key.split("|")
    return PriceSpan(
        region=region,
        products=frozenset(products.split(",")),
        instance_types=frozenset() if types == "*" else frozenset(types.split(",")),
        start=start,
        end=end,
    )


def no_truth() -> pd.DataFrame:
    """Return the frame of nothing known."""
    return truth_frame(np.array([], dtype=object), pd.DatetimeIndex([], tz="UTC"), np.array([]))


def truth_frame(
    series: np.ndarray, target_at: pd.Series[pd.Timestamp] | pd.DatetimeIndex, truth: FloatArray
) -> pd.DataFrame:
    """Return known values as truth; NaN and infinity are not known."""
    found = pd.DataFrame(
        {
            "series": pd.Series(series, dtype="str"),
            "target_at": pd.DatetimeIndex(target_at),
            "truth": truth,
        }
    )
    return with_times(found[np.isfinite(found["truth"])].reset_index(drop=True))


def load_truth(rows: pd.DataFrame, panel: UsagePanel) -> pd.DataFrame:
    """Return what a panel of hourly use knows of the loads that wait.

    Args:
        rows: Frame with series and target_at, of whatever models; others are passed over.
        panel: What was observed.
    """
    wanted = rows[["series", "target_at"]].drop_duplicates()
    kind = wanted["series"].str.partition("/")[0]
    parts = [
        _loads(wanted[kind == str(load)], panel.of(metric).astype(np.float64) / unit, panel)
        for load, (metric, unit) in OBSERVED.items()
        if (kind == str(load)).any() and metric in panel.values
    ]
    return pd.concat(parts, ignore_index=True) if parts else no_truth()


def _loads(wanted: pd.DataFrame, values: FloatArray, panel: UsagePanel) -> pd.DataFrame:
    names = wanted["series"].str.partition("/")[2]
    row = np.array([panel.position.get(name, -1) for name in names], dtype=np.int64)
    # The hour that ends at the target begins one before it.
    column = _hours_since(wanted["target_at"], panel.start) - 1
    truth = _looked_up(values, row, column)
    return truth_frame(
        wanted["series"].to_numpy(), wanted["target_at"].reset_index(drop=True), truth
    )


def price_truth(
    rows: pd.DataFrame, changes: pd.DataFrame, spans: Sequence[PriceSpan]
) -> pd.DataFrame:
    """Return what announced prices say of the pools that wait.

    Args:
        rows: Frame with series and target_at, of whatever models; others are passed over.
        changes: Frame with PRICE_CHANGE_COLUMNS.
        spans: For which parts of the market and spans `changes` is complete; elsewhere a price is
            not known, since a newer one may have been announced.
    """
    wanted = rows[["series", "target_at"]].drop_duplicates()
    wanted = wanted[wanted["series"].str.startswith("spot/")].reset_index(drop=True)
    pools = {series: pool_of(series) for series in wanted["series"].unique()}
    if not pools or not spans or changes.empty:
        return no_truth()
    until = max(one.end for one in spans)
    since = min(wanted["target_at"].min(), pd.Timestamp(until)).to_pydatetime()
    asked = pd.DataFrame([(p.availability_zone, p.instance_type, p.product_description)
                          for p in pools.values()], columns=POOL_COLUMNS)  # fmt: skip
    panel = hourly_panel(
        changes.merge(asked, on=POOL_COLUMNS), cutoff=until, hours=int((until - since) / HOUR) + 2
    )
    position = {price_series(pool): row for row, pool in enumerate(panel.pools)}
    row = np.array([position.get(series, -1) for series in wanted["series"]], dtype=np.int64)
    first_mark = panel.cutoff - (panel.hours - 1) * HOUR
    truth = _looked_up(panel.prices, row, _hours_since(wanted["target_at"], first_mark))
    truth = np.where(_complete(wanted, pools, spans), truth, np.nan)
    return truth_frame(wanted["series"].to_numpy(), wanted["target_at"], truth)


def pool_of(series: str) -> Pool:
    """Return the pool that `price_series` named."""
    kind, _, place = series.removeprefix("spot/").partition("/")
    zone, _, product = place.partition(" ")
    if not product:
        return Pool(availability_zone=zone, instance_type=kind)
    return Pool(availability_zone=zone, instance_type=kind, product_description=product)


def _complete(
    wanted: pd.DataFrame, pools: dict[str, Pool], spans: Sequence[PriceSpan]
) -> BoolArray:
    """Return (rows,) whether every price up to the instant is held."""
    found = np.zeros(len(wanted), dtype=bool)
    at = wanted["target_at"]
    for span in spans:
        inside = [series for series, pool in pools.items() if span.holds(pool)]
        settled = pd.Timestamp(span.end - OVERLAP)
        found |= (
            wanted["series"].isin(inside) & (at >= pd.Timestamp(span.start)) & (at <= settled)
        ).to_numpy()
    return found


def _hours_since(at: pd.Series[pd.Timestamp], start: datetime) -> IntArray:
    """Return whole hours since an instant; -1000000 for what is not a whole number of them."""
    hours = (at - pd.Timestamp(start)) / pd.Timedelta(hours=1)
    whole = np.round(hours.to_numpy(np.float64))
    return np.where(np.abs(hours - whole) < 1e-6, whole, -1e6).astype(np.int64)


def _looked_up(values: FloatArray, row: IntArray, column: IntArray) -> FloatArray:
    inside = (row >= 0) & (column >= 0) & (column < values.shape[1])
    found = np.full(len(row), np.nan)
    found[inside] = values[row[inside], column[inside]]
    return found
