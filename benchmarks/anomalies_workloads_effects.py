"""What goes wrong with a workload: effects of a known start and kind laid over what was measured.

| case | effect | lasts | size, drawn |
|---|---|---|---|
| memory-leak | memory grows straight, requests unmoved | 6 to 24 h | 25 to 60 % of the limit |
| traffic-spike | requests follow a recorded rush; processor and egress with them | 1 to 4 h | peak 2.5 to 6 times |
| error-rate | errors up, requests unmoved | 0.5 to 2 h | 3 to 30 % of requests |
| performance-degradation | latency up at the same load | 1 to 4 h | 1.6 to 4 times |
| security-signal | egress 4 to 20 times, or refused connections up | 0.5 to 3 h | |
| unknown | requests nearly stop; what they drive follows | 0.5 to 3 h | 2 to 15 % are left |
| bad deploy | a deploy after which errors stay up | 3 h | 3 to 30 % of requests |
| level shift | a level moves for good, nothing is wrong | 48 h are judged | see `shifted` |
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.anomalies_workloads_data import PER_HOUR, Trace
from tasks.domain.anomalies.alarms import Kind, Signal
from tasks.domain.arrays import FloatArray

SHIFT = "level-shift"
BAD_DEPLOY = "bad-deploy"
SHIFT_HOURS = 48
GRACE_STEPS = 6
"""After its end in which an effect may still be noticed."""

DRIVEN = (Signal.CPU, Signal.EGRESS)
"""Rise and fall with requests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An effect laid over a trace.

    Attributes:
        trace: With the effect.
        name: Kind, or SHIFT or BAD_DEPLOY.
        kind: What an alarm should call it; None where any name is right.
        first: First step of the effect.
        last: Step after its end.
    """

    trace: Trace
    name: str
    kind: Kind | None
    first: int
    last: int


Effect = Callable[[dict[Signal, FloatArray], slice, np.random.Generator], None]


def cases(
    trace: Trace,
    onsets: Sequence[int],
    rushes: Sequence[FloatArray],
    *,
    rng: np.random.Generator,
) -> list[Case]:
    """Return every case that the trace's signals allow, one per onset."""
    return [
        found
        for first in onsets
        for name in (*Kind, SHIFT, BAD_DEPLOY)
        if (found := _case(trace, str(name), first, rushes, rng)) is not None
    ]


def _case(
    trace: Trace, name: str, first: int, rushes: Sequence[FloatArray], rng: np.random.Generator
) -> Case | None:
    known = trace.values.keys()
    if not _NEEDS[name] & known:
        return None
    values = {signal: value.copy() for signal, value in trace.values.items()}
    low, high = _HOURS[name]
    last = first + int(rng.uniform(low, high) * PER_HOUR)
    deployed = trace.deployed.copy()
    if name == Kind.TRAFFIC_SPIKE:
        shape = rush(rushes, rng)
        last = first + len(shape)
        _follow(values, slice(first, last), shape)
    else:
        _EFFECTS[name](values, slice(first, last), rng)
    if name == BAD_DEPLOY:
        deployed[first] = True
    if last + GRACE_STEPS > len(trace):
        return None
    kind = {SHIFT: None, BAD_DEPLOY: Kind.ERROR_RATE}.get(name) if name in _OURS else Kind(name)
    changed = replace(trace, values=values, deployed=deployed)
    return Case(trace=changed, name=name, kind=kind, first=first, last=last)


def rush(rushes: Sequence[FloatArray], rng: np.random.Generator) -> FloatArray:
    """Return requests over the usual ones: a recorded shape at a drawn height, 1 to 4 hours."""
    shape = rushes[int(rng.integers(len(rushes)))] - 1.0
    steps = int(rng.uniform(1.0, 4.0) * PER_HOUR)
    at = np.linspace(0.0, len(shape) - 1.0, steps)
    stretched = np.interp(at, np.arange(len(shape)), shape)
    found: FloatArray = 1.0 + np.maximum(stretched / shape.max(), 0.0) * rng.uniform(1.5, 5.0)
    return found


def _follow(values: dict[Signal, FloatArray], at: slice, factor: FloatArray) -> None:
    values[Signal.REQUESTS][at] *= factor
    for signal in DRIVEN:
        if signal in values:
            values[signal][at] *= factor
    if Signal.CPU in values:
        values[Signal.CPU] = np.minimum(values[Signal.CPU], 1.0)
    if Signal.LATENCY in values:
        values[Signal.LATENCY][at] *= np.maximum(factor, 1.0) ** 0.5


