"""Forecasts of the bill and alarms on it, against naive ones, on simulated and recorded spend.

Run with `python -m benchmarks.savings_spend [--data DIR] [--quick] [--json]`. Every judged day sees
the bill as Cost Explorer showed it on that day: the last days incomplete. Seeds 0 to 4 are for
development; what is reported comes from seeds 100 to 109. There is no recorded bill: the recorded
part is usage (web requests, CPU of virtual machines) priced per unit, with effects injected.

Forecasts are made on days 5, 10, 15, 20 and 25 of each month with at least 59 days before it. Errors
are relative to the account's mean month. The skill in the headline is over the better of two naive
forecasts, the run rate of this month and last month again; a third, month to date plus the mean of
the last 28 days, is shown beside it. The alarm of each day is judged with 150 days of history: what
overlaps an earlier alarm of the group is the same alarm. An injected anomaly is found by the first
alarm that overlaps it, from a day before to three days after; any other alarm is false, also a
second one.
"""

from __future__ import annotations

import calendar
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import pandas as pd

from benchmarks.harness import Metrics, Options, parse_options, progress, publish, show_table
from benchmarks.savings_spend_shapes import recorded_bills
from tasks.domain.arrays import FloatArray
from tasks.domain.savings.spend import (
    AnomalyKind,
    GroupOutlook,
    SpendAnomaly,
    SpendOutlook,
    spend_panel,
)
from tasks.domain.savings.spend_anomalies import spend_anomalies
from tasks.domain.savings.spend_forecast import spend_outlook
from tasks.domain.savings.spend_simulator import InjectedAnomaly, SimulatedSpend, simulate_spend
from tasks.domain.scores import skill

DEVELOPMENT_SEEDS = range(5)
REPORTED_SEEDS = range(100, 110)
FIRST_DAY = date(2025, 1, 1)
ORIGIN_DAYS = (5, 10, 15, 20, 25)
LEAST_HISTORY_DAYS = 59
ALARM_HISTORY_DAYS = 150
ALARM_WARM_UP_DAYS = 70
RECORDED_WARM_UP_DAYS = 35
RECORDED_HISTORY_DAYS = 28
"""Recordings last two to three months: forecasts of their last complete month."""
MIN_USD = 50.0
GRACE_DAYS = 3
LAST_CHANCE_DAYS = 10
"""An anomaly that begins later than this before the end counts neither way."""
DAYS, QUICK_DAYS = 410, 260
TARGETS = ("month_end", "next_month")
FORECAST_SCORES = {
    "mae_skill": "MAE skill",
    "mae_skill_vs_trailing": "vs trailing",
    "coverage_80": "80 % covers",
    "width_share": "width",
    "mae_share": "MAE",
    "mae_share_run_rate": "run rate",
    "mae_share_last_month": "last month",
    "mae_share_trailing": "trailing",
}
"""Scores shown in the table; shares are of the account's mean month."""
BASELINES = ("run_rate", "last_month", "trailing")

Forecaster = Callable[[pd.DataFrame, date], SpendOutlook]
Detector = Callable[[pd.DataFrame, date], Sequence[SpendAnomaly]]


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


@dataclass(slots=True)
class Alarm:
    """An episode as a stream of daily reports told it."""

    group: str
    first_day: date
    last_day: date
    reported_on: date
    kind: AnomalyKind


@dataclass(slots=True)
class AlarmScore:
    """What alarms were worth."""

    truths: int = 0
    found: int = 0
    alarms: int = 0
    right_kind: int = 0
    group_months: float = 0.0
    delays: list[int] = field(default_factory=list)

    def metrics(self, prefix: str) -> Metrics:
        """Return the shares; None where there is nothing to share."""
        false = self.alarms - self.found
        return {
            f"{prefix}precision": self.found / self.alarms if self.alarms else None,
            f"{prefix}recall": self.found / self.truths if self.truths else None,
            f"{prefix}delay_days": float(np.mean(self.delays)) if self.delays else None,
            f"{prefix}kind_share": self.right_kind / self.found if self.found else None,
            f"{prefix}false_per_service_month": (
                false / self.group_months if self.group_months else None
            ),
            f"{prefix}truths": float(self.truths),
        }


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


