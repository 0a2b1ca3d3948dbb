"""How much a week of the demonstration is like recorded weeks, by plain statistics.

Run with `python -m benchmarks.cluster_plausibility [--data DIR] [--quick] [--json]`. A statistic of a week
is taken of every recorded machine and of one pod of every simulated workload; then the 10th, 50th and 90th
percentile across machines stand beside those across pods. The figures:

- `<metric>_<statistic>_recorded_p10` and so on, `..._simulated_p50` and so on.
- `<metric>_<statistic>_inside`: 1 when the simulated median lies between the recorded p10 and p90, else 0.
- `<metric>_<statistic>_within`: the share of simulated pods that do; of recorded machines it is 0.8.
- `inside_share`, `within_share`: means of these over all statistics, on the odd half of the recordings.
- `inside_share_even`: on the half that parameters of the demonstration were chosen by.
- `step_difference`: the largest difference of a simulated median when two days are stepped by 5 s instead of
  60 s, as a fraction of the recorded band from p10 to p90; with the rest of the week from the coarse run.
- `worst_cpu`, `worst_memory`, `ended`, `failed`: that the simulated weeks are those of a shop that is well.

Without recordings only the simulated columns are filled.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.cluster_plausibility_data import (
    FINE_DAY,
    Half,
    Weeks,
    missing_files,
    recorded_weeks,
)
from benchmarks.cluster_plausibility_days import days_table
from benchmarks.cluster_plausibility_shop import Shop, shop_of, simulated_weeks
from benchmarks.cluster_plausibility_statistics import (
    FAST,
    LEVELS,
    SLOW,
    Statistic,
    correlation,
    of_weeks,
)
from benchmarks.harness import Metrics, Options, notice, parse_options, progress, publish
from tasks.domain.arrays import FloatArray

SEEDS = (20_261_101, 1, 2)
"""The first is the demonstration's own."""
FINE_STEP_SECONDS = 5.0
FINE_STEP_DAYS = 2
QUICK_EVERY = 4
WITH_CPU = "with_cpu"

