"""Forecasts that wait for their truth, and which ever were taken: each counts once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd

from tasks.domain.models.live import FORECAST, ROW_KEY, no_rows, tidy, with_times

REMEMBER_WITHIN = timedelta(days=14)
"""An older forecast is not taken: it may have been judged and forgotten, or was made in hindsight."""
KNOWN_FOR = timedelta(days=28)
"""How long it is remembered that a forecast was taken; longer than REMEMBER_WITHIN by a wide margin."""


def acceptable(rows: pd.DataFrame, *, now: datetime) -> pd.DataFrame:
    """Return the rows of forecasts that may still be taken: made by now, and not long ago."""
    made = rows["made_at"]
    late = pd.Timestamp(now)
    return rows[(made <= late) & (made >= late - REMEMBER_WITHIN)].reset_index(drop=True)


@dataclass(frozen=True, kw_only=True)
class Held:
    """Forecasts that wait, and which ever were taken.

    Attributes:
        rows: Frame with ROW_COLUMNS, no row twice.
        known: Frame with the columns FORECAST, of those that wait and those that were judged.
    """

    rows: pd.DataFrame
    known: pd.DataFrame


def nothing_held() -> Held:
    """Return what is held before the first forecast."""
    return Held(rows=no_rows(), known=no_rows()[FORECAST])


def joined(held: Held, parts: Sequence[pd.DataFrame], *, now: datetime) -> Held:
    """Return what is held after some parts were handed in, in their order.

    A forecast that was taken before adds nothing, and of one that is in several parts the first
    counts, whatever the others say.
    """
    filled = [part for part in parts if len(part)]
    known = held.known
    if not filled:
        return Held(rows=held.rows, known=_not_forgotten(known, now))
    numbered = [tidy(part).assign(part=at) for at, part in enumerate(filled)]
    fresh = pd.concat(numbered, ignore_index=True).drop_duplicates(ROW_KEY)
    first = fresh.groupby(FORECAST, sort=False)["part"].transform("min")
    fresh = fresh[fresh["part"] == first].drop(columns="part")
    offered = fresh[FORECAST].drop_duplicates()
    marked = offered.merge(known.assign(taken=1.0), on=FORECAST, how="left")
    new = marked.loc[marked["taken"].isna(), FORECAST]
    rows = [held.rows, fresh.merge(new, on=FORECAST)]
    return Held(
        rows=tidy(pd.concat([one for one in rows if len(one)] or rows, ignore_index=True)),
        known=_not_forgotten(pd.concat([known, new], ignore_index=True), now),
    )


def _not_forgotten(known: pd.DataFrame, now: datetime) -> pd.DataFrame:
    young = with_times(known)
    return young[young["made_at"] >= pd.Timestamp(now) - KNOWN_FOR].reset_index(drop=True)
