"""Which models serve worse than they may: the reason to train a challenger before its day comes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import pandas as pd

from tasks.domain.models.live import VERSION_DIGITS, Role
from tasks.domain.models.live_scores import LiveScore, Promise, Worth, live_scores
from tasks.domain.models.scorecard import recent

LOOK_BACK_DAYS = 14


def degraded_models(
    daily: pd.DataFrame, champions: Mapping[str, str], *, now: datetime
) -> dict[str, str]:
    """Return why models that serve are to be trained again, by name; the others are left out.

    A champion is told of where its forecasts of the last two weeks are worse than the naive ones, or
    its intervals hold too little, each beyond what luck explains. Intervals that hold too much cost
    something, but are no fault to train for.

    Args:
        daily: Frame with DAILY_COLUMNS.
        champions: SHA-256 of the version that serves, by model name.
        now: Aware UTC.
    """
    lately = recent(daily, now=now, days=LOOK_BACK_DAYS)
    scores = live_scores(lately[lately["role"] == Role.CHAMPION.value], by=("version",))
    return {
        one.model: reason
        for one in scores
        if one.version == champions.get(one.model, "")[:VERSION_DIGITS]
        and (reason := _reason(one)) is not None
    }


def _reason(score: LiveScore) -> str | None:
    since = f"in the last {LOOK_BACK_DAYS} days ({score.count:,} values on {score.days} days)"
    if score.worth is Worth.WORSE and score.skill is not None:
        return f"its error is {-score.skill:.0%} above that of the naive forecast {since}"
    if score.promise is Promise.NARROW:
        return f"its 80 % intervals held {score.coverage:.1%} of the values {since}"
    return None
