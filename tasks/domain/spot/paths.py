"""The smooth path behind announced prices.

A price holds until the next announcement, but what is announced are samples of a path that moves in
between. Knots at the hours of change, joined by lines, are closer to it than the steps are. What
lies after the last change known at an instant stays out: the line to the next knot would tell it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.domain.arrays import BoolArray, FloatArray, IntArray
from tasks.domain.spot.pools import PricePanel

FRESH_HOURS = 8.0
"""The market announces at most 7.6 h apart while the path moves: past this age it stands still."""
STALE_ANCHOR_HOURS = 3
"""A path that stands still has been seen to do so until about half an interval ago."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PricePaths:
    """Hourly log prices of n pools and the paths behind them.

    Attributes:
        log_price: (n, hours) log of price over the pool's first known price, so that the unit of
            prices cancels; flat before the first announcement.
        path: (n, hours) the same, linear between changes.
        last_change: (n, hours) column of the last change so far; -1 before the first one.
        changes: (n, hours) number of changes so far.
        travelled: (n, hours) sum of absolute 6 h changes so far.
        smallest_change: (n, hours) smallest change so far; infinite before the first.
        mean_price: (n, hours) mean price so far, over the pool's first known price.
        first: (n,) column of the first known price.
        minutes_age: (n,) exact hours from the last change to the last column; NaN when unknown.
    """

    log_price: FloatArray
    path: FloatArray
    last_change: IntArray
    changes: IntArray
    travelled: FloatArray
    smallest_change: FloatArray
    mean_price: FloatArray
    first: IntArray
    minutes_age: FloatArray

    def age(self, rows: IntArray, columns: IntArray) -> FloatArray:
        """Return hours since the last change, a half added for the hour grid; inf without one."""
        change = self.last_change[rows, columns]
        return np.where(change >= 0, columns - change + 0.5, np.inf)

    def anchors(self, rows: IntArray, columns: IntArray) -> IntArray:
        """Return the columns up to which the path is known."""
        age = np.floor(self.age(rows, columns))
        back = np.where(age <= FRESH_HOURS, age, STALE_ANCHOR_HOURS).astype(np.int64)
        return np.asarray(columns - back)

    def at(self, rows: IntArray, columns: IntArray, lookups: IntArray) -> FloatArray:
        """Return (m, k) path values at lookup columns, as known at m (row, column) instants."""
        inside = np.maximum(lookups, 0)
        known = self.path[rows[:, None], inside]
        flat = inside > self.last_change[rows, columns][:, None]
        return np.where(flat, self.log_price[rows, columns][:, None], known)


def moved_pools(prices: FloatArray) -> BoolArray:
    """Return (n,) whether the price changed within the window; False where none is known."""
    known = ~np.isnan(prices)
    high = np.where(known, prices, -np.inf).max(axis=1)
    low = np.where(known, prices, np.inf).min(axis=1)
    return np.asarray(high > low)


def price_paths(panel: PricePanel) -> PricePaths:
    """Return the paths behind a panel's prices; every pool needs at least one known price."""
    prices = panel.prices
    n, hours = prices.shape
    first = np.argmax(~np.isnan(prices), axis=1)
    opening = prices[np.arange(n), first]
    relative = np.where(np.isnan(prices), opening[:, None], prices) / opening[:, None]
    log_price = np.log(relative)
    steps = np.abs(np.diff(log_price, axis=1, prepend=log_price[:, :1]))
    changed = steps > 0.0
    columns = np.arange(hours)
    last_change = np.maximum.accumulate(np.where(changed, columns, -1), axis=1)
    strides = np.abs(log_price[:, 6:] - log_price[:, :-6])
    return PricePaths(
        log_price=log_price,
        path=_joined(log_price, changed, first),
        last_change=last_change,
        changes=np.cumsum(changed, axis=1),
        travelled=np.cumsum(np.pad(strides, ((0, 0), (min(6, hours), 0)))[:, :hours], axis=1),
        smallest_change=np.minimum.accumulate(np.where(changed, steps, np.inf), axis=1),
        mean_price=np.cumsum(relative, axis=1) / (columns + 1),
        first=first,
        minutes_age=_minutes_age(panel, last_change[:, -1]),
    )


def _joined(log_price: FloatArray, changed: BoolArray, first: IntArray) -> FloatArray:
    path = log_price.copy()
    columns = np.arange(log_price.shape[1])
    for row in np.flatnonzero(changed.any(axis=1)):
        knots = np.append(first[row], np.flatnonzero(changed[row]))
        path[row] = np.interp(columns, knots, log_price[row, knots])
    return path


def _minutes_age(panel: PricePanel, last_change: IntArray) -> FloatArray:
    """Return the exact age of the last change where it agrees with the hourly grid."""
    cutoff = np.datetime64(panel.cutoff.replace(tzinfo=None), "s")
    exact = (cutoff - panel.last_change_at) / np.timedelta64(1, "h")
    on_grid = panel.hours - 1 - last_change
    agrees = (last_change >= 0) & (exact >= on_grid) & (exact < on_grid + 1)
    return np.where(agrees, exact, np.nan)
