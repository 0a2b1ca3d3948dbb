"""Forecasts of the bill and alarms on it, against naive ones, on simulated and recorded spend.

Run with `python -m benchmarks.savings_spend [--data DIR] [--quick] [--json]`. Every judged day sees
the bill as Cost Explorer showed it on that day: the last days incomplete. Seeds 0 to 4 are for
development; what is reported comes from seeds 100 to 109. There is no recorded bill: the recorded
part is usage (web requests, CPU of virtual machines) priced per unit, with effects injected.

Forecasts are made on days 5, 10, 15, 20 and 25 of each month with at least 59 days before it. Errors
are relative to the account's mean month. The skill in the headline is over the better of two naive
forecasts, the run rate of this month and last month again; a third, month to date plus the mean of
the last 28 days, is shown beside it. Alarms are told by a run every three days, with 150 days of
history, and a delay is counted to the run that told: what
overlaps an earlier alarm of the group is the same alarm. An injected anomaly is found by the first
alarm that overlaps it, from a day before to three days after, and was raised after it began; any
other alarm is false, also a second one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import partial

import pandas as pd

from benchmarks.harness import Metrics, Options, parse_options, progress, publish, show_table
from benchmarks.savings_spend_alarms import (
    ALARM_WARM_UP_DAYS,
    MIN_USD,
    AlarmScore,
    judge_alarms,
    three_sigma_alarms,
)
from benchmarks.savings_spend_forecasts import (
    LEAST_HISTORY_DAYS,
    TARGETS,
    Judged,
    forecast_metrics,
    judge_forecasts,
)
from benchmarks.savings_spend_shapes import recorded_bills
from tasks.domain.savings.spend.anomalies import spend_anomalies
from tasks.domain.savings.spend.forecast import spend_outlook
from tasks.domain.savings.spend.panel import SpendAnomaly, SpendOutlook
from tasks.domain.savings.spend.simulator import SimulatedSpend, simulate_spend

DEVELOPMENT_SEEDS = range(5)
REPORTED_SEEDS = range(100, 110)
FIRST_DAY = date(2025, 1, 1)
DAYS, QUICK_DAYS = 410, 260
SHORT_DAYS, SHORT_HISTORY_DAYS = 118, 14
"""New accounts: every forecast is made with 14 to 87 days before it."""
RECORDED_WARM_UP_DAYS = 35
RECORDED_HISTORY_DAYS = 28
"""Recordings last two to three months: forecasts of their last complete month."""
MOST_PROCESSES = 2
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What came of one bill."""

    judged: list[Judged]
    outlook_seconds: float
    ours: AlarmScore
    simple: AlarmScore


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
    new = simulated_bills([seed + 1000 for seed in seeds], days=SHORT_DAYS)
    recorded = list(recorded_bills(options.data, seeds))
    found: Metrics = {}
    with ProcessPoolExecutor(min(MOST_PROCESSES, os.cpu_count() or 1)) as pool:
        for prefix, some, history_days, warm_up_days in (
            ("spend_", bills, LEAST_HISTORY_DAYS, ALARM_WARM_UP_DAYS),
            ("new_spend_", new, SHORT_HISTORY_DAYS, RECORDED_WARM_UP_DAYS),
            ("recorded_spend_", recorded, RECORDED_HISTORY_DAYS, RECORDED_WARM_UP_DAYS),
        ):
            progress(f"{prefix}: {len(some)} bills")
            judge = partial(_bill, history_days=history_days, warm_up_days=warm_up_days)
            each = list(pool.map(judge, some))
            if each:
                found |= _forecasts(each, prefix=prefix) | _alarms(each, prefix=prefix)
    return found


def _bill(bill: SimulatedSpend, *, history_days: int, warm_up_days: int) -> Found:
    begin = time.perf_counter()
    judged = judge_forecasts(bill, _outlook, history_days=history_days)
    seconds = time.perf_counter() - begin
    ours, simple = AlarmScore(), AlarmScore()
    judge_alarms(bill, _anomalies, ours, warm_up_days=warm_up_days)
    judge_alarms(bill, three_sigma_alarms, simple, warm_up_days=warm_up_days)
    return Found(judged=judged, outlook_seconds=seconds, ours=ours, simple=simple)


def _forecasts(each: Sequence[Found], *, prefix: str) -> Metrics:
    judged = [one for bill in each for one in bill.judged]
    made = sum(1 for one in judged if one.target == "month_end" and not one.group)
    found = forecast_metrics(judged, prefix=prefix)
    if made:
        found[f"{prefix}outlook_seconds"] = sum(one.outlook_seconds for one in each) / made
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


def _alarms(each: Sequence[Found], *, prefix: str) -> Metrics:
    ours, simple = AlarmScore(), AlarmScore()
    for one in each:
        ours.add(one.ours)
        simple.add(one.simple)
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
