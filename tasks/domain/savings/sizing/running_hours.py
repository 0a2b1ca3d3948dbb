"""Hours a month that something runs, from the weeks in which it was observed."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tasks.domain.savings.money import HOURS_PER_MONTH, HOURS_PER_WEEK, Usd

WEEKS_PER_MONTH = HOURS_PER_MONTH / HOURS_PER_WEEK
# 90 % quantile of the normal distribution: four times out of five within.
EIGHTY_PERCENT = 1.2816


def monthly_hours(
    weekly_hours: Sequence[float], *, instances: int = 1, mean_week: float | None = None
) -> Usd:
    """Return hours a month, expected and the range four times out of five; not USD but hours.

    The mean week goes on; a month's mean differs from it as weeks differ.

    Args:
        weekly_hours: Instance-hours of each week seen, at least one week.
        instances: Most that can run at once.
        mean_week: Instance-hours of the mean week as the bill has them; None for the mean of the
            weeks seen, where an hour without a measurement counts as not running.
    """
    weeks = np.asarray(weekly_hours, dtype=float)
    per_month = WEEKS_PER_MONTH
    deviation = float(weeks.std(ddof=1)) if len(weeks) > 1 else 0.0
    spread = EIGHTY_PERCENT * deviation * math.sqrt(1.0 / per_month + 1.0 / len(weeks))
    mean = float(weeks.mean()) if mean_week is None else mean_week
    low, expected, high = (
        round(min(max(mean + off, 0.0), HOURS_PER_WEEK * instances) * per_month, 1)
        for off in (-spread, 0.0, spread)
    )
    return Usd(low=low, expected=expected, high=high)
