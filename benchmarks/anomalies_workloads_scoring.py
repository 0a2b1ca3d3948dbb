"""How alarms on workloads are judged, as they would have been told.

A detector goes over an untouched trace once, a week unjudged. Every alarm after that week is false.
Effects are laid over the steps from each onset on, and the detector, as it stood at the onset,
goes over these steps again; so its rest, its budget and what it has learned are real.

- Found: an alarm from the effect's first step to half an hour after its end, at a step at which
  the untouched trace raised none. Delay is from the effect's first step.
- Right kind: of the first such alarm.
- Level shift: all such alarms within two days; one is right, each further one is too many.
- Deploy: alarms on the untouched trace within an hour of a deploy, of which none is bad.
- Severity: over steps of untouched traces, the share with a severity of at least s must be 1 - s.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from benchmarks.anomalies_workloads_data import PER_DAY, PER_HOUR, WARM_UP_DAYS, Trace
from benchmarks.anomalies_workloads_effects import (
    BAD_DEPLOY,
    GRACE_STEPS,
    SHIFT,
    Case,
)
from benchmarks.harness import Metrics
from tasks.domain.anomalies.alarms import Alarm, Kind, Sample

MINUTES = 60.0 / PER_HOUR
SEVERITIES = (0.5, 0.9, 0.99, 0.999)
FIRST = WARM_UP_DAYS * PER_DAY


class Judged(Protocol):
    """What is judged."""

    @property
    def severity(self) -> float | None:
        """Of the newest step; None where the detector has none."""

    def update(self, sample: Sample) -> Alarm | None:
        """Take the next step."""


Factory = Callable[[], Judged]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What became of one case.

    Attributes:
        case: Which.
        alarms: That are about it, first one first.
        delays: Steps from its start, of each.
    """

    case: Case
    alarms: tuple[Alarm, ...]
    delays: tuple[int, ...]


@dataclass(slots=True)
class Judgement:
    """What a detector's alarms were worth, over traces.

    Attributes:
        weeks: Workload-weeks judged untouched.
        false: Alarms on them, by source.
        weeks_by_source: The same weeks.
        deploys: Harmless ones judged.
        after_deploys: Alarms within an hour of them.
        found: Every case.
        severities: Of every judged untouched step.
    """

    weeks: float = 0.0
    false: Counter[str] = field(default_factory=Counter)
    weeks_by_source: dict[str, float] = field(default_factory=dict)
    deploys: int = 0
    after_deploys: int = 0
    found: list[Found] = field(default_factory=list)
    severities: list[float] = field(default_factory=list)

    def add(self, other: Judgement) -> None:
        """Add what they were worth on other traces."""
        self.weeks += other.weeks
        self.false += other.false
        for source, weeks in other.weeks_by_source.items():
            self.weeks_by_source[source] = self.weeks_by_source.get(source, 0.0) + weeks
        self.deploys += other.deploys
        self.after_deploys += other.after_deploys
        self.found += other.found
        self.severities += other.severities

    def of(self, name: str) -> list[Found]:
        """Return the cases of a name."""
        return [one for one in self.found if one.case.name == name]


def judge(
    trace: Trace, cases: Sequence[Case], factory: Factory, judgement: Judgement
) -> list[Alarm]:
    """Add a trace and its cases to a judgement; returns the alarms on the untouched trace."""
    onsets = {case.first for case in cases}
    detector = factory()
    kept: dict[int, Judged] = {}
    told: dict[int, Alarm] = {}
    for at, sample in enumerate(trace.samples()):
        if at in onsets:
            kept[at] = copy.deepcopy(detector)
        alarm = detector.update(sample)
        if alarm is not None:
            told[at] = alarm
        if at >= FIRST and detector.severity is not None:
            judgement.severities.append(detector.severity)
    _count_false(trace, told, judgement)
    for case in cases:
        judgement.found.append(_found(case, copy.deepcopy(kept[case.first]), told))
    return list(told.values())


def _count_false(trace: Trace, told: dict[int, Alarm], judgement: Judgement) -> None:
    source = trace.name.split("-")[0]
    weeks = (len(trace) - FIRST) / (7 * PER_DAY)
    late = [at for at in told if at >= FIRST]
    deploys = [at for at in np.flatnonzero(trace.deployed).tolist() if at >= FIRST]
    judgement.weeks += weeks
    judgement.weeks_by_source[source] = judgement.weeks_by_source.get(source, 0.0) + weeks
    judgement.false[source] += len(late)
    judgement.deploys += len(deploys)
    judgement.after_deploys += sum(
        any(0 <= at - deploy <= PER_HOUR for deploy in deploys) for at in late
    )


def _found(case: Case, detector: Judged, untouched: dict[int, Alarm]) -> Found:
    told = []
    last = case.last + GRACE_STEPS
    for at, sample in enumerate(case.trace.samples(case.first, last), case.first):
        alarm = detector.update(sample)
        if alarm is not None and at not in untouched:
            told.append((at - case.first, alarm))
    return Found(
        case=case,
        alarms=tuple(alarm for _, alarm in told),
        delays=tuple(delay for delay, _ in told),
    )


def scores(judgement: Judgement) -> Metrics:
    """Return recall, delay and kind per case, alarms per workload-week, shifts, deploys, severity."""
    kinds = [one for name in Kind for one in judgement.of(str(name))]
    hits = [one for one in kinds if one.alarms]
    found: Metrics = {
        "recall": _share(kinds, hits),
        "kind_accuracy": _share(hits, [h for h in hits if h.alarms[0].kind is h.case.kind]),
        "alarms_per_week": judgement.false.total() / judgement.weeks,
    }
    for source, weeks in judgement.weeks_by_source.items():
        found[f"alarms_per_week_{source}"] = judgement.false[source] / weeks
    for name in (*Kind, BAD_DEPLOY):
        cases = judgement.of(str(name))
        key = str(name).replace("-", "_")
        told = [one for one in cases if one.alarms]
        found[f"recall_{key}"] = _share(cases, told)
        delays = [MINUTES * one.delays[0] for one in told]
        found[f"delay_minutes_{key}"] = float(np.median(delays)) if delays else None
    shifts = judgement.of(SHIFT)
    known = [one for one in shifts if one.alarms]
    found["level_shift_alarms"] = (
        float(np.mean([len(one.alarms) for one in known])) if known else None
    )
    found["level_shifts_told_more_than_once"] = _share(
        shifts, [one for one in shifts if len(one.alarms) > 1]
    )
    found["alarms_per_harmless_deploy"] = (
        judgement.after_deploys / judgement.deploys if judgement.deploys else None
    )
    for one in SEVERITIES:
        share = np.mean(np.array(judgement.severities) >= one) if judgement.severities else None
        key = f"severity_at_least_{str(one)[2:]}_share"
        found[key] = None if share is None else float(share)
    return found


def _share(all_of: Sequence[object], some: Sequence[object]) -> float | None:
    return len(some) / len(all_of) if all_of else None


def confusion(judgement: Judgement) -> tuple[list[str], list[list[object]]]:
    """Return columns and rows: true kind, cases, missed, and how often it was called what."""
    columns = ["truth", "cases", "missed", *(str(kind) for kind in Kind)]
    rows: list[list[object]] = []
    for name in (*(str(kind) for kind in Kind), BAD_DEPLOY, SHIFT):
        cases = judgement.of(name)
        called = Counter(one.alarms[0].kind for one in cases if one.alarms)
        missed = sum(not one.alarms for one in cases)
        rows.append([name, len(cases), missed, *(called[kind] for kind in Kind)])
    return columns, rows
