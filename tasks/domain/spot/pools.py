"""Capacity pools, and their prices on an hourly grid."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import cast

import numpy as np
import pandas as pd

from tasks.domain.arrays import FloatArray, TimeArray

REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d+")

PRICE_CHANGE_COLUMNS = (
    "timestamp",
    "instance_type",
    "availability_zone",
    "product_description",
    "price_usd_per_hour",
)
"""A frame of price changes: one row is one announced price, timestamps aware UTC."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Pool:
    """What AWS prices and reclaims as one: a type in a zone, for a product."""

    availability_zone: str
    instance_type: str
    product_description: str = "Linux/UNIX"

    def __str__(self) -> str:
        place = f"{self.instance_type}/{self.availability_zone}"
        usual = self.product_description == "Linux/UNIX"
        return place if usual else f"{place} {self.product_description}"

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by position: a third of the time, and panels of 35,000 pools go to workers."""
        return _pool, (self.availability_zone, self.instance_type, self.product_description)

    @property
    def region(self) -> str:
        """Region of the zone: us-east-1 for us-east-1a, us-west-2 for us-west-2-lax-1a."""
        found = REGION.match(self.availability_zone)
        return found.group() if found is not None else self.availability_zone


def _pool(zone: str, kind: str, product: str) -> Pool:
    return Pool(availability_zone=zone, instance_type=kind, product_description=product)


@dataclass(frozen=True, slots=True, kw_only=True)
class PricePanel:
    """Hourly last prices of many pools.

    Attributes:
        pools: n pools, sorted.
        cutoff: The instant of the last column; nothing after it is known. A whole hour, aware UTC.
        prices: (n, hours) USD per hour in effect at each hour mark; NaN before a pool's first
            announcement.
        last_change_at: (n,) datetime64[s] (UTC) of the last announcement at a new price, NaT
            where the price never changed.
    """

    pools: tuple[Pool, ...]
    cutoff: datetime
    prices: FloatArray
    last_change_at: TimeArray

    def __len__(self) -> int:
        return len(self.pools)

    @property
    def hours(self) -> int:
        """Number of hour marks."""
        return int(self.prices.shape[1])

    def take(self, rows: Sequence[int] | slice) -> PricePanel:
        """Return the panel of some pools only, a chunk for instance."""
        index = np.arange(len(self))[rows]
        return replace(
            self,
            pools=tuple(self.pools[i] for i in index),
            prices=self.prices[index],
            last_change_at=self.last_change_at[index],
        )


def hourly_panel(changes: pd.DataFrame, *, cutoff: datetime, hours: int) -> PricePanel:
    """Return the price in effect at each of the last `hours` hour marks up to the cutoff.

    Args:
        changes: Frame with PRICE_CHANGE_COLUMNS, in any order. Rows after the cutoff are ignored;
            rows before the window give the price in effect at its start.
        cutoff: Aware UTC; rounded down to the hour, so that a rerun within the hour agrees.
        hours: Number of hour marks, at least 1.

    Returns:
        One row per pool with at least one announcement at or before the cutoff, sorted by pool.
        Of two announcements at one instant the later row wins.
    """
    cutoff = cutoff.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    timestamps = pd.to_datetime(changes["timestamp"], utc=True)  # an empty frame has no dtype
    known = changes.assign(timestamp=timestamps)[timestamps <= pd.Timestamp(cutoff)]
    known = known.sort_values("timestamp", kind="stable")
    keys = ["availability_zone", "instance_type", "product_description"]
    codes, labels = _pool_codes(known, keys)
    marks = np.datetime64(cutoff.replace(tzinfo=None), "s") - np.arange(hours - 1, -1, -1).astype(
        "timedelta64[h]"
    )
    at = known["timestamp"].to_numpy("datetime64[s]")
    price = known["price_usd_per_hour"].to_numpy(np.float64)
    order = np.argsort(codes, kind="stable")
    codes, at, price = codes[order], at[order], price[order]

    n = len(labels)
    prices = np.full((n, hours), np.nan)
    # A row takes effect at the first hour mark at or after it; earlier rows at the window's start.
    column = np.clip(np.searchsorted(marks, at, side="left"), 0, hours - 1)
    prices[codes, column] = price  # numpy keeps the last of repeated indices: the latest row
    prices = pd.DataFrame(prices).ffill(axis=1).to_numpy()

    return PricePanel(
        pools=labels,
        cutoff=cutoff,
        prices=prices,
        last_change_at=_last_changes(codes, at, price, n),
    )


def _pool_codes(known: pd.DataFrame, keys: list[str]) -> tuple[np.ndarray, tuple[Pool, ...]]:
    grouped = known.groupby(keys, sort=True, observed=True)
    labels = tuple(
        Pool(availability_zone=key[0], instance_type=key[1], product_description=key[2])
        for key in cast("list[tuple[str, str, str]]", list(grouped.groups))
    )
    return grouped.ngroup().to_numpy(np.int64), labels


def _last_changes(codes: np.ndarray, at: TimeArray, price: FloatArray, n: int) -> TimeArray:
    changed = np.zeros(len(codes), dtype=bool)
    changed[1:] = (codes[1:] == codes[:-1]) & (price[1:] != price[:-1])
    last = np.full(n, np.datetime64("NaT"), dtype="datetime64[s]")
    last[codes[changed]] = at[changed]  # rows are in time order within a pool: the last one stays
    return last


def window_start(cutoff: datetime, *, hours: int) -> datetime:
    """Return the first hour mark of a panel of that many hours."""
    return cutoff - timedelta(hours=hours - 1)
