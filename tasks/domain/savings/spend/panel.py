"""Daily spend by service or tag value: the values that forecasts and alarms are made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

import numpy as np
import pandas as pd

from tasks.domain.arrays import BoolArray, FloatArray
from tasks.domain.errors import PermanentError
from tasks.domain.savings.money import Usd

SPEND_COLUMNS = ("day", "group", "usd", "is_estimated")
MOST_UNKNOWN_DAYS = 3
"""A longer gap means that nothing was billed; up to here the row may only be missing."""
DENSE_SHARE = 0.9
"""Share of days with a row from which on a gap is a missing row and not a day without spend."""


class AnomalyKind(StrEnum):
    """How spend left its pattern."""

    SPIKE = "spike"
    """Up for three days at most."""
    STEP = "step"
    """Up at once, and still up."""
    DRIFT = "drift"
    """Up a little more every day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendAnomaly:
    """Spend above what the group's own pattern explains, once per episode.

    Attributes:
        group: Service or tag value.
        first_day: Of the episode.
        last_day: Of the episode so far; at most the last settled day.
        ongoing: Whether spend was still up on the last settled day.
        expected_usd: Over the episode, from the pattern before it.
        found_usd: Over the episode.
        severity: 0 to 1: the excess over itself plus a tenth of what the group costs a month.
        cause: Usage type or tag that rose most; None when no details were given or none rose.
        cause_share: Of the rise of all that rose, 0 to 1; None without a cause.
    """

    group: str
    kind: AnomalyKind
    first_day: date
    last_day: date
    ongoing: bool
    expected_usd: float
    found_usd: float
    severity: float
    cause: str | None = None
    cause_share: float | None = None

    @property
    def excess_usd(self) -> float:
        """What the episode cost more than expected."""
        return self.found_usd - self.expected_usd


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupOutlook:
    """What one group, or the total, will cost.

    Attributes:
        group: Empty for the total.
        month_to_date_usd: Settled days of this month; missing rows at their expectation.
        month_end: Of this month; the range is met four times out of five.
        naive_month_end_usd: Mean of the settled days of this month times its days; None on the
            days before the first is settled.
        next_month: Of the calendar month after this one.
        naive_next_month_usd: The last complete month again; None when none is known.
        model_weight: Share of the model in the forecast of the first days, 0 to 1; the rest is naive.
        note: Why the forecast is naive, a guess or has a wide range; empty otherwise.
    """

    group: str
    month_to_date_usd: float
    month_end: Usd
    naive_month_end_usd: float | None
    next_month: Usd
    naive_next_month_usd: float | None
    model_weight: float
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendOutlook:
    """Where the bill goes, seen from one day.

    Attributes:
        today: Day of the forecast.
        settled_until: Last day that is no longer estimated.
        history_days: Settled days seen.
        total: Sum of the groups; its range is of the sum, not the sum of ranges.
        groups: By falling month end.
    """

    today: date
    settled_until: date
    history_days: int
    total: GroupOutlook
    groups: tuple[GroupOutlook, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendPanel:
    """Settled spend as a matrix.

    Attributes:
        groups: In order of name.
        first_day: Of the first column.
        usd: (groups, days); NaN where a row is missing, 0 where nothing was billed.
        begun: (groups,) column of the group's first row.
    """

    groups: tuple[str, ...]
    first_day: date
    usd: FloatArray
    begun: tuple[int, ...]

    @property
    def days(self) -> int:
        """Number of columns."""
        return int(self.usd.shape[1])

    @property
    def last_day(self) -> date:
        """Last settled day."""
        return self.first_day + timedelta(days=self.days - 1)

    def calendar(self) -> pd.DatetimeIndex:
        """Return the day of each column."""
        return pd.date_range(self.first_day, periods=self.days, freq="D")


def spend_panel(costs: pd.DataFrame, *, today: date) -> SpendPanel:
    """Return the settled days before today as a matrix.

    A day counts as settled when no group's row of it is estimated. Rows that are missing for up to
    `MOST_UNKNOWN_DAYS` in a group that is otherwise billed daily are unknown; longer gaps, and gaps
    of groups that are billed now and then, are days without spend.

    Args:
        costs: SPEND_COLUMNS; several rows of a group and day are added.
        today: Rows of today and later are left out.

    Raises:
        PermanentError: When a column is missing, or no day is settled.
    """
    missing = [column for column in SPEND_COLUMNS if column not in costs.columns]
    if missing:
        msg = f"daily costs lack {', '.join(missing)}; give {', '.join(SPEND_COLUMNS)}"
        raise PermanentError(msg)
    days = pd.to_datetime(costs["day"])
    open_days = days[costs["is_estimated"].astype(bool)]
    # Days settle in order: one estimated row leaves every later day open, and so does silence.
    after = days.max() + pd.Timedelta(days=1) if len(days) else pd.Timestamp(today)
    end = min([pd.Timestamp(today), after, *open_days])
    settled = costs[days < end].assign(day=days[days < end])
    if settled.empty:
        msg = f"0 settled days of {len(costs)} rows before {today}; wait until a day is final"
        raise PermanentError(msg)
    return _panel(settled, end)


def _panel(settled: pd.DataFrame, end: pd.Timestamp) -> SpendPanel:
    table = settled.pivot_table(index="group", columns="day", values="usd", aggfunc="sum")
    calendar = pd.date_range(table.columns.min(), end - pd.Timedelta(days=1), freq="D")
    usd = table.reindex(columns=calendar).sort_index().to_numpy(dtype=np.float64)
    begun = tuple(int(np.argmax(~np.isnan(row))) for row in usd)
    rows = [_known(row, begin) for row, begin in zip(usd, begun, strict=True)]
    return SpendPanel(
        groups=tuple(str(name) for name in sorted(table.index)),
        first_day=calendar[0].date(),
        usd=np.array(rows),
        begun=begun,
    )


def _known(row: FloatArray, begin: int) -> FloatArray:
    absent = np.isnan(row)
    dense = float(np.mean(~absent[begin:])) >= DENSE_SHARE
    unknown = absent & _short_runs(absent) if dense else np.zeros_like(absent)
    unknown[:begin] = False
    return np.where(absent & ~unknown, 0.0, row)


def _short_runs(absent: BoolArray) -> BoolArray:
    """Return where a run of True is at most `MOST_UNKNOWN_DAYS` long."""
    run = np.cumsum(np.diff(absent, prepend=False) != 0)
    length = np.bincount(run)[run]
    return np.asarray(absent & (length <= MOST_UNKNOWN_DAYS), dtype=np.bool_)