def _leak(values: dict[Signal, FloatArray], at: slice, rng: np.random.Generator) -> None:
    steps = at.stop - at.start
    grown = np.linspace(0.0, rng.uniform(0.25, 0.6), steps)
    memory = values[Signal.MEMORY]
    memory[at] = np.minimum(memory[at] + grown[: len(memory[at])], 1.0)


def _errors(values: dict[Signal, FloatArray], at: slice, rng: np.random.Generator) -> None:
    errors = values[Signal.ERRORS]
    more = 10 ** rng.uniform(np.log10(0.03), np.log10(0.3))
    errors[at] = np.minimum(errors[at] + more * rng.uniform(0.7, 1.3, len(errors[at])), 1.0)


def _slower(values: dict[Signal, FloatArray], at: slice, rng: np.random.Generator) -> None:
    values[Signal.LATENCY][at] *= rng.uniform(1.6, 4.0)


def _breached(values: dict[Signal, FloatArray], at: slice, rng: np.random.Generator) -> None:
    known = [one for one in (Signal.EGRESS, Signal.REFUSED) if one in values]
    signal = known[int(rng.integers(len(known)))]
    sent = values[signal]
    usual = float(np.nanmean(sent))
    if signal is Signal.EGRESS:
        # A machine that never sent anything would have no effect of it.
        sent[at] += max(usual, 1000.0) * rng.uniform(3.0, 19.0)
    else:
        sent[at] += max(usual, 0.02) * rng.uniform(10.0, 100.0)


def _silence(values: dict[Signal, FloatArray], at: slice, rng: np.random.Generator) -> None:
    left = rng.uniform(0.02, 0.15)
    for signal in (Signal.REQUESTS, *DRIVEN):
        if signal in values:
            values[signal][at] *= left


def shifted(values: dict[Signal, FloatArray], at: slice, rng: np.random.Generator) -> None:
    """Move a level for good: memory by 10 to 25 % of the limit, others by 1.5 to 2.5 times."""
    known = [one for one in (Signal.REQUESTS, Signal.MEMORY, Signal.LATENCY) if one in values]
    signal = known[int(rng.integers(len(known)))]
    if signal is Signal.MEMORY:
        values[signal][at] = np.minimum(values[signal][at] + rng.uniform(0.1, 0.25), 1.0)
        return
    factor = rng.uniform(1.5, 2.5)
    for one in (signal, *DRIVEN) if signal is Signal.REQUESTS else (signal,):
        if one in values:
            values[one][at] *= factor
    if Signal.CPU in values:
        values[Signal.CPU] = np.minimum(values[Signal.CPU], 1.0)


_OURS = (SHIFT, BAD_DEPLOY)
_EFFECTS: dict[str, Effect] = {
    Kind.MEMORY_LEAK: _leak,
    Kind.ERROR_RATE: _errors,
    Kind.DEGRADATION: _slower,
    Kind.SECURITY: _breached,
    Kind.UNKNOWN: _silence,
    SHIFT: shifted,
    BAD_DEPLOY: _errors,
}
_HOURS: dict[str, tuple[float, float]] = {
    Kind.MEMORY_LEAK: (6.0, 24.0),
    Kind.TRAFFIC_SPIKE: (1.0, 4.0),
    Kind.ERROR_RATE: (0.5, 2.0),
    Kind.DEGRADATION: (1.0, 4.0),
    Kind.SECURITY: (0.5, 3.0),
    Kind.UNKNOWN: (0.5, 3.0),
    SHIFT: (SHIFT_HOURS, SHIFT_HOURS),
    BAD_DEPLOY: (3.0, 3.0),
}
_NEEDS: dict[str, frozenset[Signal]] = {
    Kind.MEMORY_LEAK: frozenset({Signal.MEMORY}),
    Kind.TRAFFIC_SPIKE: frozenset({Signal.REQUESTS}),
    Kind.ERROR_RATE: frozenset({Signal.ERRORS}),
    Kind.DEGRADATION: frozenset({Signal.LATENCY}),
    Kind.SECURITY: frozenset({Signal.EGRESS, Signal.REFUSED}),
    Kind.UNKNOWN: frozenset({Signal.REQUESTS}),
    SHIFT: frozenset({Signal.REQUESTS, Signal.MEMORY, Signal.LATENCY}),
    BAD_DEPLOY: frozenset({Signal.ERRORS}),
}
"""One of these has to be measured."""
