"""Intervals as wide as live scores ask for: each group and range of hours ahead by its own hits.

Nothing is stored for it. The daily sums of live scoring say how often the intervals of a version held,
day by day; `AdaptiveWidth` is a fold over them, so that what is forecast can be worked out again from
what was known at the time. A new version begins with the widths that its own backtest gave it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import pandas as pd

from tasks.domain.load.adaptive import AdaptiveWidth, scaled_quantiles
from tasks.domain.load.forecasts import LoadForecasts
from tasks.domain.load.panel import HOUR
from tasks.domain.models.live import VERSION_DIGITS
from tasks.domain.models.scorecard import up_to_hours

DAILY_STEP = 0.3
"""Of an `AdaptiveWidth`, a day: with the coverage of a normal distribution, whose slope at 80 % is .45,
an error of the width shrinks to a third within 1 / (.45 step), about a week; shares of a day that vary
by .1 let a width that is right wander by 6 %."""
FEWEST_DAYS = 5
FEWEST_VALUES = 100
"""Below either, coverage is that of the backtest."""
TOLD_DAYS = 28

CELL = ["group", "up_to_hours"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveWidths:
    """What live scores say of one version's intervals.

    Attributes:
        factors: By group and range, on half-widths; cells without any score are left out.
        coverage: By group, share of the values of the last 28 whole days that intervals held, as they
            were when they were forecast; groups with too few are left out.
    """

    factors: Mapping[tuple[str, float], float]
    coverage: Mapping[str, float]


def adapted_width(shares: Sequence[float]) -> AdaptiveWidth:
    """Return the width after some days, given the share of values that was covered on each."""
    width = AdaptiveWidth(step=DAILY_STEP)
    for share in shares:
        width = width.after_share(share)
    return width


def live_widths(daily: pd.DataFrame, *, name: str, version: str, known_at: datetime) -> LiveWidths:
    """Return what was known at an instant of how often a version's intervals held.

    Args:
        daily: Frame with DAILY_COLUMNS.
        name: Of the model.
        version: SHA-256 of its bytes, or its beginning.
        known_at: Aware UTC. The day before is left out too: its last hours are judged after it, and
            the same days have to count when a forecast is worked out again later.
    """
    today = pd.Timestamp(known_at).tz_convert("UTC").floor("D") - pd.Timedelta(days=1)
    of = (daily["model"] == name) & (daily["version"] == version[:VERSION_DIGITS])
    rows = daily[of & (daily["day"] < today)]
    by_day = rows.groupby([*CELL, "day"], as_index=False, sort=True)[["covered", "count"]].sum()
    told = rows[rows["day"] >= today - pd.Timedelta(days=TOLD_DAYS)]
    enough = {
        group: some
        for group, some in told.groupby("group")
        if some["day"].nunique() >= FEWEST_DAYS and some["count"].sum() >= FEWEST_VALUES
    }
    return LiveWidths(
        factors={
            (str(some["group"].iloc[0]), float(some["up_to_hours"].iloc[0])): adapted_width(
                (some["covered"] / some["count"]).tolist()
            ).factor
            for _, some in by_day.groupby(CELL)
        },
        coverage={
            str(group): float(some["covered"].sum() / some["count"].sum())
            for group, some in enough.items()
        },
    )


def adapted(forecasts: LoadForecasts, groups: Sequence[str], widths: LiveWidths) -> LoadForecasts:
    """Return forecasts whose intervals are as wide as live scores ask for.

    Args:
        forecasts: Of n series.
        groups: (n,) behaviour of each; a group that no score is known of keeps its intervals.
        widths: Of the version that forecast. Medians stay; confidence is live coverage where it is
            known.
    """
    ahead = np.arange(1.0, forecasts.horizon_steps + 1.0)
    ranges = up_to_hours(np.asarray(ahead * (forecasts.step / HOUR), dtype=np.float64)).tolist()
    by_group = {
        name: np.array([widths.factors.get((name, one), 1.0) for one in ranges])
        for name in set(groups)
    }
    if not by_group:
        return forecasts
    factors = np.stack([by_group[name] for name in groups])
    live = np.array([widths.coverage.get(name, np.nan) for name in groups])
    return replace(
        forecasts,
        quantiles=scaled_quantiles(forecasts.quantiles, factors),
        confidence=np.where(np.isnan(live), forecasts.confidence, live),
    )
