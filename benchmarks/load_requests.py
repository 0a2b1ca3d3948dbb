"""Forecasts of one site's requests by the hour: a lone series, through a rush.

Run with `python -m benchmarks.load_requests [--data DIR] [--quick] [--json]`. Requests of a web site in 88
days (WorldCup 98), as a mean per second of each hour. Reported are the later origins of the rule of
load_data.py, from 22 June on; nothing was chosen on this recording. Scores are those of load_scoring.py.

- `worldcup_<figure>`: what `fit_load_model` and `forecast_load` make of one series.
- `worldcup_months_<figure>`: the same, with the four weeks before as a series of its own, and so on. A month
  of one series has fewer cases than the model needs (FEWEST_CASES), and then naive rules speak alone;
  earlier months are more of them. Weeks are whole, so that the clock holds for all, and no hour is in two.
- `worldcup_model_share`, `worldcup_months_model_share`: of the origins that had a fitted model.

Traps. Unknown minutes have no row: a handful on 8, 17 and 18 May, and half of the first hour. The site was
down for hours on 17 May; these are counted as they are. In June it grows tenfold within two days, and in
July it falls as fast.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.harness import (
    Metrics,
    Options,
    notice,
    parse_options,
    progress,
    publish,
    show_table,
)
from benchmarks.load_data import HORIZON, WINDOW, Recording
from benchmarks.load_scoring import (
    HORIZONS,
    Judgement,
    behaviours,
    naive_forecasts,
    scales,
    summary,
)
from tasks.domain.arrays import FloatArray
from tasks.domain.load.forecaster import fit_load_model, forecast_load
from tasks.domain.load.panel import HOUR, Load, LoadPanel
from tasks.domain.load.resampling import hourly

SEED = 20
THREADS = 2
REQUESTS = Path("load") / "requests_worldcup98_per_minute.parquet"
MINUTE = timedelta(minutes=1)
STEP_HOURS = 11
"""Between origins; no divisor of a day."""
QUICK_STEP_HOURS = 53
MONTH_HOURS = 4 * 168


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """One origin: what was expected, and whether a model was fitted for it."""

    quantiles: FloatArray
    fitted: bool


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print tables, and with --json one line of figures."""
    options = parse_options("load_requests", argv)
    publish(options, measure(options))


def measure(options: Options, *, later: bool = True) -> Metrics:
    """Return skill and coverage at the later origins, or the earlier; empty without the recording."""
    site = requests_by_hour(options.data)
    if site is None:
        notice(f"no {REQUESTS} in {options.data}: forecasts of requests are left out")
        return {}
    every = QUICK_STEP_HOURS if options.quick else STEP_HOURS
    recording = Recording(name=site.series[0], panel=site, step_hours=every)
    origins = recording.origins(later=later)
    metrics: Metrics = {}
    judged: list[Judgement] = []
    for way, forecast in (("", forecast_alone), ("months_", forecast_with_months)):
        found = [forecast(site.until(origin)) for origin in origins]
        judged = [judge(recording, at, one) for at, one in zip(origins, found, strict=True)]
        metrics |= {f"{recording.name}_{way}{k}": v for k, v in summary(judged).items()}
        share = float(np.mean([one.fitted for one in found]))
        metrics[f"{recording.name}_{way}model_share"] = share
        progress(f"{recording.name}_{way or 'alone'}: {len(origins)} origins")
    for rule in ("last_value", "weekly_naive"):
        skills = summary([instead(one, rule) for one in judged])
        metrics |= {
            f"{recording.name}_{rule}_{key}": skills[key]
            for key in (f"mase_skill_{horizon}h" for horizon in HORIZONS)
        }
    show_table("Requests of one site", ["", "value"], list(metrics.items()))
    return metrics


def forecast_alone(seen: LoadPanel) -> Forecast:
    """Return what is expected from the last 30 days of the series."""
    return _forecast(seen.until(seen.steps, window=WINDOW))


def forecast_with_months(seen: LoadPanel) -> Forecast:
    """Return what is expected when earlier months teach the model too."""
    return _forecast(months_of(seen))


def months_of(seen: LoadPanel) -> LoadPanel:
    """Return the newest four weeks of a series, and those before it as series on the same clock."""
    values = _folded(seen.values[0])
    return replace(
        seen,
        series=tuple(f"{seen.series[0]}-{month}" for month in range(len(values))),
        start=None if seen.start is None else seen.start + (seen.steps - MONTH_HOURS) * HOUR,
        values=values,
        closing=None if seen.closing is None else _folded(seen.closing[0]),
    )


def _folded(values: FloatArray) -> FloatArray:
    """Return (months, MONTH_HOURS), the newest first; the oldest begins with what nobody knows."""
    months = -(-len(values) // MONTH_HOURS)
    found = np.full(months * MONTH_HOURS, np.nan)
    found[len(found) - len(values) :] = values
    return found.reshape(months, MONTH_HOURS)[::-1].copy()


def _forecast(panel: LoadPanel) -> Forecast:
    model = fit_load_model(panel, horizon_steps=HORIZON, seed=SEED, threads=THREADS)
    found = forecast_load(panel.take([0]), model, threads=THREADS)
    return Forecast(quantiles=found.quantiles, fitted=model.trees is not None)


def judge(recording: Recording, origin: int, forecast: Forecast) -> Judgement:
    """Return the judgement of one origin."""
    history = recording.seen(origin).values
    return Judgement(
        actual=recording.truth(origin),
        ours=forecast.quantiles,
        naive=naive_forecasts(history, horizon=HORIZON),
        scale=scales(history),
        group=behaviours(history),
        unseen=np.ones(len(history), dtype=np.bool_),
    )


def instead(one: Judgement, rule: str) -> Judgement:
    """Return the judgement of a naive rule in our place."""
    return replace(one, ours=np.repeat(one.naive[rule][..., None], 3, axis=2))


def requests_by_hour(folder: Path | None) -> LoadPanel | None:
    """Return requests per second by the hour; made up without a folder, None where they are missing."""
    if folder is None:
        return synthetic_requests(seed=SEED)
    if not (folder / REQUESTS).exists():
        return None
    frame = pd.read_parquet(folder / REQUESTS)
    counts = pd.Series(frame["count"].to_numpy(), index=pd.to_datetime(frame["period"], utc=True))
    minutes = counts.reindex(pd.date_range(counts.index[0], counts.index[-1], freq="min"))
    return hourly(
        LoadPanel(
            load=Load.REQUESTS,
            series=("worldcup",),
            step=MINUTE,
            start=minutes.index[0].to_pydatetime(),
            values=minutes.to_numpy(dtype=np.float64)[None] / 60.0,
        )
    )


def synthetic_requests(*, seed: int, days: int = 88) -> LoadPanel:
    """Return a site with quiet nights and weekends that grows and falls again."""
    rng = np.random.default_rng(seed)
    at = np.arange(days * 24)
    day = 1.2 + np.sin(2.0 * np.pi * at / 24.0)
    weekend = np.where(at // 24 % 7 >= 5, 0.6, 1.0)
    rush = 1.0 + 9.0 * np.exp(-(((at / len(at) - 0.6) / 0.12) ** 2))
    values = 20.0 * day * weekend * rush * rng.lognormal(0.0, 0.1, len(at))
    return LoadPanel(
        load=Load.REQUESTS,
        series=("synthetic_requests",),
        step=HOUR,
        start=datetime(2024, 1, 1, tzinfo=UTC),
        values=values[None],
    )


if __name__ == "__main__":
    main()
