"""Where the bill goes: month end and next month, by group and in total, beside the naive forecast.

Simple rules (means of some spans of days and a damped trend, with weekdays and monthly lumps) and the
run rate are weighed for each group by what they got wrong at past origins, shrunk towards what is
right for all groups, and with a short past towards plain means; a month ahead only the mean with the
growth of the whole account is left. The range comes from whole paths of past errors, drawn for all
groups at once, so that the range of the total knows which groups err together. A belief about level
and growth is added that fades with the months seen: a short past saw few surprises.

Measured by `benchmarks.savings_spend`, the next month's total is no better than the mean of 28 days,
and worse in accounts under three months old; its single groups and the month end are better.
"""

from __future__ import annotations

import calendar as months
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from tasks.domain.arrays import FloatArray, IntArray
from tasks.domain.errors import PermanentError
from tasks.domain.savings.money import Usd
from tasks.domain.savings.spend.panel import (
    MOST_UNKNOWN_DAYS,
    GroupOutlook,
    SpendOutlook,
    SpendPanel,
    spend_panel,
)
from tasks.domain.savings.spend.paths import (
    FIRST_WEIGHTS,
    HORIZON_DAYS,
    LEAST_DAYS,
    NAIVE,
    Backtest,
    backtest,
    mixture,
    rule_paths,
    scale_of,
)
from tasks.domain.savings.spend.pattern import Calendar, filled

