"""Alarms of one workload, step by step, from all its signals together.

Every signal is compared with what is usual of it (expected.py), every deviation with those seen
before (channel.py), and the rarest one with what the workload has shown before (severity.py). An
alarm is raised where steps as unusual come less often than alarms may: one setting, the number of
alarms per week, is all there is to choose. What is told once goes on silently until it is over or
has become the new normal.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tasks.domain.anomalies.alarms import Alarm, Kind, Reason, Sample, Signal
from tasks.domain.anomalies.budget import Budget
from tasks.domain.anomalies.channel import Channel
from tasks.domain.anomalies.deploys import RECENT, RELEARN, Deploys
from tasks.domain.anomalies.events import Events
from tasks.domain.anomalies.expected import SLOTS
from tasks.domain.anomalies.kinds import Evidence, kind_of, remedy_for
from tasks.domain.anomalies.moments import Moment, Rates
from tasks.domain.anomalies.records import alarm_from_state, alarm_to_state
from tasks.domain.anomalies.severity import Rarity
from tasks.domain.anomalies.units import UNITS

HOURS_PER_WEEK = 168.0
REST = timedelta(hours=2)
LEARNING_HOURS = 48.0
"""Nothing is told of a workload before."""
SETTLING_HOURS = 24.0
"""Signals seem rarer than they are before a day is known; it is not learned how rare."""
LOAD_SLACK = 2.0
"""Deviations by which requests that were not measured may be off."""
LEADING_SHARE = 0.5
LONGEST_STEP_HOURS = 24.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What an operator chooses, once for all workloads.

    Attributes:
        alarms_per_week: That a workload may raise on average; above 0.
    """

    alarms_per_week: float = 1.0


