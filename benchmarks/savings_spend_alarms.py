"""Alarms on a bill judged by what was injected into it, run by run, as they would have been told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import pandas as pd

from benchmarks.harness import Metrics
from tasks.domain.savings.spend.panel import AnomalyKind, SpendAnomaly, SpendPanel, spend_panel
from tasks.domain.savings.spend.simulator import InjectedAnomaly, SimulatedSpend

RUN_EVERY_DAYS = 3
"""Between judged runs, for time; delays are to the run that told, so daily runs would be sooner."""
ALARM_HISTORY_DAYS = 150
ALARM_WARM_UP_DAYS = 70
MIN_USD = 50.0
GRACE_DAYS = 3
LAST_CHANCE_DAYS = 10
"""An anomaly that begins later than this before the end counts neither way."""

Detector = Callable[[pd.DataFrame, date], Sequence[SpendAnomaly]]


@dataclass(slots=True)
class Alarm:
    """An episode as a stream of reports told it."""

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

    def add(self, other: AlarmScore) -> None:
        """Add what another bill's alarms were worth."""
        self.truths += other.truths
        self.found += other.found
        self.alarms += other.alarms
        self.right_kind += other.right_kind
        self.group_months += other.group_months
        self.delays += other.delays

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


def judge_alarms(
    spend: SimulatedSpend,
    detector: Detector,
    score: AlarmScore,
    *,
    warm_up_days: int = ALARM_WARM_UP_DAYS,
) -> None:
    """Add the alarms of runs over a bill to the score."""
    begin = spend.first_day + timedelta(days=warm_up_days)
    end = spend.first_day + timedelta(days=spend.usd.shape[1] - 1)
    alarms = [one for one in told_alarms(spend, detector, begin, end) if one.last_day >= begin]
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
        and truth.first_day <= alarm.reported_on <= truth.last_day + timedelta(days=7)
    )


def told_alarms(
    spend: SimulatedSpend, detector: Detector, begin: date, end: date
) -> Sequence[Alarm]:
    """Return the episodes that the runs tell of, each once, with the day it was first told."""
    known: list[Alarm] = []
    for offset in range(0, (end - begin).days + 1, RUN_EVERY_DAYS):
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
    """Return groups above mean + 3 sd of the 28 days before, on days settled since the last run."""
    panel = spend_panel(seen, today=today)
    # Days settle two or three days late: one day more than between runs, so that none is skipped.
    return [one for back in range(RUN_EVERY_DAYS, -1, -1) for one in _three_sigma(panel, back=back)]


def _three_sigma(panel: SpendPanel, *, back: int) -> list[SpendAnomaly]:
    at = panel.days - 1 - back
    before, now = panel.usd[:, at - 28 : at], panel.usd[:, at]
    mean, sd = np.nanmean(before, axis=1), np.nanstd(before, axis=1)
    above = (now > mean + 3.0 * sd) & (now > mean + MIN_USD)
    day = panel.first_day + timedelta(days=at)
    return [
        SpendAnomaly(
            group=panel.groups[row],
            kind=AnomalyKind.SPIKE,
            first_day=day,
            last_day=day,
            ongoing=back == 0,
            expected_usd=float(mean[row]),
            found_usd=float(now[row]),
            severity=1.0,
        )
        for row in np.flatnonzero(above)
    ]
