"""Hours a month that something runs, from the weeks in which it was observed."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tasks.domain.savings.money import HOURS_PER_MONTH, HOURS_PER_WEEK, Usd

WEEKS_PER_MONTH = HOURS_PER_MONTH / HOURS_PER_WEEK
# 90 % quantile of the normal distribution: four times out of five within.
EIGHTY_PERCENT = 1.2816


def monthly_hours(weekly_hours: Sequence[float], *, instances: int = 1) -> Usd:
    """Return hours a month, expected and the range four times out of five; not USD but hours.

    The mean of the weeks seen goes on; a month's mean differs from it as weeks differ. An hour
    without a measurement counts as not running, so that a gap makes savings smaller.

    Args:
        weekly_hours: Instance-hours of each week seen, at least one week.
        instances: Most that can run at once.
    """
    weeks = np.asarray(weekly_hours, dtype=float)
    per_month = WEEKS_PER_MONTH
    deviation = float(weeks.std(ddof=1)) if len(weeks) > 1 else 0.0
    spread = EIGHTY_PERCENT * deviation * math.sqrt(1.0 / per_month + 1.0 / len(weeks))
    low, expected, high = (
        round(min(max(float(weeks.mean()) + off, 0.0), HOURS_PER_WEEK * instances) * per_month, 1)
        for off in (-spread, 0.0, spread)
    )
    return Usd(low=low, expected=expected, high=high)
