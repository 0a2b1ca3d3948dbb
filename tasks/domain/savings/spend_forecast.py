"""Where the bill goes: month end and next month, by group and in total, beside the naive forecast.

Simple rules (means of some spans of days and a damped trend, with weekdays and monthly lumps) and the
run rate are weighed for each group by what they got wrong at past origins, shrunk towards what is
right for all groups. The range comes from whole paths of past errors, drawn for all groups at once,
so that the range of the total knows which groups err together.
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
from tasks.domain.savings.spend import GroupOutlook, SpendOutlook, SpendPanel, spend_panel
from tasks.domain.savings.spend_paths import (
    BACKTEST_STEP_DAYS,
    HORIZON_DAYS,
    LEAST_DAYS,
    NAIVE,
    RULES,
    Backtest,
    backtest,
    rule_paths,
    scale_of,
)
from tasks.domain.savings.spend_pattern import Calendar, filled

DRAWS = 1000
RANGE = (0.1, 0.9)
PRIOR_ERROR = 0.25
"""Relative standard deviation of a forecast that nothing in the past was compared with: a belief."""
DOUBT_MONTHS = 0.5
"""Months of past origins at which that belief has fallen to half: a short past saw few surprises."""


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
        doubts: (draws,) relative errors that the past was too short to show, shared by all groups.
    """

    usd: FloatArray
    path: FloatArray
    errors: FloatArray
    origins: IntArray
    signs: FloatArray
    weight: FloatArray
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
    weights = past.weights if past else _even_weights(len(usd))
    path = np.einsum("rgh,gr->gh", rule_paths(usd, days, ahead), weights)
    for row in np.flatnonzero(short):
        path[row] = usd[row, panel.begun[row] :].mean()
    scale = scale_of(usd)
    errors = _errors(past, len(usd), rng) * scale[:, None]
    seen_months = 0.0 if past is None else len(errors) * BACKTEST_STEP_DAYS / 30.4
    doubt = 0.0 if past is None else PRIOR_ERROR * DOUBT_MONTHS / (DOUBT_MONTHS + seen_months)
    return _Forecast(
        usd=usd,
        path=path,
        errors=errors,
        origins=rng.integers(0, len(errors), DRAWS),
        signs=rng.choice([-1.0, 1.0], DRAWS),
        weight=np.asarray(np.where(short, 0.0, 1.0 - weights[:, NAIVE]), dtype=np.float64),
        doubts=rng.normal(0.0, 1.0, DRAWS) * doubt,
        scale=scale,
    )


def _even_weights(groups: int) -> FloatArray:
    """Return half naive, half the means: a trend of a few days is none."""
    one = np.full(len(RULES), 0.5 / (len(RULES) - 2))
    one[NAIVE], one[-1] = 0.5, 0.0
    return np.tile(one, (groups, 1))


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
        note="" if total else _note(panel, int(rows[0])),
    )


def _amount(found: _Forecast, rows: IntArray, month: _Month) -> Usd:
    settled = float(found.usd[rows, month.known].sum())
    expected = settled + float(found.path[rows, month.ahead].sum())
    missed = found.errors[:, rows, month.ahead].sum(axis=(1, 2))
    ahead = month.ahead.stop - month.ahead.start
    unseen = found.doubts * float(found.scale[rows].sum()) * ahead
    drawn = found.signs * missed[found.origins] + unseen
    low, high = np.quantile(drawn, RANGE)
    # What is settled stays spent, however far off the rest may be.
    return Usd(
        low=min(max(expected + float(low), settled), expected),
        expected=expected,
        high=expected + max(float(high), 0.0),
    )


def _note(panel: SpendPanel, row: int) -> str:
    seen = panel.days - panel.begun[row]
    if seen < LEAST_DAYS:
        return f"naive: {seen} of {LEAST_DAYS} days of history needed"
    return ""
