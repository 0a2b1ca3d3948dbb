"""How the first idea's detectors are judged: as they were meant, with a rest, and at their best.

Each is fitted once on a series' probation and calls a row anomalous when its score is above a fixed
share of those fitted on. Three figures each, by the scorer of the Numenta Anomaly Benchmark:

- as meant: every anomalous row is an alarm;
- with rest: the same, but REST_ROWS rows after an alarm are quiet, as for every other detector here;
- held out: threshold (on the score's own scale) chosen on the other half of the series, with the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.anomalies_choice import alarm_rows, choice_table, held_out, tallies
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
CONTAMINATION = 0.05
"""Share of the rows fitted on that are called anomalous, as the first idea set it."""
SHARES = (0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001)
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
        scores.append(detector(one.values))
        if at % 10 == 0:
            progress(f"{name}: {at + 1} of {len(series)} series")
    judges = [one.judge() for one in series]
    found = _as_meant(scores, judges)
    found["nab_cross_half"] = _held_out(scores, judges, series)
    metrics = {f"rival_{name}_{key}": value for key, value in found.items()}
    show_table(f"{name} on {len(series)} labelled series", ["", "value"], list(metrics.items()))
    return metrics


def _as_meant(scores: Sequence[FloatArray], judges: Sequence[Judge]) -> Metrics:
    """Return the scores with and without rest at the threshold that its fit implies."""
    found: Metrics = {}
    # Above 0 is what the fit calls anomalous, whatever the detector's own scale.
    above = [one - fitted_threshold(one) for one in scores]
    smallest = float(np.finfo(np.float64).tiny)
    for suffix, rest in (("", 0), ("_with_rest", REST_ROWS)):
        judged = total(tallies(above, judges, threshold=smallest, rest_rows=rest))
        for profile, weights in PROFILES.items():
            found[f"nab_{profile}{suffix}"] = judged.score(weights)
        found[f"alarms_per_1000{suffix}"] = judged.alarms_per_1000
    flagged = [len(alarm_rows(one, threshold=smallest, rest_rows=0)) for one in above]
    found["flagged_fraction"] = sum(flagged) / sum(len(one) for one in above)
    return found


def fitted_threshold(scores: FloatArray) -> float:
    """Return the score that CONTAMINATION of the rows of probation are above."""
    fitted = scores[: max(probation_rows(len(scores)), 1)]
    return float(np.quantile(fitted, 1.0 - CONTAMINATION))


def _held_out(
    scores: Sequence[FloatArray], judges: Sequence[Judge], series: Sequence[LabelledSeries]
) -> float | None:
    judged = np.concatenate([one[judge.first :] for one, judge in zip(scores, judges, strict=True)])
    thresholds = np.unique(np.quantile(judged, [1.0 - share for share in SHARES])).tolist()
    table = choice_table({"": scores}, judges, thresholds=thresholds, rests=[REST_ROWS])
    return held_out(table, halves(series)).score()
