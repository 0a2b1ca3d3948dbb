"""Streaming anomaly detection, judged by the Numenta Anomaly Benchmark.

Run with `python -m benchmarks.anomalies [--data DIR] [--quick] [--json] [--results DIR]`. How alarms
are scored is in anomalies_scoring.py, the series and their halves in anomalies_nab.py, how settings
are chosen on other series in anomalies_choice.py, the rivals in anomalies_rivals.py, and the first
idea's detectors in anomalies_forest.py and anomalies_autoencoder.py. Alarms on whole workloads are
judged in anomalies_workloads.py.

- `nab_standard`, `nab_low_fp`, `nab_low_fn`: all series under the shipped settings, threshold and
  rest; one threshold for the three profiles. Those were settled by looking at all series.
- `nab_cross_half`: shape, threshold and rest chosen from the grid below on the other half of the
  series. What the grid holds and how surprises are combined was settled by looking at all series.
- `recall_at_half_alarm_per_1000`: windows with an alarm, at the lowest threshold that alarms at most
  once in 2,000 rows, true alarms included, and under the shipped rest. `_cross_half`: the threshold
  from the other half; the rest stays.
- `seconds_per_10k_points`: processor time of the detector on one core, mean over all rows.

Score differences under 4 points are noise: see `nab_standard_bootstrap_sd`, over series drawn with
replacement. `--results` writes a CSV per series. Its `anomaly_score` is the score divided by the
largest possible one; rows that would only repeat an alarm during its rest have 0, so that the
shipped threshold alone gives the shipped alarms. `novelty` is the score as it was.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import anomalies_autoencoder, anomalies_forest, anomalies_workloads
from benchmarks.anomalies_choice import (
    alarm_rows,
    best_recall,
    bootstrap_sd,
    choice_table,
    held_out,
    held_out_recall,
    other_splits,
    recall_curve,
    tallies,
)
from benchmarks.anomalies_nab import LabelledSeries, halves, labelled_series, nab_folder
from benchmarks.anomalies_rivals import (
    GAUSSIAN_PUBLISHED,
    blind_alarms,
    isolation_forest,
    windowed_deviations,
    windowed_gaussian,
)
from benchmarks.anomalies_scoring import (
    LOW_FALSE_ALARMS,
    LOW_MISSES,
    STANDARD,
    Judge,
    inside_windows,
    total,
)
from benchmarks.harness import (
    Metrics,
    Options,
    notice,
    parse_options,
    progress,
    publish,
    show_table,
)
from tasks.domain.anomalies.gate import BALANCED, SPARING
from tasks.domain.anomalies.novelty import DEFAULT, NoveltyDetector, Settings
from tasks.domain.arrays import FloatArray

SEED = 20
SHIPPED = "3 x 16 rows"
GRID = {
    SHIPPED: DEFAULT,
    "4 x 12 rows": Settings(block_rows=12, blocks=4),
    "8 x 4 rows": Settings(block_rows=4, blocks=8),
}
THRESHOLDS = (1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.4, 2.8)
RESTS = (80, 120, 160)
SPLITS = 20
DRAWS = 400
BUDGETS = (0.25, 0.5, 0.75, 1.0, 1.5)
HALF_ALARM = 0.5
RIVAL_LEVELS = 40

Scores = list[FloatArray]


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print tables, and with --json one line of figures."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--results", type=Path)
    own, shared = parser.parse_known_args(argv)
    options = parse_options("anomalies", shared)
    metrics = measure(options, results=own.results)
    for companion in (anomalies_workloads, anomalies_forest, anomalies_autoencoder):
        metrics |= companion.measure(options)
    publish(options, metrics)


def measure(options: Options, *, results: Path | None = None) -> Metrics:
    """Return the figures; prints their tables, and writes results where asked to."""
    if options.data is not None and nab_folder(options.data) is None:
        notice(f"no nab/labels in {options.data}: using seeded series; their figures prove nothing")
    series = labelled_series(options.data)
    judges = [one.judge() for one in series]
    progress(f"{len(series)} series under the shipped settings")
    shipped, metrics = timed_scores(series)
    metrics |= shipped_metrics(shipped, judges)
    names = [SHIPPED] if options.quick else list(GRID)
    scores = {SHIPPED: shipped}
    for name in names[1:]:
        progress(f"shapes of {name}")
        scores[name] = [novelty(one.values, GRID[name]) for one in series]
    metrics |= cross_half_metrics(scores, series, judges)
    progress("rivals")
    rivals = rival_scores(series)
    metrics |= rival_metrics(rivals, series, judges)
    metrics |= recall_metrics(shipped, rivals, series, judges)
    show_table("Numenta Anomaly Benchmark", ["", "value"], list(metrics.items()))
    if results is not None:
        write_results(results, series, shipped)
    return metrics


def novelty(values: FloatArray, settings: Settings) -> FloatArray:
    """Return the detector's score of every row."""
    detector = NoveltyDetector(settings)
    return np.array([detector.update(value) for value in values.tolist()])


