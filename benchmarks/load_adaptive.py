"""Whether intervals keep their promise while a model ages: as it was fitted, and adapted to its hits.

Run with `python -m benchmarks.load_adaptive [--data DIR] [--quick] [--json]`. One model is fitted where
the origins begin and forecasts once a day from then on, never fitted again: its intervals get as wrong
as time makes them. Each day, in each group and range of hours, the share of values that the interval
held is told to the adapted one after the day is over, as live scoring does. The gap is between coverage
and 80 %, absolute, over the later half of the days, mean of groups and ranges weighted by their
values. Widths are told beside it: an interval is not better for being wide.

Beside the recording as it is, all series become wilder, or calmer, a week after the fit: what they are
off their median of the last week is doubled, or halved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from benchmarks.harness import Metrics, Options, parse_options, publish, show_table
from benchmarks.load_data import HORIZON, Recording, load_recordings, usable_rows
from benchmarks.load_scoring import HORIZONS, WEEK, behaviours, scales
from tasks.domain.arrays import FloatArray
from tasks.domain.load.adaptive import scaled_quantiles
from tasks.domain.load.forecaster import fit_load_model, forecast_load
from tasks.domain.load.forecasts import LEVEL
from tasks.domain.models.live_widths import adapted_width

SEED = 20
DAYS = 45
QUICK_DAYS = 12
SERIES = 120
DAY_HOURS = 24
RANGES = dict(zip(HORIZONS, (slice(0, 4), slice(4, HORIZON)), strict=True))
WAYS = ("fixed", "adaptive")
CELL = ["group", "range"]
CHANGES = {"as_it_is": 1.0, "wilder": 2.0, "calmer": 0.5}
"""By how much deviations are multiplied."""
CHANGED_AFTER = 7 * DAY_HOURS


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print tables, and with --json one line of figures."""
    options = parse_options("load_adaptive", argv)
    publish(options, measure(options))


def measure(options: Options) -> Metrics:
    """Return gaps and widths of both ways for every recording."""
    days = QUICK_DAYS if options.quick else DAYS
    metrics: Metrics = {}
    for recording in load_recordings(options.data):
        for change, times in CHANGES.items():
            walk = walked(changed(recording, times=times), days=days)
            metrics |= gaps(walk, name=f"{recording.name}_{change}")
    show_table("Intervals of a model that ages", ["", "value"], list(metrics.items()))
    return metrics


def changed(recording: Recording, *, times: float) -> Recording:
    """Return a recording whose deviations are so many times as large a week after the first origin."""
    values = recording.panel.values.copy()
    begin = recording.origins(later=False)[0] + CHANGED_AFTER
    middle = pd.DataFrame(values.T).rolling(WEEK, min_periods=1).median().to_numpy().T[:, begin:]
    values[:, begin:] = np.maximum(middle + times * (values[:, begin:] - middle), 0.0)
    return replace(recording, panel=replace(recording.panel, values=values))


def walked(recording: Recording, *, days: int) -> pd.DataFrame:
    """Return one row a day, group and range: values, hits and summed widths, either way."""
    rng = np.random.default_rng(SEED)
    some = np.sort(rng.permutation(len(recording.panel))[:SERIES]).tolist()
    first = recording.origins(later=False)[0]
    model = fit_load_model(recording.seen(first).take(some), horizon_steps=HORIZON, seed=SEED)
    shares: dict[tuple[str, int], list[float]] = {}
    found = []
    last = recording.panel.steps - HORIZON
    for origin in range(first, last + 1, DAY_HOURS)[:days]:
        panel = recording.seen(origin).take(some)
        usable = np.flatnonzero(usable_rows(panel.values))
        panel = panel.take(usable.tolist())
        if not len(panel):
            continue
        actual = recording.truth(origin)[some][usable]
        quantiles = forecast_load(panel, model).quantiles
        group = behaviours(panel.values)
        for name in np.unique(group).tolist():
            rows = group == name
            for hours, of in RANGES.items():
                known = shares.setdefault((name, hours), [])
                # The forecast of today is made before the values of yesterday's are all judged.
                factor = adapted_width(known[:-1]).factor
                now = quantiles[rows][:, of]
                both = (now, scaled_quantiles(now, factor))
                one = [_held(each, actual[rows][:, of]) for each in both]
                scale = scales(panel.values)[rows]
                found.append(
                    {
                        "origin": origin,
                        "group": name,
                        "range": hours,
                        "values": one[0].size,
                        **{f"{way}_hits": hit.sum() for way, hit in zip(WAYS, one, strict=True)},
                        **{
                            f"{way}_width": _widths(each, scale)
                            for way, each in zip(WAYS, both, strict=True)
                        },
                    }
                )
                if one[1].size:
                    known.append(float(one[1].mean()))
    return pd.DataFrame(found)


def gaps(walk: pd.DataFrame, *, name: str) -> Metrics:
    """Return the mean gap and the mean width of both ways over the later half of the days."""
    later = walk[walk["origin"] > walk["origin"].median()]
    cells = later.groupby(CELL).sum(numeric_only=True)
    values = cells["values"].to_numpy(np.float64)
    metrics: Metrics = {}
    for way in WAYS:
        off = np.abs(cells[f"{way}_hits"].to_numpy(np.float64) / values - LEVEL)
        metrics[f"{name}_{way}_coverage_gap"] = float(np.average(off, weights=values))
        metrics[f"{name}_{way}_coverage_80"] = float(cells[f"{way}_hits"].sum() / values.sum())
        metrics[f"{name}_{way}_width"] = float(cells[f"{way}_width"].sum() / values.sum())
    return metrics


def _held(quantiles: FloatArray, actual: FloatArray) -> np.ndarray:
    inside = (quantiles[..., 0] <= actual) & (actual <= quantiles[..., 2])
    return np.asarray(inside[~np.isnan(actual)])


def _widths(quantiles: FloatArray, scale: FloatArray) -> float:
    return float(((quantiles[..., 2] - quantiles[..., 0]) / scale[:, None]).sum())


if __name__ == "__main__":
    main()
