"""Forecasts of a month's bill judged beside naive ones; errors relative to the account's mean month."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from benchmarks.harness import Metrics
from tasks.domain.arrays import FloatArray
from tasks.domain.savings.spend.panel import GroupOutlook, SpendOutlook, spend_panel
from tasks.domain.savings.spend.simulator import SimulatedSpend
from tasks.domain.scores import skill

ORIGIN_DAYS = (5, 10, 15, 20, 25)
LEAST_HISTORY_DAYS = 59
TARGETS = ("month_end", "next_month")
BASELINES = ("run_rate", "last_month", "trailing")

Forecaster = Callable[[pd.DataFrame, date], SpendOutlook]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One forecast and what came: relative to the account's mean month.

    Attributes:
        target: "month_end" or "next_month".
        group: Empty for the total.
        naive: By name of the baseline.
    """

    target: str
    group: str
    actual: float
    low: float
    expected: float
    high: float
    naive: dict[str, float]


def month_days(day: date) -> int:
    """Return the days of the month of a day."""
    return calendar.monthrange(day.year, day.month)[1]


def month_after(day: date) -> date:
    """Return the first day of the next month."""
    return (day.replace(day=28) + timedelta(days=7)).replace(day=1)


def origins(spend: SimulatedSpend, *, history_days: int = LEAST_HISTORY_DAYS) -> Iterator[date]:
    """Return the days on which forecasts are made: enough before, the month's end after."""
    end = spend.first_day + timedelta(days=spend.usd.shape[1])
    first = spend.first_day + timedelta(days=history_days)
    month = first if first.day == 1 else month_after(first)
    while month_after(month) <= end:
        yield from (month.replace(day=day) for day in ORIGIN_DAYS)
        month = month_after(month)


def judge_forecasts(
    spend: SimulatedSpend, forecaster: Forecaster, *, history_days: int = LEAST_HISTORY_DAYS
) -> list[Judged]:
    """Return every forecast of total and groups whose truth is known."""
    scale = float(spend.usd.sum(axis=0).mean()) * 30.4
    found: list[Judged] = []
    for today in origins(spend, history_days=history_days):
        seen = spend.seen_on(today)
        outlook, naive = forecaster(seen, today), naive_forecasts(seen, today)
        for one in (outlook.total, *outlook.groups):
            found += _judged(spend, one, naive, today, scale)
    return found


def _judged(
    spend: SimulatedSpend,
    one: GroupOutlook,
    naive: dict[tuple[str, str], dict[str, float]],
    today: date,
    scale: float,
) -> Iterator[Judged]:
    month, after = today.replace(day=1), month_after(today)
    for target, begin, range_ in (
        ("month_end", month, one.month_end),
        ("next_month", after, one.next_month),
    ):
        first = (begin - spend.first_day).days
        days = spend.usd[:, first : first + month_days(begin)]
        if days.shape[1] < month_days(begin):
            continue
        rows = [spend.groups.index(one.group)] if one.group else slice(None)
        yield Judged(
            target=target,
            group=one.group,
            actual=float(days[rows].sum()) / scale,
            low=range_.low / scale,
            expected=range_.expected / scale,
            high=range_.high / scale,
            naive={key: value / scale for key, value in naive[target, one.group].items()},
        )


def naive_forecasts(seen: pd.DataFrame, today: date) -> dict[tuple[str, str], dict[str, float]]:
    """Return the baselines by (target, group); the total's group is empty."""
    panel = spend_panel(seen, today=today)
    days = panel.calendar()
    month = today.replace(day=1)
    last = (month - timedelta(days=1)).replace(day=1)
    so_far = panel.usd[:, days >= pd.Timestamp(month)]
    before = panel.usd[:, (days >= pd.Timestamp(last)) & (days < pd.Timestamp(month))]
    pace, recent = np.nanmean(so_far, axis=1), np.nanmean(panel.usd[:, -28:], axis=1)
    again = np.nanmean(before, axis=1) * month_days(last)
    left = month_days(today) - so_far.shape[1]
    after = month_days(month_after(today))
    by_target = {
        "month_end": (pace * month_days(today), again, np.nansum(so_far, axis=1) + recent * left),
        "next_month": (pace * after, again, recent * after),
    }
    return {
        (target, group): dict(zip(BASELINES, values, strict=True))
        for target, arrays in by_target.items()
        for group, *values in _by_group(panel.groups, arrays)
    }


def _by_group(
    groups: Sequence[str], arrays: Sequence[FloatArray]
) -> Iterator[tuple[str, float, float, float]]:
    pace, again, recent = arrays
    yield "", float(pace.sum()), float(again.sum()), float(recent.sum())
    for row, group in enumerate(groups):
        yield group, float(pace[row]), float(again[row]), float(recent[row])


def forecast_metrics(judged: Sequence[Judged], *, prefix: str = "") -> Metrics:
    """Return errors, skills and coverage of the total, and of the groups."""
    found: Metrics = {}
    for target in TARGETS:
        total = [one for one in judged if one.target == target and not one.group]
        groups = [one for one in judged if one.target == target and one.group]
        found |= _scores(total, f"{prefix}{target}_")
        found |= _scores(groups, f"{prefix}service_{target}_")
    return {key: value for key, value in found.items() if value is not None}


def _scores(judged: Sequence[Judged], prefix: str) -> Metrics:
    if not judged:
        return {}
    error = float(np.mean([abs(one.expected - one.actual) for one in judged]))
    naive = {
        name: float(np.mean([abs(one.naive[name] - one.actual) for one in judged]))
        for name in BASELINES
    }
    best = min(naive["run_rate"], naive["last_month"])
    covered = [one.low <= one.actual <= one.high for one in judged]
    return {
        f"{prefix}mae_skill": skill(error, reference_error=best),
        **{f"{prefix}mae_skill_vs_{k}": skill(error, reference_error=v) for k, v in naive.items()},
        f"{prefix}coverage_80": float(np.mean(covered)),
        f"{prefix}width_share": float(np.mean([one.high - one.low for one in judged])),
        f"{prefix}mae_share": error,
        **{f"{prefix}mae_share_{name}": value for name, value in naive.items()},
    }
