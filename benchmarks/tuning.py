"""Tuning suggestions against workloads whose every other setting can be replayed.

Run with `python -m benchmarks.tuning [--data DIR] [--quick] [--json]`. The cases are in
tuning_cases.py and tuning_flow_cases.py (seeded, known truth) and tuning_replay.py (recorded, chosen
on two weeks and judged on the next two), the scores in tuning_scoring.py, the rivals in
tuning_rivals.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.harness import (
    Metrics,
    Options,
    notice,
    parse_options,
    progress,
    publish,
    show_table,
)
from benchmarks.tuning_cases import REPORTED_SEEDS, Case, cpu_case, memory_case
from benchmarks.tuning_flow_cases import cache_case, network_case
from benchmarks.tuning_replay import RECORDING, replayed
from benchmarks.tuning_rivals import twice_the_mean, vpa_like
from benchmarks.tuning_scoring import Judged, confidence_error, judge, judge_change, summary
from tasks.domain.tuning.observed import TuningBounds, WorkloadObserved
from tasks.domain.tuning.suggest import suggestions
from tasks.domain.tuning.suggestions import Change, Kind, NotSuggested, Suggestion

CASES = 40
QUICK_CASES = 12
REPORTED_REMAINDER = 1
MAKERS = (cpu_case, memory_case, cache_case, network_case)
BOUNDS = TuningBounds()


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print tables, and with --json one line of figures."""
    options = parse_options("tuning", argv)
    publish(options, measure(options))


def measure(options: Options) -> Metrics:
    """Return the figures of seeded cases and, where there is a recording, of the replay."""
    seeds = REPORTED_SEEDS[:1] if options.quick else REPORTED_SEEDS
    metrics = scored("tuning", seeded(seeds, count=QUICK_CASES if options.quick else CASES))
    if options.data is None or not (options.data / RECORDING).exists():
        notice(f"no {RECORDING.name}: tuning_replay_* are unknown")
        return metrics
    return metrics | scored("tuning_replay", replayed(options.data, remainder=REPORTED_REMAINDER))


def seeded(seeds: Sequence[int], *, count: int) -> list[Case]:
    """Return so many cases of every maker and seed."""
    cases = []
    for seed in seeds:
        for make in MAKERS:
            rng = np.random.default_rng([seed, MAKERS.index(make)])
            cases += [make(f"{make.__name__}-{seed}-{at}", rng=rng) for at in range(count)]
        progress(f"seed {seed}: {len(cases)} cases so far")
    return cases


def scored(prefix: str, cases: Sequence[Case]) -> Metrics:
    """Print the scores by kind, and return them beside the rivals'."""
    ours: list[tuple[Suggestion, Judged]] = []
    refused = 0
    for case in cases:
        for one in suggestions(case.observed, bounds=BOUNDS):
            if isinstance(one, NotSuggested):
                refused += 1
            elif one.change.kind in case.truth:
                ours.append((one, judge(case, one)))
    by_kind = {
        kind: summary([judged for one, judged in ours if one.change.kind is kind])
        for kind in Kind
        if any(one.change.kind is kind for one, _ in ours)
    }
    rows = {f"ours, {kind}": found for kind, found in by_kind.items()}
    metrics: Metrics = {f"{prefix}_not_suggested": float(refused)}
    for rival, propose in (("vpa", vpa_like), ("twice_mean", twice_the_mean)):
        for kind, found in _rival(cases, propose).items():
            rows[f"{rival}, {kind}"] = found
            for key in ("harm_fraction", "saving_fraction"):
                metrics[f"rival_{prefix}_{rival}_{_snake(kind)}_{key}"] = found[key]
    _show(f"{prefix}: {len(cases)} workloads", rows)
    everything = summary([judged for _, judged in ours])
    metrics |= {f"{prefix}_{key}": everything[key] for key in ("coverage_90", "harm_fraction")}
    metrics[f"{prefix}_overconfidence"] = confidence_error(
        [one.confidence for one, _ in ours], [_held(one, judged) for one, judged in ours]
    )
    for kind, found in by_kind.items():
        metrics |= {f"{prefix}_{_snake(kind)}_{key}": value for key, value in found.items()}
    return metrics


def _rival(
    cases: Sequence[Case], propose: Callable[[WorkloadObserved], list[Change]]
) -> dict[Kind, Metrics]:
    judged = [
        judge_change(case, change)
        for case in cases
        for change in propose(case.observed)
        if change.kind in case.truth and change.before != change.after
    ]
    kinds = {one.change.kind for one in judged}
    return {
        kind: summary([one for one in judged if one.change.kind is kind])
        for kind in Kind
        if kind in kinds
    }


def _held(suggestion: Suggestion, judged: Judged) -> bool:
    """Return whether the outcome is what the confidence was about."""
    return judged.after <= suggestion.promised + 1e-9


def _show(title: str, rows: dict[str, Metrics]) -> None:
    columns = list(next(iter(rows.values()))) if rows else []
    show_table(title, ["", *columns], [(name, *found.values()) for name, found in rows.items()])


def _snake(kind: Kind) -> str:
    return kind.replace("-", "_")


if __name__ == "__main__":
    main()