def timed_scores(series: Sequence[LabelledSeries]) -> tuple[Scores, Metrics]:
    """Return the scores under the shipped settings, and the processor time they took."""
    scores, seconds = [], []
    for one in series:
        start = time.process_time()
        scores.append(novelty(one.values, DEFAULT))
        seconds.append(time.process_time() - start)
    rows = [len(one.values) for one in series]
    per_10k = 10_000.0 * np.array(seconds) / np.array(rows)
    return scores, {
        "seconds_per_10k_points": 10_000.0 * sum(seconds) / sum(rows),
        "worst_seconds_per_10k_points": float(per_10k.max()),
    }


def shipped_metrics(scores: Scores, judges: Sequence[Judge]) -> Metrics:
    """Score the shipped alarms under the three profiles."""
    found = tallies(scores, judges, threshold=BALANCED.threshold, rest_rows=BALANCED.rest_rows)
    whole = total(found)
    return {
        "nab_standard": whole.score(STANDARD),
        "nab_low_fp": whole.score(LOW_FALSE_ALARMS),
        "nab_low_fn": whole.score(LOW_MISSES),
        "nab_standard_bootstrap_sd": bootstrap_sd(found, draws=DRAWS, seed=SEED),
        "shipped_recall": whole.recall,
        "shipped_alarms_per_1000": whole.alarms_per_1000,
    }


def cross_half_metrics(
    scores: dict[str, Scores], series: Sequence[LabelledSeries], judges: Sequence[Judge]
) -> Metrics:
    """Score alarms whose settings, threshold and rest come from the other half."""
    table = choice_table(scores, judges, thresholds=THRESHOLDS, rests=RESTS)
    split = halves(series)
    splits = [held_out(table, one) for one in other_splits(split, count=SPLITS, seed=SEED)]
    others = [one.score() for one in splits]
    known = [one for one in others if one is not None]
    whole = held_out(table, split)
    return {
        "nab_cross_half": whole.score(STANDARD),
        "nab_cross_half_low_fp": whole.score(LOW_FALSE_ALARMS),
        "nab_cross_half_low_fn": whole.score(LOW_MISSES),
        "nab_cross_half_other_splits_mean": float(np.mean(known)) if known else None,
        "nab_cross_half_other_splits_lowest": min(known, default=None),
    }


def rival_scores(series: Sequence[LabelledSeries]) -> dict[str, Scores]:
    """Return the scores of the other detectors by name."""
    return {
        "windowed_gaussian": [windowed_deviations(one.values) for one in series],
        "isolation_forest": [isolation_forest(one.values, seed=SEED) for one in series],
    }


