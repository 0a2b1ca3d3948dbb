"""Live scores of model versions: days are the origins of a trial, groups its series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tasks.domain.arrays import FloatArray
from tasks.domain.models.live import VERSION_DIGITS
from tasks.domain.models.promotion import Trial
from tasks.domain.models.rollback import Days

SUMS = ["scaled_abs_error", "scaled", "paired_naive_error", "paired", "covered", "count"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveDays:
    """What was made of versions day by day.

    Attributes:
        groups: Names of the columns.
        versions: For each version asked for, (days, groups): errors and those of the naive forecast in
            units of the series' scales, and shares inside the interval; NaN where nothing was judged.
    """

    groups: tuple[str, ...]
    versions: tuple[Days, ...]

    def trial(self, at: int) -> Trial:
        """Return a version's days as a trial."""
        return Trial(errors=self.versions[at].errors, hits=self.versions[at].hits)


def live_days(daily: pd.DataFrame, *, name: str, versions: Sequence[str]) -> LiveDays:
    """Return the live scores of versions on the days and groups on which any was judged.

    Args:
        daily: Frame with DAILY_COLUMNS.
        name: Of the model.
        versions: SHA-256 of each version's bytes, or their beginnings.
    """
    short = [version[:VERSION_DIGITS] for version in versions]
    judged = daily[(daily["model"] == name) & daily["version"].isin(short)]
    groups = tuple(str(one) for one in sorted(judged["group"].unique()))
    grid = pd.MultiIndex.from_product([sorted(judged["day"].unique()), groups])
    return LiveDays(
        groups=groups,
        versions=tuple(_days(judged[judged["version"] == one], grid) for one in short),
    )


def serving_days(daily: pd.DataFrame, *, name: str, champion: str, previous: str | None) -> Days:
    """Return the days on which a champion was judged, with what served before it beside it.

    Both forecast the same hours of the same series at once, so that their errors may be compared day
    by day: while the champion was the challenger, and for a while after it took over.

    Args:
        daily: Frame with DAILY_COLUMNS.
        name: Of the model.
        champion: SHA-256 of its bytes.
        previous: The same of the champion before it; None without one.

    Returns:
        (days, groups); previous is NaN where it was not judged, and None without one.
    """
    versions = (champion,) if previous is None else (champion, previous)
    found = live_days(daily, name=name, versions=versions).versions
    ours = found[0]
    lived = np.isfinite(ours.errors).any(axis=1)
    return Days(
        errors=ours.errors[lived],
        naive=ours.naive[lived],
        hits=None if ours.hits is None else ours.hits[lived],
        previous=None if previous is None else found[1].errors[lived],
    )


def _days(rows: pd.DataFrame, grid: pd.MultiIndex) -> Days:
    sums = rows.groupby(["day", "group"])[SUMS].sum().reindex(grid)
    shape = (len(grid.levels[0]), len(grid.levels[1])) if len(grid) else (0, 0)

    def mean(total: str, count: str) -> FloatArray:
        counted = sums[count].where(sums[count] > 0)
        return (sums[total] / counted).to_numpy(np.float64).reshape(shape)

    return Days(
        errors=mean("scaled_abs_error", "scaled"),
        naive=mean("paired_naive_error", "paired"),
        hits=mean("covered", "count"),
    )
