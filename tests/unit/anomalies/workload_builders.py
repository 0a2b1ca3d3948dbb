"""A quiet workload in steps of ten minutes, and detectors that know it."""

from __future__ import annotations

import functools
import json
import math
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tasks.domain.anomalies.alarms import Alarm, Sample, Signal
from tasks.domain.anomalies.workload import DEFAULT, Settings, WorkloadDetector

START = datetime(2026, 3, 2, tzinfo=UTC)
STEP = timedelta(minutes=10)
PER_HOUR = 6
PER_DAY = 144
LEARNED = 4 * PER_DAY

Change = Callable[[int, dict[Signal, float]], None]


def quiet(at: int) -> dict[Signal, float]:
    """Return what is measured in a step: a daily swing of requests, and what follows it."""
    rng = random.Random(at)
    swing = 1.0 + 0.4 * math.sin(2.0 * math.pi * at / PER_DAY)
    requests = 100.0 * swing * rng.lognormvariate(0.0, 0.05)
    return {
        Signal.REQUESTS: requests,
        Signal.CPU: 0.003 * requests * rng.lognormvariate(0.0, 0.03),
        Signal.MEMORY: 0.4 + rng.gauss(0.0, 0.004),
        Signal.ERRORS: max(rng.gauss(0.002, 0.0004), 0.0),
        Signal.LATENCY: 0.1 * rng.lognormvariate(0.0, 0.06),
        Signal.EGRESS: 2e4 * requests * rng.lognormvariate(0.0, 0.05),
        Signal.REFUSED: 0.01,
    }


def step(at: int, values: Mapping[Signal, float], *, deployed: bool = False) -> Sample:
    """Return a sample."""
    return Sample(at=START + at * STEP, values=values, deployed=deployed)


@functools.cache
def _learned() -> str:
    detector = WorkloadDetector()
    for at in range(LEARNED):
        detector.update(step(at, quiet(at)))
    return json.dumps(detector.to_state())


def learned_state() -> dict[str, Any]:
    """Return the state after four quiet days."""
    found: dict[str, Any] = json.loads(_learned())
    return found


def learned(settings: Settings = DEFAULT) -> WorkloadDetector:
    """Return a detector that knows four quiet days."""
    return WorkloadDetector.from_state(learned_state(), settings)


def told(
    detector: WorkloadDetector,
    change: Change,
    *,
    hours: float,
    first: int = LEARNED,
    deployed_at: int | None = None,
) -> list[Alarm]:
    """Return the alarms of some hours in which something changes; `change` gets steps since."""
    found = []
    for since in range(int(hours * PER_HOUR)):
        values = quiet(first + since)
        change(since, values)
        sample = step(first + since, values, deployed=since == deployed_at)
        alarm = detector.update(sample)
        if alarm is not None:
            found.append(alarm)
    return found


def unchanged(since: int, values: dict[Signal, float]) -> None:
    """Leave a step as it is."""


def times(signal: Signal, factor: float) -> Change:
    """Return a change of one signal to a multiple."""

    def change(since: int, values: dict[Signal, float]) -> None:
        values[signal] *= factor

    return change


def to(signal: Signal, value: float) -> Change:
    """Return a change of one signal to a value."""

    def change(since: int, values: dict[Signal, float]) -> None:
        values[signal] = value

    return change
