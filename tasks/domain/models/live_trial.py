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
