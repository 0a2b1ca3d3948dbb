"""Forecasts of load by five minutes: the model works by the hour, does its interval hold for steps?

Run with `python -m benchmarks.load_fine [--data DIR] [--quick] [--json]`. A few of the later origins, every
series, 24 hours after each; `measure(options, later=False)` is the part that constants are chosen on.

- `<set>_fine_mase_skill_<h>h`: over the same step a day before. Errors are divided by the scale of each
  series, as in load_scoring.py but of steps: the mean change from the same step a day before.
- `<set>_fine_coverage_80_<h>h`: share of steps inside the 80 % interval.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.harness import Metrics, Options, parse_options, progress, publish, show_table
from benchmarks.load_data import usable_rows
from benchmarks.load_fine_data import HORIZON_STEPS, PER_HOUR, FineRecording, fine_recordings
from benchmarks.load_scoring import DAY, HORIZONS, LEAST_SCALE
from tasks.domain.arrays import FloatArray
from tasks.domain.load.forecaster import fit_load_model, forecast_load
from tasks.domain.load.resampling import hourly
from tasks.domain.scores import skill

SEED = 20
THREADS = 2
ORIGINS = 6
QUICK_ORIGINS = 1
DAY_STEPS = DAY * PER_HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class FineJudgement:
    """One origin's forecasts of n series, step by step; NaN where a step is not judged.

    Attributes:
        ours: (n, H) scaled errors of the medians.
        naive: (n, H) those of the same step a day before.
        inside: (n, H) whether the interval held, 1 or 0.
    """

    ours: FloatArray
    naive: FloatArray
    inside: FloatArray


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print tables, and with --json one line of figures."""
    options = parse_options("load_fine", argv)
    publish(options, measure(options))


def measure(options: Options, *, later: bool = True) -> Metrics:
    """Return skill and coverage of steps, of each recording; of the later origins, or the earlier."""
    metrics: Metrics = {}
    count = QUICK_ORIGINS if options.quick else ORIGINS
    for recording in fine_recordings(options.data):
        judged = [
            judge_origin(recording, int(origin), later=later)
            for origin in recording.origins(count, later=later)
        ]
        metrics |= {f"{recording.name}_fine_{k}": v for k, v in fine_summary(judged).items()}
    if metrics:
        show_table("Steps of five minutes", ["", "value"], list(metrics.items()))
    return metrics


def judge_origin(recording: FineRecording, origin: int, *, later: bool) -> FineJudgement:
    """Fit and forecast at one origin, and judge the series that can be one there."""
    rows = recording.rows(later=later)
    panel = recording.seen(origin).take(rows.tolist())
    model = fit_load_model(panel, horizon_steps=HORIZON_STEPS, seed=SEED, threads=THREADS)
    quantiles = forecast_load(panel, model, threads=THREADS).quantiles
    usable = usable_rows(hourly(panel).values)
    history, actual = panel.values[usable], recording.truth(origin)[rows][usable]
    one = judged(history, actual, quantiles[usable])
    shown = ", ".join(f"{key} {value or 0.0:+.3f}" for key, value in fine_summary([one]).items())
    progress(f"{recording.name} hour {origin}, {usable.sum()} series by five minutes: {shown}")
    return one


def judged(history: FloatArray, actual: FloatArray, quantiles: FloatArray) -> FineJudgement:
    """Return the judgement of (n, H, 3) quantiles, given (n, steps) histories and (n, H) outcomes."""
    scale = step_scales(history)[:, None]
    inside = (quantiles[..., 0] <= actual) & (actual <= quantiles[..., 2])
    return FineJudgement(
        ours=np.abs(actual - quantiles[..., 1]) / scale,
        naive=np.abs(actual - step_a_day_before(history, steps=actual.shape[1])) / scale,
        inside=np.where(np.isnan(actual), np.nan, inside.astype(np.float64)),
    )


def step_scales(history: FloatArray) -> FloatArray:
    """Return (n,) mean changes from the same step a day before, at least 5 % of the mean and .1."""
    with warnings.catch_warnings():
        # A history without a pair of days has the floor for its scale.
        warnings.simplefilter("ignore", RuntimeWarning)
        change = np.nanmean(np.abs(history[:, DAY_STEPS:] - history[:, :-DAY_STEPS]), axis=1)
        level = np.nanmean(np.abs(history), axis=1)
    least = np.maximum(0.05 * np.nan_to_num(level), LEAST_SCALE)
    return np.asarray(np.fmax(change, least), dtype=np.float64)


def step_a_day_before(history: FloatArray, *, steps: int) -> FloatArray:
    """Return (n, steps) the newest day's value of the same step; of the newest day that knows it."""
    found = np.full((len(history), min(steps, DAY_STEPS)), np.nan)
    for begin in range(history.shape[1] - DAY_STEPS, -1, -DAY_STEPS):
        before = history[:, begin : begin + found.shape[1]]
        found = np.where(np.isnan(found), before, found)
    return found[:, np.arange(steps) % DAY_STEPS]


def fine_summary(ones: Sequence[FineJudgement]) -> Metrics:
    """Return skill and coverage at each horizon, pooled over origins and series."""
    found: Metrics = {}
    for horizon in HORIZONS:
        steps = horizon * PER_HOUR
        ours, naive = (_mean([getattr(one, of) for one in ones], steps) for of in ("ours", "naive"))
        found[f"mase_skill_{horizon}h"] = skill(ours, reference_error=naive)
        found[f"coverage_80_{horizon}h"] = _mean([one.inside for one in ones], steps)
    return found


def _mean(parts: Sequence[FloatArray], steps: int) -> float | None:
    """Return the mean of what was judged within the first steps; None when nothing was."""
    values = np.concatenate([part[:, :steps].ravel() for part in parts])
    values = values[~np.isnan(values)]
    return float(values.mean()) if values.size else None


if __name__ == "__main__":
    main()