def rival_metrics(
    rivals: dict[str, Scores], series: Sequence[LabelledSeries], judges: Sequence[Judge]
) -> Metrics:
    """Score rivals at thresholds from the other half, with and without rest; check the scorer."""
    metrics: Metrics = {}
    for name, scores in rivals.items():
        levels = rival_thresholds(scores, judges)
        for suffix, rests in (("", (0,)), ("_with_rest", RESTS)):
            table = choice_table({name: scores}, judges, thresholds=levels, rests=rests)
            metrics[f"{name}{suffix}_cross_half"] = held_out(table, halves(series)).score()
    gaussian = [windowed_gaussian(one.values) for one in series]
    published = tallies(gaussian, judges, threshold=1.0, rest_rows=0)
    blind = [judge.tally(blind_alarms(len(judge.worth))) for judge in judges]
    metrics["blind_alarm"] = total(blind).score()
    metrics["windowed_gaussian_as_published"] = total(published).score()
    notice(f"windowed_gaussian_as_published is {GAUSSIAN_PUBLISHED} in the benchmark's own results")
    return metrics


def rival_thresholds(scores: Scores, judges: Sequence[Judge]) -> list[float]:
    """Return thresholds that between 1 in 5,000 and 1 in 10 of the judged rows reach."""
    judged = np.concatenate([one[judge.first :] for one, judge in zip(scores, judges, strict=True)])
    levels = np.quantile(judged, 1.0 - np.geomspace(2e-4, 0.1, RIVAL_LEVELS))
    return sorted({float(level) for level in levels})


def recall_metrics(
    shipped: Scores,
    rivals: dict[str, Scores],
    series: Sequence[LabelledSeries],
    judges: Sequence[Judge],
) -> Metrics:
    """Compare the share of windows found at equal numbers of alarms, with the same rest."""
    curves = {
        name: recall_curve(scores, judges, rest_rows=SPARING.rest_rows)
        for name, scores in {"novelty": shipped, **rivals}.items()
    }
    rows = [
        [f"{budget:g}", *(best_recall(curve, alarms_per_1000=budget) for curve in curves.values())]
        for budget in BUDGETS
    ]
    show_table("Windows found, by alarms per 1,000 rows", ["", *curves], rows)
    elsewhere = held_out_recall(
        shipped, judges, halves(series), rest_rows=SPARING.rest_rows, alarms_per_1000=HALF_ALARM
    )
    metrics: Metrics = {
        "recall_at_half_alarm_per_1000": best_recall(curves["novelty"], alarms_per_1000=HALF_ALARM),
        "recall_at_half_alarm_per_1000_cross_half": elsewhere.recall,
        "alarms_per_1000_cross_half": elsewhere.alarms_per_1000,
    }
    for name in rivals:
        found = best_recall(curves[name], alarms_per_1000=HALF_ALARM)
        metrics[f"{name}_recall_at_half_alarm_per_1000"] = found
    return metrics


def write_results(folder: Path, series: Sequence[LabelledSeries], scores: Scores) -> None:
    """Write one CSV per series in the benchmark's layout: group folder, then file."""
    for one, found in zip(series, scores, strict=True):
        path = folder / one.name
        path.parent.mkdir(parents=True, exist_ok=True)
        pd.DataFrame(
            {
                "timestamp": one.timestamps,
                "value": one.values,
                "anomaly_score": gated(found) / DEFAULT.limit,
                "label": inside_windows(len(one.values), one.windows).astype(np.int64),
                "novelty": found,
            }
        ).to_csv(path, index=False)
    notice(f"threshold for anomaly_score: {BALANCED.threshold / DEFAULT.limit:g}; {folder}")


def gated(scores: FloatArray) -> FloatArray:
    """Return the scores with 0 where the shipped gate is at rest and would else alarm."""
    alarms = alarm_rows(scores, threshold=BALANCED.threshold, rest_rows=BALANCED.rest_rows)
    resting = scores >= BALANCED.threshold
    resting[alarms] = False
    return np.where(resting, 0.0, scores)


if __name__ == "__main__":
    main()
