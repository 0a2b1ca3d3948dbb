"""How the first idea's detectors are judged: as they were meant, with a rest, and at their best.

Each is fitted once on a series' probation and calls a row anomalous when its score is above a fixed
share of those fitted on. Four figures each, by the scorer of the Numenta Anomaly Benchmark:

- as meant: every anomalous row is an alarm;
- with rest: the same, but REST_ROWS rows after an alarm are quiet, as for every other detector here;
- best threshold: without a rest, the one threshold that is best on these very series, as published
  scores of the benchmark are made;
- cross half: threshold chosen on the other half of the series, with the rest.

Thresholds are in units of what the fit calls anomalous, so that one serves all series.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.anomalies_choice import choice_table, held_out, tallies
from benchmarks.anomalies_nab import LabelledSeries, halves, labelled_series
from benchmarks.anomalies_scoring import (
    LOW_FALSE_ALARMS,
    LOW_MISSES,
    STANDARD,
    Judge,
    probation_rows,
    total,
)
from benchmarks.harness import Metrics, Options, progress, show_table
from tasks.domain.arrays import FloatArray

Detector = Callable[[FloatArray], FloatArray]
"""(rows,) values -> (rows,) scores, higher is stranger; fitted on the rows of probation alone."""

REST_ROWS = 120
LEAST_THRESHOLD = 1e-9
"""Of a series that stands still in probation; any change is then far above."""
CONTAMINATION = 0.05
"""Share of the rows fitted on that are called anomalous, as the first idea set it."""
SHARES = (0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 5e-4, 2e-4, 1e-4)
"""Of all judged rows above each threshold that is tried."""
QUICK_SERIES = 8
PROFILES = {"standard": STANDARD, "low_fp": LOW_FALSE_ALARMS, "low_fn": LOW_MISSES}


def measured(name: str, detector: Detector, options: Options) -> Metrics:
    """Return the figures of one detector, keys starting with rival_<name>_, and print them."""
    series = labelled_series(options.data)
    if options.quick:
        series = series[:: max(len(series) // QUICK_SERIES, 1)]
    scores = []
    for at, one in enumerate(series):
        found = detector(one.values)
        scores.append(found / max(fitted_threshold(found), LEAST_THRESHOLD))
        if at % 10 == 0:
            progress(f"{name}: {at + 1} of {len(series)} series")
    judges = [one.judge() for one in series]
    figures = _as_meant(scores, judges) | _chosen(scores, judges, series)
    metrics = {f"rival_{name}_{key}": value for key, value in figures.items()}
    show_table(f"{name} on {len(series)} labelled series", ["", "value"], list(metrics.items()))
    return metrics


def _as_meant(scores: Sequence[FloatArray], judges: Sequence[Judge]) -> Metrics:
    """Return the scores with and without rest at the threshold that its fit implies."""
    found: Metrics = {}
    above_one = float(np.nextafter(1.0, 2.0))
    for suffix, rest in (("", 0), ("_with_rest", REST_ROWS)):
        judged = total(tallies(scores, judges, threshold=above_one, rest_rows=rest))
        for profile, weights in PROFILES.items():
            found[f"nab_{profile}{suffix}"] = judged.score(weights)
        found[f"alarms_per_1000{suffix}"] = judged.alarms_per_1000
    flagged = sum(int((one >= above_one).sum()) for one in scores)
    found["flagged_fraction"] = flagged / sum(len(one) for one in scores)
    return found


def fitted_threshold(scores: FloatArray) -> float:
    """Return the score that CONTAMINATION of the rows of probation are above."""
    fitted = scores[: max(probation_rows(len(scores)), 1)]
    return float(np.quantile(fitted, 1.0 - CONTAMINATION))


def _chosen(
    scores: Sequence[FloatArray], judges: Sequence[Judge], series: Sequence[LabelledSeries]
) -> Metrics:
    """Return the standard scores at thresholds that were looked for."""
    judged = np.concatenate([one[judge.first :] for one, judge in zip(scores, judges, strict=True)])
    thresholds = np.unique(np.quantile(judged, [1.0 - share for share in SHARES])).tolist()
    restless = [
        total(tallies(scores, judges, threshold=one, rest_rows=0)).score() for one in thresholds
    ]
    table = choice_table({"": scores}, judges, thresholds=thresholds, rests=[REST_ROWS])
    return {
        "nab_best_threshold": max((one for one in restless if one is not None), default=None),
        "nab_cross_half": held_out(table, halves(series)).score(),
    }
