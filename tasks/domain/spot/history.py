"""Recorded price history: which slices to read, and how a new slice joins the old ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd

from tasks.domain.spot.pools import PRICE_CHANGE_COLUMNS

OVERLAP = timedelta(hours=2)
"""Read again on every fetch: announcements may reach the API late."""

SAME_PRICES = 0.9
"""Share of pools; announcements that reach the API late account for the rest."""

POOL_COLUMNS = ["availability_zone", "instance_type", "product_description"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A span of time to read, both ends included."""

    start: datetime
    end: datetime


def missing_slices(
    *,
    window_start: datetime,
    until: datetime,
    held: Slice | None,
    longest: timedelta,
) -> tuple[Slice, ...]:
    """Return what has to be read so that the window is complete.

    Args:
        window_start: First instant that a forecast needs.
        until: Now.
        held: Span for which history is complete already; None when there is none.
        longest: Longest span of one slice, above 0; slices are read in parallel.

    Returns:
        Slices that touch, oldest first. What is held is of use only if it begins at or before the
        window and reaches into it: everything is read otherwise.
    """
    start = window_start
    if held is not None and held.start <= window_start < held.end:
        start = max(held.end - OVERLAP, window_start)
    slices = []
    while start < until:
        end = min(start + longest, until)
        slices.append(Slice(start=start, end=end))
        start = end
    return tuple(slices)


def merged_history(parts: Sequence[pd.DataFrame], *, window_start: datetime) -> pd.DataFrame:
    """Return one history: no row twice, nothing before the window but the price then in effect.

    Args:
        parts: Frames with PRICE_CHANGE_COLUMNS, oldest first; rows may repeat between them.
        window_start: Rows before it are dropped, but for each pool's last one.

    Returns:
        Sorted by pool, then time. Of two prices at one instant the later part's wins.
    """
    filled = [part for part in parts if len(part)]
    if not filled:
        return pd.DataFrame(columns=list(PRICE_CHANGE_COLUMNS))
    joined = pd.concat(filled, ignore_index=True)[list(PRICE_CHANGE_COLUMNS)]
    joined = joined.drop_duplicates([*POOL_COLUMNS, "timestamp"], keep="last")
    joined = joined.sort_values([*POOL_COLUMNS, "timestamp"], ignore_index=True)
    old = joined["timestamp"] < pd.Timestamp(window_start)
    # The row that is followed by a newer one at or before the window's start is superseded.
    next_is_old = old.shift(-1, fill_value=False)
    same_pool = (joined[POOL_COLUMNS] == joined[POOL_COLUMNS].shift(-1)).all(axis=1)
    return joined[~(old & next_is_old & same_pool)].reset_index(drop=True)


def continues(held: pd.DataFrame, fetched: pd.DataFrame, *, since: datetime) -> bool:
    """Return whether newly read prices carry on the held ones.

    They do not when the two come from different places: another account's endpoint, another
    recording, or the same one replayed with another shift of time.

    Args:
        held: Frame with PRICE_CHANGE_COLUMNS.
        fetched: The same, read from `since` on, with the prices in effect then.
        since: An instant that both cover.

    Returns:
        True where at least nine in ten pools that both know had the same price at `since`; false
        where they know none in common.
    """
    before = _in_effect(held, since)
    after = _in_effect(fetched, since)
    common = before.index.intersection(after.index)
    if common.empty:
        return False
    return bool((before[common] == after[common]).mean() >= SAME_PRICES)


def _in_effect(changes: pd.DataFrame, at: datetime) -> pd.Series[float]:
    known = changes[changes["timestamp"] <= pd.Timestamp(at)].sort_values("timestamp")
    return known.groupby(POOL_COLUMNS, observed=True)["price_usd_per_hour"].last()
