"""One region's spot history, indexed so that a page costs what is on it."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np
import pandas as pd

from deployments.embedded.aws.spot_history import region_of
from tasks.domain.arrays import BoolArray, FloatArray, IntArray
from tasks.domain.spot.pools import Pool

_SCAN_ROWS = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where the next page starts; rows are listed downwards, newest first.

    Attributes:
        query: Digest of the query that the position belongs to.
        start: First second asked for, fixed at the first page.
        below: Rows with an index under this one are still to come.
    """

    query: int
    start: int
    below: int

    def token(self) -> str:
        """Return the text that travels as NextToken."""
        text = json.dumps([self.query, self.start, self.below])
        return base64.urlsafe_b64encode(text.encode()).decode()

    @classmethod
    def from_token(cls, token: str) -> Self:
        """Return the position.

        Raises:
            ValueError: The text is no token of ours.
        """
        try:
            query, start, below = json.loads(base64.urlsafe_b64decode(token.encode()))
            return cls(query=int(query), start=int(start), below=int(below))
        except (binascii.Error, TypeError, UnicodeError) as error:
            message = "not a pagination token"
            raise ValueError(message) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Which rows are wanted.

    Attributes:
        pools: Mask over the region's pools.
        start: First second.
        below: Exclusive upper index.
        accepts: Told row indices, returns which of them are wanted; None for all.
    """

    pools: BoolArray
    start: int
    below: int
    accepts: Callable[[IntArray], BoolArray] | None = None


class RegionHistory:
    """Announced prices of one region, oldest first.

    Args:
        pools: Distinct pools.
        pool: (n,) index into pools.
        seconds: (n,) whole seconds since the epoch, never decreasing.
        price: (n,) USD per hour.
    """

    def __init__(
        self, *, pools: Sequence[Pool], pool: IntArray, seconds: IntArray, price: FloatArray
    ) -> None:
        self.pools = tuple(pools)
        self.pool = pool.astype(np.int32)
        self.seconds = seconds
        self.price = price
        # A window's start is asked for once per page: remember the last few.
        self.in_effect_before = lru_cache(maxsize=8)(self._in_effect_before)

    def __len__(self) -> int:
        return len(self.pool)

    def revealed(self, now: int) -> int:
        """Return how many rows are announced by a second."""
        return int(np.searchsorted(self.seconds, now, side="right"))

    def rows_between(self, window: Window, *, limit: int) -> tuple[IntArray, int]:
        """Return up to `limit` row indices, newest first, and where the next page starts.

        Args:
            window: What is wanted. A pool's price in effect at its start is listed too, although
                it was announced earlier.
            limit: At least 1.

        Returns:
            Indices, and the index to go on below; 0 when there is nothing more.
        """
        first = int(np.searchsorted(self.seconds, window.start, side="left"))
        found: list[IntArray] = []
        count, top, step = 0, window.below, _SCAN_ROWS
        while top > first and count <= limit:
            bottom = max(first, top - step)
            found.append(self._wanted(np.arange(top - 1, bottom - 1, -1), window))
            count += len(found[-1])
            top, step = bottom, step * 2
        if count <= limit:
            found.append(self._wanted(self._earlier(first, window), window))
        rows = np.concatenate([np.zeros(0, dtype=np.int64), *found])
        return rows[:limit], int(rows[limit - 1]) if len(rows) > limit else 0

    def _wanted(self, rows: IntArray, window: Window) -> IntArray:
        rows = rows[window.pools[self.pool[rows]]]
        return rows if window.accepts is None else rows[window.accepts(rows)]

    def _earlier(self, first: int, window: Window) -> IntArray:
        """Return the rows in effect at the start, less those a row at that second replaces."""
        rows = self.in_effect_before(first)
        at_start = self.pool[first : self.revealed(window.start)]
        return rows[~np.isin(self.pool[rows], at_start) & (rows < window.below)]

    def _in_effect_before(self, first: int) -> IntArray:
        last = np.full(len(self.pools), -1, dtype=np.int64)
        last[self.pool[:first]] = np.arange(first)  # of repeated indices numpy keeps the last
        return np.sort(last[last >= 0])[::-1]


def index_by_region(frame: pd.DataFrame) -> dict[str, RegionHistory]:
    """Return a history per region.

    Args:
        frame: PRICE_CHANGE_COLUMNS, aware timestamps, in any order. Of rows at one instant the
            later row is the newer.
    """
    frame = frame.sort_values("timestamp", kind="stable")
    keys = ["availability_zone", "instance_type", "product_description"]
    grouped = frame.groupby(keys, sort=True, observed=True)
    labels: list[tuple[str, str, str]] = list(grouped.groups)  # type: ignore[arg-type]
    pools = [
        Pool(availability_zone=zone, instance_type=kind, product_description=product)
        for zone, kind, product in labels
    ]
    codes = grouped.ngroup().to_numpy(np.int64)
    seconds = frame["timestamp"].dt.as_unit("s").astype("int64").to_numpy()
    price = frame["price_usd_per_hour"].to_numpy(np.float64)
    regions = np.array([region_of(pool.availability_zone) for pool in pools])
    found = {}
    for region in sorted(set(regions.tolist())):
        inside = regions == region
        rows = inside[codes]
        found[region] = RegionHistory(
            pools=[pool for pool, keep in zip(pools, inside, strict=True) if keep],
            pool=(np.cumsum(inside) - 1)[codes[rows]],
            seconds=seconds[rows],
            price=price[rows],
        )
    return found
