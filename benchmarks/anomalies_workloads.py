"""Alarms on workloads: what is found, how soon, under which name, and how often for nothing.

Run with `python -m benchmarks.anomalies_workloads [--data DIR] [--quick] [--json]`. Workloads and
the split are in anomalies_workloads_data.py, what goes wrong in anomalies_workloads_effects.py, how
alarms are judged in anomalies_workloads_scoring.py. The rival is a threshold of k standard
deviations per metric with the same rest between alarms; it and other settings go over every third
trace for the curve, the default over all. Recorded series may hold anomalies of their own that
nobody labelled; alarms on them count as false all the same.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.anomalies_workloads_data import (
    PER_DAY,
    PER_HOUR,
    REPORTED,
    RUSHES,
    START,
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
from tasks.domain.anomalies.bank import DetectorBank
from tasks.domain.anomalies.workload import DEFAULT, Settings, WorkloadDetector
from tasks.domain.arrays import FloatArray

SEEDED = 12
RECORDED = 6
"""Per source."""
QUICK = 3
ONSETS = 3
SIGMAS = (3.0, 5.0, 8.0, 12.0, 20.0)
PER_WEEK = DEFAULT.alarms_per_week
OTHERS_PER_WEEK = (0.25, 4.0)
CURVE_EVERY = 3
"""Of the traces, on which other settings and the rival are judged, for time."""
FLEET = 1_000
FLEET_SIGNALS = 5
FLEET_STEPS = 3
Bench = list[tuple[Trace, list[Case]]]


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print tables, and with --json one line of figures."""
    options = parse_options("anomalies_workloads", argv)
    publish(options, measure(options))


def measure(options: Options) -> Metrics:
    """Return the figures of the reported half; prints its tables."""
    bench = workloads(options.data, part=REPORTED, quick=options.quick)
    default = judged("default", _ours(PER_WEEK), bench)
    some = {trace.name for trace, _ in bench[::CURVE_EVERY]}
    part = [one for one in bench if one[0].name in some]
    found = {name: default[name] for name in default if name in some}
    settings = {f"{PER_WEEK:g} per week": merged(found)}
    if not options.quick:
        settings |= {
            f"{one:g} per week": merged(judged(f"{one:g} per week", _ours(one), part))
            for one in OTHERS_PER_WEEK
        }
    settings |= {f"k = {k:g}": merged(judged(f"k = {k:g}", _sigma(k), part)) for k in SIGMAS}
    curve = {name: scores(one) for name, one in settings.items()}
    whole = merged(default)
    show_details("Default", whole)
    show_curve(curve)
    speed = fleet_metrics()
    show_table("Speed", ["", "value"], list(speed.items()))
    return (
        {f"workload_{key}": value for key, value in scores(whole).items()}
        | _of_curve(curve, "alarms_per_week", "recall")
        | speed
    )


def _of_curve(curve: dict[str, Metrics], *keys: str) -> Metrics:
    """Return what each setting reached, the rival's as baselines."""
    found: Metrics = {}
    for name, one in curve.items():
        plain = name.replace(" = ", "").replace(" per week", "").replace(".", "_")
        prefix = f"baseline_sigma_{plain}" if name.startswith("k") else f"workload_budget_{plain}"
        found |= {f"{prefix}_{key}": one[key] for key in keys}
    return found


def fleet_metrics() -> Metrics:
    """Return how many workloads a bank takes a second, and what one costs to write down."""
    trace = seeded_trace(REPORTED.first_seed, days=1)
    signals = list(trace.values)[:FLEET_SIGNALS]
    bank = DetectorBank()
    taken = 0.0
    for sample in trace.samples(0, FLEET_STEPS + 1):
        values = {signal: sample.values.get(signal, 0.0) for signal in signals}
        step = {f"w{at}": replace(sample, values=values) for at in range(FLEET)}
        started = time.process_time()
        bank.update_all(step)
        # The first step makes the detectors; later ones are what a loop pays for.
        taken += time.process_time() - started if sample.at > START else 0.0
    written = json.dumps(bank.to_state()["workloads"]["w0"])
    return {
        "workloads_of_5_signals_per_second": FLEET * FLEET_STEPS / taken,
        "state_kib_per_workload": len(written) / 1024,
    }


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


def judged(name: str, factory: Factory, bench: Bench) -> dict[str, Judgement]:
    """Return what a detector's alarms were worth, by trace."""
    found: dict[str, Judgement] = {}
    started = time.process_time()
    for trace, on_it in bench:
        judgement = found[trace.name] = Judgement()
        judge(trace, on_it, factory, judgement)
        progress(f"{name}: {trace.name}, {time.process_time() - started:.0f} s of processor time")
    return found


def merged(found: dict[str, Judgement]) -> Judgement:
    """Return what alarms were worth on all traces."""
    whole = Judgement()
    for one in found.values():
        whole.add(one)
    return whole


def _ours(per_week: float) -> Factory:
    return lambda: WorkloadDetector(Settings(alarms_per_week=per_week))


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
