"""Local time of resources: an hourly grid shifted to where each one's users are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from tasks.domain.arrays import IntArray

HOURS_PER_DAY = 24
HOURS_PER_WEEK = 168
EPOCH_HOUR_OF_WEEK = 72
"""1970-01-01 00:00 UTC was a Thursday; Monday 00:00 is hour 0 of the week."""

UTC_OFFSET_HOURS = {
    "us-east-1": -5,
    "us-east-2": -5,
    "us-west-1": -8,
    "us-west-2": -8,
    "us-gov-east-1": -5,
    "us-gov-west-1": -8,
    "ca-central-1": -5,
    "ca-west-1": -7,
    "mx-central-1": -6,
    "sa-east-1": -3,
    "eu-west-1": 0,
    "eu-west-2": 0,
    "eu-west-3": 1,
    "eu-central-1": 1,
    "eu-central-2": 1,
    "eu-north-1": 1,
    "eu-south-1": 1,
    "eu-south-2": 1,
    "il-central-1": 2,
    "af-south-1": 2,
    "me-south-1": 3,
    "me-central-1": 4,
    "ap-south-1": 5,
    "ap-south-2": 5,
    "ap-southeast-1": 8,
    "ap-southeast-2": 10,
    "ap-southeast-3": 7,
    "ap-southeast-4": 10,
    "ap-southeast-5": 8,
    "ap-southeast-7": 7,
    "ap-east-1": 8,
    "ap-northeast-1": 9,
    "ap-northeast-2": 9,
    "ap-northeast-3": 9,
}
"""Standard time where a region stands, in whole hours.

An assumption: users are taken to live near the region, summer time is left out, and so are half
hours. Wrong by an hour in summer, which blurs the edge of a working day and no more.
"""


def utc_offset_hours(regions: Sequence[str]) -> IntArray:
    """Return (n,) whole hours to add to UTC; 0 for a region that the table does not know."""
    return np.array([UTC_OFFSET_HOURS.get(region, 0) for region in regions], dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Local time of each resource on the grid.

    Attributes:
        since_monday: (n, hours) whole hours since a Monday 00:00 local time; never negative.
    """

    since_monday: IntArray

    @classmethod
    def local(cls, start: datetime, hours: int, offsets: IntArray) -> Clock:
        """Return local times from the first hour (aware UTC) and each resource's offset."""
        first = int(start.astimezone(UTC).timestamp() // 3600) + EPOCH_HOUR_OF_WEEK
        begin = (first + offsets) % HOURS_PER_WEEK
        return cls(since_monday=begin[:, None] + np.arange(hours, dtype=np.int64))

    @property
    def shape(self) -> tuple[int, int]:
        """Resources and hours."""
        return self.since_monday.shape[0], self.since_monday.shape[1]

    def hour(self) -> IntArray:
        """Return (n, hours) of 0 to 23."""
        return self.since_monday % HOURS_PER_DAY

    def working_day(self) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """Return (n, hours): True from Monday to Friday."""
        return (self.since_monday // HOURS_PER_DAY) % 7 < 5