DEFAULT = Settings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What is going on in a workload.

    Attributes:
        learning: Whether it is too new to tell anything of it.
        severity: Of the newest step, 0 to 1: share of its steps that were less unusual.
        ongoing: The alarm that was told and is not over; None where all is usual.
        kind: What the newest step looks like; None where nothing deviates.
        reasons: Deviations of the newest step, furthest first.
    """

    learning: bool
    severity: float
    ongoing: Alarm | None
    kind: Kind | None
    reasons: tuple[Reason, ...]


class WorkloadDetector:
    """Watches one workload; constant memory, and each answer depends on earlier steps only.

    Args:
        settings: The same for every workload.
    """

    def __init__(self, settings: Settings = DEFAULT) -> None:
        self.settings = settings
        self._channels: dict[Signal, Channel] = {}
        self._rarity = Rarity()
        self._events = Events()
        self._budget = Budget(settings.alarms_per_week)
        self._deploys = Deploys()
        self._at: datetime | None = None
        self._told: datetime | None = None
        self._ongoing: Alarm | None = None
        self._fresh: tuple[Signal, ...] = ()
        self._age_hours = 0.0
        self._share = 1.0

    def update(self, sample: Sample) -> Alarm | None:
        """Take the next step and return an alarm where there is something to tell.

        A step that is not later than the last one is passed over. Values that are not finite count
        as not measured.
        """
        if self._at is not None and sample.at <= self._at:
            return None
        hours = self._hours_since(sample.at)
        self._at = sample.at
        self._deploys.update(sample.at, deployed=sample.deployed)
        self._budget.refill(hours / HOURS_PER_WEEK)
        score = self._score(sample, hours)
        self._share = self._rarity.share_above(score)
        self._age_hours += hours
        if self._age_hours < SETTLING_HOURS:
            return None
        self._rarity.learn(score)
        if self._events.update(score, share=self._share, hours=hours):
            self._ongoing = None
        if self._ongoing is not None:
            return None
        return self._alarm(sample.at, score)

    @property
    def severity(self) -> float:
        """Return the share of steps that were less unusual than the newest, 0 to 1."""
        return 1.0 - self._share

    @property
    def status(self) -> Status:
        """Return what is going on."""
        leading = self._leading()
        return Status(
            learning=self._learning,
            severity=self.severity,
            ongoing=self._ongoing,
            kind=kind_of(self._evidence(leading)) if leading else None,
            reasons=tuple(channel.reason() for channel in leading),
        )

    @property
    def _learning(self) -> bool:
        return self._age_hours < LEARNING_HOURS

    def _hours_since(self, at: datetime) -> float:
        if self._at is None:
            return 0.0
        return min((at - self._at).total_seconds() / 3600.0, LONGEST_STEP_HOURS)

    def _score(self, sample: Sample, hours: float) -> float:
        now, quarter = self._moment(sample, hours)
        score = 0.0
        fresh = []
        for signal, value in sample.values.items():
            if not math.isfinite(value):
                continue
            channel = self._channels.get(signal)
            if channel is None:
                channel = self._channels[signal] = Channel(signal)
            counted = self._deploys.weight(signal, sample.at)
            score = max(score, channel.update(value, now, quarter=quarter, counted=counted))
            fresh.append(signal)
        self._fresh = tuple(fresh)
        return score

    def _moment(self, sample: Sample, hours: float) -> tuple[Moment, int]:
        at = sample.at.astimezone(UTC)
        place = (at.hour + at.minute / 60.0) * (SLOTS / 24.0)
        slot, part, weekend = int(place), place - int(place), at.weekday() >= 5
        load, slack = self._load(sample, slot, part, weekend=weekend)
        moment = Moment(
            slot=slot,
            part=part,
            weekend=weekend,
            load=load,
            load_slack=slack,
            rates=Rates.per(hours),
            after_deploy=self._deploys.within(RELEARN, sample.at),
            frozen=self._ongoing is not None,
        )
        return moment, int(sample.at.timestamp() // 900)

    def _load(
        self, sample: Sample, slot: int, part: float, *, weekend: bool
    ) -> tuple[float | None, float]:
        """Return the logarithm of requests, and by how much it may be off."""
        requests = sample.values.get(Signal.REQUESTS)
        if requests is not None and math.isfinite(requests):
            return UNITS[Signal.REQUESTS].compared(requests), 0.0
        channel = self._channels.get(Signal.REQUESTS)
        if channel is None:
            return None, 0.0
        usual = channel.expectation.usual(slot, part, weekend=weekend)
        return usual, LOAD_SLACK * channel.expectation.deviation

    def _alarm(self, at: datetime, score: float) -> Alarm | None:
        if self._learning or (self._told is not None and at - self._told < REST):
            return None
        often = self._events.per_week(score)
        if not self._budget.allows(math.log10(self.settings.alarms_per_week / often)):
            return None
        leading = self._leading()
        if not leading:
            return None
        self._budget.spend()
        evidence = self._evidence(leading)
        kind = kind_of(evidence)
        self._told = at
        self._ongoing = Alarm(
            at=at,
            kind=kind,
            severity=self.severity,
            reasons=tuple(evidence.leading),
            remedy=remedy_for(kind, evidence),
            after_deploy=evidence.after_deploy,
        )
        return self._ongoing

    def _leading(self) -> list[Channel]:
        known = [self._channels[signal] for signal in self._fresh]
        most = max((channel.decades for channel in known), default=0.0)
        if most <= 0.0:
            return []
        leading = [one for one in known if one.decades >= LEADING_SHARE * most]
        return sorted(leading, key=lambda channel: -channel.decades)

    def _evidence(self, leading: list[Channel]) -> Evidence:
        known = Signal.REQUESTS in self._fresh
        requests = self._channels[Signal.REQUESTS] if known else None
        return Evidence(
            leading=[channel.reason() for channel in leading],
            growing=any(channel.growing for channel in leading),
            after_deploy=self._at is not None and self._deploys.within(RECENT, self._at),
            cpu=self._newest(Signal.CPU),
            memory=self._newest(Signal.MEMORY),
            requests=requests.reason() if requests is not None else None,
        )

    def _newest(self, signal: Signal) -> float | None:
        return self._channels[signal].value if signal in self._fresh else None

    def to_state(self) -> dict[str, Any]:
        """Return everything but the settings as plain values; JSON keeps them exactly."""
        return {
            "channels": {str(one): channel.to_state() for one, channel in self._channels.items()},
            "rarity": self._rarity.to_state(),
            "events": self._events.to_state(),
            "budget_left": self._budget.left,
            "deployed": _text(self._deploys.last),
            "at": _text(self._at),
            "told": _text(self._told),
            "ongoing": None if self._ongoing is None else alarm_to_state(self._ongoing),
            "fresh": [str(one) for one in self._fresh],
            "age_hours": self._age_hours,
            "share": self._share,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any], settings: Settings = DEFAULT) -> WorkloadDetector:
        """Return what `to_state` described."""
        found = cls(settings)
        found._channels = {
            Signal(name): Channel.from_state(one, Signal(name))
            for name, one in state["channels"].items()
        }
        found._rarity = Rarity.from_state(state["rarity"])
        found._events = Events.from_state(state["events"])
        found._budget = Budget(settings.alarms_per_week, left=state["budget_left"])
        found._deploys = Deploys(_time(state["deployed"]))
        found._at, found._told = _time(state["at"]), _time(state["told"])
        ongoing = state["ongoing"]
        found._ongoing = None if ongoing is None else alarm_from_state(ongoing)
        found._fresh = tuple(Signal(name) for name in state["fresh"])
        found._age_hours = state["age_hours"]
        found._share = state["share"]
        return found


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