DRAWS = 1000
RANGE = (0.1, 0.9)
MONTH_DAYS = 30.4
PRIOR_ERROR = 0.25
"""Relative standard deviation of a forecast that nothing in the past was compared with: a belief."""
LEVEL_DOUBT, DRIFT_DOUBT = 0.25, 0.6
"""Beliefs about a group that was never seen: standard deviations of its level, and of what it grows by
in a month, as shares. A short past saw few surprises, so its own errors are too small."""
DOUBT_MONTHS = 2.5
"""Months of history at which doubt has fallen to half; it falls with their cube."""
GUESS_DAYS, WIDENED_DAYS = 28, 90
"""Below the first a forecast is called a guess; below the second its note says that the range is wide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Month:
    """A calendar month as columns of what is settled and of what is ahead.

    Attributes:
        complete: Whether every day of it is settled.
    """

    length: int
    known: slice
    ahead: slice
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Forecast:
    """Everything that the figures of groups are read from.

    Attributes:
        usd: (groups, days) settled, gaps filled.
        path: (groups, days ahead) expected.
        errors: (origins, groups, HORIZON_DAYS) of past forecasts, USD.
        origins: (draws,) past origin of each draw.
        signs: (draws,) whether it erred up or down.
        weight: (groups,) of the model.
        scale: (groups,) USD a day that errors are relative to.
        doubt: (groups,) how much of the beliefs about level and drift is left, 0 to 1.
        doubts: (2, draws) standard normal: of level and drift, shared by all groups.
    """

    usd: FloatArray
    path: FloatArray
    errors: FloatArray
    origins: IntArray
    signs: FloatArray
    weight: FloatArray
    doubt: FloatArray
    doubts: FloatArray
    scale: FloatArray


def spend_outlook(costs: pd.DataFrame, *, today: date, seed: int) -> SpendOutlook:
    """Return what this month and the next will cost.

    Args:
        costs: Daily costs in SPEND_COLUMNS; estimated days are not used as truth.
        today: Day of the forecast; its month is "this month".
        seed: Equal costs, day and seed give equal outlooks.

    Raises:
        PermanentError: When no day is settled, or the last settled one is over a week ago.
    """
    panel = spend_panel(costs, today=today)
    until = _end_of_next(today)
    steps = (until - panel.last_day).days
    if steps > HORIZON_DAYS:
        msg = (
            f"the last settled day is {panel.last_day}, {steps} days before {until}; "
            f"at most {HORIZON_DAYS} are forecast: fetch newer costs"
        )
        raise PermanentError(msg)
    found = _forecast(panel, steps, np.random.default_rng(seed))
    last, this, then = (
        _month(panel, day) for day in (today.replace(day=1) - timedelta(days=1), today, until)
    )
    rows = np.arange(len(panel.groups))
    groups = [_group(panel, found, rows[[row]], (last, this, then)) for row in rows]
    return SpendOutlook(
        today=today,
        settled_until=panel.last_day,
        history_days=panel.days,
        total=_group(panel, found, rows, (last, this, then)),
        groups=tuple(sorted(groups, key=lambda one: (-one.month_end.expected, one.group))),
    )


def _end_of_next(day: date) -> date:
    first = (day.replace(day=28) + timedelta(days=7)).replace(day=1)
    return first.replace(day=months.monthrange(first.year, first.month)[1])


def _month(panel: SpendPanel, day: date) -> _Month:
    length = months.monthrange(day.year, day.month)[1]
    first = (day.replace(day=1) - panel.first_day).days
    end = first + length
    return _Month(
        length=length,
        known=slice(max(first, 0), max(min(end, panel.days), 0)),
        ahead=slice(max(first - panel.days, 0), max(end - panel.days, 0)),
        complete=first >= 0 and end <= panel.days,
    )


def _forecast(panel: SpendPanel, steps: int, rng: np.random.Generator) -> _Forecast:
    usd = filled(panel.usd)
    days = Calendar.of(panel.calendar())
    begin = panel.last_day + timedelta(days=1)
    ahead = Calendar.of(pd.date_range(begin, periods=steps, freq="D"))
    short = panel.days - np.array(panel.begun) < LEAST_DAYS
    past = None if short.all() else backtest(usd, days, panel.begun)
    weights = past.weights if past else np.tile(FIRST_WEIGHTS, (len(usd), 1))
    path = mixture(rule_paths(usd, days, ahead), weights)
    for row in np.flatnonzero(short):
        path[row] = _young_path(usd[row, panel.begun[row] :], days[panel.begun[row] :], ahead)
    scale = scale_of(usd)
    errors = _errors(past, len(usd), rng) * scale[:, None]
    seen_months = (panel.days - np.array(panel.begun)) / MONTH_DAYS
    return _Forecast(
        usd=usd,
        path=path,
        errors=errors,
        origins=rng.integers(0, len(errors), DRAWS),
        signs=rng.choice([-1.0, 1.0], DRAWS),
        weight=np.asarray(np.where(short, 0.0, 1.0 - weights[:, NAIVE]), dtype=np.float64),
        doubt=1.0 / (1.0 + (seen_months / DOUBT_MONTHS) ** 3),
        doubts=rng.normal(0.0, 1.0, (2, DRAWS)),
        scale=scale,
    )


def _young_path(usd: FloatArray, days: Calendar, ahead: Calendar) -> FloatArray:
    """Return the mean day of a group of few days; what was billed once comes once a month."""
    billed = np.flatnonzero(usd > 0.0)
    # On the first of the month fees are due; on other days silence has to show that it is one.
    if len(billed) == 1 and (days.day[billed[0]] == 1 or len(usd) > MOST_UNKNOWN_DAYS):
        due = ahead.day == days.day[billed[0]]
        return np.asarray(np.where(due, usd[billed[0]], 0.0), dtype=np.float64)
    return np.full(len(ahead.day), usd.mean())


def _errors(past: Backtest | None, groups: int, rng: np.random.Generator) -> FloatArray:
    """Return (origins, groups, HORIZON_DAYS) relative errors to draw from.

    Where a group was too young at an origin, the error is that of another group there; origins
    without any group are left out. Without a past the errors are a stated belief.
    """
    if past is None or not past.valid.any():
        believed = rng.normal(0.0, PRIOR_ERROR, (200, 1, 1))
        return np.broadcast_to(believed, (200, groups, HORIZON_DAYS))
    some = past.valid.any(axis=1)
    errors, valid = past.errors[some].copy(), past.valid[some]
    for origin, row in zip(*np.nonzero(~valid), strict=True):
        errors[origin, row] = errors[origin, rng.choice(np.flatnonzero(valid[origin]))]
    return errors


def _group(
    panel: SpendPanel, found: _Forecast, rows: IntArray, spans: tuple[_Month, _Month, _Month]
) -> GroupOutlook:
    """Return the outlook of one row, or of the total of all."""
    last, this, then = spans
    usd = found.usd[rows].sum(axis=0)
    known = usd[this.known]
    ahead = found.path[rows].sum(axis=1)
    total = len(rows) == len(panel.groups) and len(rows) != 1
    return GroupOutlook(
        group="" if total else panel.groups[rows[0]],
        month_to_date_usd=float(known.sum()),
        month_end=_amount(found, rows, this),
        naive_month_end_usd=float(known.mean()) * this.length if known.size else None,
        next_month=_amount(found, rows, then),
        naive_next_month_usd=float(usd[last.known].sum()) if last.complete else None,
        model_weight=float(found.weight[rows] @ ahead / ahead.sum()) if ahead.sum() > 0 else 0.0,
        note=_note(panel.days - min(panel.begun[row] for row in rows)),
    )


def _amount(found: _Forecast, rows: IntArray, month: _Month) -> Usd:
    settled = float(found.usd[rows, month.known].sum())
    expected = settled + float(found.path[rows, month.ahead].sum())
    missed = found.errors[:, rows, month.ahead].sum(axis=(1, 2))
    drawn = found.signs * missed[found.origins] + _unseen(found, rows, month.ahead)
    low, high = np.quantile(drawn, RANGE)
    # What is settled stays spent, however far off the rest may be.
    return Usd(
        low=min(max(expected + float(low), settled), expected),
        expected=expected,
        high=expected + max(float(high), 0.0),
    )


def _unseen(found: _Forecast, rows: IntArray, ahead: slice) -> FloatArray:
    """Return (draws,) USD by which the days ahead may miss, beyond what the past errors show."""
    days = np.arange(ahead.start, ahead.stop) + 1.0
    level, drift = found.doubts
    shares = LEVEL_DOUBT * level * len(days) + DRIFT_DOUBT * drift * days.sum() / MONTH_DAYS
    return np.asarray(shares * float(found.doubt[rows] @ found.scale[rows]), dtype=np.float64)


def _note(seen_days: int) -> str:
    """Return what a reader should know of a forecast from that many days of history."""
    if seen_days < LEAST_DAYS:
        return f"naive: {seen_days} of {LEAST_DAYS} days of history needed"
    if seen_days < GUESS_DAYS:
        return f"{seen_days} days of history: a guess"
    if seen_days < WIDENED_DAYS:
        return f"{seen_days} days of history: growth is not known yet, so the range is wide"
    return ""
