"""Forecasts of spot prices against naive ones and rivals, over rolling origins.

Run with `python -m benchmarks.spot [--data DIR] [--quick] [--json]`. A forecast sees 30 days up to
its origin and nothing after. Errors are relative to each pool's mean price over those 30 days;
scores whose name ends in `usd` weigh pools by their price instead.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from benchmarks.harness import (
    Metrics,
    Options,
    measured_apart,
    notice,
    parse_options,
    peak_rss_gib,
    progress,
    publish,
    show_table,
)
from benchmarks.spot_availability import availability_metrics
from benchmarks.spot_baselines import Subset, baseline_metrics
from benchmarks.spot_data import Recording, halves, load_recordings
from benchmarks.spot_scoring import Judgement, errors, point_errors, summary
from tasks.domain.arrays import FloatArray
from tasks.domain.spot.baselines import empirical_quantiles
from tasks.domain.spot.forecaster import forecast_panel
from tasks.domain.spot.forecasts import HORIZONS_HOURS
from tasks.domain.spot.pools import PricePanel

SEED = 20
THREADS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is measured.

    Attributes:
        step_hours: Between origins of today's market; no divisor of a day, so that hours vary.
        auction_step_hours: Between origins of the auction recordings.
        subset: Where slow rivals are judged.
    """

    step_hours: int
    auction_step_hours: int
    subset: Subset


FULL = Plan(step_hours=61, auction_step_hours=37, subset=Subset(pools=100, origins=4, seed=SEED))
QUICK = Plan(step_hours=170, auction_step_hours=170, subset=Subset(pools=8, origins=1, seed=SEED))


@dataclass(slots=True)
class Stopwatch:
    """Seconds of forecasting, and the pools forecast in them at one horizon."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    forecasts: int = 0

    @property
    def pools_per_second(self) -> float | None:
        """Pools served with fit and every horizon per second."""
        return self.forecasts / len(HORIZONS_HOURS) / self.seconds if self.seconds else None

    @property
    def pools_per_cpu_second(self) -> float | None:
        """The same per second of one processor."""
        served = self.forecasts / len(HORIZONS_HOURS)
        return served / self.cpu_seconds if self.cpu_seconds else None


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print tables, and with --json one line of figures."""
    options = parse_options("spot", argv)
    plan = QUICK if options.quick else FULL
    recordings = load_recordings(options.data, quick=options.quick)
    today = [recording for recording in recordings if not recording.auction]
    metrics: Metrics = forecaster_metrics(recordings, plan=plan)
    # Measured before the rivals, whose memory is not ours.
    metrics["peak_rss_gib"] = peak_rss_gib()
    if today:
        metrics |= baseline_metrics(today[0], step_hours=plan.step_hours, subset=plan.subset)
    metrics |= companion_metrics(options)
    publish(options, metrics)


def forecaster_metrics(recordings: Sequence[Recording], *, plan: Plan) -> Metrics:
    """Judge the forecaster on every recording: today's market together, auctions one by one."""
    watch = Stopwatch()
    sets: dict[str, Metrics] = {}
    found: Metrics = {}
    for horizon in HORIZONS_HOURS:
        today = [r for r in recordings if not r.auction]
        judged = [one for r in today for one in _judged(r, horizon, plan.step_hours, watch)]
        found |= _scored("", judged, horizon, sets)
    found["pools_per_second"] = watch.pools_per_second
    # What is left of it on a machine that is busy otherwise shows in the ratio of the two.
    found["pools_per_cpu_second"] = watch.pools_per_cpu_second
    for recording in (r for r in recordings if r.auction):
        for horizon in HORIZONS_HOURS:
            judged = _judged(recording, horizon, plan.auction_step_hours, Stopwatch())
            found |= _scored(f"{recording.name}_", judged, horizon, sets)
            for part, half in halves(judged):
                found |= _scored(f"{recording.name}_{part}_", half, horizon, sets)
    show_sets(sets)
    speeds = ("pools_per_second", "pools_per_cpu_second")
    show_table(f"Speed, {THREADS} threads", ["", "value"], [(key, found[key]) for key in speeds])
    return found


