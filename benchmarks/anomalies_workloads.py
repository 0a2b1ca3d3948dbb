"""Alarms on workloads: what is found, how soon, under which name, and how often for nothing.

Run with `python -m benchmarks.anomalies_workloads [--data DIR] [--quick] [--json]`. Workloads and
the split are in anomalies_workloads_data.py, what goes wrong in anomalies_workloads_effects.py, how
alarms are judged in anomalies_workloads_scoring.py. The rival is a threshold of k standard
deviations per metric with the same rest between alarms. Recorded series may hold anomalies of
their own that nobody labelled; alarms on them count as false all the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.anomalies_workloads_data import (
    PER_DAY,
    PER_HOUR,
    REPORTED,
    RUSHES,
    VMS,
    WARM_UP_DAYS,
    Part,
    Trace,
    azure_traces,
    recorded_rushes,
    seeded_trace,
    vm_traces,
)
from benchmarks.anomalies_workloads_effects import SHIFT_HOURS, Case, cases
from benchmarks.anomalies_workloads_rivals import KSigma
from benchmarks.anomalies_workloads_scoring import Factory, Judgement, confusion, judge, scores
from benchmarks.harness import (
    Metrics,
    Options,
    notice,
    parse_options,
    progress,
    publish,
    show_table,
)
from tasks.domain.arrays import FloatArray

SEEDED = 24
RECORDED = 14
QUICK = 4
ONSETS = 3
SIGMAS = (3.0, 5.0, 8.0, 12.0, 20.0)
Bench = list[tuple[Trace, list[Case]]]


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print tables, and with --json one line of figures."""
    options = parse_options("anomalies_workloads", argv)
    publish(options, measure(options))


def measure(options: Options) -> Metrics:
    """Return the figures of the reported half; prints its tables."""
    bench = workloads(options.data, part=REPORTED, quick=options.quick)
    metrics: Metrics = {}
    rivals = judged_by({f"k = {k:g}": _sigma(k) for k in SIGMAS}, bench)
    show_curve({name: scores(found) for name, found in rivals.items()})
    return metrics


def workloads(data: Path | None, *, part: Part, quick: bool = False) -> Bench:
    """Return traces with their cases, the same for every detector."""
    count, each = (QUICK, QUICK) if quick else (SEEDED, RECORDED)
    traces = [seeded_trace(part.first_seed + at) for at in range(count)]
    # Without recordings: one made-up rush, a steep rise and a slow fall.
    rushes: list[FloatArray] = [1.0 + np.concatenate([np.linspace(0, 2, 4), np.linspace(2, 0, 20)])]
    if data is not None and (data / VMS).exists():
        traces += vm_traces(data, part=part, count=each)
        traces += azure_traces(data, part=part, count=each)
        rushes = recorded_rushes(data, part=part)
    else:
        notice(f"no {VMS.name} and {RUSHES.name}: seeded workloads only")
    return [(trace, _cases(trace, rushes, part, quick)) for trace in traces]


def _cases(trace: Trace, rushes: list[FloatArray], part: Part, quick: bool) -> list[Case]:
    rng = np.random.default_rng([part.first_seed, *trace.name.encode()])
    last = len(trace) - (SHIFT_HOURS + 1) * PER_HOUR
    onsets = rng.integers((WARM_UP_DAYS + 1) * PER_DAY, last, 1 if quick else ONSETS)
    return cases(trace, sorted(set(onsets.tolist())), rushes, rng=rng)


def judged_by(factories: dict[str, Factory], bench: Bench) -> dict[str, Judgement]:
    """Return what each detector's alarms were worth, by name."""
    found: dict[str, Judgement] = {}
    for name, factory in factories.items():
        started = time.perf_counter()
        judgement = found[name] = Judgement()
        for trace, on_it in bench:
            judge(trace, on_it, factory, judgement)
        progress(f"{name}: {time.perf_counter() - started:.0f} s")
    return found


def _sigma(k: float) -> Callable[[], KSigma]:
    return lambda: KSigma(k)


def show_curve(found: dict[str, Metrics]) -> None:
    """Print what each setting finds against how often it is wrong."""
    keys = ("alarms_per_week", "recall", "kind_accuracy", "level_shift_alarms")
    rows = [(name, *(one[key] for key in keys)) for name, one in found.items()]
    show_table("Found against alarms per workload-week", ["", *keys], rows)


def show_details(name: str, judgement: Judgement) -> None:
    """Print kinds and every score of one detector."""
    columns, rows = confusion(judgement)
    show_table(f"{name}: kinds", columns, rows)
    show_table(f"{name}: scores", ["", "value"], list(scores(judgement).items()))


if __name__ == "__main__":
    main()
