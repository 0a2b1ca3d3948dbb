"""Spend above its own pattern, told once per episode: what it cost, its kind and its likely cause."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd

from tasks.domain.arrays import FloatArray
from tasks.domain.errors import PermanentError
from tasks.domain.savings.spend.episodes import Episode, WatchedGroup, episodes, watched_groups
from tasks.domain.savings.spend.panel import AnomalyKind, SpendAnomaly, SpendPanel, spend_panel

DEFAULT_MIN_USD = 50.0
TOLD_DAYS = 45
"""Episodes that ended earlier are not told again."""
SPIKE_DAYS = 3
MONTH_DAYS = 30.4
DETAIL_COLUMNS = ("day", "group", "part", "usd")


def spend_anomalies(
    costs: pd.DataFrame,
    *,
    today: date,
    min_usd: float = DEFAULT_MIN_USD,
    details: pd.DataFrame | None = None,
) -> tuple[SpendAnomaly, ...]:
    """Return what was not in the pattern in the last `TOLD_DAYS`, the dearest first.

    Args:
        costs: Daily costs in SPEND_COLUMNS; estimated days are left out.
        today: Day of the run.
        min_usd: Smallest excess of a whole episode, USD; at least 0.
        details: DETAIL_COLUMNS, spend by usage type or tag within each group, to name a cause.

    Raises:
        PermanentError: When no day is settled, or details lack a column.
    """
    parts = None if details is None else _checked(details)
    panel = spend_panel(costs, today=today)
    found = [
        _told(panel, row, one, watched)
        for row, watched in enumerate(watched_groups(panel))
        for one in episodes(watched)
    ]
    since = today - timedelta(days=TOLD_DAYS)
    kept = [one for one in found if one.excess_usd >= min_usd and one.last_day >= since]
    if parts is not None:
        kept = [_with_cause(one, parts) for one in kept]
    return tuple(sorted(kept, key=lambda one: (-one.excess_usd, one.group, one.first_day)))


def _told(panel: SpendPanel, row: int, one: Episode, seen: WatchedGroup) -> SpendAnomaly:
    span = slice(one.first, one.last + 1)
    judged = np.isfinite(seen.base[span])
    normal = one.level * seen.factor[span] + seen.lump[span]
    expected = float(normal[judged].sum())
    found = float(seen.usd[span][judged].sum())
    monthly = one.level * MONTH_DAYS
    excess = max(found - expected, 0.0)
    return SpendAnomaly(
        group=panel.groups[row],
        kind=_kind(one, seen.base[span][judged] / one.level - 1.0),
        first_day=panel.first_day + timedelta(days=one.first),
        last_day=panel.first_day + timedelta(days=one.last),
        ongoing=one.ongoing and one.last >= panel.days - 2,
        expected_usd=expected,
        found_usd=found,
        severity=excess / (excess + 0.1 * monthly) if excess > 0.0 else 0.0,
    )


def _kind(one: Episode, share: FloatArray) -> AnomalyKind:
    if len(share) <= SPIKE_DAYS:
        return AnomalyKind.SPIKE
    third = max(len(share) // 3, 1)
    if one.crept or share[-third:].mean() > 1.5 * max(share[:third].mean(), 0.01):
        return AnomalyKind.DRIFT
    return AnomalyKind.STEP


def _checked(details: pd.DataFrame) -> pd.DataFrame:
    missing = [column for column in DETAIL_COLUMNS if column not in details.columns]
    if missing:
        msg = f"details lack {', '.join(missing)}; give {', '.join(DETAIL_COLUMNS)}"
        raise PermanentError(msg)
    return details.assign(day=pd.to_datetime(details["day"]))


def _with_cause(one: SpendAnomaly, details: pd.DataFrame) -> SpendAnomaly:
    """Return the anomaly with the part whose mean day rose most over the 28 days before it."""
    own = details[details["group"] == one.group]
    first, last = pd.Timestamp(one.first_day), pd.Timestamp(one.last_day)
    during = own[(own["day"] >= first) & (own["day"] <= last)].groupby("part")["usd"].sum()
    earlier = own[(own["day"] < first) & (own["day"] >= first - pd.Timedelta(days=28))]
    before = earlier.groupby("part")["usd"].sum() / 28.0
    rise = (during / ((last - first).days + 1)).sub(before, fill_value=0.0)
    rise = rise[rise > 0.0].sort_index()
    if rise.empty or earlier.empty:
        return one
    return replace(one, cause=str(rise.idxmax()), cause_share=float(rise.max() / rise.sum()))
