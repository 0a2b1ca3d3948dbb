"""What happened in a group hour by hour, and what was forecast of it beforehand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from tasks.domain.arrays import FloatArray
from tasks.domain.errors import PermanentError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GroupHours:
    """Whole hours of one group, oldest first; NaN where something is not known.

    Attributes:
        start: Of the first hour, aware, on the hour.
        serving: (hours,) mean instances in service.
        busy: (hours,) instances that would be busy all the time: instances times use.
        forecast: (hours,) capacity that was forecast for the hour before it began.
        min_size: At least 0.
        max_size: At least `min_size`.
        target: Use that the forecast plans for, above 0 and at most 1.

    Raises:
        PermanentError: The arrays differ in length, or a size or the target is out of bounds.
    """

    start: datetime
    serving: FloatArray
    busy: FloatArray
    forecast: FloatArray
    min_size: int
    max_size: int
    target: float

    def __post_init__(self) -> None:
        lengths = {len(one) for one in (self.serving, self.busy, self.forecast)}
        if len(lengths) != 1:
            message = f"hours of a group differ in number: {sorted(lengths)}"
            raise PermanentError(message)
        if not 0 <= self.min_size <= self.max_size or not 0.0 < self.target <= 1.0:
            message = (
                f"sizes {self.min_size} to {self.max_size} and a target of {self.target} "
                "cannot be a group's; sizes ascend from 0, the target is above 0 and at most 1"
            )
            raise PermanentError(message)

    @property
    def needed(self) -> FloatArray:
        """(hours,) instances that serve the hour at the target."""
        found: FloatArray = np.ceil(self.busy / self.target - 1e-9)
        return found

    @property
    def planned(self) -> FloatArray:
        """(hours,) instances that the forecast would have there, within the group's sizes."""
        found: FloatArray = np.clip(np.ceil(self.forecast - 1e-9), self.min_size, self.max_size)
        return found

    def part(self, first: int, end: int) -> GroupHours:
        """Return the hours from one number to another, that one excluded."""
        return replace(
            self,
            serving=self.serving[first:end],
            busy=self.busy[first:end],
            forecast=self.forecast[first:end],
        )
