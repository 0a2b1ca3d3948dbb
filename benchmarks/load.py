"""Forecasts of load against naive rules and local methods, over rolling origins.

Run with `python -m benchmarks.load [--data DIR] [--quick] [--json]`. At each origin the global model is
fitted anew to at most 30 days up to it, and forecasts the 24 hours after it; a horizon of 4 h is the
first four of these. When a model is retrained and replaced is judged in load_drift.py and
load_promotion.py, the first idea's LSTM in load_lstm.py, workloads that are hours old in load_cold.py,
steps of five minutes in load_fine.py, requests of a lone site in load_requests.py,
intervals of a model that ages in load_adaptive.py.
What is kept apart for reporting is in load_data.py, scores are in load_scoring.py.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks import (
    load_adaptive,
    load_cold,
    load_drift,
    load_fine,
    load_lstm,
    load_promotion,
    load_requests,
)
from benchmarks.harness import (
    Metrics,
    notice,
    parse_options,
    peak_rss_gib,
    progress,
    publish,
    show_table,
)
from benchmarks.load_data import HORIZON, Recording, load_recordings, usable_rows
from benchmarks.load_rivals import Subset, rival_metrics
from benchmarks.load_scoring import (
    HORIZONS,
    NAIVES,
    GroupScore,
    Judgement,
    behaviours,
    group_scores,
    naive_forecasts,
    scales,
    summary,
)
from tasks.domain.arrays import FloatArray
from tasks.domain.load.forecaster import fit_load_model, forecast_load
from tasks.domain.load.panel import LoadPanel
from tasks.domain.scores import skill

COMPANIONS = (
    load_drift,
    load_promotion,
    load_lstm,
    load_cold,
    load_fine,
    load_requests,
    load_adaptive,
)
SEED = 20
THREADS = 2
FEWEST_USABLE = 0.5
"""Of the series at an origin; below it the recording itself has a hole there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is measured: every so-manieth origin, and where slow rivals are judged."""

    every: int
    subset: Subset


FULL = Plan(every=1, subset=Subset(series=30, origins=4))
QUICK = Plan(every=6, subset=Subset(series=8, origins=1))


@dataclass(slots=True)
class Stopwatch:
    """Seconds of fitting and forecasting, and the series that were forecast in them."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    series: int = 0


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print tables, and with --json one line of figures."""
    options = parse_options("load", argv)
    plan = QUICK if options.quick else FULL
    watch = Stopwatch()
    recordings = load_recordings(options.data)
    judged = {one.name: judge(one, every=plan.every, watch=watch) for one in recordings}
    metrics = shown_metrics(judged)
    metrics["series_per_second"] = watch.series / watch.seconds
    # What is left of it on a machine that is busy otherwise shows in the ratio of the two.
    metrics["series_per_cpu_second"] = watch.series / watch.cpu_seconds
    metrics["peak_rss_gib"] = peak_rss_gib()
    show_table(f"Speed, {THREADS} threads", ["", "value"], list(metrics.items())[-3:])
    for recording in recordings:
        metrics |= rival_metrics(recording, plan.subset)
    for companion in COMPANIONS:
        metrics |= companion.measure(options)
    publish(options, metrics)


def shown_metrics(judged: dict[str, list[Judgement]]) -> Metrics:
    """Return the scores of every set, and print them."""
    found: Metrics = {}
    groups: dict[str, list[GroupScore]] = {}
    for name, ones in judged.items():
        found |= {f"{name}_{key}": value for key, value in summary(ones).items()}
        found |= {f"{name}_unseen_{k}": v for k, v in summary(ones, unseen=True).items()}
        found |= {f"{name}_{key}": value for key, value in naive_skills(ones).items()}
        groups[name] = list(group_scores(ones))
    show_table("Forecasts against what happened", ["", "value"], list(found.items()))
    show_groups(groups)
    ratios = [one.ratio for scores in groups.values() for one in scores]
    found["worst_group_vs_best_naive"] = max(ratios) if ratios else None
    return found


def judge(
    recording: Recording, *, every: int = 1, later: bool = True, watch: Stopwatch | None = None
) -> list[Judgement]:
    """Forecast at the later origins for all series, or at the earlier ones for half of them."""
    rows = np.arange(len(recording.panel)) if later else recording.development_rows()
    found = []
    for origin in recording.origins(later=later)[::every]:
        one = judge_origin(recording, origin, rows=rows.tolist(), watch=watch or Stopwatch())
        if one is not None:
            found.append(one)
    return found


def judge_origin(
    recording: Recording, origin: int, *, rows: Sequence[int], watch: Stopwatch
) -> Judgement | None:
    """Forecast some series at one origin; None where the recording has a hole."""
    panel = recording.seen(origin).take(rows)
    usable = usable_rows(panel.values)
    actual = recording.truth(origin)[list(rows)]
    if usable.mean() < FEWEST_USABLE or np.isnan(actual[usable]).mean() > 1.0 - FEWEST_USABLE:
        notice(f"{recording.name}: too much is unknown around hour {origin}, it is no origin")
        return None
    tuned = set(recording.development_rows().tolist())
    one = Judgement(
        actual=actual[usable],
        ours=timed_quantiles(panel, watch)[usable],
        naive={k: v[usable] for k, v in naive_forecasts(panel.values, horizon=HORIZON).items()},
        scale=scales(panel.values)[usable],
        group=behaviours(panel.values)[usable],
        unseen=np.array([row not in tuned for row in rows])[usable],
    )
    shown = ", ".join(f"{h} h {summary([one])[f'mase_skill_{h}h'] or 0.0:+.3f}" for h in HORIZONS)
    progress(f"{recording.name} hour {origin}: skill {shown}")
    return one


def timed_quantiles(panel: LoadPanel, watch: Stopwatch) -> FloatArray:
    """Return (n, HORIZON, 3) quantiles; fit and forecast are timed together."""
    begin, cpu_begin = time.perf_counter(), time.process_time()
    model = fit_load_model(panel, horizon_steps=HORIZON, seed=SEED, threads=THREADS)
    quantiles = forecast_load(panel, model, threads=THREADS).quantiles
    watch.seconds += time.perf_counter() - begin
    watch.cpu_seconds += time.process_time() - cpu_begin
    watch.series += len(panel)
    return quantiles


def naive_skills(judged: Sequence[Judgement]) -> Metrics:
    """Return the skill of the other naive rules over the daily one."""
    found: Metrics = {}
    for horizon in HORIZONS:
        error = {
            name: float(
                np.nanmean(np.concatenate([o.scaled(o.naive[name], horizon) for o in judged]))
            )
            for name in NAIVES
        }
        for name in ("last_value", "weekly_naive"):
            gain = skill(error[name], reference_error=error["daily_naive"])
            found[f"{name}_mase_skill_{horizon}h"] = gain
    return found


def show_groups(groups: dict[str, list[GroupScore]]) -> None:
    """Print one row per set, group and horizon."""
    rows = [
        (
            f"{name} {s.group} {s.horizon} h",
            s.cases,
            s.ours,
            s.best_naive,
            s.best,
            s.ratio,
            s.coverage,
        )
        for name, scores in groups.items()
        for s in scores
    ]
    columns = ["group", "cases", "ours", "best naive", "which", "ratio", "80 % covers"]
    show_table("Groups, mean scaled error", columns, rows)


if __name__ == "__main__":
    main()