_MEMORY = tuple(one for one in SLOW if one.key in ("cv_day", "hour_share", "lag1"))
_NETWORK = tuple(
    one for one in SLOW if one.key in ("peak_to_mean", "cv_day", "hour_share", "next_day", "lag1")
)
STATISTICS: dict[str, tuple[Statistic, ...]] = {
    "cpu_5min": (*LEVELS[1:], *FAST),
    "cpu_hourly": (LEVELS[0], *SLOW),
    "memory_hourly": (LEVELS[0], *_MEMORY),
    "network_hourly": _NETWORK,
    "requests_5min": FAST,
    "requests_hourly": SLOW,
}
TITLES = {
    "cpu_5min": "processor, 5 minutes",
    "cpu_hourly": "processor, hourly",
    "memory_hourly": "memory, hourly",
    "network_hourly": "network, hourly",
    "requests_5min": "requests, 5 minutes",
    "requests_hourly": "requests, hourly",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A statistic across series: percentiles 10, 50 and 90, and what they are of."""

    values: tuple[float, ...]

    @property
    def percentiles(self) -> tuple[float, float, float]:
        """Return p10, p50 and p90."""
        low, middle, high = np.quantile(self.values, [0.1, 0.5, 0.9])
        return float(low), float(middle), float(high)


Bands = dict[tuple[str, str], Band]


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print Markdown tables, and with --json one line of figures."""
    options = parse_options("cluster_plausibility", argv)
    publish(options, measure(options))


def measure(options: Options) -> Metrics:
    """Return statistics of recorded and simulated weeks, and how many agree."""
    missing = missing_files(options.data)
    if missing:
        names = ", ".join(str(one) for one in missing)
        notice(f"not compared with what is missing in {options.data or 'no folder'}: {names}")
    every = QUICK_EVERY if options.quick else 1
    halves: dict[Half, Bands] = {}
    weeks: dict[str, Weeks] = {}
    if options.data is not None:
        for half in Half:
            progress(f"recorded weeks, {half.name.lower()} half")
            weeks = recorded_weeks(options.data, half=half, every=every)
            halves[half] = bands_of(weeks)
    started = time.process_time()
    shops = [_shop(seed) for seed in (SEEDS[:1] if options.quick else SEEDS)]
    spent = (time.process_time() - started) / len(shops)
    simulated = bands_of(simulated_weeks(shops))
    recorded = halves.get(Half.ODD, {})
    metrics = _figures(simulated, recorded)
    metrics |= shares_of(simulated, recorded)
    metrics["inside_share_even"] = shares_of(simulated, halves.get(Half.EVEN, {}))["inside_share"]
    metrics |= {
        "worst_cpu": max(one.worst_cpu for one in shops),
        "worst_memory": max(one.worst_memory for one in shops),
        "ended": float(sum(one.ended for one in shops)),
        "failed": max(one.failed for one in shops),
        "cpu_seconds_per_week": spent,
    }
    if not options.quick:
        metrics["step_difference"] = step_difference(shops[0], recorded)
    print("\n".join(table(simulated, recorded)), flush=True)
    print("\n".join(["", *days_table(simulated_weeks(shops), weeks)]), flush=True)
    rest = {k: v for k, v in metrics.items() if not k.startswith(tuple(STATISTICS))}
    print("\n" + "; ".join(f"{k} {'-' if v is None else f'{v:.3g}'}" for k, v in rest.items()))
    return metrics


def bands_of(groups: Mapping[str, Weeks]) -> Bands:
    """Return every statistic of every metric across its series; undefined ones are left out."""
    found: Bands = {}
    for name, weeks in groups.items():
        for statistic in STATISTICS[name]:
            rows = [
                of_weeks(statistic, series, weeks.per_day)
                for series, clock in zip(weeks.values, weeks.clock, strict=True)
                if clock or not statistic.clock
            ]
            _keep(found, (name, statistic.key), rows)
        if weeks.companion is not None:
            pairs = zip(weeks.values, weeks.companion, strict=True)
            _keep(found, (name, WITH_CPU), [_with_cpu(one, other) for one, other in pairs])
    return found


def shares_of(simulated: Bands, recorded: Bands) -> Metrics:
    """Return which share of the statistics agree; None without recordings."""
    both = [key for key in simulated if key in recorded]
    if not both:
        return {"inside_share": None, "within_share": None}
    return {
        "inside_share": float(np.mean([is_inside(simulated[k], recorded[k]) for k in both])),
        "within_share": float(np.mean([share_within(simulated[k], recorded[k]) for k in both])),
    }


def is_inside(simulated: Band, recorded: Band) -> bool:
    """Return whether the simulated median is in the recorded band from p10 to p90."""
    low, _, high = recorded.percentiles
    return low <= simulated.percentiles[1] <= high


def share_within(simulated: Band, recorded: Band) -> float:
    """Return the share of simulated series in the recorded band from p10 to p90."""
    low, _, high = recorded.percentiles
    return float(np.mean([low <= one <= high for one in simulated.values]))


def step_difference(coarse: Shop, recorded: Bands) -> float | None:
    """Return what a finer step changes at most, in widths of the recorded bands.

    Args:
        coarse: The week of the first seed.
        recorded: Bands to measure by.
    """
    progress("two days by 5 s")
    fine = shop_of(seed=SEEDS[0], days=FINE_STEP_DAYS, step_seconds=FINE_STEP_SECONDS)
    mixed = _beginning_with(coarse, fine)
    one, other = (bands_of(simulated_weeks([shop])) for shop in (coarse, mixed))
    found = [0.0]
    for key in (key for key in one if key in recorded):
        low, _, high = recorded[key].percentiles
        apart = abs(one[key].percentiles[1] - other[key].percentiles[1])
        found.append(apart / max(high - low, 1e-9))
    return max(found) if recorded else None


def table(simulated: Bands, recorded: Bands) -> list[str]:
    """Return the lines of a Markdown table, a row for each statistic."""
    lines = [
        "| metric | statistic | recorded p10 | p50 | p90 | simulated p10 | p50 | p90 | inside |",
        "| :-- | :-- | --: | --: | --: | --: | --: | --: | :-- |",
    ]
    for key, band in simulated.items():
        there = recorded.get(key)
        before = ("-",) * 3 if there is None else tuple(f"{x:.3g}" for x in there.percentiles)
        after = tuple(f"{x:.3g}" for x in band.percentiles)
        verdict = "-" if there is None else "yes" if is_inside(band, there) else "**no**"
        cells = (TITLES[key[0]], _says(key), *before, *after, verdict)
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _shop(seed: int) -> Shop:
    progress(f"a simulated week, seed {seed}")
    return shop_of(seed=seed)


def _beginning_with(coarse: Shop, fine: Shop) -> Shop:
    """Return a week whose first days are those of a finer step."""

    def spliced(later: FloatArray, first: FloatArray) -> FloatArray:
        return np.concatenate([first, later[:, FINE_STEP_DAYS * FINE_DAY :]], axis=1)

    return replace(
        coarse,
        cpu=spliced(coarse.cpu, fine.cpu),
        memory=spliced(coarse.memory, fine.memory),
        network=spliced(coarse.network, fine.network),
        requests=spliced(coarse.requests, fine.requests),
    )


def _keep(found: Bands, key: tuple[str, str], rows: Sequence[float | None]) -> None:
    values = tuple(one for one in rows if one is not None)
    if values:
        found[key] = Band(values=values)


def _with_cpu(weeks: FloatArray, companion: FloatArray) -> float | None:
    found = [correlation(one, other) for one, other in zip(weeks, companion, strict=True)]
    defined = [one for one in found if one is not None]
    return float(np.median(defined)) if defined else None


def _says(key: tuple[str, str]) -> str:
    if key[1] == WITH_CPU:
        return "correlation with processor"
    return next(one.says for one in STATISTICS[key[0]] if one.key == key[1])


def _figures(simulated: Bands, recorded: Bands) -> Metrics:
    metrics: Metrics = {}
    for (name, statistic), band in simulated.items():
        there = recorded.get((name, statistic))
        for side, one in (("recorded", there), ("simulated", band)):
            found = (None,) * 3 if one is None else one.percentiles
            for level, value in zip((10, 50, 90), found, strict=True):
                metrics[f"{name}_{statistic}_{side}_p{level}"] = value
        if there is not None:
            metrics[f"{name}_{statistic}_inside"] = float(is_inside(band, there))
            metrics[f"{name}_{statistic}_within"] = share_within(band, there)
    return metrics


if __name__ == "__main__":
    main()