def judge_alarms(
    spend: SimulatedSpend,
    detector: Detector,
    score: AlarmScore,
    *,
    warm_up_days: int = ALARM_WARM_UP_DAYS,
) -> None:
    """Add the alarms of daily runs over a bill to the score."""
    begin = spend.first_day + timedelta(days=warm_up_days)
    end = spend.first_day + timedelta(days=spend.usd.shape[1] - 1)
    alarms = [one for one in daily_alarms(spend, detector, begin, end) if one.last_day >= begin]
    early = [one for one in spend.anomalies if one.first_day < begin]
    alarms = [one for one in alarms if not any(overlap(one, truth) for truth in early)]
    late = end - timedelta(days=LAST_CHANCE_DAYS)
    truths = [one for one in spend.anomalies if one.first_day >= begin and one.excess_usd > MIN_USD]
    score.group_months += len(spend.groups) * (end - begin).days / 30.4
    score.alarms += len(alarms)
    for truth in truths:
        hits = [one for one in alarms if overlap(one, truth)]
        if truth.first_day > late:
            # Too late to be missed: neither the anomaly nor its alarm counts.
            score.alarms -= len(hits)
            continue
        score.truths += 1
        if hits:
            score.found += 1
            score.right_kind += hits[0].kind is truth.kind
            score.delays.append((hits[0].reported_on - truth.first_day).days)


def overlap(alarm: Alarm, truth: InjectedAnomaly) -> bool:
    """Return whether an alarm is about an injected anomaly."""
    grace = timedelta(days=GRACE_DAYS)
    return (
        alarm.group == truth.group
        and alarm.first_day <= truth.last_day + grace
        and alarm.last_day >= truth.first_day - timedelta(days=1)
        and alarm.reported_on <= truth.last_day + timedelta(days=7)
    )


def daily_alarms(
    spend: SimulatedSpend, detector: Detector, begin: date, end: date
) -> Sequence[Alarm]:
    """Return the episodes that daily runs tell of, each once, with the day it was first told."""
    known: list[Alarm] = []
    for offset in range((end - begin).days + 1):
        today = begin + timedelta(days=offset)
        seen = spend.seen_on(today)
        window = seen[seen["day"] >= pd.Timestamp(today - timedelta(days=ALARM_HISTORY_DAYS))]
        for one in detector(window, today):
            _tell(known, one, today)
    return known


def _tell(known: list[Alarm], one: SpendAnomaly, today: date) -> None:
    grace = timedelta(days=GRACE_DAYS)
    for alarm in known:
        if (
            alarm.group == one.group
            and one.first_day <= alarm.last_day + grace
            and one.last_day >= alarm.first_day - grace
        ):
            alarm.last_day, alarm.kind = max(alarm.last_day, one.last_day), one.kind
            return
    known.append(
        Alarm(
            group=one.group,
            first_day=one.first_day,
            last_day=one.last_day,
            reported_on=today,
            kind=one.kind,
        )
    )


def three_sigma_alarms(seen: pd.DataFrame, today: date) -> list[SpendAnomaly]:
    """Return the last settled day of groups above mean + 3 sd of the 28 days before: the baseline."""
    panel = spend_panel(seen, today=today)
    before, now = panel.usd[:, -29:-1], panel.usd[:, -1]
    mean, sd = np.nanmean(before, axis=1), np.nanstd(before, axis=1)
    above = (now > mean + 3.0 * sd) & (now > mean + MIN_USD)
    return [
        SpendAnomaly(
            group=panel.groups[row],
            kind=AnomalyKind.SPIKE,
            first_day=panel.last_day,
            last_day=panel.last_day,
            ongoing=True,
            expected_usd=float(mean[row]),
            found_usd=float(now[row]),
            severity=1.0,
        )
        for row in np.flatnonzero(above)
    ]


