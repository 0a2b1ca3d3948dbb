"""Local candidates: forecasts of a workload from its own history alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from tasks.domain.arrays import BoolArray, FloatArray
from tasks.domain.errors import PermanentError
from tasks.domain.load.local_models import LocalModel, fitted_forecasts
from tasks.domain.load.panel import LoadPanel

MEDIAN_DAYS = 7


class Member(StrEnum):
    """A way to forecast one series."""

    LAST_VALUE = "last-value"
    """The last known value, however old."""
    SEASONAL_DAY = "seasonal-day"
    """The same step a day before; the last value where that is unknown."""
    SEASONAL_WEEK = "seasonal-week"
    """The same step a week before; as SEASONAL_DAY where that is unknown."""
    DAY_MEDIAN = "day-median"
    """The median of the same step on up to seven days; the last value where all are unknown."""
    THETA = "theta"
    AUTO_ETS = "auto-ets"
    MSTL = "mstl"


FITTED: Mapping[Member, LocalModel] = {
    Member.THETA: LocalModel.THETA,
    Member.AUTO_ETS: LocalModel.AUTO_ETS,
    Member.MSTL: LocalModel.MSTL,
}
NAIVE = tuple(member for member in Member if member not in FITTED)
"""Those that cost next to nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalForecasts(Mapping[Member, FloatArray]):
    """Forecasts by member, each (n, H); NaN only for a series of which no value is known.

    Attributes:
        by_member: What each expects.
        fell_back: By member, (n,) where a model could not be fitted and SEASONAL_DAY stands in for
            it; such a row says nothing about the model.
    """

    by_member: Mapping[Member, FloatArray]
    fell_back: Mapping[Member, BoolArray]

    def __getitem__(self, member: Member) -> FloatArray:
        """Return the forecasts of a member."""
        return self.by_member[member]

    def __iter__(self) -> Iterator[Member]:
        return iter(self.by_member)

    def __len__(self) -> int:
        return len(self.by_member)


def local_forecasts(
    panel: LoadPanel, *, horizon_steps: int, members: Sequence[Member] = NAIVE
) -> LocalForecasts:
    """Return what each member expects at steps 1..H after the end of the panel.

    A series' forecasts do not depend on the others in the panel.

    Args:
        panel: The history up to the cutoff.
        horizon_steps: H, at least 1.
        members: Those wanted; fitted ones take from some hundredths of a second to some tenths for
            each series.

    Raises:
        PermanentError: When the horizon is below 1.
    """
    if horizon_steps < 1:
        msg = f"a horizon of {horizon_steps} steps looks nowhere; ask for at least 1"
        raise PermanentError(msg)
    values: dict[Member, FloatArray] = {}
    fell_back: dict[Member, BoolArray] = {}
    naive = _Naive(panel, horizon_steps)
    for member in members:
        fell_back[member] = np.zeros(len(panel), dtype=np.bool_)
        if member in FITTED:
            found = fitted_forecasts(panel, horizon_steps=horizon_steps, model=FITTED[member])
            fell_back[member] = np.asarray(np.isnan(found).any(axis=1))
            instead = naive.of(Member.SEASONAL_DAY)
            values[member] = np.where(fell_back[member][:, None], instead, found)
        else:
            values[member] = naive.of(member)
    return LocalForecasts(by_member=values, fell_back=fell_back)


class _Naive:
    """The naive members of one panel, which build on each other."""

    def __init__(self, panel: LoadPanel, horizon_steps: int) -> None:
        self._values = panel.values
        self._day = panel.steps_per_day
        self._horizon = horizon_steps
        self._last = last_known(panel.values)

    def of(self, member: Member) -> FloatArray:
        """Return (n, H)."""
        match member:
            case Member.SEASONAL_DAY:
                return self._known_or(self._same_step(self._day), self._flat())
            case Member.SEASONAL_WEEK:
                instead = self.of(Member.SEASONAL_DAY)
                return self._known_or(self._same_step(7 * self._day), instead)
            case Member.DAY_MEDIAN:
                return self._known_or(self._day_median(), self._flat())
            case _:
                return self._flat().copy()

    def _flat(self) -> FloatArray:
        return np.broadcast_to(self._last[:, None], (len(self._last), self._horizon))

    def _same_step(self, season: int) -> FloatArray:
        phase = np.arange(self._horizon) % season
        return _last_steps(self._values, season)[:, phase]

    def _day_median(self) -> FloatArray:
        recent = _last_steps(self._values, MEDIAN_DAYS * self._day)
        ahead = min(self._day, self._horizon)
        days = recent.reshape(len(recent), MEDIAN_DAYS, self._day)[:, :, :ahead]
        ordered = np.sort(days, axis=1)  # unknown last
        count = (~np.isnan(days)).sum(axis=1)
        low, high = (
            np.take_along_axis(ordered, at[:, None], axis=1)[:, 0]
            for at in (np.maximum(count - 1, 0) // 2, np.minimum(count // 2, MEDIAN_DAYS - 1))
        )
        return np.asarray(((low + high) / 2.0)[:, np.arange(self._horizon) % self._day])

    @staticmethod
    def _known_or(values: FloatArray, instead: FloatArray) -> FloatArray:
        return np.where(np.isnan(values), instead, values)


def last_known(values: FloatArray) -> FloatArray:
    """Return (n,) the last known value of each row; NaN where there is none."""
    if not values.shape[1]:
        return np.full(len(values), np.nan)
    found = values[:, -1].copy()
    for row in np.flatnonzero(np.isnan(found)):
        known = np.flatnonzero(~np.isnan(values[row]))
        if known.size:
            found[row] = values[row, known[-1]]
    return found


def _last_steps(values: FloatArray, steps: int) -> FloatArray:
    """Return (n, steps) the newest values, NaN before the first."""
    missing = steps - values.shape[1]
    if missing <= 0:
        return values[:, -steps:]
    return np.pad(values, ((0, 0), (missing, 0)), constant_values=np.nan)
