"""Which models serve worse than they may: the reason to train a challenger before its day comes.

Two claims are held against a champion day by day, as `rollback` holds its own: it errs no more than
the naive forecast, and its intervals cover what they say, less a margin. A model that keeps both is
told of once in 20 months or more on average, however often one looks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime

import numpy as np
import pandas as pd

from tasks.domain.arrays import FloatArray
from tasks.domain.load.forecasts import LEVEL
from tasks.domain.models.live import VERSION_DIGITS, Role
from tasks.domain.models.rollback import MONTH_DAYS, evidence_against, excess_of

FALSE_PER_MONTH = 0.05
COVERAGE_MARGIN = 0.05
FEWEST_DAYS = 7
SHOWN_DAYS = 7
LATEST_WITHIN = pd.Timedelta(days=14)
"""A model of which nothing was judged for longer is no news."""
SUMS = ["count", "covered", "paired", "paired_abs_error", "paired_naive_error"]


def degraded_models(
    daily: pd.DataFrame, champions: Mapping[str, str], *, now: datetime
) -> dict[str, str]:
    """Return why models that serve are to be trained again, by name; the others are left out.

    Args:
        daily: Frame with DAILY_COLUMNS; today's sums, which are not whole, do not count.
        champions: SHA-256 of the version that serves, by model name.
        now: Aware UTC.
    """
    whole = daily[(daily["day"] < pd.Timestamp(now).floor("D")) & (daily["role"] == Role.CHAMPION)]
    found = {}
    for name, sha256 in champions.items():
        of = (whole["model"] == name) & (whole["version"] == sha256[:VERSION_DIGITS])
        days = whole[of].groupby("day", sort=True)[SUMS].sum()
        lately = len(days) and pd.Timestamp(now) - days.index[-1] <= LATEST_WITHIN
        reason = _reason(days) if lately and len(days) >= FEWEST_DAYS else None
        if reason is not None:
            found[name] = reason
    return found


def _reason(days: pd.DataFrame) -> str | None:
    covered = (days["covered"] / days["count"]).to_numpy(np.float64)
    error = _log_ratio(days)
    evidence = {
        "covered": evidence_against(excess_of(LEVEL - COVERAGE_MARGIN - covered, usual=covered)),
        "error": evidence_against(excess_of(error, usual=error)),
    }
    if sum(evidence.values()) / len(evidence) < MONTH_DAYS / FALSE_PER_MONTH:
        return None
    recent = days.tail(SHOWN_DAYS).sum()
    since = f"in the last {min(SHOWN_DAYS, len(days))} days with any"
    if evidence["covered"] >= evidence["error"]:
        share = recent["covered"] / recent["count"]
        return f"its 80 % intervals held {share:.1%} of the values {since}"
    worse = recent["paired_abs_error"] / recent["paired_naive_error"]
    return f"its error was {worse:.2f} of that of the naive forecast {since}"


def _log_ratio(days: pd.DataFrame) -> FloatArray:
    """Return (days,) logarithms of error over the naive forecast's; NaN where either is 0."""
    ours, naive = (
        days[name].to_numpy(np.float64) for name in ("paired_abs_error", "paired_naive_error")
    )
    told = (ours > 0.0) & (naive > 0.0)
    return np.where(told, np.log(np.where(told, ours, 1.0) / np.where(told, naive, 1.0)), math.nan)