def simulated_bills(seeds: Sequence[int], *, days: int) -> list[SimulatedSpend]:
    """Return one simulated account for each seed."""
    return [simulate_spend(first_day=FIRST_DAY, days=days, seed=seed) for seed in seeds]


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print tables, and with --json one line of figures."""
    options = parse_options("savings_spend", argv)
    publish(options, spend_metrics(options))


def spend_metrics(options: Options) -> Metrics:
    """Return forecasts and alarms beside their baselines, simulated and recorded."""
    seeds = REPORTED_SEEDS[:2] if options.quick else REPORTED_SEEDS
    bills = simulated_bills(seeds, days=QUICK_DAYS if options.quick else DAYS)
    recorded = list(recorded_bills(options.data, seeds))
    found = _forecasts(bills, prefix="", history_days=LEAST_HISTORY_DAYS)
    found |= _forecasts(recorded, prefix="recorded_", history_days=RECORDED_HISTORY_DAYS)
    found |= _alarms(bills, prefix="spend_", warm_up_days=ALARM_WARM_UP_DAYS)
    found |= _alarms(recorded, prefix="recorded_spend_", warm_up_days=RECORDED_WARM_UP_DAYS)
    return found


def _forecasts(bills: Sequence[SimulatedSpend], *, prefix: str, history_days: int) -> Metrics:
    judged: list[Judged] = []
    begin = time.perf_counter()
    for bill in bills:
        progress(f"{prefix}forecasts of {', '.join(bill.groups[:2])} ..., seed {bill.seed}")
        judged += judge_forecasts(bill, _outlook, history_days=history_days)
    made = sum(1 for one in judged if one.target == "month_end" and not one.group)
    found = forecast_metrics(judged, prefix=prefix)
    if made and not prefix:
        found["spend_outlook_seconds"] = (time.perf_counter() - begin) / made
    names = [f"{prefix}{kind}{target}" for target in TARGETS for kind in ("", "service_")]
    rows = [
        (name, *(found.get(f"{name}_{score}") for score in FORECAST_SCORES))
        for name in names
        if f"{name}_mae_share" in found
    ]
    if rows:
        show_table(f"Forecasts of {made} days", ["", *FORECAST_SCORES.values()], rows)
    return found


def _outlook(seen: pd.DataFrame, today: date) -> SpendOutlook:
    return spend_outlook(seen, today=today, seed=0)


def _alarms(bills: Sequence[SimulatedSpend], *, prefix: str, warm_up_days: int) -> Metrics:
    ours, simple = AlarmScore(), AlarmScore()
    for bill in bills:
        progress(f"{prefix}alarms of {', '.join(bill.groups[:2])} ..., seed {bill.seed}")
        judge_alarms(bill, _anomalies, ours, warm_up_days=warm_up_days)
        judge_alarms(bill, three_sigma_alarms, simple, warm_up_days=warm_up_days)
    if not bills:
        return {}
    found = ours.metrics(f"{prefix}anomaly_")
    beside = simple.metrics(f"{prefix}three_sigma_")
    keys = [key.removeprefix(f"{prefix}anomaly_") for key in found]
    rows = [
        ("ours", *found.values()),
        ("mean + 3 sd of 28 days", *beside.values()),
    ]
    show_table(f"{prefix}alarms", ["", *(key.replace("_", " ") for key in keys)], rows)
    found[f"{prefix}false_alarms_per_service_month"] = found.pop(
        f"{prefix}anomaly_false_per_service_month"
    )
    return found | beside


def _anomalies(seen: pd.DataFrame, today: date) -> Sequence[SpendAnomaly]:
    return spend_anomalies(seen, today=today, min_usd=MIN_USD)


if __name__ == "__main__":
    main()