def _judged(
    recording: Recording, horizon: int, step_hours: int, watch: Stopwatch
) -> list[Judgement]:
    origins = recording.origins(horizon_hours=horizon, step_hours=step_hours)
    return [judge_origin(recording, at, horizon_hours=horizon, watch=watch) for at in origins]


def _scored(
    prefix: str, judged: Sequence[Judgement], horizon: int, sets: dict[str, Metrics]
) -> Metrics:
    name = f"{prefix.rstrip('_') or 'today'} {horizon} h"
    if not judged:
        notice(f"{name}: no origin has 30 days before it and {horizon} h after it")
        return {}
    scores = summary(judged)
    counts: Metrics = {"origins": len(judged), "pools": len(judged[0].scale)}
    sets[name] = counts | scores
    return {f"{prefix}{key}_{horizon}h": value for key, value in scores.items()}


def judge_origin(
    recording: Recording, cutoff: datetime, *, horizon_hours: int, watch: Stopwatch
) -> Judgement:
    """Forecast every pool at one origin and compare with what happened."""
    panel = recording.window(cutoff)
    actual = recording.truth(panel, horizon_hours=horizon_hours)
    quantiles = timed_quantiles(panel, horizon_hours=horizon_hours, watch=watch)
    held = np.repeat(panel.prices[:, -1:], horizon_hours, axis=1)
    one = Judgement(
        cutoff=cutoff,
        model=errors(actual, quantiles),
        last=point_errors(actual, held),
        empirical=errors(actual, empirical_quantiles(panel.prices, horizon_hours=horizon_hours)),
        scale=np.nanmean(panel.prices, axis=1),
        moved=np.nanmax(panel.prices, axis=1) > np.nanmin(panel.prices, axis=1),
    )
    gain = summary([one])["mae_skill"]
    progress(f"{recording.name} {horizon_hours} h {cutoff:%m-%d %H}: MAE skill {gain or 0.0:+.3f}")
    return one


def timed_quantiles(panel: PricePanel, *, horizon_hours: int, watch: Stopwatch) -> FloatArray:
    """Return the forecaster's (n, H, 3) quantiles; fit and forecast are timed together."""
    begin, cpu_begin = time.perf_counter(), time.process_time()
    _, found = forecast_panel(panel, horizon_hours=horizon_hours, seed=SEED, threads=THREADS)
    watch.seconds += time.perf_counter() - begin
    watch.cpu_seconds += time.process_time() - cpu_begin
    watch.forecasts += len(panel)
    return found.quantiles


def companion_metrics(options: Options) -> Metrics:
    """Return the figures of parts that are measured in modules of their own."""
    found: Metrics = dict(availability_metrics(options.data, quick=options.quick))
    # Processes of their own: their memory is a figure, and ours is not part of it.
    for module in ("spot_flow", "spot_scale"):
        found |= measured_apart(module, options)
    return found


COLUMNS = {
    "origins": "origins",
    "pools": "pools",
    "mae_skill": "MAE skill",
    "min_origin_mae_skill": "worst origin",
    "pinball_skill": "pinball skill",
    "pinball_skill_vs_empirical": "vs empirical",
    "coverage_80": "80 % covers",
    "coverage_80_moved": "of moved",
    "interval_score_percent": "interval score %",
    "win_share": "win share",
}
"""Scores shown in the table, with their headings; the rest is in the JSON only."""


def show_sets(sets: dict[str, Metrics]) -> None:
    """Print one row per set of forecasts."""
    rows = [(name, *(scores[key] for key in COLUMNS)) for name, scores in sets.items()]
    show_table("Forecasts against what happened", ["set", *COLUMNS.values()], rows)


if __name__ == "__main__":
    main()
