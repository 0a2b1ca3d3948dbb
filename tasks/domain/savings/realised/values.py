"""What was changed, what everything cost by the hour, and what is said of a change afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property

from tasks.domain.arrays import FloatArray
from tasks.domain.errors import PermanentError
from tasks.domain.savings.money import Usd
from tasks.domain.savings.opportunity import Kind


class Verdict(StrEnum):
    """Whether a change saved what was expected of it."""

    REALISED = "realised"
    PARTLY = "partly"
    NOT = "not"
    TOO_EARLY = "too-early"
    """Too few days, or an interval too wide to decide."""
    NOT_MEASURED = "not-measured"
    """Nothing tells what it cost: the reason is in the notes."""
    UNDONE = "undone"
    """It was taken back: what it saved until then, where that is known, is in no total."""


class Method(StrEnum):
    """How a saving was measured."""

    DIFFERENCE_IN_DIFFERENCES = "difference-in-differences"
    INTERRUPTED_SERIES = "interrupted-series"
    """Before and after of the resource alone: too few matched controls."""
    EXACT = "exact"
    """From prices alone, where there is no use to measure."""
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedChange:
    """A change that was carried out and verified.

    Attributes:
        change_id: As in the stack.
        resource: Id of what was changed, as in the opportunity.
        series: Its row in a cost panel.
        applied_at: When it was in effect, aware UTC.
        expected: Saving that was promised, USD a month.
        usd_per_hour_before: Of one running hour, or of the volume; None where it is not known.
        usd_per_hour_after: The same, from `applied_at` on.
    """

    change_id: str
    kind: Kind
    resource: str
    series: str
    applied_at: datetime
    expected: Usd
    usd_per_hour_before: float | None = None
    usd_per_hour_after: float | None = None


@dataclass(frozen=True, kw_only=True)
class CostPanel:
    """What many resources cost in each hour.

    Attributes:
        series: (n,) names, unique.
        start: First hour, aware UTC, on the hour.
        usd: (n, hours) USD in each hour, at least 0; NaN where it is not known. A resource that
            was stopped or deleted costs 0, which is known.
        touched: Instants at which a series was changed, by us or by others, by series.
        peers: What a series is alike with, for example its cluster of use; a series that is not in
            it is like any other.
    """

    series: tuple[str, ...]
    start: datetime
    usd: FloatArray
    touched: Mapping[str, tuple[datetime, ...]] = field(default_factory=dict)
    peers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.usd.ndim != 2 or len(self.usd) != len(self.series):
            msg = f"costs have shape {self.usd.shape}, expected one row for {len(self.series)}"
            raise PermanentError(msg)
        if len(self.position) < len(self.series):
            twice = sorted(one for one in self.position if self.series.count(one) > 1)
            msg = f"{twice[0]} is in the cost panel twice; give every series a name of its own"
            raise PermanentError(msg)
        if bool((self.usd < 0.0).any()):
            row = int((self.usd < 0.0).any(axis=1).argmax())
            msg = f"{self.series[row]} has a negative cost; credits do not belong in a cost panel"
            raise PermanentError(msg)

    @property
    def hours(self) -> int:
        """Hours of the grid."""
        return int(self.usd.shape[1])

    @property
    def end(self) -> datetime:
        """End of the last hour."""
        return self.start + timedelta(hours=self.hours)

    @cached_property
    def position(self) -> Mapping[str, int]:
        """Row of each series."""
        return {series: row for row, series in enumerate(self.series)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A measured amount, USD a month, with the range that holds the truth nine times out of ten.

    Attributes:
        low: At most `expected`.
        high: At least `expected`.
    """

    low: float
    expected: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Realised:
    """What one change saved.

    Attributes:
        saving: None where it was not measured, or where it is too early for any number.
        bill_usd: What the resource would have cost without the change, USD a month; None as above.
        by_price_usd: What the new price per hour saves in the hours that it ran, USD a month: right
            when the change altered no hours; None where the prices are not known.
        controls: Series that it was compared with, best match first.
        days_before: Whole days that it rests on.
        days_after: Whole days since it was applied.
        known_at: When a verdict can be expected, aware UTC; None where there is one, or where none
            can be.
        notes: What a reader should know, one sentence each.
    """

    change: AppliedChange
    verdict: Verdict
    method: Method
    saving: Interval | None = None
    bill_usd: float | None = None
    by_price_usd: float | None = None
    controls: tuple[str, ...] = ()
    days_before: int = 0
    days_after: int = 0
    known_at: datetime | None = None
    notes: tuple[str, ...] = ()
