"""What a spot forecaster is worth some days after it was fitted.

A registry serves one model for days. Every origin is forecast by models that were fitted on the
30 days before it, before the day before it, and so on, and scored like in `benchmarks.spot`. The
window of prices that a model is given at the origin is the newest in every case.

Run with `python -m benchmarks.spot_age [--quick] [--data DIR] [--json]`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from benchmarks.harness import Metrics, notice, parse_options, progress, publish, show_table
from benchmarks.spot_data import Recording, load_recordings
from benchmarks.spot_scoring import Judgement, errors, point_errors, summary
from tasks.domain.spot.baselines import empirical_quantiles
from tasks.domain.spot.forecaster import HorizonForecaster, forecast_panel, forecast_pools
from tasks.domain.spot.forecasts import HORIZONS_HOURS

AGES_DAYS = (0, 1, 7, 14)
STEP_HOURS, QUICK_STEP_HOURS = 24, 96
SEED = 20
SCORES = ("mae_skill", "pinball_skill", "coverage_80")


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print a table, and with --json one line of figures."""
    options = parse_options("spot_age", argv)
    step = QUICK_STEP_HOURS if options.quick else STEP_HOURS
    found: Metrics = {}
    for recording in load_recordings(options.data, quick=options.quick):
        if not recording.auction:
            for horizon in HORIZONS_HOURS:
                found |= _by_age(recording, horizon, step_hours=step)
    publish(options, found)


def _by_age(recording: Recording, horizon: int, *, step_hours: int) -> Metrics:
    every = recording.origins(horizon_hours=horizon, step_hours=step_hours)
    oldest = timedelta(days=max(AGES_DAYS))
    # The same origins for every age: those that have a window before the oldest fit.
    origins = [at for at in every if at - oldest >= every[0]]
    if not origins:
        notice(f"{recording.name} {horizon} h: no origin is {oldest.days} days after a window")
        return {}
    judged: dict[int, list[Judgement]] = {age: [] for age in AGES_DAYS}
    fits: dict[datetime, HorizonForecaster] = {}
    for origin in origins:
        for age in AGES_DAYS:
            at = origin - timedelta(days=age)
            if at not in fits:
                fits[at], _ = forecast_panel(
                    recording.window(at), horizon_hours=horizon, seed=SEED, threads=1
                )
            judged[age].append(_judged(recording, origin, fits[at]))
        progress(f"{recording.name} {horizon} h {origin:%m-%d %H}")
    scores = {age: summary(judged[age]) for age in AGES_DAYS}
    show_table(
        f"{recording.name}, {horizon} h ahead, {len(origins)} origins, by age of the model",
        ["days since the fit", *SCORES],
        [(str(age), *(scores[age][key] for key in SCORES)) for age in AGES_DAYS],
    )
    return {
        f"{key}_{horizon}h_fitted_{age}_days_before": scores[age][key]
        for age in AGES_DAYS
        for key in SCORES
    }


def _judged(recording: Recording, origin: datetime, fitted: HorizonForecaster) -> Judgement:
    panel, horizon = recording.window(origin), fitted.horizon_hours
    actual = recording.truth(panel, horizon_hours=horizon)
    held = np.repeat(panel.prices[:, -1:], horizon, axis=1)
    return Judgement(
        cutoff=origin,
        model=errors(actual, forecast_pools(panel, fitted).quantiles),
        last=point_errors(actual, held),
        empirical=errors(actual, empirical_quantiles(panel.prices, horizon_hours=horizon)),
        scale=np.nanmean(panel.prices, axis=1),
        moved=np.nanmax(panel.prices, axis=1) > np.nanmin(panel.prices, axis=1),
    )


if __name__ == "__main__":
    main()
