"""Load of many workloads on one grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property

import numpy as np

from tasks.domain.arrays import FloatArray, IntArray
from tasks.domain.errors import PermanentError

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


class Load(StrEnum):
    """What is forecast of a workload."""

    CPU = "cpu_percent"
    MEMORY = "memory_percent"
    REQUESTS = "requests_per_second"


@dataclass(frozen=True, kw_only=True)
class LoadPanel:
    """One kind of load of many workloads, step by step.

    Attributes:
        load: What is measured; all series share its unit.
        series: (n,) names, unique.
        step: Time between values; divides a day, 5 minutes and an hour are usual.
        start: Begin of the first step, aware UTC; None for recordings without a wall clock, which
            no calendar may be read from.
        values: (n, steps), means over each step, at least 0; NaN where unknown, never zero.
        closing: (n, steps) means over the last quarter of an hour of each step; None when nothing finer
            than the step was recorded.
        archetypes: (n,) what is known of each series without any history, such as the group that it
            was started in; "" where nothing is. None where nobody knows of any.
    """

    load: Load
    series: tuple[str, ...]
    step: timedelta
    start: datetime | None
    values: FloatArray
    closing: FloatArray | None = None
    archetypes: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or len(self.values) != len(self.series):
            msg = (
                f"values have shape {self.values.shape}, there are {len(self.series)} series; "
                "give one row for each"
            )
            raise PermanentError(msg)
        if self.closing is not None and self.closing.shape != self.values.shape:
            msg = f"closing has shape {self.closing.shape}, values have {self.values.shape}"
            raise PermanentError(msg)
        if self.archetypes is not None and len(self.archetypes) != len(self.series):
            msg = (
                f"{len(self.archetypes)} archetypes for {len(self.series)} series; give one for "
                'each, "" where none is known'
            )
            raise PermanentError(msg)
        if len(set(self.series)) < len(self.series):
            twice = next(one for one in self.series if self.series.count(one) > 1)
            msg = f"{twice} is in the panel twice; give every series a name of its own"
            raise PermanentError(msg)
        if self.step <= timedelta(0) or DAY % self.step:
            msg = f"a step of {self.step} does not divide a day; use 5 minutes or 1 hour"
            raise PermanentError(msg)

    def __len__(self) -> int:
        return len(self.series)

    @property
    def steps(self) -> int:
        """Steps of the grid."""
        return int(self.values.shape[1])

    @property
    def steps_per_day(self) -> int:
        """Steps of a day."""
        return DAY // self.step

    @property
    def end(self) -> datetime | None:
        """End of the last step; None without a wall clock."""
        return None if self.start is None else self.start + self.steps * self.step

    @cached_property
    def known(self) -> IntArray:
        """Number of known values of each series, (n,)."""
        return np.asarray((~np.isnan(self.values)).sum(axis=1), dtype=np.int64)

    def take(self, rows: Sequence[int] | slice) -> LoadPanel:
        """Return the panel of some series."""
        at = list(range(len(self))[rows]) if isinstance(rows, slice) else list(rows)
        return LoadPanel(
            load=self.load,
            series=tuple(self.series[row] for row in at),
            step=self.step,
            start=self.start,
            values=self.values[at],
            closing=None if self.closing is None else self.closing[at],
            archetypes=None
            if self.archetypes is None
            else tuple(self.archetypes[row] for row in at),
        )

    def until(self, steps: int, *, window: int | None = None) -> LoadPanel:
        """Return what was known after so many steps: the last `window` of them, or all."""
        first = 0 if window is None else max(steps - window, 0)
        return LoadPanel(
            load=self.load,
            series=self.series,
            step=self.step,
            start=None if self.start is None else self.start + first * self.step,
            values=self.values[:, first:steps],
            closing=None if self.closing is None else self.closing[:, first:steps],
            archetypes=self.archetypes,
        )
